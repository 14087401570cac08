// The cache's folder: two who share it, damage, limits of size, and folders that cannot be written.
#include "formats/cache/store.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "formats/cache/place_index.h"
#include "tests/support/temp_dir.h"

namespace modnet {
namespace {

namespace fs = std::filesystem;

Digest digest_of(std::string_view text) { return sha256(as_bytes(text)); }
Digest key_of(int64_t number) { return digest_of("item " + std::to_string(number)); }
const Digest kFunction = digest_of("function");

CachedValue value_of(int64_t number, uint32_t width = 16) {
  CachedValue value;
  value.tokens = static_cast<uint32_t>(number % 100);
  value.width = width;
  value.values.assign(width, static_cast<float>(number));
  return value;
}
std::unique_ptr<CacheStore> open_store(const std::string& path, int64_t limit = int64_t{1} << 30, int64_t segment = int64_t{1} << 26) {
  Result<std::unique_ptr<CacheStore>> store = CacheStore::open({path, limit, segment});
  REQUIRE(store.ok());
  return std::move(store).value();
}
void fill(CacheStore& store, int64_t begin, int64_t end, const Digest& function = kFunction) {
  CacheGroup& group = store.group(function);
  for (int64_t i = begin; i < end; ++i) group.add(key_of(i), value_of(i));
  group.flush();
}
/// How many of the items are found; their values must be theirs.
int64_t found(CacheStore& store, int64_t begin, int64_t end, const Digest& function = kFunction) {
  int64_t count = 0;
  for (int64_t i = begin; i < end; ++i)
    if (const std::optional<CachedValue> value = store.group(function).find(key_of(i))) {
      CHECK(*value == value_of(i));
      ++count;
    }
  return count;
}
std::vector<fs::path> segments_in(const std::string& path) {
  std::vector<fs::path> out;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file() && entry.path().filename() != "CACHEDIR.TAG") out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}
int64_t bytes_in(const std::string& path) {
  int64_t bytes = 0;
  for (const fs::path& one : segments_in(path)) bytes += static_cast<int64_t>(fs::file_size(one));
  return bytes;
}
void change_byte(const fs::path& path, int64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  const char byte = static_cast<char>(file.get() ^ 0x10);
  file.seekp(at);
  file.put(byte);
}

TEST_CASE("values are found by the process that stored them and by the next one") {
  const test::TempDir dir;
  {
    const auto store = open_store(dir / "c");
    CHECK_FALSE(store->group(kFunction).find(key_of(1)).has_value());
    CHECK_FALSE(fs::exists(dir / "c"));  // nothing is made before something is kept
    fill(*store, 0, 100);
    CHECK(found(*store, 0, 101) == 100);
    CHECK(store->counts().stored == 100);
    store->finish();
    CHECK(store->problem().empty());
  }
  const auto store = open_store(dir / "c");
  CHECK(found(*store, 0, 101) == 100);
  CHECK(found(*store, 0, 100, digest_of("another function")) == 0);
  CHECK(segments_in(dir / "c").size() == 1);
  CHECK(dir.read("c/embeddings-1/CACHEDIR.TAG").starts_with("Signature: 8a477f597d28d172789f06886806bc55"));
  fill(*store, 100, 110);  // goes on in the same segment
  CHECK(segments_in(dir / "c").size() == 1);
  CHECK(found(*open_store(dir / "c"), 0, 120) == 110);
}

TEST_CASE("two processes write at once without waiting, and each later sees both") {
  const test::TempDir dir;
  const auto one = open_store(dir / "c"), two = open_store(dir / "c");
  fill(*one, 0, 10);
  fill(*two, 10, 20);  // the first holds its segment: the second makes one of its own
  fill(*one, 20, 30);
  fill(*two, 30, 40);
  CHECK(segments_in(dir / "c").size() == 2);
  CHECK(found(*open_store(dir / "c"), 0, 40) == 40);
  one->finish();
  two->finish();
  fill(*open_store(dir / "c"), 40, 50);  // segments that were given back are used again
  CHECK(segments_in(dir / "c").size() == 2);
}

TEST_CASE("many threads, each a store of its own on one folder, lose nothing") {
  const test::TempDir dir;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&dir, t] {
      for (int round = 0; round < 5; ++round) {
        const auto store = std::move(CacheStore::open({dir / "c"})).value();
        for (int i = 0; i < 4; ++i) {
          const int64_t begin = ((t * 5 + round) * 4 + i) * 10;
          CacheGroup& group = store->group(kFunction);
          for (int64_t n = begin; n < begin + 10; ++n) group.add(key_of(n), value_of(n));
          group.flush();
        }
        store->finish();
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(found(*open_store(dir / "c"), 0, 800) == 800);
}

TEST_CASE("a writer that is killed leaves what it flushed, and its segment is used again") {
  const test::TempDir dir;
  const pid_t child = ::fork();
  if (child == 0) {
    const auto store = std::move(CacheStore::open({dir / "c"})).value();
    CacheGroup& group = store->group(kFunction);
    for (int64_t i = 0; i < 50; ++i) group.add(key_of(i), value_of(i));
    group.flush();
    group.add(key_of(50), value_of(50));
    ::raise(SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  const fs::path segment = segments_in(dir / "c").at(0);
  fs::resize_file(segment, fs::file_size(segment) - 100);  // as if it had been killed in the middle of its write
  const auto store = open_store(dir / "c");
  CHECK(found(*store, 0, 51) == 0);
  fill(*store, 0, 20);
  CHECK(segments_in(dir / "c").size() == 1);
  CHECK(found(*open_store(dir / "c"), 0, 51) == 20);
}

TEST_CASE("a damaged record is not served, and what is stored in its place is") {
  const test::TempDir dir;
  fill(*open_store(dir / "c"), 0, 10);
  const fs::path segment = segments_in(dir / "c").at(0);
  change_byte(segment, static_cast<int64_t>(fs::file_size(segment)) - 40);  // in the last record's values or padding
  change_byte(segment, 64 + 64 + 160 + 60);                                 // in the first record's values
  {
    const auto store = open_store(dir / "c");
    CHECK(found(*store, 0, 10) < 10);
    CHECK_FALSE(store->group(kFunction).find(key_of(0)).has_value());
    CHECK(store->counts().damaged >= 1);
    fill(*store, 0, 10);
    CHECK(found(*store, 0, 10) == 10);
  }
  CHECK(found(*open_store(dir / "c"), 0, 10) == 10);
}

TEST_CASE("foreign files, links, pipes and segments of another version are left alone") {
  const test::TempDir dir;
  fill(*open_store(dir / "c"), 0, 10);
  const std::string folder = segments_in(dir / "c").at(0).parent_path();
  dir.write("elsewhere", std::string(200, 'x'));
  std::ofstream(folder + "/00000005") << "a foreign file of this name";
  std::ofstream(folder + "/notes.txt") << "mine";
  std::string other = segment_head(kFunction);
  other[8] = 9;
  std::ofstream(folder + "/00000006") << other;
  REQUIRE(::symlink((dir / "elsewhere").c_str(), (folder + "/00000007").c_str()) == 0);
  REQUIRE(::mkfifo((folder + "/00000008").c_str(), 0600) == 0);
  {
    const auto first = open_store(dir / "c"), second = open_store(dir / "c");
    CHECK(found(*first, 0, 10) == 10);
    fill(*first, 10, 20);
    fill(*second, 20, 30);  // its segment has a number behind all of these
    CHECK(second->problem().empty());
  }
  CHECK(found(*open_store(dir / "c"), 0, 30) == 30);
  CHECK(dir.read("elsewhere") == std::string(200, 'x'));
  const auto small = open_store(dir / "c", 1);
  small->finish();
  CHECK(fs::exists(folder + "/notes.txt"));
  CHECK(fs::is_symlink(folder + "/00000007"));
  CHECK(found(*open_store(dir / "c"), 0, 30) == 0);
}

TEST_CASE("the cache stays within its size, and what was used last stays longest") {
  const test::TempDir dir;
  constexpr int64_t kLimit = 256 << 10;
  {
    const auto store = open_store(dir / "c", kLimit);
    for (int64_t i = 0; i < 4000; i += 50) fill(*store, i, i + 50);
    store->finish();
    CHECK(store->counts().evicted > 0);
  }
  CHECK(bytes_in(dir / "c") <= kLimit);
  CHECK(bytes_in(dir / "c") > kLimit / 2);
  CHECK(found(*open_store(dir / "c", kLimit), 3900, 4000) == 100);
  CHECK(found(*open_store(dir / "c", kLimit), 0, 100) == 0);

  // The oldest segment that is left is used: it outlives those after it.
  std::vector<fs::path> segments = segments_in(dir / "c");
  REQUIRE(segments.size() > 4);
  for (size_t i = 0; i < segments.size(); ++i) {  // an hour apart, long ago
    const timespec times[2] = {{static_cast<time_t>(1'000'000'000 + 3600 * i), 0}, {static_cast<time_t>(1'000'000'000 + 3600 * i), 0}};
    REQUIRE(::utimensat(AT_FDCWD, segments[i].c_str(), times, 0) == 0);
  }
  const auto store = open_store(dir / "c", kLimit);
  int64_t oldest = 0;
  while (!store->group(kFunction).find(key_of(oldest))) ++oldest;
  store->finish();
  const auto smaller = open_store(dir / "c", kLimit / 2);
  smaller->finish();
  CHECK(found(*open_store(dir / "c"), oldest, oldest + 1) == 1);
  CHECK(fs::exists(segments[0]));
  CHECK_FALSE(fs::exists(segments[1]));
}

TEST_CASE("a folder of a function whose last segment went is removed") {
  const test::TempDir dir;
  fill(*open_store(dir / "c"), 0, 10);
  const std::string folder = segments_in(dir / "c").at(0).parent_path();
  open_store(dir / "c", 1)->finish();
  CHECK_FALSE(fs::exists(folder));
  fill(*open_store(dir / "c"), 0, 10);
  CHECK(found(*open_store(dir / "c"), 0, 10) == 10);
}

TEST_CASE("a segment that somebody writes to is not removed") {
  const test::TempDir dir;
  const auto writer = open_store(dir / "c");
  fill(*writer, 0, 10);
  open_store(dir / "c", 1)->finish();
  CHECK(segments_in(dir / "c").size() == 1);
}

TEST_CASE("a full disk is one problem: what is stored stays, and nothing more is") {
  const test::TempDir dir;
  fill(*open_store(dir / "c"), 0, 10);
  const int64_t before = bytes_in(dir / "c");
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{static_cast<rlim_t>(before) + 300, static_cast<rlim_t>(before) + 300};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(9);
    const auto store = std::move(CacheStore::open({dir / "c"})).value();
    CacheGroup& group = store->group(kFunction);
    for (int64_t i = 10; i < 60; ++i) group.add(key_of(i), value_of(i));
    group.flush();
    if (store->problem().find("cannot be written (") != 0) ::_exit(1);
    if (store->counts().stored != 0 || group.find(key_of(20))) ::_exit(2);
    if (!group.find(key_of(3))) ::_exit(3);
    group.add(key_of(70), value_of(70));
    group.flush();
    store->finish();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(bytes_in(dir / "c") == before);
  CHECK(found(*open_store(dir / "c"), 0, 60) == 10);
}

TEST_CASE("a folder that cannot be made is a problem, and a file in its place is refused") {
  const test::TempDir dir;
  dir.write("file", "x");
  const Result<std::unique_ptr<CacheStore>> refused = CacheStore::open({dir / "file"});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Code::kUsage);
  const auto store = open_store(dir / "file/c");  // below a file
  fill(*store, 0, 10);
  CHECK(store->problem() == "cannot be written (Not a directory)");
  CHECK(found(*store, 0, 10) == 0);
  store->finish();
}

TEST_CASE("a folder without permission to write is read, and says so once") {
  const test::TempDir dir;
  fill(*open_store(dir / "c"), 0, 10);
  const std::string folder = segments_in(dir / "c").at(0).parent_path();
  const pid_t child = ::fork();
  if (child == 0) {
    if (::getuid() == 0) {  // root may write anywhere: be somebody else
      fs::permissions(dir.path(), fs::perms::all);
      if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(9);
    } else {
      fs::permissions(folder, fs::perms::owner_read | fs::perms::owner_exec);
      fs::permissions(segments_in(dir / "c").at(0), fs::perms::owner_read);
    }
    const auto store = std::move(CacheStore::open({dir / "c"})).value();
    CacheGroup& group = store->group(kFunction);
    if (!group.find(key_of(3)) || !store->problem().empty()) ::_exit(1);
    group.add(key_of(70), value_of(70));
    group.flush();
    if (store->problem() != "cannot be written (Permission denied)") ::_exit(2);
    store->finish();
    if (!group.find(key_of(4))) ::_exit(3);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  fs::permissions(folder, fs::perms::owner_all);
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(segments_in(dir / "c").size() == 1);
}

TEST_CASE("an index holds records of equal prefixes, and an end of what one prefix may take") {
  PlaceIndex index;
  for (uint32_t i = 0; i < 5000; ++i) index.add(0, {i % 2 == 0 ? 7 : key_prefix(key_of(i)), i, 100});
  int64_t same = 0;
  CHECK_FALSE(index.find(7, [&](uint32_t, const RecordPlace&) { return ++same < 0; }));
  CHECK(same > 10);
  CHECK(same <= 256);
  int64_t others = 0;
  for (uint32_t i = 1; i < 5000; i += 2) others += index.find(key_prefix(key_of(i)), [&](uint32_t, const RecordPlace& place) { return place.offset == i; }) ? 1 : 0;
  CHECK(others > 2200);  // those whose places the equal ones took are lost, and only they
}

}  // namespace
}  // namespace modnet
