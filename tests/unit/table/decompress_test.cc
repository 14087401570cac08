// zstd and gzip undone on the fly, and never read short when they are damaged.
#include "formats/table/decompress.h"

#include <doctest/doctest.h>

#include <string>

#include <zlib.h>
#include <zstd.h>

#include "formats/table/rows.h"

namespace modnet {
namespace {

std::string zstd(std::string_view plain, int window_log = 0) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  if (window_log > 0) ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  ZSTD_inBuffer in{plain.data(), plain.size(), 0};
  ZSTD_outBuffer target{out.data(), out.size(), 0};
  ZSTD_compressStream2(context, &target, &in, ZSTD_e_flush);
  REQUIRE(ZSTD_compressStream2(context, &target, &in, ZSTD_e_end) == 0);
  ZSTD_freeCCtx(context);
  out.resize(target.pos);
  return out;
}

std::string gzip(std::string_view plain) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, plain.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Result<std::string> plain_of(std::string_view packed) {
  MODNET_ASSIGN(const std::unique_ptr<ByteSource> source, maybe_decompress(memory_source(as_bytes(packed), "packed")));
  return read_all(*source, 1 << 30);
}

TEST_CASE("zstd is undone, several frames and all; other bytes pass through") {
  std::string plain;
  for (int n = 0; n < 200'000; ++n) plain += std::to_string(n * 7919);
  CHECK(plain_of(zstd(plain)).value() == plain);
  CHECK(plain_of(zstd("one") + zstd("") + zstd("two")).value() == "onetwo");
  CHECK(plain_of(zstd("")).value().empty());
  for (const std::string_view raw : {"", "(", "(\xb5", "(\xb5/", "(\xb5/x", "plain"}) CHECK(plain_of(raw).value() == raw);
}

TEST_CASE("damaged zstd is refused wherever it is cut") {
  const std::string packed = zstd("the quick brown fox jumps over the lazy dog");
  for (size_t n = 4; n < packed.size(); ++n) {
    const Result<std::string> out = plain_of(std::string_view(packed).substr(0, n));
    REQUIRE_FALSE(out.ok());
    CHECK(out.error().code == Code::kMalformed);
    CHECK(out.error().file == "packed");
  }
  std::string changed = packed;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  CHECK_FALSE(plain_of(changed).ok());
  CHECK_FALSE(plain_of(packed + "garbage").ok());
}

TEST_CASE("gzip is undone, several members and all; other bytes pass through") {
  std::string plain;
  for (int n = 0; n < 100'000; ++n) plain += std::to_string(n * 7919);
  CHECK(plain_of(gzip(plain)).value() == plain);
  CHECK(plain_of(gzip("one") + gzip("") + gzip("two")).value() == "onetwo");
  for (const std::string_view raw : {"", "\x1f", "x", "\x1f\x8c", "plain text"}) CHECK(plain_of(raw).value() == raw);
}

TEST_CASE("damaged gzip is refused wherever it is cut or changed, never read short") {
  const std::string packed = gzip("the quick brown fox jumps over the lazy dog, twice; the quick brown fox");
  for (size_t n = 2; n < packed.size(); ++n) {
    const Result<std::string> out = plain_of(std::string_view(packed).substr(0, n));
    REQUIRE_FALSE(out.ok());
    CHECK(out.error().code == Code::kMalformed);
    CHECK(out.error().file == "packed");
  }
  for (size_t n = packed.size() - 8; n < packed.size(); ++n) {  // the checksum and the length
    std::string changed = packed;
    changed[n] = static_cast<char>(changed[n] ^ 1);
    CHECK_FALSE(plain_of(changed).ok());
  }
  CHECK_FALSE(plain_of(packed + "garbage").ok());
}

TEST_CASE("a window that would need more memory than allowed is refused") {
  CHECK(plain_of(zstd(std::string(1 << 20, 'x'), 25)).ok());
  CHECK(plain_of(zstd(std::string(1 << 20, 'x'), 27)).error().code == Code::kMalformed);
}

TEST_CASE("a bomb of zeros meets the row limit, not the memory's end") {
  const std::string bomb = zstd(std::string(size_t{256} << 20, '\0'));
  REQUIRE(bomb.size() < (1 << 20));
  const std::unique_ptr<RowSource> source =
      RowSource::open(memory_source(as_bytes(bomb), "bomb"), RowFormat::kLines).value();
  CHECK(source->next(1).error().what.find("a row of over") != std::string::npos);
}

TEST_CASE("rows are read through both packings") {
  const std::string text = "a\tb\n1\t2\n";
  for (const std::string& packed : {gzip(text), zstd(text), text}) {
    const std::unique_ptr<RowSource> source = RowSource::open(memory_source(as_bytes(packed), "p"), RowFormat::kTsv).value();
    CHECK(source->columns() == std::vector<std::string>{"a", "b"});
    CHECK(source->next(9).value().columns[1] == std::vector<std::string_view>{"2"});
  }
}

}  // namespace
}  // namespace modnet
