// Mapped files and sources: what is read when a file is a pipe, is cut off while mapped, or changes.
#include "formats/base/file.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/base/files_read.h"
#include "tests/support/pipes.h"
#include "tests/support/temp_dir.h"

namespace modnet {
namespace {

TEST_CASE("a mapped file shows its bytes, and moving it keeps them") {
  const test::TempDir dir;
  MappedFile first = MappedFile::open(dir.write("a", "hello")).value();
  CHECK(as_text(first.bytes()) == "hello");
  CHECK(first.stamp().size == 5);
  const MappedFile second = std::move(first);
  CHECK(as_text(second.bytes()) == "hello");
  CHECK(second.unchanged().ok());
  CHECK(MappedFile::open(dir.write("empty", "")).value().bytes().empty());
}

TEST_CASE("every file that is read is remembered once, under the name it was given; what could not be opened, and folders, are not") {
  const test::TempDir dir;
  const std::string mapped = dir.write("mapped", "1"), streamed = dir.write("streamed", "2"), empty = dir.write("empty", "");
  for (int twice = 0; twice < 2; ++twice) {
    REQUIRE(MappedFile::open(mapped).ok());
    REQUIRE(read_file(streamed, 10).ok());
    REQUIRE(MappedFile::open(empty).ok());
    REQUIRE_FALSE(MappedFile::open(dir / "none").ok());
    REQUIRE_FALSE(open_source(dir.path()).ok());
  }
  std::vector<std::string> here;
  for (const std::string& path : files_read())
    if (path.starts_with(dir.path())) here.push_back(path);
  CHECK(here == std::vector<std::string>{mapped, streamed, empty});
}

TEST_CASE("what cannot be read says so with its name") {
  const test::TempDir dir;
  for (const std::string& path : {dir / "none", dir.path()}) {
    const Result<MappedFile> mapped = MappedFile::open(path);
    REQUIRE_FALSE(mapped.ok());
    CHECK(mapped.error().code == Code::kUnreadable);
    CHECK(mapped.error().file == path);
    const Result<std::unique_ptr<ByteSource>> source = open_source(path);
    REQUIRE_FALSE(source.ok());
    CHECK(source.error().code == Code::kUnreadable);
  }
  CHECK(MappedFile::open(dir.write("big", "123456"), 5).error().code == Code::kMalformed);
  CHECK(read_file(dir / "big", 5).error().code == Code::kMalformed);
  CHECK(read_file(dir / "big", 6).value() == "123456");
}

TEST_CASE("a file that is replaced or rewritten while it is used is noticed") {
  const test::TempDir dir;
  const std::string path = dir.write("a", "hello");
  const MappedFile replaced = MappedFile::open(path).value();
  std::filesystem::rename(dir.write("b", "hello"), path);
  CHECK(replaced.unchanged().error().id == "INPUT_CHANGED");
  const MappedFile grown = MappedFile::open(path).value();
  std::ofstream(path, std::ios::app) << "x";
  CHECK(grown.unchanged().error().id == "INPUT_CHANGED");
}

TEST_CASE("a file cut off while mapped reads as zeros and is marked, without a crash") {
  const test::TempDir dir;
  const std::string path = dir.write("a", std::string(1 << 20, 'x'));
  const MappedFile file = MappedFile::open(path).value();
  CHECK(file.bytes()[1000] == std::byte{'x'});
  REQUIRE(::truncate(path.c_str(), 4096) == 0);
  int64_t zeros = 0;
  for (const std::byte b : file.bytes()) zeros += b == std::byte{0} ? 1 : 0;
  CHECK(zeros == (1 << 20) - 4096);
  CHECK(MappedFile::damaged());
  CHECK(file.unchanged().error().id == "INPUT_CHANGED");
}

TEST_CASE("a named pipe is read into memory up to the limit") {
  const test::TempDir dir;
  const std::string path = dir / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  for (const int64_t limit : {int64_t{100'000}, int64_t{99'999}}) {
    std::thread writer([&] { std::ofstream(path) << std::string(100'000, 'p'); });
    const Result<MappedFile> file = MappedFile::open(path, limit);
    writer.join();
    CHECK(file.ok() == (limit == 100'000));
    if (file.ok()) {
      CHECK(file->bytes().size() == 100'000);
      CHECK(file->unchanged().ok());
    }
  }
}

TEST_CASE("a pipe is ready only when data or its end is there") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const Result<std::unique_ptr<ByteSource>> opened = open_source("/dev/fd/" + std::to_string(ends[0]));
  REQUIRE(opened.ok());
  ByteSource& source = *opened.value();
  CHECK_FALSE(source.ready());
  REQUIRE(::write(ends[1], "abc", 3) == 3);
  CHECK(source.ready());
  std::vector<std::byte> out(16);
  CHECK(source.read(out).value() == 3);
  CHECK_FALSE(source.ready());
  ::close(ends[1]);
  CHECK(source.ready());
  CHECK(source.read(out).value() == 0);
  ::close(ends[0]);
}

TEST_CASE("a pipe holds a megabyte once it is read by us, one that holds more stays as it is, and a file does not mind") {
  const int widest = test::widest_pipe();
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::fcntl(ends[0], F_SETPIPE_SZ, 4096) == 4096);
  { REQUIRE(open_source("/dev/fd/" + std::to_string(ends[0])).ok()); }
  CHECK(::fcntl(ends[1], F_GETPIPE_SZ) == widest);
  if (::fcntl(ends[0], F_SETPIPE_SZ, 1 << 21) == 1 << 21) {  // more than a user may ask for by default
    widen_pipe(ends[0]);
    CHECK(::fcntl(ends[1], F_GETPIPE_SZ) == 1 << 21);
  }
  ::close(ends[0]);
  ::close(ends[1]);
  const test::TempDir dir;
  std::ofstream(dir / "file") << "abc";
  const Result<std::unique_ptr<ByteSource>> file = open_source(dir / "file");
  REQUIRE(file.ok());
  std::vector<std::byte> out(16);
  CHECK(file.value()->read(out).value() == 3);
}

TEST_CASE("what was peeked can be put back") {
  std::unique_ptr<ByteSource> source = memory_source(as_bytes("abcdef"), "m");
  const std::string head = peek(*source, 2).value();
  CHECK(head == "ab");
  source = prefixed_source(head, std::move(source));
  CHECK(source->name() == "m");
  CHECK(read_all(*source, 100).value() == "abcdef");
  CHECK(peek(*source, 2).value().empty());
}

}  // namespace
}  // namespace modnet
