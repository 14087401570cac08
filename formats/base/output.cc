#include "formats/base/output.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace modnet {
namespace {

constexpr size_t kBuffer = size_t{1} << 18;
constexpr int64_t kCopyPiece = int64_t{1} << 20;

Error cannot_write(const std::string& path, int error, std::string_view doing) {
  if (error == EPIPE) return Error{Code::kUnavailable, "READER_GONE", "nobody reads the output any more", {}, path, {}};
  const char* fix = error == ENOSPC || error == EDQUOT ? "make room and run it again; no file was changed" : "";
  return Error{Code::kUnavailable, "CANNOT_WRITE", std::string(doing) + ": " + std::strerror(error), {}, path, fix};
}

/// Write end shared by files and pipes: a buffer and a descriptor.
class FdOutput : public Output {
 public:
  FdOutput(int fd, std::string path) : fd_(fd) { path_ = std::move(path); buffer_.reserve(kBuffer); }

  Status write(Bytes bytes) override {
    position_ += static_cast<int64_t>(bytes.size());
    if (buffer_.size() + bytes.size() > kBuffer) MODNET_TRY(drain());
    if (bytes.size() >= kBuffer) return put(bytes);
    buffer_.append(as_text(bytes));
    return ok();
  }
  Status flush() override { return drain(); }

  /// Through a small buffer: measured faster than copy_file_range() and sendfile() on ext4, whose pipes hold 64 KiB.
  Status copy_range(const MappedFile& source, int64_t offset, int64_t length) override {
    MODNET_TRY(drain());
    position_ += length;
    if (source.descriptor() < 0) return put(source.bytes().subspan(static_cast<size_t>(offset), static_cast<size_t>(length)));
    std::string piece(static_cast<size_t>(std::min(length, kCopyPiece)), '\0');
    for (int64_t done = 0; done < length;) {
      const ssize_t got = ::pread(source.descriptor(), piece.data(), static_cast<size_t>(std::min(length - done, kCopyPiece)), offset + done);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Error{Code::kUnreadable, "CANNOT_READ", std::string("cannot be read: ") + std::strerror(errno), {}, source.path(), {}};
      if (got == 0) return Error{Code::kUnreadable, "INPUT_CHANGED", "the file became shorter while it was copied", {}, source.path(), {}};
      MODNET_TRY(put(as_bytes(std::string_view(piece).substr(0, static_cast<size_t>(got)))));
      // The disk begins to write while the next piece is copied; commit() waits for it.
      if (seekable()) ::sync_file_range(fd_, position_ - length + done, got, SYNC_FILE_RANGE_WRITE);
      done += got;
    }
    return ok();
  }

 protected:
  Status drain() {
    MODNET_TRY(put(as_bytes(buffer_)));
    buffer_.clear();
    return ok();
  }
  Status put(Bytes bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), std::min(bytes.size(), size_t{1} << 30));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return cannot_write(path_, errno, "write failed");
      bytes = bytes.subspan(static_cast<size_t>(n));
    }
    return ok();
  }
  int fd_;
  std::string buffer_;
};

/// Standard output, a named pipe or a device: written through.
class ThroughOutput : public FdOutput {
 public:
  ThroughOutput(int fd, std::string path, bool owns) : FdOutput(fd, std::move(path)), owns_(owns) { widen_pipe(fd); }
  ~ThroughOutput() override {
    if (owns_ && fd_ >= 0) ::close(fd_);
  }
  Status write_at(int64_t, Bytes) override { return internal("write_at on a pipe"); }
  bool seekable() const override { return false; }
  Status commit(const std::vector<const MappedFile*>& inputs) override {
    MODNET_TRY(drain());
    for (const MappedFile* input : inputs) MODNET_TRY(input->unchanged());
    MODNET_TRY(run_step());
    if (owns_ && ::close(std::exchange(fd_, -1)) != 0) return cannot_write(path_, errno, "close failed");
    return ok();
  }

 private:
  bool owns_;
};

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}
std::string temporary_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  return folder_of(path) + "/." + name + ".modnet-tmp";
}

class FileOutput : public FdOutput {
 public:
  FileOutput(int fd, std::string path, std::string temporary, Overwrite overwrite)
      : FdOutput(fd, std::move(path)), temporary_(std::move(temporary)), overwrite_(overwrite) {}
  ~FileOutput() override {
    if (!temporary_.empty()) {
      ::unlink(temporary_.c_str());
      forget_temporary(temporary_);
    }
    if (fd_ >= 0) ::close(fd_);
  }
  Status write_at(int64_t offset, Bytes bytes) override {
    MODNET_TRY(drain());
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), offset);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return cannot_write(path_, errno, "write failed");
      bytes = bytes.subspan(static_cast<size_t>(n));
      offset += n;
    }
    return ok();
  }
  bool seekable() const override { return true; }

  Status commit(const std::vector<const MappedFile*>& inputs) override {
    MODNET_TRY(drain());
    for (const MappedFile* input : inputs) MODNET_TRY(input->unchanged());
    if (::fsync(fd_) != 0) return cannot_write(path_, errno, "flush to disk failed");
    MODNET_TRY(run_step());
    if (overwrite_ == Overwrite::kNo) {
      // link() fails when somebody else made the file meanwhile: never replace what -f did not allow.
      if (::link(temporary_.c_str(), path_.c_str()) != 0) {
        if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return cannot_write(path_, errno, "cannot be made");
        if (::access(path_.c_str(), F_OK) == 0) return cannot_write(path_, EEXIST, "cannot be made");
        if (::rename(temporary_.c_str(), path_.c_str()) != 0) return cannot_write(path_, errno, "rename failed");
      } else {
        ::unlink(temporary_.c_str());
      }
    } else if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
      return cannot_write(path_, errno, "rename failed");
    }
    forget_temporary(temporary_);
    temporary_.clear();
    const int closed = ::close(std::exchange(fd_, -1));
    if (closed != 0) return cannot_write(path_, errno, "close failed");
    const int folder = ::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
      const int rc = ::fsync(folder);
      const int error = errno;
      ::close(folder);
      if (rc != 0 && error != EINVAL && error != EBADF) return cannot_write(path_, error, "flush of the folder failed");
    }
    return ok();
  }

  static void forget_temporary(const std::string& path);

 private:
  std::string temporary_;
  Overwrite overwrite_;
};

std::mutex temporaries_mutex;
std::set<std::string>& temporaries() {
  static std::set<std::string> names;
  return names;
}

void FileOutput::forget_temporary(const std::string& path) {
  const std::lock_guard<std::mutex> lock(temporaries_mutex);
  temporaries().erase(path);
}

}  // namespace

void remove_temporaries() {
  if (!temporaries_mutex.try_lock()) return;
  for (const std::string& name : temporaries()) ::unlink(name.c_str());
  temporaries_mutex.unlock();
}

Result<std::unique_ptr<Output>> Output::open(const std::string& path, Overwrite overwrite) {
  if (path == "-") return std::unique_ptr<Output>(std::make_unique<ThroughOutput>(1, "(standard output)", false));
  if (path.empty() || path.back() == '/') return usage("output '" + path + "' is not a file name").in_file(path);
  struct stat st {};
  std::string target = path;
  if (::stat(path.c_str(), &st) == 0) {
    if (S_ISDIR(st.st_mode)) return usage("output is a folder; expected a file name").in_file(path);
    if (!S_ISREG(st.st_mode)) {
      const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
      if (fd < 0) return cannot_write(path, errno, "cannot be opened");
      return std::unique_ptr<Output>(std::make_unique<ThroughOutput>(fd, path, true));
    }
    if (overwrite == Overwrite::kNo)
      return Error{Code::kUsage, "OUTPUT_EXISTS", "the output exists already", {}, path, "use -f to replace it"};
    if (char* real = ::realpath(path.c_str(), nullptr); real != nullptr) {  // -f through a symbolic link keeps the link
      target = real;
      std::free(real);
    }
  }
  const std::string temporary = temporary_of(target);
  // One writer a name: the temporary file is locked while it is being written; what a killed writer left is not locked.
  for (int attempt = 0; attempt < 8; ++attempt) {
    const int fd = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0) return cannot_write(path, errno, "cannot be made");
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      ::close(fd);
      return Error{Code::kUnavailable, "WRITER_BUSY", "another process is writing this file", {}, path, "wait for it"};
    }
    struct stat opened {};
    struct stat named {};
    if (::fstat(fd, &opened) == 0 && ::lstat(temporary.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
        opened.st_nlink == 1 && S_ISREG(opened.st_mode)) {
      if (opened.st_size > 0) {  // left by a writer that was killed: start from a fresh file
        ::unlink(temporary.c_str());
        ::close(fd);
        continue;
      }
      const std::lock_guard<std::mutex> lock(temporaries_mutex);
      temporaries().insert(temporary);
      return std::unique_ptr<Output>(std::make_unique<FileOutput>(fd, target, temporary, overwrite));
    }
    if (opened.st_nlink > 1) ::unlink(temporary.c_str());
    ::close(fd);
  }
  return cannot_write(path, EBUSY, "cannot be made");
}

Status write_file(const std::string& path, Bytes bytes, Overwrite overwrite) {
  MODNET_ASSIGN(const std::unique_ptr<Output> output, Output::open(path, overwrite));
  MODNET_TRY(output->write(bytes));
  return output->commit();
}

}  // namespace modnet
