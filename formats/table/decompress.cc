#include "formats/table/decompress.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <zstd.h>

namespace modnet {
namespace {

constexpr std::array<uint8_t, 4> kZstd = {0x28, 0xb5, 0x2f, 0xfd};
constexpr int kMaxWindowLog = 25;

/// The bytes that were looked at, then the rest.
class PeekedSource : public ByteSource {
 public:
  PeekedSource(std::unique_ptr<ByteSource> rest, std::vector<std::byte> first)
      : rest_(std::move(rest)), first_(std::move(first)) {
    name_ = rest_->name();
  }
  Result<int64_t> read(std::span<std::byte> out) override {
    if (used_ == first_.size()) return rest_->read(out);
    const size_t n = std::min(out.size(), first_.size() - used_);
    std::memcpy(out.data(), first_.data() + used_, n);
    used_ += n;
    return static_cast<int64_t>(n);
  }
  bool ready() override { return used_ < first_.size() || rest_->ready(); }

 private:
  std::unique_ptr<ByteSource> rest_;
  std::vector<std::byte> first_;
  size_t used_ = 0;
};

class ZstdSource : public ByteSource {
 public:
  explicit ZstdSource(std::unique_ptr<ByteSource> source) : source_(std::move(source)), in_(ZSTD_DStreamInSize()) {
    name_ = source_->name();
    if (context_ != nullptr) (void)ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  }

  Result<int64_t> read(std::span<std::byte> out) override {
    if (context_ == nullptr) return Error{Code::kUnavailable, "NO_MEMORY", "no memory to decompress zstd", {}, name_, {}};
    if (out.empty()) return int64_t{0};
    ZSTD_outBuffer target{out.data(), out.size(), 0};
    while (target.pos == 0) {
      if (at_.pos == at_.size && !flushing_) {
        MODNET_ASSIGN(const int64_t n, source_->read(in_));
        at_ = {in_.data(), static_cast<size_t>(n), 0};
        if (n == 0) {
          if (!frame_done_) return malformed("the zstd stream is cut off").in_file(name_);
          return int64_t{0};
        }
      }
      const size_t rc = ZSTD_decompressStream(context_.get(), &target, &at_);
      if (ZSTD_isError(rc)) {
        const std::string why = ZSTD_getErrorName(rc);
        return malformed("not a zstd stream that can be read (" + why + ")").in_file(name_);
      }
      frame_done_ = rc == 0;
      flushing_ = target.pos == target.size && !frame_done_;  // more output may wait inside
    }
    return static_cast<int64_t>(target.pos);
  }
  bool ready() override { return flushing_ || at_.pos < at_.size || source_->ready(); }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ByteSource> source_;
  std::unique_ptr<ZSTD_DCtx, Free> context_{ZSTD_createDCtx()};
  std::vector<std::byte> in_;
  ZSTD_inBuffer at_{nullptr, 0, 0};
  bool frame_done_ = false, flushing_ = false;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> maybe_decompress(std::unique_ptr<ByteSource> source) {
  std::vector<std::byte> first;
  std::array<std::byte, 4> buffer;
  const auto may_be_zstd = [&] {
    return std::equal(first.begin(), first.end(), kZstd.begin(),
                      [](std::byte a, uint8_t b) { return a == static_cast<std::byte>(b); });
  };
  while (first.size() < kZstd.size() && may_be_zstd()) {
    MODNET_ASSIGN(const int64_t n, source->read(std::span(buffer).first(kZstd.size() - first.size())));
    if (n == 0) break;
    first.insert(first.end(), buffer.begin(), buffer.begin() + n);
  }
  const bool zstd = first.size() == kZstd.size() && may_be_zstd();
  std::unique_ptr<ByteSource> peeked = std::make_unique<PeekedSource>(std::move(source), std::move(first));
  if (zstd) return std::unique_ptr<ByteSource>(std::make_unique<ZstdSource>(std::move(peeked)));
  return maybe_gunzip(std::move(peeked));
}

}  // namespace modnet
