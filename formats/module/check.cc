#include "formats/module/check.h"

#include <algorithm>
#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include "formats/base/limits.h"
#include "formats/base/text.h"
#include "formats/module/chunks.h"
#include "formats/module/layout.h"

namespace modnet {
namespace {

constexpr int kMaxEnumPort = static_cast<int>(DType::kUtf8);

Status check_name(const std::string& name, const std::string& what) {
  if (name.empty()) return malformed(what + " has no name", what);
  if (static_cast<int64_t>(name.size()) > kMaxNameBytes)
    return malformed(what + " has a name of " + std::to_string(name.size()) + " bytes; expected at most 512", what);
  if (!is_utf8(name)) return malformed(what + " has a name that is not UTF-8", what);
  return ok();
}

std::string quoted(const std::string& what, const std::string& name) { return what + " '" + escape_text(name) + "'"; }

/// Strictly ascending names: sorted and no duplicate.
template <typename Record, typename Key>
Status check_sorted(const std::vector<Record>& records, const std::string& what, Key key) {
  for (size_t i = 0; i < records.size(); ++i) {
    MODNET_TRY(check_name(key(records[i]), what + " " + std::to_string(i)));
    if (i == 0) continue;
    if (key(records[i - 1]) == key(records[i])) return malformed(quoted(what, key(records[i])) + " occurs twice", what);
    if (key(records[i - 1]) > key(records[i]))
      return malformed(quoted(what, key(records[i])) + " is out of order; expected sorted names", what);
  }
  return ok();
}

template <typename Enum>
Status check_enum(Enum value, Enum most, const std::string& field) {
  if (static_cast<int>(value) < 1 || static_cast<int>(value) > static_cast<int>(most))
    return malformed("unknown value " + std::to_string(static_cast<int>(value)) + " of " + field, field);
  return ok();
}

Status check_dims(const Port& port, const std::string& what) {
  if (static_cast<int>(port.dims.size()) > kMaxRank)
    return malformed(what + " has rank " + std::to_string(port.dims.size()) + "; expected at most 8", what);
  for (const Dim& dim : port.dims) {
    if (dim.symbol.empty() && dim.size == 0) return malformed(what + " has a fixed dim of size 0", what);
    if (!dim.symbol.empty() && (dim.size != 0 || dim.multiple_of == 0 || (dim.max != 0 && dim.max < dim.min)))
      return malformed(what + " has impossible bounds for dim " + escape_text(dim.symbol), what);
    if (dim.size > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      return malformed(what + " has a dim above 2^63", what);
  }
  return ok();
}

Status check_port(const Port& port) {
  const std::string what = quoted("port", port.name);
  MODNET_TRY(check_name(port.name, "port " + std::to_string(port.number)));
  MODNET_TRY(check_enum(port.direction, Direction::kOutput, what + ".direction"));
  MODNET_TRY(check_enum(port.dtype, static_cast<DType>(kMaxEnumPort), what + ".dtype"));
  MODNET_TRY(check_enum(port.layout, Layout::kChannelsLast, what + ".layout"));
  MODNET_TRY(check_enum(port.semantic, Semantic::kScores, what + ".semantic"));
  MODNET_TRY(check_dims(port, what));
  if (port.sequence) {
    MODNET_TRY(check_enum(port.sequence->pad_side, Side::kNone, what + ".sequence.pad_side"));
    MODNET_TRY(check_enum(port.sequence->mask, MaskPolarity::kAdditive, what + ".sequence.mask"));
  }
  if (port.values) {
    MODNET_TRY(check_enum(port.values->norm, NormKind::kSoftmax, what + ".values.norm"));
    MODNET_TRY(check_enum(port.values->nonfinite, NonFinite::kNever, what + ".values.nonfinite"));
  }
  if (port.space) {
    MODNET_TRY(check_enum(port.space->metric, Metric::kL2, what + ".space.metric"));
    MODNET_TRY(check_enum(port.space->pooling, Pooling::kMax, what + ".space.pooling"));
  }
  if (port.labels && !port.labels->thresholds.empty() &&
      port.labels->thresholds.size() != port.labels->names.size())
    return malformed(what + " has " + std::to_string(port.labels->thresholds.size()) + " thresholds for " +
                         std::to_string(port.labels->names.size()) + " labels",
                     what);
  return ok();
}

Status check_contract(const Contract& contract) {
  for (size_t i = 0; i < contract.ports.size(); ++i) {
    MODNET_TRY(check_port(contract.ports[i]));
    if (i > 0 && contract.ports[i - 1].number >= contract.ports[i].number)
      return malformed(quoted("port", contract.ports[i].name) +
                           " has a number that is not above the one before; expected ports sorted by number",
                       "ports");
  }
  std::vector<std::pair<Direction, std::string_view>> names;
  for (const Port& port : contract.ports) names.emplace_back(port.direction, port.name);
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
    return malformed(quoted("port", std::string(twice->second)) + " occurs twice in one direction", "ports");
  const Requirements& needs = contract.requirements;
  MODNET_TRY(check_enum(needs.determinism, Determinism::kNone, "requirements.determinism"));
  for (size_t i = 1; i < needs.ops.size(); ++i)
    if (std::tie(needs.ops[i - 1].domain, needs.ops[i - 1].name) >= std::tie(needs.ops[i].domain, needs.ops[i].name))
      return malformed(quoted("required op", needs.ops[i].name) + " is out of order or occurs twice",
                       "requirements.ops");
  MODNET_TRY(check_sorted(needs.composes, "composed module", [](const VersionRange& r) { return r.name; }));
  if (std::tie(needs.min_reader_major, needs.min_reader_minor) > std::tie(kFormatMajor, kFormatMinor))
    return Error{Code::kUnavailable, "READER_TOO_OLD",
                 "the module needs a reader of format " + std::to_string(needs.min_reader_major) + "." +
                     std::to_string(needs.min_reader_minor) + "; this build reads 1.0",
                 "requirements.min_reader", {}, "use a newer modnet"};
  return ok();
}

Status check_graph(const Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const std::string what = "node " + std::to_string(i);
    MODNET_TRY(check_name(graph.nodes[i].op, what));
    MODNET_TRY(check_sorted(graph.nodes[i].attributes, what + " attribute", [](const Attribute& a) { return a.name; }));
  }
  return check_sorted(graph.taps, "tap", [](const Tap& tap) { return tap.name; });
}

/// What tensors and assets have in common: codec, lengths, chunk table.
template <typename Record>
Status check_stored(const Record& r, const std::string& what) {
  MODNET_TRY(check_enum(r.codec, Codec::kZstd, what + ".codec"));
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (r.raw_length > kMost || r.stored_length > kMost) return malformed(what + " has a length above 2^63", what);
  if (r.codec == Codec::kRaw) {
    if (r.stored_length != r.raw_length || r.chunk_raw != 0 || !r.chunk_stored.empty())
      return malformed(what + " is raw; expected equal lengths and no chunks, got stored " +
                           std::to_string(r.stored_length) + " and raw " + std::to_string(r.raw_length),
                       what);
    return ok();
  }
  if (r.chunk_raw < static_cast<uint64_t>(kMinChunk) || r.chunk_raw > static_cast<uint64_t>(kMaxChunk))
    return malformed(what + " has chunks of " + std::to_string(r.chunk_raw) + " bytes; expected 1 to 4 MiB", what);
  const uint64_t count = r.raw_length / r.chunk_raw + (r.raw_length % r.chunk_raw != 0 ? 1 : 0);
  if (r.chunk_stored.size() != count)
    return malformed(what + " has " + std::to_string(r.chunk_stored.size()) + " chunks; expected " +
                         std::to_string(count),
                     what);
  int64_t sum = 0;
  for (size_t i = 0; i < r.chunk_stored.size(); ++i) {
    const uint64_t raw = std::min(r.chunk_raw, r.raw_length - i * r.chunk_raw);
    if (r.chunk_stored[i] == 0 || r.chunk_stored[i] > raw ||
        !checked_add(sum, static_cast<int64_t>(r.chunk_stored[i]), &sum))
      return malformed(what + " chunk " + std::to_string(i) + " has stored length " +
                           std::to_string(r.chunk_stored[i]) + "; expected 1 to " + std::to_string(raw),
                       what);
  }
  if (static_cast<uint64_t>(sum) != r.stored_length)
    return malformed(what + " has chunks of " + std::to_string(sum) + " bytes in all; expected " +
                         std::to_string(r.stored_length),
                     what);
  return ok();
}

Status check_tensor(const TensorRecord& r) {
  const std::string what = quoted("tensor", r.name);
  if (static_cast<int>(r.shape.size()) > kMaxRank)
    return malformed(what + " has rank " + std::to_string(r.shape.size()) + "; expected at most 8", what);
  if (r.dtype == DType::kInvalid || r.dtype == DType::kUtf8)
    return malformed(what + " has dtype " + std::to_string(static_cast<int>(r.dtype)), what);
  MODNET_TRY(check_stored(r, what));
  if (dtype_size(r.dtype) == 0) return ok();  // a newer dtype: can be listed, not read
  Result<int64_t> size = tensor_size(r.dtype, r.shape);
  if (!size.ok()) return malformed(what + ": " + size.error().what, what);
  if (static_cast<uint64_t>(*size) != r.raw_length)
    return malformed(what + " has raw length " + std::to_string(r.raw_length) + "; expected " + std::to_string(*size) +
                         " from shape and dtype",
                     what);
  return ok();
}

Status check_features(const ModuleIndex& index) {
  const auto name = [](const std::string& feature) { return feature; };
  MODNET_TRY(check_sorted(index.required_features, "required feature", name));
  MODNET_TRY(check_sorted(index.optional_features, "optional feature", name));
  if (!index.required_features.empty())  // format 1.0 has none
    return Error{Code::kUnavailable, "FEATURE_UNKNOWN",
                 "the module requires the feature '" + escape_text(index.required_features.front()) +
                     "', which this build does not know",
                 "required_features", {}, "use a newer modnet"};
  return ok();
}

}  // namespace

Result<int64_t> tensor_size(DType dtype, const std::vector<uint64_t>& shape) {
  const int64_t element = dtype_size(dtype);
  if (element == 0)
    return Error{Code::kUnavailable, "DTYPE_UNKNOWN",
                 "dtype " + std::to_string(static_cast<int>(dtype)) + " is not one that this build can read", {}, {}, {}};
  int64_t size = element;
  bool empty = false;
  for (const uint64_t dim : shape) {
    if (dim == 0) empty = true;
    if (dim > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) ||
        (dim != 0 && !checked_mul(size, static_cast<int64_t>(dim), &size)))
      return malformed("shape × dtype does not fit in 63 bits");
  }
  return empty ? 0 : size;
}

Status check_records(const ModuleIndex& index) {
  MODNET_TRY(check_features(index));
  MODNET_TRY(check_name(index.identity.name, "module"));
  MODNET_TRY(check_enum(index.identity.kind, Kind::kComposite, "kind"));
  MODNET_TRY(check_contract(index.contract));
  MODNET_TRY(check_graph(index.graph));
  if (static_cast<int64_t>(index.tensors.size()) > kMaxTensors)
    return malformed("the module has " + std::to_string(index.tensors.size()) + " tensors; expected at most 2^20");
  MODNET_TRY(check_sorted(index.tensors, "tensor", [](const TensorRecord& r) { return r.name; }));
  for (const TensorRecord& tensor : index.tensors) MODNET_TRY(check_tensor(tensor));
  MODNET_TRY(check_sorted(index.assets, "asset", [](const AssetRecord& r) { return r.name; }));
  for (const AssetRecord& asset : index.assets) MODNET_TRY(check_stored(asset, quoted("asset", asset.name)));
  return check_sorted(index.components, "component", [](const ComponentRecord& r) { return r.slot; });
}

Status check_segments(const ModuleIndex& index, uint64_t index_offset) {
  int64_t cursor = kPreambleBytes;
  const auto limit = static_cast<int64_t>(index_offset);
  const auto place = [&](uint64_t offset, uint64_t length, const std::string& what) -> Status {
    int64_t expected = 0;
    if (!checked_align(cursor, kAlignment, &expected) || static_cast<int64_t>(offset) != expected)
      return malformed(what + " is at offset " + std::to_string(offset) + "; expected " + std::to_string(expected) +
                           " (a hole or an overlap)",
                       what);
    if (!checked_add(expected, static_cast<int64_t>(length), &cursor) || cursor > limit)
      return malformed(what + " ends past the segments; expected at most " + std::to_string(limit) + ", got offset " +
                           std::to_string(offset) + " length " + std::to_string(length),
                       what);
    return ok();
  };
  for (const TensorRecord& r : index.tensors) MODNET_TRY(place(r.offset, r.stored_length, quoted("tensor", r.name)));
  for (const AssetRecord& r : index.assets) MODNET_TRY(place(r.offset, r.stored_length, quoted("asset", r.name)));
  std::vector<const ComponentRecord*> ranges;  // in the order of their offsets; a slot may repeat an earlier range
  for (const ComponentRecord& r : index.components) {
    const std::string what = quoted("component", r.slot);
    if (r.length < static_cast<uint64_t>(kPreambleBytes))
      return malformed(what + " of " + std::to_string(r.length) + " bytes is too short to be a module", what);
    const auto same = std::lower_bound(ranges.begin(), ranges.end(), &r,
                                       [](const auto* a, const auto* b) { return a->offset < b->offset; });
    if (same != ranges.end() && (*same)->offset == r.offset) {
      if ((*same)->length != r.length || (*same)->content != r.content || (*same)->file != r.file)
        return malformed(what + " shares a range with '" + escape_text((*same)->slot) + "' but says otherwise", what);
      continue;
    }
    MODNET_TRY(place(r.offset, r.length, what));
    ranges.push_back(&r);
  }
  int64_t expected = 0;
  if (!checked_align(cursor, kAlignment, &expected) || expected != limit)
    return malformed("the index is at offset " + std::to_string(index_offset) + "; expected " +
                         std::to_string(expected) + " (a hole or an overlap)",
                     "offset 16");
  return ok();
}

}  // namespace modnet
