// safetensors: what the format allows is read exactly, everything else is refused by name (FAULTS 1-8, 12-16, 20, 26).
#include "formats/weights/safetensors.h"

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>

#include "formats/base/file.h"
#include "tests/support/file_bytes.h"
#include "tests/support/skip.h"

namespace modnet {
namespace {

using test::safetensors_bytes;

Error error_of(const std::string& header, std::string_view data = {}) {
  const std::string file = safetensors_bytes(header, data);
  Result<Safetensors> out = read_safetensors(as_bytes(file));
  REQUIRE_MESSAGE(!out.ok(), header);
  return std::move(out).error();
}
void refuses(const std::string& header, std::string_view data, std::string_view words) {
  const Error error = error_of(header, data);
  CHECK_MESSAGE(error.code == Code::kMalformed, header);
  CHECK_MESSAGE(error.what.find(words) != std::string::npos, header << " → " << error.what);
}

TEST_CASE("tensors come back sorted by name, with their bytes in place") {
  const std::string file = safetensors_bytes(
      R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"data_offsets":[8,11],"shape":[3,1],"dtype":"U8"},)"
      R"("__metadata__":{"format":"pt"},"s":{"dtype":"I16","shape":[],"data_offsets":[11,13]}}   )",
      test::le(1.5f) + test::le(-2.0f) + "xyz" + test::le(int16_t{-7}));
  const Result<Safetensors> out = read_safetensors(as_bytes(file));
  REQUIRE(out.ok());
  REQUIRE(out->tensors.size() == 3);
  CHECK(out->tensors[0].name == "a");
  CHECK(out->tensors[0].shape == std::vector<int64_t>{3, 1});
  CHECK(as_text(out->tensors[0].data) == "xyz");
  CHECK(out->metadata.at("format") == "pt");
  const ForeignTensor* b = out->find("b");
  REQUIRE(b != nullptr);
  CHECK(b->dtype == DType::kF32);
  float value = 0;
  std::memcpy(&value, b->data.data() + 4, 4);
  CHECK(value == -2.0f);
  CHECK(out->find("s")->shape.empty());
  CHECK(out->find("nosuch") == nullptr);
}

TEST_CASE("every dtype has its size, and a file without tensors is a file") {
  const std::pair<const char*, DType> known[] = {
      {"BOOL", DType::kBool}, {"I8", DType::kI8}, {"U8", DType::kU8}, {"I16", DType::kI16}, {"U16", DType::kU16},
      {"F16", DType::kF16}, {"BF16", DType::kBF16}, {"I32", DType::kI32}, {"U32", DType::kU32}, {"F32", DType::kF32},
      {"I64", DType::kI64}, {"U64", DType::kU64}, {"F64", DType::kF64}};
  for (const auto& [name, dtype] : known) {
    const size_t bytes = static_cast<size_t>(3 * dtype_size(dtype));
    const std::string file = safetensors_bytes(std::string(R"({"t":{"dtype":")") + name + R"(","shape":[3],"data_offsets":[0,)" +
                                                   std::to_string(bytes) + "]}}", std::string(bytes, '\0'));
    const Result<Safetensors> out = read_safetensors(as_bytes(file));
    REQUIRE(out.ok());
    CHECK(out->tensors[0].dtype == dtype);
  }
  const std::string empty = safetensors_bytes("{}", "");
  CHECK(read_safetensors(as_bytes(empty)).value().tensors.empty());
}

TEST_CASE("a dim of zero is a tensor of no bytes, wherever it stands") {
  const std::string file = safetensors_bytes(
      R"({"a":{"dtype":"F32","shape":[0,4],"data_offsets":[0,0]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
      R"("c":{"dtype":"F32","shape":[4,0],"data_offsets":[2,2]}})", "zz");
  const Result<Safetensors> out = read_safetensors(as_bytes(file));
  REQUIRE(out.ok());
  CHECK(out->tensors[2].data.empty());
  CHECK(out->tensors[2].shape == std::vector<int64_t>{4, 0});
}

TEST_CASE("short files and lengths beyond the file are refused") {
  const std::string whole = safetensors_bytes(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "zz");
  for (size_t n = 0; n < whole.size(); ++n) {
    const std::string cut = whole.substr(0, n);
    const Result<Safetensors> out = read_safetensors(as_bytes(cut));
    REQUIRE_FALSE(out.ok());
    CHECK(out.error().code == Code::kMalformed);
  }
  for (const uint64_t length : {uint64_t{3}, uint64_t{100'000'001}, uint64_t{1} << 63, ~uint64_t{0}}) {
    const std::string file = test::le(length) + "{}";
    CHECK(read_safetensors(as_bytes(file)).error().code == Code::kMalformed);
  }
}

TEST_CASE("offsets that are not the shape, overlap, leave a hole or a tail are refused by name") {
  refuses(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "1234", "'t': expected 8 bytes");
  refuses(R"({"t":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})", "1234", "'t' ends past the file");
  refuses(R"({"t":{"dtype":"U8","shape":[2],"data_offsets":[2,0]}})", "12", "hole");
  refuses(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"t":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})", "1",
          "backwards");
  refuses(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
          "1234", "'b' overlaps");
  refuses(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
          "12", "overlaps");
  refuses(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
          "1234", "hole of 1 bytes before tensor 'b'");
  refuses(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", "12", "hole");
  refuses(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "1234", "3 bytes after the last tensor");
  refuses("{}", "1", "1 bytes after");
  refuses(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", "1", "expected 2 data_offsets, got 1");
  refuses(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}})", "1", "expected 2 data_offsets, got more");
}

TEST_CASE("shapes whose product overflows are refused in any order, also beside a zero") {
  for (const char* shape : {"[4294967296,4294967296]", "[9223372036854775807,2]", "[0,4294967296,4294967296]",
                            "[4294967296,4294967296,0]", "[4611686018427387904]"})
    refuses(std::string(R"({"t":{"dtype":"F32","shape":)") + shape + R"(,"data_offsets":[0,0]}})", "", "product");
  refuses(R"({"t":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,0]}})", "", "beyond 2^63");
  refuses(R"({"t":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})", "1", "rank above 8");
}

TEST_CASE("duplicate, unknown and missing keys are refused") {
  refuses(R"({"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", "",
          "'t' twice");
  refuses(R"({"t":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}})", "", "key 'dtype' twice");
  refuses(R"({"__metadata__":{},"__metadata__":{}})", "", "'__metadata__' twice");
  refuses(R"({"__metadata__":{"a":"1","a":"1"}})", "", "key 'a' twice");
  refuses(R"({"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"extra":"x"}})", "", "unknown key 'extra'");
  refuses(R"({"t":{"dtype":"U8","shape":[0]}})", "", "expected dtype, shape and data_offsets");
  refuses(R"({"":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", "", "without a name");
  refuses(R"({")" + std::string(513, 'n') + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", "", "513 bytes");
}

TEST_CASE("the right key with the wrong type is refused") {
  for (const char* header :
       {R"({"t":1})", R"({"t":"x"})", R"({"t":null})", R"({"t":[]})", R"({"__metadata__":"x"})", R"({"__metadata__":{"a":1}})",
        R"({"__metadata__":{"a":{}}})", R"({"__metadata__":{"a":[]}})", R"({"t":{"dtype":1,"shape":[],"data_offsets":[0,1]}})",
        R"({"t":{"dtype":["U8"],"shape":[],"data_offsets":[0,1]}})", R"({"t":{"dtype":"U8","shape":1,"data_offsets":[0,1]}})",
        R"({"t":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}})", R"({"t":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})",
        R"({"t":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}})", R"({"t":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}})",
        R"({"t":{"dtype":"U8","shape":[{}],"data_offsets":[0,1]}})", R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0,true]}})",
        R"({"t":{"dtype":"U8","shape":[1e400],"data_offsets":[0,1]}})"})
    CHECK_MESSAGE(error_of(header, "1").code == Code::kMalformed, header);
}

TEST_CASE("bad JSON, bad UTF-8 and deep nesting are refused, never half read") {
  for (const std::string& header : {std::string("{"), std::string("{}{}"), std::string("{}x"), std::string("[]"),
                                    std::string(" {}"), std::string("{\"a\xff\":1}"), std::string("{\"a\":}"),
                                    std::string("{\"\\ud800\":1}"), std::string("{") + std::string(100'000, '['),
                                    std::string(R"({"t":)") + std::string(100'000, '['), std::string("{}\0", 3)})
    CHECK(error_of(header).code == Code::kMalformed);
}

TEST_CASE("an unknown dtype is named with what to do") {
  const Error error = error_of(R"({"t":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})", "1");
  CHECK(error.code == Code::kInvalid);
  CHECK(error.what.find("'t' has dtype 'F8_E4M3'") != std::string::npos);
  CHECK_FALSE(error.fix.empty());
  refuses(R"({"t":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", "\x02", "BOOL");
}

TEST_CASE("names in errors cannot reach the terminal raw") {
  CHECK(error_of(R"({"\u001b[2J":{"dtype":"U8","shape":[1],"data_offsets":[0,9]}})", "1").what.find('\x1b') ==
        std::string::npos);
}

TEST_CASE("the reference cases are read") {
  const std::optional<std::string> shared = test::shared_dir();
  if (!shared) return test::skip_case("no reference cases");
  int64_t files = 0, tensors = 0;
  for (const std::filesystem::directory_entry& entry : std::filesystem::recursive_directory_iterator(*shared + "/parity")) {
    if (entry.path().extension() != ".safetensors") continue;
    const MappedFile file = MappedFile::open(entry.path()).value();
    const Result<Safetensors> out = read_safetensors(file.bytes());
    REQUIRE_MESSAGE(out.ok(), entry.path().string() << ": " << out.error().what);
    ++files;
    tensors += static_cast<int64_t>(out->tensors.size());
  }
  CHECK(files > 0);
  CHECK(tensors >= files);
}

}  // namespace
}  // namespace modnet
