// Writing: regular files appear whole or not at all, pipes and devices are written through.
// A regular file is written to a temporary file in the same folder (named `.NAME.modnet-tmp`, so that the next writer of
// that name removes what a killed one left), flushed to disk, renamed, and the folder flushed (FAULTS 38-40, 43).
// Tested by tests/unit/base/output_test.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "formats/base/file.h"
#include "formats/base/result.h"

namespace modnet {

enum class Overwrite : uint8_t { kNo, kYes };

/// One output. Without commit() nothing of a regular file is left behind.
class Output {
 public:
  /// "-" is standard output. kUsage when the file exists and `overwrite` is kNo; kUnavailable when it cannot be made.
  [[nodiscard]] static Result<std::unique_ptr<Output>> open(const std::string& path, Overwrite overwrite);
  virtual ~Output() = default;
  /// All of `bytes` in order; buffered. kUnavailable on ENOSPC, EIO and the like; EPIPE is Code::kUnavailable with id "READER_GONE".
  [[nodiscard]] virtual Status write(Bytes bytes) = 0;
  /// What is buffered reaches a pipe's reader now; nothing happens on a regular file.
  [[nodiscard]] virtual Status flush() = 0;
  /// Appends `length` bytes of `source` from `offset`, in pieces: memory does not grow with the length.
  [[nodiscard]] virtual Status copy_range(const MappedFile& source, int64_t offset, int64_t length) = 0;
  /// Overwrites bytes already written (a preamble). Only where seekable(); the caller buffers otherwise.
  [[nodiscard]] virtual Status write_at(int64_t offset, Bytes bytes) = 0;
  [[nodiscard]] virtual bool seekable() const = 0;
  [[nodiscard]] int64_t position() const { return position_; }
  /// Looks at `inputs` again (each must be unchanged), flushes, runs what before_rename() asked for, renames. Afterwards the
  /// object is spent.
  [[nodiscard]] virtual Status commit(const std::vector<const MappedFile*>& inputs = {}) = 0;
  /// `step` runs in commit() once all bytes are safe and only the name is missing; when it fails, so does commit().
  void before_rename(std::function<Status()> step) { step_ = std::move(step); }
  [[nodiscard]] const std::string& path() const { return path_; }

 protected:
  [[nodiscard]] Status run_step() const { return step_ ? step_() : ok(); }
  std::string path_;
  int64_t position_ = 0;

 private:
  std::function<Status()> step_;
};

/// The whole of `bytes` as one file.
[[nodiscard]] Status write_file(const std::string& path, Bytes bytes, Overwrite overwrite);

/// Removes the temporary files of outputs that are being written: called when the process is told to end.
void remove_temporaries();

}  // namespace modnet
