// Outputs: whole or not at all, no leftovers, never over another's file, pipes written through.
#include "formats/base/output.h"

#include <doctest/doctest.h>

#include <csignal>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/pipes.h"
#include "tests/support/temp_dir.h"

namespace modnet {
namespace {

std::unique_ptr<Output> open_output(const std::string& path, Overwrite overwrite = Overwrite::kYes) {
  Result<std::unique_ptr<Output>> out = Output::open(path, overwrite);
  REQUIRE(out.ok());
  return std::move(out).value();
}

TEST_CASE("a file appears at commit, whole, and nothing else stays in its folder") {
  const test::TempDir dir;
  const std::unique_ptr<Output> out = open_output(dir / "a");
  REQUIRE(out->write(as_bytes("hello ")).ok());
  REQUIRE(out->write(as_bytes(std::string(1 << 20, 'x'))).ok());
  CHECK_FALSE(std::filesystem::exists(dir / "a"));
  CHECK(out->position() == 6 + (1 << 20));
  REQUIRE(out->write_at(0, as_bytes("HELLO")).ok());
  REQUIRE(out->commit().ok());
  CHECK(dir.read("a") == "HELLO " + std::string(1 << 20, 'x'));
  CHECK(dir.files() == 1);
}

TEST_CASE("an output that is given up leaves the old file and no other") {
  const test::TempDir dir;
  dir.write("a", "old");
  {
    const std::unique_ptr<Output> out = open_output(dir / "a");
    REQUIRE(out->write(as_bytes("new")).ok());
    REQUIRE(out->flush().ok());
  }
  CHECK(dir.read("a") == "old");
  CHECK(dir.files() == 1);
}

TEST_CASE("what goes before the name is done once the bytes are safe, and its failure leaves no file") {
  const test::TempDir dir;
  const std::unique_ptr<Output> out = open_output(dir / "a");
  REQUIRE(out->write(as_bytes("hello")).ok());
  out->before_rename([&dir] {
    CHECK_FALSE(std::filesystem::exists(dir / "a"));
    return write_file(dir / "a.d", as_bytes("a: b"), Overwrite::kNo);
  });
  REQUIRE(out->commit().ok());
  CHECK(dir.read("a") == "hello");
  CHECK(dir.read("a.d") == "a: b");
  {
    const std::unique_ptr<Output> second = open_output(dir / "b");
    second->before_rename([] { return usage("not like this"); });
    CHECK(second->commit().error().what == "not like this");
  }
  CHECK(dir.files() == 2);
}

TEST_CASE("an existing file is replaced only when asked to") {
  const test::TempDir dir;
  dir.write("a", "old");
  const Result<std::unique_ptr<Output>> refused = Output::open(dir / "a", Overwrite::kNo);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Code::kUsage);
  CHECK(refused.error().file == dir / "a");
  CHECK(dir.files() == 1);
  REQUIRE(write_file(dir / "a", as_bytes("new"), Overwrite::kYes).ok());
  CHECK(dir.read("a") == "new");
}

TEST_CASE("a file that somebody else made meanwhile is not replaced") {
  const test::TempDir dir;
  const std::unique_ptr<Output> out = open_output(dir / "a", Overwrite::kNo);
  REQUIRE(out->write(as_bytes("ours")).ok());
  dir.write("a", "theirs");
  CHECK_FALSE(out->commit().ok());
  CHECK(dir.read("a") == "theirs");
}

TEST_CASE("an input that changed is an error at commit, and the old output stays") {
  const test::TempDir dir;
  dir.write("out", "old");
  const MappedFile input = MappedFile::open(dir.write("in", "input")).value();
  {
    const std::unique_ptr<Output> out = open_output(dir / "out");
    REQUIRE(out->write(as_bytes("new")).ok());
    std::ofstream(dir / "in", std::ios::app) << "!";
    CHECK(out->commit({&input}).error().id == "INPUT_CHANGED");
  }
  CHECK(dir.read("out") == "old");
  CHECK(dir.files() == 2);
}

TEST_CASE("ranges of a mapped file are copied exactly, and count in the position") {
  const test::TempDir dir;
  std::string bytes;
  for (int n = 0; n < 200'000; ++n) bytes += static_cast<char>(n * 31 >> 3);
  const MappedFile input = MappedFile::open(dir.write("in", bytes)).value();
  const std::unique_ptr<Output> out = open_output(dir / "out");
  REQUIRE(out->write(as_bytes("head")).ok());
  REQUIRE(out->copy_range(input, 1000, 150'000).ok());
  REQUIRE(out->copy_range(input, 7, 0).ok());
  REQUIRE(out->write(as_bytes("tail")).ok());
  CHECK(out->position() == 150'008);
  REQUIRE(out->commit({&input}).ok());
  CHECK(dir.read("out") == "head" + bytes.substr(1000, 150'000) + "tail");
}

TEST_CASE("the next writer removes what a killed one left, and two writers do not mix") {
  const test::TempDir dir;
  const pid_t child = ::fork();
  if (child == 0) {
    Result<std::unique_ptr<Output>> out = Output::open(dir / "a", Overwrite::kYes);
    if (out.ok() && out.value()->write(as_bytes(std::string(1 << 20, 'k'))).ok()) ::raise(SIGKILL);
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  CHECK_FALSE(std::filesystem::exists(dir / "a"));
  {
    const std::unique_ptr<Output> first = open_output(dir / "a");
    const Result<std::unique_ptr<Output>> second = Output::open(dir / "a", Overwrite::kYes);
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().code == Code::kUnavailable);
    REQUIRE(first->write(as_bytes("first")).ok());
    REQUIRE(first->commit().ok());
  }
  CHECK(dir.read("a") == "first");
  CHECK(dir.files() == 1);
}

TEST_CASE("a symbolic link stays a link, and its target is written") {
  const test::TempDir dir;
  dir.write("target", "old");
  std::filesystem::create_symlink(dir / "target", dir / "link");
  REQUIRE(write_file(dir / "link", as_bytes("new"), Overwrite::kYes).ok());
  CHECK(std::filesystem::is_symlink(dir / "link"));
  CHECK(dir.read("target") == "new");
}

TEST_CASE("a pipe is written through, as wide as it may be, and cannot be written backwards") {
  const test::TempDir dir;
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
  std::string got;
  std::thread reader([&] { got = dir.read("pipe"); });
  const std::unique_ptr<Output> out = open_output(dir / "pipe", Overwrite::kNo);
  CHECK_FALSE(out->seekable());
  const int pipe = ::open((dir / "pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  CHECK(::fcntl(pipe, F_GETPIPE_SZ) == test::widest_pipe());
  ::close(pipe);
  REQUIRE(out->write(as_bytes("through")).ok());
  CHECK_FALSE(out->write_at(0, as_bytes("x")).ok());
  REQUIRE(out->commit().ok());
  reader.join();
  CHECK(got == "through");
}

TEST_CASE("a reader that went away is told apart from other failures") {
  std::signal(SIGPIPE, SIG_IGN);
  const test::TempDir dir;
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
  std::thread reader([&] { const std::ifstream opened(dir / "pipe"); });
  const std::unique_ptr<Output> out = open_output(dir / "pipe");
  reader.join();
  Status status = ok();
  for (int n = 0; n < 100 && status.ok(); ++n) status = out->write(as_bytes(std::string(1 << 18, 'x')));
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().id == "READER_GONE");
  CHECK(status.error().code == Code::kUnavailable);
}

TEST_CASE("a full device and an impossible folder are errors that name the file") {
  const std::unique_ptr<Output> full = open_output("/dev/full");
  Status status = full->write(as_bytes(std::string(1 << 20, 'x')));
  if (status.ok()) status = full->commit();
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == Code::kUnavailable);
  CHECK(status.error().file == "/dev/full");
  const test::TempDir dir;
  CHECK(Output::open(dir / "none/a", Overwrite::kYes).error().code == Code::kUnavailable);
  CHECK(Output::open(dir.path(), Overwrite::kYes).error().code == Code::kUsage);
}

}  // namespace
}  // namespace modnet
