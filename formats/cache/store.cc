#include "formats/cache/store.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/cache/place_index.h"

namespace modnet {
namespace {

constexpr std::string_view kTag =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This folder is a cache made by modnet; it may be removed at any time.\n";
constexpr size_t kMaxSegments = 256;                  // of one group, the newest ones
constexpr int64_t kFlushBytes = int64_t{4} << 20;     // of records that wait to be written

/// A descriptor that closes itself, and with it gives back its lock.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

int64_t read_at(int fd, int64_t offset, std::span<std::byte> out) {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(fd, out.data() + done, out.size() - done, offset + static_cast<int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  return static_cast<int64_t>(done);
}

/// 0, or the errno of the write that failed.
int write_at(int fd, int64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), offset);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return put < 0 ? errno : ENOSPC;
    bytes.remove_prefix(static_cast<size_t>(put));
    offset += put;
  }
  return 0;
}

enum class Lock : uint8_t { kHeld, kBusy, kNone };  // kNone: the file system has no locks
Lock try_lock(int fd) {
  int result;
  do result = ::flock(fd, LOCK_EX | LOCK_NB);
  while (result != 0 && errno == EINTR);
  return result == 0 ? Lock::kHeld : errno == EWOULDBLOCK ? Lock::kBusy : Lock::kNone;
}

bool is_hex(std::string_view name, size_t digits) {
  return name.size() == digits && std::all_of(name.begin(), name.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::vector<std::string> names_in(const std::string& folder, size_t digits) {
  std::vector<std::string> names;
  DIR* dir = ::opendir(folder.c_str());
  if (dir == nullptr) return names;
  while (const dirent* entry = ::readdir(dir))
    if (is_hex(entry->d_name, digits)) names.emplace_back(entry->d_name);
  ::closedir(dir);
  std::sort(names.begin(), names.end());
  return names;
}

/// A regular file that is no link; not open for anything else.
Descriptor open_segment(const std::string& path, int flags, struct stat* status) {
  Descriptor file(::open(path.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.open() || ::fstat(file.get(), status) != 0 || !S_ISREG(status->st_mode)) return {};
  return file;
}

int64_t nanoseconds(const timespec& time) { return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec; }

std::string segment_name(uint32_t number) {
  char name[16];
  std::snprintf(name, sizeof name, "%08x", number);
  return name;
}

struct Segment {
  std::string name;
  Descriptor file;
  uint64_t inode = 0;
  int64_t size = 0, scanned = kSegmentHeadBytes, modified = 0;
  bool used = false;
};

}  // namespace

struct CacheStore::State {
  Options options;
  std::string root;
  Counts counts;
  std::string problem;
  bool writes = true, finished = false;
  std::map<Digest, std::unique_ptr<CacheGroup>> groups;

  void fail(const std::string& what, int error) {
    writes = false;
    if (problem.empty()) problem = what + " (" + std::strerror(error) + ")";
  }
  [[nodiscard]] int64_t segment_bytes() const { return std::min(options.segment_bytes, std::max<int64_t>(options.limit / 16, 4096)); }
  void evict();
};

struct CacheGroup::State {
  CacheStore::State& store;
  Digest function;
  std::string folder;
  std::vector<Segment> segments;
  PlaceIndex index;
  BlockBuilder pending;
  std::vector<std::byte> buffer;
  // The segment that this process writes to: `writer` holds its lock.
  Descriptor writer;
  uint32_t writing = 0;  // in segments
  bool locks = true;

  State(CacheStore::State& owner, const Digest& of) : store(owner), function(of), folder(owner.root + "/" + hex(of)) {}

  void scan(uint32_t at) {
    Segment& segment = segments[at];
    const int fd = segment.file.get();
    segment.scanned = scan_segment([fd](int64_t offset, std::span<std::byte> out) { return read_at(fd, offset, out); }, segment.scanned, segment.size,
                                   [&](const RecordPlace& place) { index.add(at, place); });
  }

  void open() {
    for (std::string& name : names_in(folder, 8)) {
      struct stat status{};
      Segment segment;
      segment.file = open_segment(folder + "/" + name, O_RDONLY, &status);
      std::byte head[kSegmentHeadBytes];
      if (!segment.file.open() || read_at(segment.file.get(), 0, head) != kSegmentHeadBytes || !check_segment_head(head, function).ok()) continue;
      segment.name = std::move(name);
      segment.inode = status.st_ino;
      segment.size = status.st_size;
      segment.modified = nanoseconds(status.st_mtim);
      segments.push_back(std::move(segment));
    }
    std::stable_sort(segments.begin(), segments.end(), [](const Segment& a, const Segment& b) { return a.modified > b.modified; });
    if (segments.size() > kMaxSegments) segments.resize(kMaxSegments);
    for (uint32_t i = 0; i < segments.size(); ++i) scan(i);
  }

  /// An existing segment that nobody writes to and that is not full.
  bool take_segment() {
    for (uint32_t i = 0; i < segments.size() && locks; ++i) {
      if (segments[i].size >= store.segment_bytes()) continue;
      struct stat status{};
      Descriptor file = open_segment(folder + "/" + segments[i].name, O_RDWR, &status);
      if (!file.open() || status.st_ino != segments[i].inode) continue;
      const Lock lock = try_lock(file.get());
      locks = lock != Lock::kNone;
      // Whoever held the lock before may have written, or removed the file.
      if (lock != Lock::kHeld || ::fstat(file.get(), &status) != 0 || status.st_nlink == 0 || status.st_size >= store.segment_bytes()) continue;
      segments[i].size = status.st_size;
      scan(i);
      // What a killed writer left would take the next block for its own end.
      if (segments[i].size > segments[i].scanned && ::ftruncate(file.get(), segments[i].scanned) != 0) continue;
      segments[i].size = segments[i].scanned;
      writer = std::move(file);
      writing = i;
      return true;
    }
    return false;
  }

  /// A new segment, locked before anyone else may.
  bool make_segment() {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return store.fail("cannot be written", error.value()), false;
    if (const Descriptor tag(::open((store.root + "/CACHEDIR.TAG").c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)); tag.open())
      static_cast<void>(write_at(tag.get(), 0, kTag));
    uint32_t number = 0;
    for (const std::string& name : names_in(folder, 8)) number = static_cast<uint32_t>(std::strtoul(name.c_str(), nullptr, 16)) + 1;
    for (int attempt = 0; attempt < 1000; ++attempt, ++number) {
      const std::string path = folder + "/" + segment_name(number);
      Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
      if (!file.open() && errno == EEXIST) continue;
      if (!file.open()) return store.fail("cannot be written", errno), false;
      if (try_lock(file.get()) == Lock::kBusy) continue;  // a process that evicts looked at it
      if (const int failed = write_at(file.get(), 0, segment_head(function)); failed != 0) {
        ::unlink(path.c_str());
        return store.fail("cannot be written", failed), false;
      }
      Segment segment;
      struct stat status{};
      segment.file = open_segment(path, O_RDONLY, &status);
      if (!segment.file.open()) return store.fail("cannot be read", errno), false;
      segment.name = segment_name(number);
      segment.inode = status.st_ino;
      segment.size = kSegmentHeadBytes;
      segments.push_back(std::move(segment));
      writer = std::move(file);
      writing = static_cast<uint32_t>(segments.size()) - 1;
      return true;
    }
    return store.fail("cannot be written", EEXIST), false;
  }

  void flush() {
    if (pending.records() == 0) return;
    std::vector<RecordPlace> places;
    if (!store.writes || (!writer.open() && !take_segment() && !make_segment())) {
      static_cast<void>(pending.finish(0, &places));
      return;
    }
    Segment& segment = segments[writing];
    const int64_t offset = segment.size;
    const std::string block = pending.finish(offset, &places);
    if (const int failed = write_at(writer.get(), offset, block); failed != 0) {
      static_cast<void>(::ftruncate(writer.get(), offset));  // nobody knows of these bytes
      writer = Descriptor();
      return store.fail("cannot be written", failed);
    }
    for (const RecordPlace& place : places) index.add(writing, place);
    store.counts.stored += static_cast<int64_t>(places.size());
    segment.size = segment.scanned = offset + static_cast<int64_t>(block.size());
    segment.used = false;  // writing has marked it
    if (segment.size < store.segment_bytes()) return;
    writer = Descriptor();
    store.evict();
  }

  std::optional<CachedValue> find(const Digest& key) {
    std::optional<CachedValue> value;
    index.find(key_prefix(key), [&](uint32_t at, const RecordPlace& place) {
      buffer.resize(static_cast<size_t>(place.length));
      if (read_at(segments[at].file.get(), place.offset, buffer) == place.length) value = decode_record(buffer, key);
      if (value) segments[at].used = true;
      else ++store.counts.damaged;
      return value.has_value();
    });
    return value;
  }
};

void CacheStore::State::evict() {
  struct File {
    int64_t modified, size;
    std::string folder, name;
  };
  std::vector<File> files;
  int64_t total = 0;
  for (const std::string& folder : names_in(root, 64))
    for (const std::string& name : names_in(root + "/" + folder, 8)) {
      struct stat status{};
      if (::lstat((root + "/" + folder + "/" + name).c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
      files.push_back({nanoseconds(status.st_mtim), status.st_size, root + "/" + folder, name});
      total += status.st_size;
    }
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return std::tie(a.modified, a.folder, a.name) < std::tie(b.modified, b.folder, b.name); });
  for (const File& file : files) {
    if (total <= options.limit) break;
    struct stat status{};
    const std::string path = file.folder + "/" + file.name;
    const Descriptor held = open_segment(path, O_RDONLY, &status);
    if (!held.open() || try_lock(held.get()) == Lock::kBusy || ::unlink(path.c_str()) != 0) continue;  // one that is written to stays
    total -= file.size;
    ++counts.evicted;
    ::rmdir(file.folder.c_str());  // where it was the last
  }
}

CacheGroup::CacheGroup(std::unique_ptr<State> state) : state_(std::move(state)) {}
CacheGroup::~CacheGroup() = default;
std::optional<CachedValue> CacheGroup::find(const Digest& key) { return state_->find(key); }
void CacheGroup::flush() { state_->flush(); }
void CacheGroup::add(const Digest& key, const CachedValue& value) {
  if (!state_->store.writes) return;
  if (state_->pending.bytes() >= kFlushBytes || !state_->pending.add(key, value)) {
    state_->flush();
    static_cast<void>(state_->pending.add(key, value));  // one that is too large is not kept
  }
}

Result<std::unique_ptr<CacheStore>> CacheStore::open(const Options& options) {
  struct stat status{};
  if (::stat(options.path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode))
    return usage("is a file; expected a folder for the cache", "name a folder that modnet may fill").in_file(options.path);
  auto state = std::make_unique<State>();
  state->options = options;
  state->root = options.path + "/embeddings-" + std::to_string(kCacheVersion);
  return std::unique_ptr<CacheStore>(new CacheStore(std::move(state)));
}

CacheGroup& CacheStore::group(const Digest& function) {
  std::unique_ptr<CacheGroup>& group = state_->groups[function];
  if (!group) {
    group.reset(new CacheGroup(std::make_unique<CacheGroup::State>(*state_, function)));
    group->state_->open();
  }
  return *group;
}

void CacheStore::finish() {
  if (std::exchange(state_->finished, true)) return;
  for (auto& [function, group] : state_->groups) {
    group->flush();
    for (const Segment& segment : group->state_->segments)
      if (segment.used) ::futimens(segment.file.get(), nullptr);
    group->state_->writer = Descriptor();
  }
  state_->evict();
}

CacheStore::CacheStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
CacheStore::~CacheStore() = default;
const CacheStore::Counts& CacheStore::counts() const { return state_->counts; }
const std::string& CacheStore::path() const { return state_->options.path; }
const std::string& CacheStore::problem() const { return state_->problem; }

}  // namespace modnet
