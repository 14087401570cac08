// Replays a fuzz target without libFuzzer: every corpus file, then seeded mutations of it, so that an ordinary test run
// meets each parser with broken input. The same files give the same inputs on every machine. An input fails when it
// crashes, takes over two seconds, or holds over 64 MiB beyond its own size (FAULTS: bounded time and memory).
// usage: fuzz_NAME CORPUS_FOLDER|FILE... [--mutations=N] [--seed=N]
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr double kMaxSeconds = 2.0;         // one input
constexpr double kTotalSeconds = 4.0;       // no further round of mutations after this
constexpr int64_t kMaxHeld = 64LL << 20;    // beyond the input's size
constexpr size_t kMaxInput = 64u << 10;     // mutations do not grow past this

std::atomic<int64_t> held{0};
std::atomic<int64_t> peak{0};
std::string current;             // the running input, written out when it fails
std::string current_name;

/// Allocations are counted here rather than with RLIMIT_AS, which the address sanitizer cannot live with.
void* counted_alloc(size_t size, size_t align) {
  void* p = align > alignof(std::max_align_t) ? std::aligned_alloc(align, (size + align - 1) / align * align)
                                              : std::malloc(size == 0 ? 1 : size);
  if (p == nullptr) return nullptr;
  const int64_t now = held += static_cast<int64_t>(malloc_usable_size(p));
  int64_t before = peak.load();
  while (now > before && !peak.compare_exchange_weak(before, now)) {
  }
  return p;
}
void counted_free(void* p) {
  if (p == nullptr) return;
  held -= static_cast<int64_t>(malloc_usable_size(p));
  std::free(p);
}

void save_failure() {
  std::FILE* file = std::fopen("fuzz-failure.bin", "wb");
  if (file == nullptr) return;
  std::fwrite(current.data(), 1, current.size(), file);
  std::fclose(file);
}

void on_signal(int number) {
  std::signal(number, SIG_DFL);
  std::fprintf(stderr, "signal %d on %s (%zu bytes, kept in fuzz-failure.bin)\n", number, current_name.c_str(),
               current.size());
  save_failure();
  std::raise(number);
}

/// SplitMix64: short, seedable, the same everywhere.
struct Random {
  uint64_t state;
  uint64_t next() {
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  size_t below(size_t n) { return n == 0 ? 0 : static_cast<size_t>(next() % n); }
};

constexpr uint64_t kNumbers[] = {0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
                                 0x100000000, 0x3fffffffffffffff, 0x7fffffffffffffff, 0x8000000000000000,
                                 0xffffffffffffffff};
constexpr std::string_view kTokens[] = {"\"", "{", "}", "[", "]", ",", ":", "\n", "\r\n", "\t", "-1", "1e999", "null",
                                        "99999999999999999999", "../", "\xff", "\xc0\x80", "\xed\xa0\x80", "\\u0000",
                                        "\\", "()", "'", "\xef\xbb\xbf"};

/// One change: bit flip, byte, number of 1-8 bytes in either order, cut, insert, repeat, delete, splice, swap.
void mutate(std::string& data, const std::vector<std::string>& corpus, Random& random) {
  const size_t at = random.below(data.size());
  switch (random.below(11)) {
    case 0:
      if (!data.empty()) data[at] = static_cast<char>(data[at] ^ (1 << random.below(8)));
      break;
    case 1:
      if (!data.empty()) data[at] = static_cast<char>(random.next());
      break;
    case 2:
    case 3: {  // a length or offset field
      const size_t width = size_t{1} << random.below(4);
      if (data.size() < width) break;
      const size_t place = random.below(data.size() - width + 1);
      uint64_t value = 0;
      std::memcpy(&value, data.data() + place, width);
      value = random.below(2) == 0 ? kNumbers[random.below(std::size(kNumbers))] : value + random.below(17) - 8;
      if (random.below(4) == 0) value = __builtin_bswap64(value) >> (64 - 8 * width);
      std::memcpy(data.data() + place, &value, width);
      break;
    }
    case 4:
      data.resize(at);
      break;
    case 5:
      data.insert(at, 1, static_cast<char>(random.next()));
      break;
    case 6:
      data.insert(at, kTokens[random.below(std::size(kTokens))]);
      break;
    case 7: {  // repeat a piece: duplicate keys, deep nesting
      const std::string piece = data.substr(at, 1 + random.below(64));
      for (size_t n = 1 + random.below(8); n > 0 && !piece.empty(); --n) data.insert(at, piece);
      break;
    }
    case 8:
      data.erase(at, 1 + random.below(32));
      break;
    case 9: {
      const std::string& other = corpus[random.below(corpus.size())];
      const std::string piece = other.substr(random.below(other.size()));
      data = data.substr(0, at) + piece;
      break;
    }
    default:
      if (data.size() >= 16) {
        const size_t a = random.below(data.size() - 8), b = random.below(data.size() - 8);
        for (size_t k = 0; k < 8; ++k) std::swap(data[a + k], data[b + k]);
      }
  }
  if (data.size() > kMaxInput) data.resize(kMaxInput);
}

bool run_one(const std::string& name, const std::string& data) {
  current = data;
  current_name = name;
  // A copy of the exact size, so that the address sanitizer sees a read one byte past the end.
  std::vector<uint8_t> exact(data.begin(), data.end());
  const int64_t before = held.load();
  peak.store(before);
  const std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const int64_t used = peak.load() - before;
  if (seconds > kMaxSeconds) {
    std::fprintf(stderr, "%s: took %.1f s, expected at most %.0f s (kept in fuzz-failure.bin)\n", name.c_str(), seconds,
                 kMaxSeconds);
    save_failure();
    return false;
  }
  if (used > kMaxHeld + static_cast<int64_t>(data.size())) {
    std::fprintf(stderr, "%s: held %lld bytes for an input of %zu (kept in fuzz-failure.bin)\n", name.c_str(),
                 static_cast<long long>(used), data.size());
    save_failure();
    return false;
  }
  return true;
}

bool number_option(std::string_view arg, std::string_view name, uint64_t* out) {
  if (!arg.starts_with(name)) return false;
  arg.remove_prefix(name.size());
  return std::from_chars(arg.data(), arg.data() + arg.size(), *out).ptr == arg.data() + arg.size();
}

}  // namespace

void* operator new(size_t size) {
  void* p = counted_alloc(size, 0);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
void* operator new(size_t size, std::align_val_t align) {
  void* p = counted_alloc(size, static_cast<size_t>(align));
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
void* operator new(size_t size, const std::nothrow_t&) noexcept { return counted_alloc(size, 0); }
void* operator new[](size_t size) { return operator new(size); }
void* operator new[](size_t size, std::align_val_t align) { return operator new(size, align); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return counted_alloc(size, 0); }
void operator delete(void* p) noexcept { counted_free(p); }
void operator delete[](void* p) noexcept { counted_free(p); }
void operator delete(void* p, size_t) noexcept { counted_free(p); }
void operator delete[](void* p, size_t) noexcept { counted_free(p); }
void operator delete(void* p, std::align_val_t) noexcept { counted_free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { counted_free(p); }
void operator delete(void* p, size_t, std::align_val_t) noexcept { counted_free(p); }
void operator delete[](void* p, size_t, std::align_val_t) noexcept { counted_free(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { counted_free(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { counted_free(p); }

int main(int argc, char** argv) {
  uint64_t mutations = 2000;
  uint64_t seed = 1;
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    if (number_option(argv[i], "--mutations=", &mutations) || number_option(argv[i], "--seed=", &seed)) continue;
    if (std::filesystem::is_directory(argv[i])) {
      for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator(argv[i]))
        if (entry.is_regular_file()) files.push_back(entry.path());
    } else {
      files.emplace_back(argv[i]);
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const std::filesystem::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    if (!in) {
      std::fprintf(stderr, "%s: cannot be read\n", file.c_str());
      return 1;
    }
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  if (corpus.empty()) {
    std::fputs("no corpus file: expected a folder with at least one\n", stderr);
    return 1;
  }
  for (const int number : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) std::signal(number, on_signal);
  // The empty input, then all files before the first mutation: statics are set up, and every file is sure to run.
  uint64_t runs = 1;
  (void)LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(""), 0);
  for (size_t i = 0; i < corpus.size(); ++i, ++runs)
    if (!run_one(files[i].string(), corpus[i])) return 1;
  const std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  // Round by round over the files, so that a slow machine that runs out of time has still mutated each of them.
  for (uint64_t round = 0; round < mutations; ++round) {
    for (size_t i = 0; i < corpus.size(); ++i, ++runs) {
      Random random{seed * 0x2545f4914f6cdd1du + round * 1000003u + i};
      std::string data = corpus[i];
      for (size_t n = 1 + random.below(4); n > 0; --n) mutate(data, corpus, random);
      if (!run_one(files[i].string() + " round " + std::to_string(round), data)) return 1;
    }
    if (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > kTotalSeconds) break;
  }
  std::printf("%llu inputs from %zu files\n", static_cast<unsigned long long>(runs), corpus.size());
  return 0;
}
