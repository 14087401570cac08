// Reading files and pipes: mapped files that survive truncation, and one buffered byte source for everything else.
// Tested by tests/unit/base/file_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "formats/base/reader.h"
#include "formats/base/result.h"

namespace modnet {

/// What a file was when it was opened; compared again before an output is committed (a changed input is an error).
struct FileStamp {
  uint64_t device = 0, inode = 0;
  int64_t size = 0, mtime_ns = 0;
  bool operator==(const FileStamp&) const = default;
};

/// A regular file mapped read-only. Movable. bytes() lives as long as the object.
/// If the file is cut off while mapped, the lost pages read as zeros instead of killing the process (a SIGBUS guard
/// maps zero pages over them) and damaged() becomes true: checks of the bytes then fail as for any damage.
class MappedFile {
 public:
  /// kUnreadable: no such file, a folder, no permission. Pipes and devices are read into memory, up to `max_bytes`.
  [[nodiscard]] static Result<MappedFile> open(const std::string& path, int64_t max_bytes = int64_t{1} << 40);
  MappedFile() = default;
  ~MappedFile();
  MappedFile(MappedFile&&) noexcept;
  MappedFile& operator=(MappedFile&&) noexcept;

  [[nodiscard]] Bytes bytes() const { return bytes_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const FileStamp& stamp() const { return stamp_; }
  [[nodiscard]] int descriptor() const { return fd_; }  // for copy_file_range; -1 if the bytes are in memory
  /// Looks at the file again; an error when it is no longer what was opened.
  [[nodiscard]] Status unchanged() const;
  [[nodiscard]] static bool damaged();  // a guard page was used in any mapping of this process

 private:
  void release();
  std::string path_;
  FileStamp stamp_;
  Bytes bytes_;
  std::string owned_;
  int fd_ = -1;
  int64_t mapped_ = 0;
};

/// Makes the pipe behind `fd` hold 1 MiB, what the system allows everybody by default, instead of 64 KiB: both ends then wait for each other a
/// sixteenth as often. Anything else than a pipe, or one that holds more or may not grow, is left as it is. Sources and outputs do so themselves.
void widen_pipe(int fd);

/// A source of bytes in order. Not thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Up to out.size() bytes; 0 only at the end.
  [[nodiscard]] virtual Result<int64_t> read(std::span<std::byte> out) = 0;
  /// True when a read would not block now (data or end is there). Pipes answer by poll(); memory says true.
  [[nodiscard]] virtual bool ready() { return true; }
  [[nodiscard]] const std::string& name() const { return name_; }

 protected:
  std::string name_;
};

/// A file, or standard input for "-". EINTR is retried. kUnreadable names the path.
[[nodiscard]] Result<std::unique_ptr<ByteSource>> open_source(const std::string& path);
/// `bytes` must outlive the source.
[[nodiscard]] std::unique_ptr<ByteSource> memory_source(Bytes bytes, std::string name);
/// `prefix`, then what is left of `rest`.
[[nodiscard]] std::unique_ptr<ByteSource> prefixed_source(std::string prefix, std::unique_ptr<ByteSource> rest);
/// The next `n` bytes (fewer only at the end), taken out of the source: put them back with prefixed_source.
[[nodiscard]] Result<std::string> peek(ByteSource& source, int64_t n);
/// Everything that is left, kMalformed above `max_bytes`.
[[nodiscard]] Result<std::string> read_all(ByteSource& source, int64_t max_bytes);
[[nodiscard]] Result<std::string> read_file(const std::string& path, int64_t max_bytes);

}  // namespace modnet
