// Bare readers and writers of Arrow data, one run for each line on standard input, since every command does more. Driven by arrow.py.
//   bench_arrow_program
// A line is "WHAT HOW PATH"; every answer is {"seconds" by the clock, "cpu" seconds, "faults" of pages, "resident" bytes of files that
// came into this process's memory, "rows" (for bare: 0)}:
//   map checked|unchecked PATH   ArrowReader over a fresh mapping of the file, batch after batch, no value looked at
//   map xxh3|sha256|sum PATH     the same bytes hashed, or read and added up
//   pipe checked|unchecked|bare PATH   what `cat PATH` writes into a pipe, by ArrowReader or by bare reads; from the first byte on
//   write sealed|plain|bare PATH  the kind of rows that was made last, to a new file; bare: as many bytes by write() alone
//   make features|tokens PATH    rows for write, and the file for the others
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "formats/arrow/builder.h"
#include "formats/arrow/reader.h"
#include "formats/arrow/writer.h"
#include "formats/base/digest.h"
#include "formats/base/file.h"

namespace {

using namespace modnet;

constexpr int64_t kFeatureRows = 100'000, kFeatureColumns = 384, kTokenRows = 400'000;

[[noreturn]] void fail(const Error& error) {
  std::fprintf(stderr, "%s: %s: %s\n", error.file.c_str(), error.where.c_str(), error.what.c_str());
  std::exit(3);
}
template <typename T>
T must(Result<T> result) {
  if (!result.ok()) fail(result.error());
  return std::move(*result);
}
void must(const Status& status) {
  if (!status.ok()) fail(status.error());
}

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

int64_t page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

// Pages of files in this process's memory, in bytes.
int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t all = 0, resident = 0, shared = 0;
  file >> all >> resident >> shared;
  return shared * sysconf(_SC_PAGESIZE);
}

// What a run costs, from its making to print().
class Meter {
 public:
  void print(int64_t rows) const {
    const double clock = seconds(CLOCK_MONOTONIC) - clock_, cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_;
    std::printf("{\"seconds\": %.6f, \"cpu\": %.6f, \"faults\": %lld, \"resident\": %lld, \"rows\": %lld}\n", clock, cpu,
                static_cast<long long>(page_faults() - faults_), static_cast<long long>(resident_bytes() - resident_),
                static_cast<long long>(rows));
    std::fflush(stdout);
  }

 private:
  int64_t resident_ = resident_bytes(), faults_ = page_faults();
  double clock_ = seconds(CLOCK_MONOTONIC), cpu_ = seconds(CLOCK_PROCESS_CPUTIME_ID);
};

ArrowReadOptions options_of(const std::string& how) {
  ArrowReadOptions options;
  options.check = how == "checked" ? SealCheck::kYes : SealCheck::kNo;
  return options;
}

int64_t read_to_end(ArrowReader& reader, const std::string& how) {
  while (must(reader.next()).has_value()) {
  }
  if (reader.seal() != (how == "checked" ? Seal::kSealed : Seal::kUnchecked)) {
    std::fprintf(stderr, "the file has no seal that agrees\n");
    std::exit(3);
  }
  return reader.rows();
}

void run_map(const std::string& how, const std::string& path) {
  const Meter meter;
  MappedFile file = must(MappedFile::open(path));
  if (how == "checked" || how == "unchecked") {
    const std::unique_ptr<ArrowReader> reader = must(ArrowReader::open_mapped(std::move(file), options_of(how)));
    return meter.print(read_to_end(*reader, how));  // its pages are still mapped
  }
  if (how == "sum") {
    const Bytes bytes = file.bytes();
    const uint64_t* words = reinterpret_cast<const uint64_t*>(bytes.data());
    uint64_t sums[4] = {};
    for (size_t i = 0; i + 4 <= bytes.size() / 8; i += 4)
      for (size_t j = 0; j < 4; ++j) sums[j] += words[i + j];
    volatile uint64_t sum = sums[0] + sums[1] + sums[2] + sums[3];
    (void)sum;
  } else {
    volatile uint8_t byte = how == "xxh3" ? xxh3_128(file.bytes())[0] : sha256(file.bytes())[0];
    (void)byte;
  }
  meter.print(0);
}

void run_pipe(const std::string& how, const std::string& path) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) std::exit(5);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], 1);
    ::execlp("cat", "cat", path.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  pollfd first{ends[0], POLLIN, 0};
  ::poll(&first, 1, -1);
  {
    const Meter meter;
    int64_t rows = 0;
    if (how == "bare") {
      widen_pipe(ends[0]);  // as our reader does
      std::vector<std::byte> buffer(size_t{1} << 17);  // as cat's
      while (::read(ends[0], buffer.data(), buffer.size()) > 0) {
      }
    } else {
      const std::unique_ptr<ArrowReader> reader = must(ArrowReader::open_path("/dev/fd/" + std::to_string(ends[0]), options_of(how)));
      rows = read_to_end(*reader, how);
    }
    meter.print(rows);
  }
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
}

class Rows {
 public:
  explicit Rows(const std::string& kind) : schema_{{kind == "features" ? ArrowField::fixed_list("features", DType::kF32, kFeatureColumns)
                                                                       : ArrowField::list("tokens", DType::kI32)}, {}},
                                           builder_(schema_) {
    ArrowColumnBuilder& column = builder_.column(0);
    if (kind == "features") {
      std::vector<float> row(kFeatureColumns);
      for (int64_t r = 0; r < kFeatureRows; ++r) {
        for (size_t i = 0; i < row.size(); ++i) row[i] = static_cast<float>((static_cast<size_t>(r) * 31 + i * 7919) % 2003) * 1e-3F;
        column.add_rows<float>(row);
      }
    } else {
      std::vector<int32_t> row(256);
      std::iota(row.begin(), row.end(), 1000);
      for (int64_t r = 0; r < kTokenRows; ++r)  // 91 tokens in the mean
        column.add_items<int32_t>(std::span<const int32_t>(row).first(static_cast<size_t>(2 + r * 7919 % 179)));
    }
  }

  void write(const std::string& path, SealWrite seal) const {
    const std::unique_ptr<Output> output = must(Output::open(path, Overwrite::kYes));
    ArrowWriteOptions options;
    options.seal = seal;
    const std::unique_ptr<ArrowWriter> writer = must(ArrowWriter::open(*output, schema_, ArrowForm::kFile, options));
    must(writer->write(builder_.batch()));
    must(writer->finish());
    must(output->commit());
  }

  // The bytes of the values alone, in the pieces that write() hands over.
  void write_bare(const std::string& path) const {
    const ArrowColumn column = builder_.batch().columns[0];
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    for (int64_t row = 0; row < column.rows; row += 1024) {
      const int64_t begin = column.range(row).first * 4, end = column.range(std::min(row + 1024, column.rows) - 1).second * 4;
      if (::write(fd, column.data + begin, static_cast<size_t>(end - begin)) != end - begin) std::exit(5);
    }
    ::close(fd);
  }
  [[nodiscard]] int64_t rows() const { return builder_.rows(); }

 private:
  ArrowSchema schema_;
  ArrowBatchBuilder builder_;
};

}  // namespace

int main() {
  std::unique_ptr<Rows> rows;
  std::string what, how, path;
  while (std::cin >> what >> how && std::getline(std::cin >> std::ws, path)) {
    if (what == "map") {
      run_map(how, path);
    } else if (what == "pipe") {
      run_pipe(how, path);
    } else if (what == "make") {
      rows = std::make_unique<Rows>(how);
      const Meter meter;
      rows->write(path, SealWrite::kYes);
      meter.print(rows->rows());
    } else if (what == "write" && rows != nullptr) {
      ::unlink(path.c_str());
      const Meter meter;
      how == "bare" ? rows->write_bare(path) : rows->write(path, how == "sealed" ? SealWrite::kYes : SealWrite::kNo);
      meter.print(rows->rows());
    } else {
      std::fprintf(stderr, "'%s %s' is not known\n", what.c_str(), how.c_str());
      return 2;
    }
  }
  return 0;
}
