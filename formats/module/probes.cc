#include "formats/module/probes.h"

#include <flatbuffers/flatbuffers.h>

#include <cstring>
#include <vector>

#include "formats/base/limits.h"
#include "formats/base/text.h"
#include "formats/module/check.h"
#include "schema/module_generated.h"

namespace modnet {
namespace {

constexpr char kIdentifier[] = "MNPR";
constexpr int64_t kMaxProbeBytes = int64_t{64} << 20;
constexpr uint32_t kMaxProbeTables = 4096;

Status check_array(const ProbeArray& array, uint64_t count) {
  const std::string what = "probe array '" + escape_text(array.port) + "'";
  if (array.port.empty() || !is_utf8(array.port))
    return malformed("probe array whose port has no UTF-8 name", "probes");
  if (static_cast<int>(array.item_shape.size()) > kMaxRank) return malformed(what + " has a rank above 8", "probes");
  MODNET_ASSIGN(const int64_t item, tensor_size(array.dtype, array.item_shape));
  uint64_t rows = count;
  if (!array.offsets.empty()) {
    if (array.offsets.size() != count + 1 || array.offsets.front() != 0)
      return malformed(what + " has " + std::to_string(array.offsets.size()) + " offsets for " + std::to_string(count) +
                           " items; expected one more, from 0",
                       "probes");
    for (size_t i = 1; i < array.offsets.size(); ++i)
      if (array.offsets[i] < array.offsets[i - 1]) return malformed(what + " has offsets that go back", "probes");
    rows = array.offsets.back();
  }
  int64_t bytes = 0;
  if (rows > static_cast<uint64_t>(kMaxProbeBytes) || !checked_mul(static_cast<int64_t>(rows), item, &bytes) ||
      static_cast<uint64_t>(bytes) != array.data.size())
    return malformed(what + " has " + std::to_string(array.data.size()) + " bytes; expected " + std::to_string(rows) +
                         " rows of " + std::to_string(item),
                     "probes");
  return ok();
}

Status check_probes(const Probes& probes) {
  if (!is_utf8(probes.source)) return malformed("the source of the probes is not UTF-8", "probes");
  if (probes.count > static_cast<uint64_t>(kMaxProbeBytes)) return malformed("impossible number of probes", "probes");
  for (const auto* arrays : {&probes.inputs, &probes.outputs})
    for (const ProbeArray& array : *arrays) MODNET_TRY(check_array(array, probes.count));
  return ok();
}

using ArrayVector = flatbuffers::Vector<flatbuffers::Offset<fb::ProbeArray>>;

std::vector<uint64_t> numbers(const flatbuffers::Vector<uint64_t>* vector) {
  std::vector<uint64_t> out(vector == nullptr ? 0 : vector->size());
  if (!out.empty()) std::memcpy(out.data(), vector->Data(), out.size() * sizeof(uint64_t));
  return out;
}

/// `left` bounds what all arrays together may copy: arrays that share bytes are refused once that is passed.
Status load_arrays(const ArrayVector* arrays, int64_t* left, std::vector<ProbeArray>* out) {
  if (arrays == nullptr) return ok();
  for (const fb::ProbeArray* table : *arrays) {
    const auto size = [](const auto* vector) { return vector == nullptr ? int64_t{0} : int64_t{vector->size()}; };
    *left -= size(table->port()) + size(table->data()) + 8 * (size(table->offsets()) + size(table->item_shape())) + 4;
    if (*left < 0) return malformed("probe arrays overlap each other", "probes");
    ProbeArray array;
    if (table->port() != nullptr) array.port = table->port()->str();
    array.dtype = static_cast<DType>(table->dtype());
    array.item_shape = numbers(table->item_shape());
    array.offsets = numbers(table->offsets());
    if (table->data() != nullptr)
      array.data.assign(reinterpret_cast<const char*>(table->data()->Data()), table->data()->size());
    out->push_back(std::move(array));
  }
  return ok();
}

}  // namespace

Result<std::string> encode_probes(const Probes& probes) {
  if (Status good = check_probes(probes); !good.ok()) return invalid(good.error().what);
  flatbuffers::FlatBufferBuilder builder(4096);
  builder.ForceDefaults(true);
  const auto arrays = [&](const std::vector<ProbeArray>& records) {
    std::vector<flatbuffers::Offset<fb::ProbeArray>> offsets;
    for (const ProbeArray& array : records) {
      const auto port = builder.CreateString(array.port);
      const auto shape = builder.CreateVector(array.item_shape);
      const auto starts = builder.CreateVector(array.offsets);
      const auto data = builder.CreateVector(reinterpret_cast<const uint8_t*>(array.data.data()), array.data.size());
      offsets.push_back(fb::CreateProbeArray(builder, port, static_cast<fb::DType>(array.dtype), shape, starts, data));
    }
    return builder.CreateVector(offsets);
  };
  const auto source = builder.CreateString(probes.source);
  const auto inputs = arrays(probes.inputs);
  const auto outputs = arrays(probes.outputs);
  builder.Finish(fb::CreateProbes(builder, probes.count, source, inputs, outputs), kIdentifier);
  return std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

Result<Probes> decode_probes(Bytes mapped) {
  if (mapped.size() < 16 || static_cast<int64_t>(mapped.size()) > kMaxProbeBytes)
    return malformed("a probes trailer of " + std::to_string(mapped.size()) + " bytes is not possible", "probes");
  const std::string copy(as_text(mapped));  // aligned, and steady while it is read
  const auto* data = reinterpret_cast<const uint8_t*>(copy.data());
  flatbuffers::Verifier verifier(data, copy.size(), 8, kMaxProbeTables);
  if (!verifier.VerifyBuffer<fb::Probes>(kIdentifier))
    return malformed("the probes are not a well-formed FlatBuffer with identifier MNPR", "probes");
  const auto* root = flatbuffers::GetRoot<fb::Probes>(data);
  Probes out;
  out.count = root->count();
  if (root->source() != nullptr) out.source = root->source()->str();
  auto left = static_cast<int64_t>(copy.size());
  MODNET_TRY(load_arrays(root->inputs(), &left, &out.inputs));
  MODNET_TRY(load_arrays(root->outputs(), &left, &out.outputs));
  MODNET_TRY(check_probes(out));
  return out;
}

}  // namespace modnet
