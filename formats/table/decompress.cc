#include "formats/table/decompress.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <zlib.h>
#include <zstd.h>

namespace modnet {
namespace {

constexpr std::string_view kZstd = "\x28\xb5\x2f\xfd";
constexpr int kMaxWindowLog = 25;

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

class GunzipSource : public ByteSource {
 public:
  explicit GunzipSource(std::unique_ptr<ByteSource> inner) : inner_(std::move(inner)) {
    name_ = inner_->name();
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) std::abort();
  }
  ~GunzipSource() override { inflateEnd(&stream_); }
  GunzipSource(const GunzipSource&) = delete;
  GunzipSource& operator=(const GunzipSource&) = delete;

  Result<int64_t> read(std::span<std::byte> out) override {
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(std::min(out.size(), size_t{1} << 30));
    const uInt wanted = stream_.avail_out;
    while (stream_.avail_out == wanted && wanted > 0) {
      if (stream_.avail_in == 0) {
        MODNET_ASSIGN(const int64_t got, inner_->read(buffer_));
        if (got == 0) {
          if (between_members_) return 0;
          return malformed("gzip data is cut off", "compressed offset " + std::to_string(consumed_)).in_file(name_);
        }
        consumed_ += got;
        stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
        stream_.avail_in = static_cast<uInt>(got);
      }
      if (between_members_) {
        inflateReset(&stream_);
        between_members_ = false;
      }
      const int rc = inflate(&stream_, Z_NO_FLUSH);
      if (rc == Z_STREAM_END) {
        between_members_ = true;
      } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
        return malformed(std::string("gzip data is damaged: ") + (stream_.msg != nullptr ? stream_.msg : "bad data"),
                         "compressed offset " + std::to_string(consumed_ - stream_.avail_in))
            .in_file(name_);
      }
    }
    return static_cast<int64_t>(wanted - stream_.avail_out);
  }
  bool ready() override { return stream_.avail_in > 0 || inner_->ready(); }

 private:
  std::unique_ptr<ByteSource> inner_;
  z_stream stream_{};
  std::array<std::byte, 1 << 16> buffer_{};
  int64_t consumed_ = 0;
  bool between_members_ = false;
};

Result<std::unique_ptr<ByteSource>> maybe_gunzip(std::unique_ptr<ByteSource> source) {
  MODNET_ASSIGN(std::string head, peek(*source, 2));
  const bool gzip = head == "\x1f\x8b";
  std::unique_ptr<ByteSource> whole = prefixed_source(std::move(head), std::move(source));
  if (!gzip) return whole;
  return std::unique_ptr<ByteSource>(std::make_unique<GunzipSource>(std::move(whole)));
}

}  // namespace

Result<std::unique_ptr<ByteSource>> maybe_decompress(std::unique_ptr<ByteSource> source) {
  std::string head;
  while (head.size() < kZstd.size() && kZstd.starts_with(head)) {
    MODNET_ASSIGN(const std::string more, peek(*source, 1));
    if (more.empty()) break;
    head += more;
  }
  const bool zstd = head == kZstd;
  std::unique_ptr<ByteSource> whole = prefixed_source(std::move(head), std::move(source));
  if (zstd) return std::unique_ptr<ByteSource>(std::make_unique<ZstdSource>(std::move(whole)));
  return maybe_gunzip(std::move(whole));
}

}  // namespace modnet
