// A source whose first bytes can be read ahead. Tested by tests/unit/arrow/reader_test.cc.
#include "formats/arrow/peek.h"

#include <algorithm>
#include <cstring>

namespace modnet {

PeekSource::PeekSource(std::unique_ptr<ByteSource> source) : source_(std::move(source)) { name_ = source_->name(); }

Result<Bytes> PeekSource::peek(int64_t n) {
  while (static_cast<int64_t>(ahead_.size()) < n) {
    std::byte piece[64];
    const size_t want = std::min(sizeof(piece), static_cast<size_t>(n) - ahead_.size());
    MODNET_ASSIGN(const int64_t got, source_->read({piece, want}));
    if (got == 0) break;
    ahead_.append(reinterpret_cast<const char*>(piece), static_cast<size_t>(got));
  }
  return as_bytes(std::string_view(ahead_).substr(0, static_cast<size_t>(n)));
}

Result<int64_t> PeekSource::read(std::span<std::byte> out) {
  if (used_ == ahead_.size()) return source_->read(out);
  const size_t count = std::min(out.size(), ahead_.size() - used_);
  std::memcpy(out.data(), ahead_.data() + used_, count);
  used_ += count;
  return static_cast<int64_t>(count);
}

bool PeekSource::ready() { return used_ != ahead_.size() || source_->ready(); }

}  // namespace modnet
