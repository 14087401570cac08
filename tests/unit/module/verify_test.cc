// Verification finds a flipped bit wherever it is, and says the same with any number of threads.
#include "formats/module/verify.h"

#include <doctest/doctest.h>

#include <set>

#include "formats/module/write.h"
#include "tests/support/module_damage.h"
#include "tests/support/module_samples.h"

using namespace modnet;

namespace {
/// Exit-relevant code of the first thing that is wrong: at opening, or by verification; kNo when nothing is.
Code finding(const std::string& file, int threads = 1) {
  const Result<ModuleView> view = ModuleView::open(as_bytes(file));
  if (!view.ok()) return view.error().code;
  const VerifyReport report = verify_module(*view, threads);
  return report.passed() ? Code::kNo : report.failures.front().code;
}
const VerifyCheck& check(const VerifyReport& report, const std::string& name) {
  for (const VerifyCheck& c : report.checks)
    if (c.name == name) return c;
  FAIL("no such check");
  return report.checks.front();
}
}  // namespace

TEST_CASE("whole modules pass, and the report counts what was looked at") {
  for (const test::Golden& golden : test::golden_modules()) {
    CAPTURE(golden.name);
    CHECK(finding(golden.bytes) == Code::kNo);
  }
  const std::string file = test::nested_bytes();
  const Result<ModuleView> view = ModuleView::open(as_bytes(file));
  REQUIRE(view.ok());
  const VerifyReport report = verify_module(*view, 3);
  // nested; encoder and inner; again (= section), backbone and encoder of inner
  CHECK(check(report, "structure").count == 6);
  CHECK(check(report, "components").count == 5);
  CHECK(check(report, "tensors").count == 1 + 1 + 16);
  CHECK(check(report, "assets").count == 1 + 1 + 1 + 1);
  CHECK(check(report, "trailers").count == 4 + 1 + 1);
  CHECK(check(report, "spaces").count == 1);
  CHECK(report.bytes == static_cast<int64_t>(file.size()));
}

TEST_CASE("one flipped bit in any byte of a file is found") {
  for (const std::string& file : {test::nested_bytes(), test::backbone_bytes({Codec::kZstd, 3})}) {
    const size_t step = file.size() > 20000 ? 3 : 1;
    for (size_t byte = 0; byte < file.size(); byte += step) {
      const Code code = finding(test::with_flip(file, byte, static_cast<int>(byte % 8)));
      CAPTURE(byte);
      CHECK((byte < 16 || code == Code::kDigest));
    }
  }
}

TEST_CASE("the report does not depend on the number of threads") {
  std::string file = test::backbone_bytes();
  const Preamble preamble = test::preamble_of(file);
  for (size_t i = 130; i < preamble.index_offset; i += 200) file[i] = static_cast<char>(file[i] ^ 4);
  const Result<ModuleView> view = ModuleView::open(as_bytes(file));
  REQUIRE(view.ok());
  const VerifyReport one = verify_module(*view, 1);
  CHECK(one.failures.size() > 3);
  for (const int threads : {2, 4, 7}) {
    const VerifyReport many = verify_module(*view, threads);
    REQUIRE(many.failures.size() == one.failures.size());
    for (size_t i = 0; i < one.failures.size(); ++i) CHECK(many.failures[i].what == one.failures[i].what);
  }
}

TEST_CASE("damage deep in a component is named by its path") {
  std::string file = test::nested_bytes();
  const size_t at = file.find("WordPiece");
  REQUIRE(at != std::string::npos);
  file[at] = 'w';
  const Result<ModuleView> view = ModuleView::open(as_bytes(file));
  REQUIRE(view.ok());
  const VerifyReport report = verify_module(*view, 2);
  REQUIRE(report.failures.size() == 1);
  CHECK(report.failures[0].what.find("tokenizer.json") != std::string::npos);
  CHECK(report.failures[0].what.find("in component 'encoder/'") != std::string::npos);
}

TEST_CASE("a SHA-256 that is wrong behind a right checksum is found") {
  const std::string file = test::with_index(test::backbone_bytes(), [](ModuleIndex& index) {
    index.tensors[3].digest[0] ^= 1;
    for (Port& port : index.contract.ports) port.space.reset();
  });
  CHECK(finding(file) == Code::kDigest);
}

TEST_CASE("swapped tensors, a foreign fingerprint and foreign probes are found") {
  // The same bytes under other names: the body changes, so the fingerprint in the contract is wrong.
  const std::string swapped = test::with_index(test::backbone_bytes(), [](ModuleIndex& index) {
    std::swap(index.tensors[1].name, index.tensors[2].name);
    std::swap(index.tensors[1], index.tensors[2]);
    std::swap(index.tensors[1].offset, index.tensors[2].offset);
  });
  CHECK(finding(swapped) != Code::kNo);
  const std::string foreign = test::with_index(
      test::backbone_bytes(), [](ModuleIndex& index) { index.contract.ports[1].space->fingerprint[5] ^= 1; });
  CHECK(finding(foreign) == Code::kDigest);
  const std::string probes =
      test::with_index(test::head_bytes(), [](ModuleIndex& index) { index.contract.ports[0].space->probes[5] ^= 1; });
  CHECK(finding(probes) == Code::kDigest);
  // with_index drops the trailers: a head whose probes were taken away is found as well.
  CHECK(finding(test::with_index(test::head_bytes(), [](ModuleIndex&) {})) == Code::kDigest);
}

TEST_CASE("a bomb of zeros is refused before it is unpacked") {
  // 1 GiB of zeros in 1 MiB chunks: a few KB of file.
  const std::string chunk(size_t{1} << 20, '\0');
  ModuleWriter writer({Codec::kZstd, 3});
  writer.set_identity({"bomb", Kind::kAdapter, "1.0.0", "", {}});
  REQUIRE(writer.add_tensor("w", DType::kU8, {uint64_t{1} << 20}, as_bytes(chunk)).ok());
  const std::string one = *writer.to_memory();
  const Result<ModuleView> first = ModuleView::open(as_bytes(one));
  REQUIRE(first.ok());
  const TensorRecord record = first->index().tensors[0];
  const std::string frame = one.substr(record.offset, record.stored_length);
  std::string segments;
  for (int i = 0; i < 1024; ++i) segments += frame;
  const uint64_t stored = segments.size();
  segments.resize((segments.size() + 63) / 64 * 64, '\0');
  std::string body = one.substr(0, 128) + segments;
  Preamble preamble = test::preamble_of(one);
  ModuleIndex index = first->index();
  index.tensors[0].shape = {uint64_t{1} << 30};
  index.tensors[0].raw_length = uint64_t{1} << 30;
  index.tensors[0].stored_length = stored;
  index.tensors[0].chunk_stored.assign(1024, frame.size());
  index.tensors[0].hash = xxh3_128(as_bytes(body).subspan(128, stored));
  preamble.index_offset = body.size();
  preamble.directory_offset = preamble.file_length = body.size();
  preamble.index_length = preamble.directory_length = 0;
  preamble.directory_digest = sha256(Bytes{});
  preamble.index_digest = sha256(Bytes{});
  const std::string file = test::with_index_bytes(encode_preamble(preamble) + body.substr(128), *encode_index(index));
  CHECK(file.size() < 100000);
  const Result<ModuleView> view = ModuleView::open(as_bytes(file));
  REQUIRE(view.ok());
  CHECK(view->tensor_bytes(0).error().code == Code::kUnavailable);
  const VerifyReport report = verify_module(*view, 2);
  REQUIRE(report.failures.size() == 1);
  CHECK(report.failures[0].code == Code::kUnavailable);
}
