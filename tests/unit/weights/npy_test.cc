// npy: versions, dtypes, text, and every way in which a header can lie (FAULTS 1, 2, 6, 8, 12, 15-18, 20, 27).
#include "formats/weights/npy.h"

#include <doctest/doctest.h>

#include "formats/base/file.h"
#include "tests/support/file_bytes.h"
#include "tests/support/skip.h"

namespace modnet {
namespace {

using test::npy_bytes;

std::string header(std::string_view descr, std::string_view shape, std::string_view fortran = "False") {
  return "{'descr': '" + std::string(descr) + "', 'fortran_order': " + std::string(fortran) + ", 'shape': " +
         std::string(shape) + ", }";
}
Error error_of(std::string_view literal, std::string_view data = {}) {
  const std::string file = npy_bytes(literal, data);
  Result<NpyArray> out = read_npy(as_bytes(file));
  REQUIRE_MESSAGE(!out.ok(), literal);
  return std::move(out).error();
}

TEST_CASE("an array comes back with its dtype, shape and bytes") {
  const std::string file = npy_bytes(header("<f4", "(2, 3)"), std::string(24, 'x'));
  const NpyArray out = read_npy(as_bytes(file)).value();
  CHECK(out.dtype == DType::kF32);
  CHECK(out.shape == std::vector<int64_t>{2, 3});
  CHECK(out.count() == 6);
  CHECK(as_text(out.data) == std::string(24, 'x'));
}

TEST_CASE("versions 1 to 3, both quotes, any order and Python 2's longs are read") {
  const std::string body = header("|u1", "(2,)") + "\n";
  for (const char version : {'\2', '\3'}) {
    const std::string file = std::string("\x93NUMPY") + version + '\0' + test::le(static_cast<uint32_t>(body.size())) + body + "ab";
    CHECK(as_text(read_npy(as_bytes(file)).value().data) == "ab");
  }
  const std::string old = npy_bytes(R"({"shape":(2L,),"fortran_order":False,"descr":"<u1"})", "ab");
  CHECK(read_npy(as_bytes(old)).value().shape == std::vector<int64_t>{2});
  for (const char version : {'\0', '\4'})
    CHECK(read_npy(as_bytes(std::string("\x93NUMPY") + version + '\0' + body)).error().code == Code::kMalformed);
}

TEST_CASE("every dtype with a counterpart is read, scalars and empty arrays too") {
  const std::pair<const char*, DType> known[] = {{"|b1", DType::kBool}, {"|i1", DType::kI8}, {"<i2", DType::kI16},
                                                 {"<i4", DType::kI32}, {"<i8", DType::kI64}, {"|u1", DType::kU8},
                                                 {"<u2", DType::kU16}, {"<u4", DType::kU32}, {"<u8", DType::kU64},
                                                 {"<f2", DType::kF16}, {"<f4", DType::kF32}, {"<f8", DType::kF64}};
  for (const auto& [descr, dtype] : known) {
    const std::string one = npy_bytes(header(descr, "()"), std::string(static_cast<size_t>(dtype_size(dtype)), '\1'));
    const NpyArray scalar = read_npy(as_bytes(one)).value();
    CHECK(scalar.dtype == dtype);
    CHECK(scalar.shape.empty());
    CHECK(scalar.count() == 1);
    const std::string none = npy_bytes(header(descr, "(3, 0, 5)"), "");
    CHECK(read_npy(as_bytes(none)).value().count() == 0);
  }
}

TEST_CASE("unicode and byte strings become UTF-8 without their padding") {
  const auto ucs4 = [](std::initializer_list<uint32_t> units) {
    std::string out;
    for (const uint32_t unit : units) out += test::le(unit);
    return out;
  };
  const std::string text = npy_bytes(header("<U3", "(3,)"), ucs4({'a', 0xe9, 0x1f600, 'b', 0, 0, 0, 0, 0}));
  const NpyArray out = read_npy(as_bytes(text)).value();
  CHECK(out.dtype == DType::kUtf8);
  CHECK(out.data.empty());
  CHECK(out.strings == std::vector<std::string>{"a\xc3\xa9\xf0\x9f\x98\x80", "b", ""});
  const std::string bytes = npy_bytes(header("|S3", "(2,)"), std::string("ab\0c\0\0", 6));
  CHECK(read_npy(as_bytes(bytes)).value().strings == std::vector<std::string>{"ab", "c"});
  const std::string surrogate = npy_bytes(header("<U1", "(1,)"), ucs4({0xd800}));
  CHECK(read_npy(as_bytes(surrogate)).error().what.find("item 0") != std::string::npos);
  const std::string beyond = npy_bytes(header("<U1", "(1,)"), ucs4({0x110000}));
  CHECK_FALSE(read_npy(as_bytes(beyond)).ok());
  CHECK(error_of(header("|S1", "(1,)"), "\xff").what.find("not UTF-8") != std::string::npos);
}

TEST_CASE("what is well formed but means nothing here says what to do") {
  for (const auto& [literal, data] : {std::pair<std::string, std::string>{header("<f4", "(2, 3)", "True"), std::string(24, 'x')},
                                      {header(">f4", "(1,)"), "1234"}, {header("|O", "(1,)"), "1234"},
                                      {header("<c8", "(1,)"), "12345678"}, {header(">U1", "(1,)"), "1234"},
                                      {header("<M8[ns]", "(1,)"), "12345678"},
                                      {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "1234"}}) {
    const Error error = error_of(literal, data);
    CHECK_MESSAGE(error.code == Code::kInvalid, literal);
    CHECK_FALSE(error.fix.empty());
  }
  const std::string column = npy_bytes(header("<u1", "(3,)", "True"), "abc");
  CHECK(read_npy(as_bytes(column)).ok());
}

TEST_CASE("the header is a literal of three keys, and nothing is evaluated") {
  for (const char* literal :
       {"", "{}", "()", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", "{'descr': '<f4', 'fortran_order': False, 'shape': (1)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': [1]}", "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1.0,)}", "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} ; x", "{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", "{'descr': '<f4, 'fortran_order': False, 'shape': (1,)}",
        "{'descr': 'f4', 'fortran_order': False, 'shape': (1,)}", "{'descr': '|f4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<U-1', 'fortran_order': False, 'shape': (1,)}", "{'descr': '<U9999999999', 'fortran_order': False, 'shape': (1,)}"})
    CHECK_MESSAGE(error_of(literal, "1234").code == Code::kMalformed, literal);
}

TEST_CASE("sizes must match exactly, and shapes must not overflow") {
  CHECK(error_of(header("<f4", "(2,)"), "1234567").what.find("expected 8 bytes") != std::string::npos);
  CHECK(error_of(header("<f4", "(2,)"), "123456789").code == Code::kMalformed);
  for (const char* shape : {"(4294967296, 4294967296)", "(0, 4294967296, 4294967296)", "(4611686018427387904,)",
                            "(99999999999999999999,)", "(1, 1, 1, 1, 1, 1, 1, 1, 1)"})
    CHECK_MESSAGE(error_of(header("<f4", shape)).code == Code::kMalformed, shape);
  CHECK(error_of(header("<U0", "(4611686018427387904,)")).code == Code::kMalformed);
  CHECK(error_of(header("|b1", "(1,)"), "\2").code == Code::kMalformed);
}

TEST_CASE("a file cut anywhere is refused") {
  const std::string whole = npy_bytes(header("<i8", "(2,)"), std::string(16, 'x'));
  for (size_t n = 0; n < whole.size(); ++n) {
    const std::string cut = whole.substr(0, n);
    CHECK(read_npy(as_bytes(cut)).error().code == Code::kMalformed);
  }
  const std::string long_header = std::string("\x93NUMPY\x02\x00", 8) + test::le(uint32_t{0xffffffff}) + "{}";
  CHECK(read_npy(as_bytes(long_header)).error().code == Code::kMalformed);
}

TEST_CASE("the reference embeddings are read") {
  const std::optional<std::string> shared = test::shared_dir();
  if (!shared) return test::skip_case("no reference cases");
  const MappedFile file = MappedFile::open(*shared + "/parity/minilm_sections/embeddings.npy").value();
  const Result<NpyArray> out = read_npy(file.bytes());
  REQUIRE(out.ok());
  CHECK(out->dtype == DType::kF32);
  REQUIRE(out->shape.size() == 2);
  CHECK(out->shape[1] == 384);
}

}  // namespace
}  // namespace modnet
