// Arrow streams and files: what is read without an error can be walked through, and written and read again with the
// same digest. The corpus is made by corpus/make_arrow.py.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "formats/arrow/reader.h"
#include "formats/arrow/writer.h"

using namespace modnet;

namespace {

/// Keeps what is written.
class Kept final : public Output {
 public:
  Status write(Bytes bytes) override {
    data += as_text(bytes);
    return ok();
  }
  Status flush() override { return ok(); }
  Status copy_range(const MappedFile&, int64_t, int64_t) override { return internal("not used"); }
  Status write_at(int64_t, Bytes) override { return internal("not used"); }
  bool seekable() const override { return false; }
  Status commit(const std::vector<const MappedFile*>&) override { return ok(); }
  std::string data;
};

/// Copies `in` and returns its digest; nothing where it is not read.
std::optional<std::string> copy(Bytes in, Kept& out, ArrowForm form) {
  Result<std::unique_ptr<ArrowReader>> reader =
      ArrowReader::open(memory_source(in, "fuzz"), {.check = SealCheck::kYes, .slack = int64_t{1} << 20});
  if (!reader.ok()) return std::nullopt;
  Result<std::unique_ptr<ArrowWriter>> writer = ArrowWriter::open(out, (*reader)->schema(), form);
  if (!writer.ok()) return std::nullopt;
  while (true) {
    Result<std::optional<ArrowBatch>> batch = (*reader)->next();
    if (!batch.ok()) return std::nullopt;
    if (!batch->has_value()) break;
    if (Status status = (*writer)->write(**batch); !status.ok()) return std::nullopt;
  }
  if (Status status = (*writer)->finish(); !status.ok()) return std::nullopt;
  return (*writer)->digest();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Kept first, second;
  const std::optional<std::string> digest =
      copy({reinterpret_cast<const std::byte*>(data), size}, first, ArrowForm::kFile);
  if (!digest.has_value()) return 0;
  const std::optional<std::string> again = copy(as_bytes(first.data), second, ArrowForm::kStream);
  if (again != digest) std::abort();
  return 0;
}
