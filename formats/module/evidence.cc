#include "formats/module/evidence.h"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <tuple>

#include "formats/base/limits.h"
#include "formats/base/text.h"
#include "schema/module_generated.h"

namespace modnet {
namespace {

constexpr char kIdentifier[] = "MNEV";
constexpr int64_t kMaxEvidenceBytes = int64_t{4} << 20;
constexpr int64_t kMaxTextBytes = 1024;
constexpr uint32_t kMaxEvidenceTables = kMaxEvidenceRecords + 1;
constexpr size_t kEvidenceFields = 1, kRecordFields = 16;
constexpr int64_t kMaxProbes = int64_t{1} << 26;

auto key(const EvidenceRecord& one) { return std::tie(one.port, one.fingerprint, one.root, one.how); }

std::string name_of_record(const EvidenceRecord& one) { return "evidence of '" + escape_text(one.port) + "'"; }

Status check_text(const std::string& text, const std::string& what) {
  if (static_cast<int64_t>(text.size()) <= kMaxTextBytes && is_utf8(text)) return ok();
  return malformed(what + " is not UTF-8 of at most " + std::to_string(kMaxTextBytes) + " bytes", "evidence");
}

Status check_record(const EvidenceRecord& one) {
  MODNET_TRY(check_text(one.port, "the port of a record"));
  if (one.port.empty()) return malformed("a record names no port", "evidence");
  const std::string what = name_of_record(one);
  MODNET_TRY(check_text(one.policy, what + ": the policy"));
  MODNET_TRY(check_text(one.how, what + ": how it was measured"));
  if (is_zero(one.fingerprint) || is_zero(one.root) || is_zero(one.probes))
    return malformed(what + " lacks a fingerprint, root or digest of probes", "evidence");
  const SpaceMeasure& m = one.measure;
  struct Range {
    const char* name;
    double value, low, high;
  };
  constexpr double kAny = std::numeric_limits<double>::max();
  for (const Range& r : {Range{"tolerance", one.tolerance, 0, 1}, {"probe_distance", m.probe_distance, 0, kAny}, {"largest", m.largest, 0, kAny},
                         {"mean", m.mean, 0, kAny}, {"cosine_min", m.cosine_min, -1, 1}, {"cosine_mean", m.cosine_mean, -1, 1}, {"cka", m.cka, 0, 1},
                         {"neighbours", m.neighbours, 0, 1}})
    if (!(r.value >= r.low && r.value <= r.high)) return malformed(what + ": '" + r.name + "' is out of its range", "evidence");
  if (m.probes < 1 || m.probes > kMaxProbes || m.nonfinite < 0 || m.nonfinite > m.probes)
    return malformed(what + ": impossible number of probes", "evidence");
  return ok();
}

/// Fields beyond those that this build knows, by number.
Status known_fields(const flatbuffers::Table* table, size_t known, const char* what) {
  const uint8_t* vtable = table->GetVTable();
  const size_t bytes = flatbuffers::ReadScalar<flatbuffers::voffset_t>(vtable);
  if (bytes < 4) return malformed("the list of fields of " + std::string(what) + " is cut off", "evidence");  // the verifier lets it pass
  const size_t slots = (bytes - 4) / 2;
  for (size_t field = known; field < slots; ++field)
    if (flatbuffers::ReadScalar<flatbuffers::voffset_t>(vtable + 4 + 2 * field) != 0)
      return malformed("field " + std::to_string(field) + " of " + what + " is not known to this build", "evidence");
  return ok();
}

const flatbuffers::Table* as_table(const void* table) { return static_cast<const flatbuffers::Table*>(table); }

fb::Sha256 to_fb(const Digest& digest) { return fb::Sha256(flatbuffers::span<const uint8_t, 32>(digest.data(), 32)); }
Digest from_fb(const fb::Sha256* digest) {
  Digest out{};
  if (digest != nullptr) std::memcpy(out.data(), digest->bytes()->Data(), out.size());
  return out;
}
std::string from_fb(const flatbuffers::String* text) { return text == nullptr ? std::string() : text->str(); }

/// Counts are u64 in the file; what does not fit becomes a number that check_record refuses.
int64_t from_fb(uint64_t count) { return count > static_cast<uint64_t>(kMaxProbes) ? -1 : static_cast<int64_t>(count); }

EvidenceRecord load(const fb::EvidenceRecord& table) {
  EvidenceRecord out;
  out.port = from_fb(table.port());
  out.fingerprint = from_fb(table.fingerprint());
  out.root = from_fb(table.root());
  out.probes = from_fb(table.probes());
  out.policy = from_fb(table.policy());
  out.how = from_fb(table.how());
  out.tolerance = table.tolerance();
  SpaceMeasure& m = out.measure;
  m.probes = from_fb(table.count());
  m.probe_distance = table.probe_distance();
  m.largest = table.largest();
  m.mean = table.mean();
  m.cosine_min = table.cosine_min();
  m.cosine_mean = table.cosine_mean();
  m.cka = table.cka();
  m.neighbours = table.neighbours();
  m.nonfinite = from_fb(table.nonfinite());
  return out;
}

}  // namespace

Result<std::string> encode_evidence(std::span<const EvidenceRecord> records) {
  if (records.empty()) return std::string();
  if (static_cast<int64_t>(records.size()) > kMaxEvidenceRecords)
    return invalid(std::to_string(records.size()) + " records of evidence; expected at most " + std::to_string(kMaxEvidenceRecords));
  std::vector<const EvidenceRecord*> sorted;
  for (const EvidenceRecord& one : records) {
    if (Status good = check_record(one); !good.ok()) return invalid(good.error().what);
    sorted.push_back(&one);
  }
  std::sort(sorted.begin(), sorted.end(), [](const EvidenceRecord* a, const EvidenceRecord* b) { return key(*a) < key(*b); });
  for (size_t i = 1; i < sorted.size(); ++i)
    if (key(*sorted[i - 1]) == key(*sorted[i])) return invalid(name_of_record(*sorted[i]) + " is given twice for one space and one way");
  flatbuffers::FlatBufferBuilder builder(4096);
  builder.ForceDefaults(true);
  std::vector<flatbuffers::Offset<fb::EvidenceRecord>> offsets;
  for (const EvidenceRecord* one : sorted) {
    const SpaceMeasure& m = one->measure;
    const auto port = builder.CreateString(one->port);
    const auto policy = builder.CreateString(one->policy);
    const auto how = builder.CreateString(one->how);
    const fb::Sha256 fingerprint = to_fb(one->fingerprint), root = to_fb(one->root), probes = to_fb(one->probes);
    offsets.push_back(fb::CreateEvidenceRecord(builder, port, &fingerprint, &root, &probes, policy, how, one->tolerance, static_cast<uint64_t>(m.probes),
                                               m.probe_distance, m.largest, m.mean, m.cosine_min, m.cosine_mean, m.cka, m.neighbours,
                                               static_cast<uint64_t>(m.nonfinite)));
  }
  const auto list = builder.CreateVector(offsets);
  builder.Finish(fb::CreateEvidence(builder, list), kIdentifier);
  return std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

Result<std::vector<EvidenceRecord>> decode_evidence(Bytes mapped) {
  std::vector<EvidenceRecord> out;
  if (mapped.empty()) return out;
  if (mapped.size() < 16 || static_cast<int64_t>(mapped.size()) > kMaxEvidenceBytes)
    return malformed("an evidence trailer of " + std::to_string(mapped.size()) + " bytes is not possible", "evidence");
  const std::string copy(as_text(mapped));  // aligned, and steady while it is read
  const auto* data = reinterpret_cast<const uint8_t*>(copy.data());
  flatbuffers::Verifier verifier(data, copy.size(), 8, kMaxEvidenceTables);
  if (!verifier.VerifyBuffer<fb::Evidence>(kIdentifier))
    return malformed("the evidence is not a well-formed FlatBuffer with identifier MNEV", "evidence");
  const auto* root = flatbuffers::GetRoot<fb::Evidence>(data);
  MODNET_TRY(known_fields(as_table(root), kEvidenceFields, "the evidence"));
  if (root->records() == nullptr || root->records()->size() == 0) return malformed("the trailer holds no record", "evidence");
  for (const fb::EvidenceRecord* table : *root->records()) {
    MODNET_TRY(known_fields(as_table(table), kRecordFields, "a record"));
    EvidenceRecord one = load(*table);
    MODNET_TRY(check_record(one));
    if (!out.empty() && !(key(out.back()) < key(one))) return malformed("the records are not sorted and unique", "evidence");
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace modnet
