// The evidence trailer: what is written comes back, in one form only, and nothing else is read.
#include "formats/module/evidence.h"

#include <doctest/doctest.h>
#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>

#include "formats/module/edit.h"
#include "formats/module/read.h"
#include "formats/module/verify.h"
#include "tests/support/module_damage.h"
#include "tests/support/module_samples.h"

using namespace modnet;

namespace {

std::vector<EvidenceRecord> sample() { return test::sample_evidence(sha256(as_bytes("space"))); }

/// A trailer of one empty record whose table has a field `field`, and a root whose table has a field `root_field`.
std::string with_fields(flatbuffers::voffset_t field, flatbuffers::voffset_t root_field) {
  flatbuffers::FlatBufferBuilder builder;
  builder.ForceDefaults(true);
  const auto slot = [](flatbuffers::voffset_t id) { return static_cast<flatbuffers::voffset_t>(4 + 2 * id); };
  flatbuffers::uoffset_t start = builder.StartTable();
  builder.AddElement<uint64_t>(slot(field), 7, 0);
  const flatbuffers::Offset<void> record(builder.EndTable(start));
  const std::vector<flatbuffers::Offset<void>> records = {record};
  const auto list = builder.CreateVector(records);
  start = builder.StartTable();
  builder.AddOffset(slot(0), list);
  if (root_field > 0) builder.AddElement<uint64_t>(slot(root_field), 7, 0);
  builder.Finish(flatbuffers::Offset<void>(builder.EndTable(start)), "MNEV");
  return std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

std::string refusal(const std::string& bytes) {
  const Result<std::vector<EvidenceRecord>> got = decode_evidence(as_bytes(bytes));
  if (got.ok()) return "read";
  CHECK(got.error().code == Code::kMalformed);
  return got.error().what;
}

}  // namespace

TEST_CASE("evidence survives its trailer bit for bit") {
  const Result<std::string> bytes = encode_evidence(sample());
  REQUIRE(bytes.ok());
  const Result<std::vector<EvidenceRecord>> back = decode_evidence(as_bytes(*bytes));
  REQUIRE(back.ok());
  CHECK(*back == sample());
}

TEST_CASE("the same records in any order give the same bytes; none give no trailer") {
  std::vector<EvidenceRecord> records = sample();
  const std::string bytes = *encode_evidence(records);
  std::reverse(records.begin(), records.end());
  CHECK(*encode_evidence(records) == bytes);
  CHECK(encode_evidence({})->empty());
  CHECK(decode_evidence(Bytes{})->empty());
}

TEST_CASE("records that no reader would take are not written") {
  const auto refused = [](const std::function<void(EvidenceRecord&)>& change) {
    std::vector<EvidenceRecord> records = sample();
    change(records[0]);
    const Result<std::string> bytes = encode_evidence(records);
    REQUIRE_FALSE(bytes.ok());
    CHECK(bytes.error().code == Code::kInvalid);
  };
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinite = std::numeric_limits<double>::infinity();
  refused([](EvidenceRecord& r) { r.port.clear(); });
  refused([](EvidenceRecord& r) { r.port = "\xff"; });
  refused([](EvidenceRecord& r) { r.port.assign(1025, 'p'); });
  refused([](EvidenceRecord& r) { r.policy = "\xff"; });
  refused([](EvidenceRecord& r) { r.how.assign(1025, 'h'); });
  refused([](EvidenceRecord& r) { r.fingerprint = Digest{}; });
  refused([](EvidenceRecord& r) { r.root = Digest{}; });
  refused([](EvidenceRecord& r) { r.probes = Digest{}; });
  for (const double bad : {kNan, kInfinite, -0.5}) {
    CAPTURE(bad);
    refused([&](EvidenceRecord& r) { r.tolerance = bad; });
    refused([&](EvidenceRecord& r) { r.measure.probe_distance = bad; });
    refused([&](EvidenceRecord& r) { r.measure.largest = bad; });
    refused([&](EvidenceRecord& r) { r.measure.mean = bad; });
    refused([&](EvidenceRecord& r) { r.measure.cka = bad; });
    refused([&](EvidenceRecord& r) { r.measure.neighbours = bad; });
  }
  for (const double bad : {kNan, 1.5, -1.5}) {
    CAPTURE(bad);
    refused([&](EvidenceRecord& r) { r.measure.cosine_min = bad; });
    refused([&](EvidenceRecord& r) { r.measure.cosine_mean = bad; });
  }
  refused([](EvidenceRecord& r) { r.tolerance = 1.5; });
  refused([](EvidenceRecord& r) { r.measure.neighbours = 1.5; });
  refused([](EvidenceRecord& r) { r.measure.probes = 0; });
  refused([](EvidenceRecord& r) { r.measure.nonfinite = -1; });
  refused([](EvidenceRecord& r) { r.measure.nonfinite = r.measure.probes + 1; });
}

TEST_CASE("one space measured twice in one way is refused; another way is another record") {
  std::vector<EvidenceRecord> records = sample();
  records.push_back(records[0]);
  records.back().measure.largest = 0.09;
  const Result<std::string> twice = encode_evidence(records);
  REQUIRE_FALSE(twice.ok());
  CHECK(twice.error().what.find("'embedding'") != std::string::npos);
  records.back().how = "check";
  const Result<std::string> bytes = encode_evidence(records);
  REQUIRE(bytes.ok());
  CHECK(decode_evidence(as_bytes(*bytes))->size() == 3);
}

TEST_CASE("more records than the limit are refused") {
  std::vector<EvidenceRecord> records(static_cast<size_t>(kMaxEvidenceRecords), sample()[0]);
  for (size_t i = 0; i < records.size(); ++i) records[i].how = std::to_string(i);
  const Result<std::string> most = encode_evidence(records);
  REQUIRE(most.ok());
  CHECK(decode_evidence(as_bytes(*most))->size() == records.size());
  records.push_back(sample()[1]);
  CHECK_FALSE(encode_evidence(records).ok());
}

TEST_CASE("fields of a later format are refused by their number") {
  CHECK(refusal(with_fields(16, 0)) == "field 16 of a record is not known to this build");
  CHECK(refusal(with_fields(20, 0)) == "field 20 of a record is not known to this build");
  CHECK(refusal(with_fields(7, 3)) == "field 3 of the evidence is not known to this build");
  CHECK(refusal(with_fields(7, 0)) == "a record names no port");
}

TEST_CASE("a list of fields shorter than its own head is refused") {
  // Found by the fuzz target: FlatBuffers' verifier lets such a list pass, and counting its fields ran past the buffer.
  for (const uint16_t bytes : {0, 2}) {
    std::string trailer = *encode_evidence(sample());
    uint32_t table = 0;
    std::memcpy(&table, trailer.data(), 4);
    int32_t back = 0;
    std::memcpy(&back, trailer.data() + table, 4);
    std::memcpy(trailer.data() + (static_cast<int64_t>(table) - back), &bytes, 2);
    const std::string what = refusal(trailer);
    CHECK_MESSAGE((what.find("cut off") != std::string::npos || what.find("well-formed") != std::string::npos), what);
  }
}

TEST_CASE("records out of order are refused") {
  std::string bytes = *encode_evidence(sample());
  // "embedding" becomes "zmbedding", which belongs behind "section/features".
  const size_t at = bytes.find("embedding");
  REQUIRE(at != std::string::npos);
  bytes[at] = 'z';
  CHECK(refusal(bytes) == "the records are not sorted and unique");
}

TEST_CASE("broken trailers are refused without a crash, and cuts of them never read") {
  const std::string bytes = *encode_evidence(sample());
  for (size_t n = 1; n < bytes.size() / 2; ++n) CHECK_FALSE(decode_evidence(as_bytes(bytes.substr(0, n))).ok());
  int refused = 0, read = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      const std::string broken = test::with_flip(bytes, i, bit);
      const Result<std::vector<EvidenceRecord>> got = decode_evidence(as_bytes(broken));
      got.ok() ? ++read : ++refused;
      if (got.ok()) CHECK(encode_evidence(*got).ok());  // whatever is read obeys every rule
    }
  CHECK(refused > 0);
  CHECK(read > 0);
  CHECK_FALSE(decode_evidence(as_bytes("evidence")).ok());
  CHECK_FALSE(decode_evidence(as_bytes(std::string(5 << 20, '\0'))).ok());
}

TEST_CASE("a module gives its evidence; bytes that are no evidence are kept, verified and refused only when asked for") {
  const std::string file = test::converted_bytes();
  const Result<ModuleView> view = ModuleView::open(as_bytes(file));
  REQUIRE(view.ok());
  const Result<std::vector<EvidenceRecord>> records = view->evidence();
  REQUIRE(records.ok());
  CHECK(*records == test::sample_evidence(view->index().contract.ports[1].space->fingerprint));

  const std::string other = *rewrite_trailers_to_memory(*view, {{TrailerKind::kEvidence, "of another time"}});
  const Result<ModuleView> kept = ModuleView::open(as_bytes(other));
  REQUIRE(kept.ok());
  CHECK(verify_module(*kept, 1).passed());
  CHECK(as_text(*kept->trailer(TrailerKind::kEvidence)) == "of another time");
  CHECK_FALSE(kept->evidence().ok());

  const std::string none = test::backbone_bytes();
  const Result<ModuleView> without = ModuleView::open(as_bytes(none));
  REQUIRE(without.ok());
  REQUIRE(without->evidence().ok());
  CHECK(without->evidence()->empty());
}
