#include "formats/base/file.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/base/files_read.h"

namespace modnet {
namespace {

Error unreadable(const std::string& path, int error) {
  return Error{Code::kUnreadable, "CANNOT_READ", std::string("cannot be read: ") + std::strerror(error), {}, path,
               error == ENOENT ? "check the name" : ""};
}

FileStamp stamp_of(const struct stat& st) {
  return FileStamp{static_cast<uint64_t>(st.st_dev), static_cast<uint64_t>(st.st_ino), static_cast<int64_t>(st.st_size),
                   static_cast<int64_t>(st.st_mtim.tv_sec) * 1'000'000'000 + st.st_mtim.tv_nsec};
}

std::mutex read_mutex;
std::vector<std::string>& read_paths() {
  static std::vector<std::string> paths;
  return paths;
}

/// Keeps the name of a file that was opened for reading; pipes, devices and standard input are no files to depend on.
void note_read(const std::string& path, const struct stat& st) {
  if (!S_ISREG(st.st_mode)) return;
  const std::lock_guard<std::mutex> lock(read_mutex);
  if (std::find(read_paths().begin(), read_paths().end(), path) == read_paths().end()) read_paths().push_back(path);
}

// The SIGBUS guard. A handler may only touch lock-free data, so mapped ranges live in a fixed table of atomics. A fault
// inside one of them (the file was cut off under us) maps a zero page over the lost one and goes on; what reads it then
// fails its checksum. A fault anywhere else gets the default action.
struct Range {
  std::atomic<uintptr_t> begin{0}, end{0};
};
std::array<Range, 4096> guarded_ranges;
std::atomic<bool> guard_hit{false};
uintptr_t page_size = 4096;

void on_sigbus(int, siginfo_t* info, void*) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  for (const Range& range : guarded_ranges) {
    const uintptr_t begin = range.begin.load(std::memory_order_acquire);
    if (begin == 0 || address < begin || address >= range.end.load(std::memory_order_acquire)) continue;
    void* page = reinterpret_cast<void*>(address & ~(page_size - 1));
    if (mmap(page, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) break;
    guard_hit.store(true, std::memory_order_release);
    return;
  }
  std::signal(SIGBUS, SIG_DFL);
}

/// Registers a mapping; false when the table is full (the caller then copies instead of mapping).
bool guard(const void* address, int64_t length) {
  static std::once_flag once;
  std::call_once(once, [] {
    page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    struct sigaction action {};
    action.sa_sigaction = on_sigbus;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, nullptr);
  });
  const auto begin = reinterpret_cast<uintptr_t>(address);
  for (Range& range : guarded_ranges) {
    uintptr_t free_slot = 0;
    if (range.begin.load() != 0) continue;
    range.end.store(begin + static_cast<uintptr_t>(length), std::memory_order_release);
    if (range.begin.compare_exchange_strong(free_slot, begin)) return true;
  }
  return false;
}

void unguard(const void* address) {
  for (Range& range : guarded_ranges)
    if (range.begin.load() == reinterpret_cast<uintptr_t>(address)) {
      range.begin.store(0, std::memory_order_release);
      return;
    }
}

/// read() that retries EINTR.
ssize_t read_some(int fd, void* out, size_t n) {
  for (;;) {
    const ssize_t got = ::read(fd, out, n);
    if (got >= 0 || errno != EINTR) return got;
  }
}

class FdSource : public ByteSource {
 public:
  FdSource(int fd, std::string name, bool owns) : fd_(fd), owns_(owns) {
    name_ = std::move(name);
    widen_pipe(fd);
  }
  ~FdSource() override {
    if (owns_) ::close(fd_);
  }
  Result<int64_t> read(std::span<std::byte> out) override {
    const ssize_t got = read_some(fd_, out.data(), std::min(out.size(), size_t{1} << 30));
    if (got < 0) return unreadable(name_, errno);
    return static_cast<int64_t>(got);
  }
  bool ready() override {
    struct pollfd item {
      fd_, POLLIN, 0
    };
    return ::poll(&item, 1, 0) != 0;
  }

 private:
  int fd_;
  bool owns_;
};

class MemorySource : public ByteSource {
 public:
  MemorySource(Bytes bytes, std::string name) : bytes_(bytes) { name_ = std::move(name); }
  Result<int64_t> read(std::span<std::byte> out) override {
    const size_t n = std::min(out.size(), bytes_.size());
    if (n > 0) std::memcpy(out.data(), bytes_.data(), n);
    bytes_ = bytes_.subspan(n);
    return static_cast<int64_t>(n);
  }

 private:
  Bytes bytes_;
};

/// Hands back bytes that were read ahead, then the rest of the inner source.
class PrefixedSource : public ByteSource {
 public:
  PrefixedSource(std::string prefix, std::unique_ptr<ByteSource> inner)
      : prefix_(std::move(prefix)), inner_(std::move(inner)) {
    name_ = inner_->name();
  }
  Result<int64_t> read(std::span<std::byte> out) override {
    if (at_ == prefix_.size()) return inner_->read(out);
    const size_t n = std::min(out.size(), prefix_.size() - at_);
    if (n > 0) std::memcpy(out.data(), prefix_.data() + at_, n);
    at_ += n;
    return static_cast<int64_t>(n);
  }
  bool ready() override { return at_ < prefix_.size() || inner_->ready(); }

 private:
  std::string prefix_;
  size_t at_ = 0;
  std::unique_ptr<ByteSource> inner_;
};

}  // namespace

void widen_pipe([[maybe_unused]] int fd) {
#if defined(F_SETPIPE_SZ)
  constexpr int kBytes = 1 << 20;
  const int now = ::fcntl(fd, F_GETPIPE_SZ);
  if (now > 0 && now < kBytes) (void)::fcntl(fd, F_SETPIPE_SZ, kBytes);
#endif
}

Result<MappedFile> MappedFile::open(const std::string& path, int64_t max_bytes) {
  MappedFile file;
  file.path_ = path;
  if (path == "-") {
    MODNET_ASSIGN(const std::unique_ptr<ByteSource> source, open_source(path));
    MODNET_ASSIGN(file.owned_, read_all(*source, max_bytes));
    file.bytes_ = as_bytes(file.owned_);
    return file;
  }
  file.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file.fd_ < 0) return unreadable(path, errno);
  struct stat st {};
  if (fstat(file.fd_, &st) != 0) return unreadable(path, errno);
  if (S_ISDIR(st.st_mode)) return unreadable(path, EISDIR);
  note_read(path, st);
  if (!S_ISREG(st.st_mode)) {
    FdSource source(file.fd_, path, false);
    MODNET_ASSIGN(file.owned_, read_all(source, max_bytes));
    ::close(file.fd_);
    file.fd_ = -1;
    file.bytes_ = as_bytes(file.owned_);
    return file;
  }
  file.stamp_ = stamp_of(st);
  if (file.stamp_.size > max_bytes) return malformed("file is larger than the limit of " + std::to_string(max_bytes) + " bytes").in_file(path);
  if (file.stamp_.size == 0) return file;
  void* address = mmap(nullptr, static_cast<size_t>(st.st_size), PROT_READ, MAP_PRIVATE, file.fd_, 0);
  if (address == MAP_FAILED) return unreadable(path, errno);
  if (!guard(address, st.st_size)) {  // too many mappings at once: copy instead
    munmap(address, static_cast<size_t>(st.st_size));
    FdSource source(file.fd_, path, false);
    MODNET_ASSIGN(file.owned_, read_all(source, max_bytes));
    file.bytes_ = as_bytes(file.owned_);
    return file;
  }
  file.mapped_ = st.st_size;
  file.bytes_ = {static_cast<const std::byte*>(address), static_cast<size_t>(st.st_size)};
  return file;
}

void MappedFile::release() {
  if (mapped_ > 0) {
    void* address = const_cast<std::byte*>(bytes_.data());
    unguard(address);
    munmap(address, static_cast<size_t>(mapped_));
  }
  if (fd_ >= 0) ::close(fd_);
  mapped_ = 0;
  fd_ = -1;
  bytes_ = {};
}

MappedFile::~MappedFile() { release(); }

MappedFile::MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this == &other) return *this;
  release();
  const bool in_memory = other.mapped_ == 0 && !other.bytes_.empty();
  path_ = std::move(other.path_);
  stamp_ = other.stamp_;
  owned_ = std::move(other.owned_);
  bytes_ = in_memory ? as_bytes(owned_) : other.bytes_;
  fd_ = std::exchange(other.fd_, -1);
  mapped_ = std::exchange(other.mapped_, 0);
  other.bytes_ = {};
  return *this;
}

Status MappedFile::unchanged() const {
  if (fd_ < 0) return ok();
  struct stat st {};
  struct stat named {};
  if (fstat(fd_, &st) == 0 && stat(path_.c_str(), &named) == 0 && stamp_of(st) == stamp_ &&
      named.st_ino == st.st_ino && named.st_dev == st.st_dev)
    return ok();
  return Error{Code::kUnreadable, "INPUT_CHANGED", "the file changed while it was being used", {}, path_,
               "run the command again when nobody writes it"};
}

bool MappedFile::damaged() { return guard_hit.load(std::memory_order_acquire); }

Result<std::unique_ptr<ByteSource>> open_source(const std::string& path) {
  if (path == "-") return std::unique_ptr<ByteSource>(std::make_unique<FdSource>(0, "(standard input)", false));
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return unreadable(path, errno);
  struct stat st {};
  if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
    ::close(fd);
    return unreadable(path, EISDIR);
  }
  note_read(path, st);
  posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::unique_ptr<ByteSource>(std::make_unique<FdSource>(fd, path, true));
}

std::unique_ptr<ByteSource> memory_source(Bytes bytes, std::string name) {
  return std::make_unique<MemorySource>(bytes, std::move(name));
}

std::unique_ptr<ByteSource> prefixed_source(std::string prefix, std::unique_ptr<ByteSource> rest) {
  return std::make_unique<PrefixedSource>(std::move(prefix), std::move(rest));
}

Result<std::string> peek(ByteSource& source, int64_t n) {
  std::string head;
  while (static_cast<int64_t>(head.size()) < n) {
    const size_t have = head.size();
    head.resize(static_cast<size_t>(n));
    MODNET_ASSIGN(const int64_t got,
                  source.read({reinterpret_cast<std::byte*>(head.data()) + have, static_cast<size_t>(n) - have}));
    head.resize(have + static_cast<size_t>(got));
    if (got == 0) break;
  }
  return head;
}

Result<std::string> read_all(ByteSource& source, int64_t max_bytes) {
  std::string out;
  size_t used = 0;
  for (;;) {
    if (out.size() - used < (size_t{1} << 16)) out.resize(std::max<size_t>(out.size() * 2, size_t{1} << 17));
    MODNET_ASSIGN(const int64_t got, source.read({reinterpret_cast<std::byte*>(out.data()) + used, out.size() - used}));
    if (got == 0) break;
    used += static_cast<size_t>(got);
    if (static_cast<int64_t>(used) > max_bytes)
      return malformed("is larger than the limit of " + std::to_string(max_bytes) + " bytes").in_file(source.name());
  }
  out.resize(used);
  return out;
}

Result<std::string> read_file(const std::string& path, int64_t max_bytes) {
  MODNET_ASSIGN(const std::unique_ptr<ByteSource> source, open_source(path));
  return read_all(*source, max_bytes);
}

std::vector<std::string> files_read() {
  const std::lock_guard<std::mutex> lock(read_mutex);
  return read_paths();
}

}  // namespace modnet
