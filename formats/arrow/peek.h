// Looks at the first bytes of a pipe without losing them: Arrow data or lines of text?
// Tested by tests/unit/arrow/reader_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "formats/base/file.h"
#include "formats/base/result.h"

namespace modnet {

/// A source whose first bytes can be read ahead.
class PeekSource final : public ByteSource {
 public:
  explicit PeekSource(std::unique_ptr<ByteSource> source);
  /// The first `n` bytes, fewer only where there are no more. Before the first read(); they live until then.
  [[nodiscard]] Result<Bytes> peek(int64_t n);
  [[nodiscard]] Result<int64_t> read(std::span<std::byte> out) override;
  [[nodiscard]] bool ready() override;

 private:
  std::unique_ptr<ByteSource> source_;
  std::string ahead_;
  size_t used_ = 0;
};

}  // namespace modnet
