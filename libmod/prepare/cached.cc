#include "libmod/prepare/cached.h"

#include <algorithm>
#include <map>
#include <optional>

#include "libmod/compute/plan.h"
#include "libmod/prepare/place.h"

namespace modnet {
namespace {

/// Raised when the portable policy gives other bits for the same graph; versions of operations are in the graph's identity.
constexpr uint64_t kPortableBits = 1;

/// Where the values of an item lie in its column, and how many bytes they are.
struct ItemRows {
  const PortColumn* column = nullptr;
  int64_t row_bytes = 0;

  [[nodiscard]] Bytes item(int64_t i) const {
    const int64_t first = column->offsets.empty() ? i : column->offsets[static_cast<size_t>(i)];
    const int64_t end = column->offsets.empty() ? i + 1 : column->offsets[static_cast<size_t>(i) + 1];
    return {static_cast<const std::byte*>(column->data) + first * row_bytes, static_cast<size_t>((end - first) * row_bytes)};
  }
};

/// Some rows of a column, copied.
struct Gathered {
  std::vector<std::string_view> texts;
  std::vector<std::byte> bytes;
  std::vector<int64_t> offsets;
};

}  // namespace

Digest cache_function(const ValueIdentity& value) {
  return DomainHash("modnet.cache.v1").number(kPortableBits).text(MODNET_VERSION).digest(value.digest).finish();
}

Status check_digests(const FlatGraph& graph, const FlatRecords& records, const ValueIdentity& value, ThreadPool& pool) {
  struct Part {
    std::string_view kind, name;
    Digest digest;
    Bytes bytes;
  };
  std::vector<Part> parts;
  for (const std::string& name : value.tensors) {
    MODNET_ASSIGN(const ConstTensor tensor, graph.tensor(name));
    parts.push_back({"tensor", name, records.tensor(name)->digest, tensor.bytes});
  }
  for (const std::string& name : value.assets) {
    MODNET_ASSIGN(const Bytes bytes, graph.asset(name));
    parts.push_back({"asset", name, records.asset(name)->digest, bytes});
  }
  std::vector<uint8_t> good(parts.size());
  pool.parallel_for(static_cast<int64_t>(parts.size()), [&](int64_t i, int) {
    const Part& part = parts[static_cast<size_t>(i)];
    good[static_cast<size_t>(i)] = sha256(part.bytes) == part.digest;
  });
  for (size_t i = 0; i < parts.size(); ++i)
    if (!good[i])
      return Error{Code::kDigest, "DIGEST", std::string(parts[i].kind) + " '" + std::string(parts[i].name) + "' does not have the digest that the module records",
                   {}, {}, "modnet verify tells more; nothing of this module is kept in a cache"};
  return ok();
}

CachedValues::CachedValues(CacheStore& store, Options options, Compute compute)
    : group_(store.group(options.function)), options_(std::move(options)), compute_(std::move(compute)) {}

bool CachedValues::serves(const CachedValue& value) const {
  if ((value.cut && options_.overflow == Overflow::kError) || (options_.longest > 0 && value.tokens > options_.longest)) return false;
  const Port& port = options_.port;
  if (port.dims.empty()) return true;  // a tap declares nothing
  uint64_t width = 1;
  for (size_t i = port.layout == Layout::kRagged ? 2 : 1; i < port.dims.size(); ++i) width *= port.dims[i].size;
  return value.ragged == (port.layout == Layout::kRagged) && value.width == width;
}

Result<RunCounts> CachedValues::run(std::span<const PortColumn> columns, int64_t items, OutputColumn* values) {
  std::vector<ItemRows> layouts;  // one an input; no column: it is absent
  for (const Port& port : options_.inputs) {
    ItemRows layout;
    const auto column = std::find_if(columns.begin(), columns.end(), [&](const PortColumn& one) { return one.port == port.name; });
    if (column != columns.end()) layout.column = &*column;
    if (layout.column != nullptr && column->texts.empty()) {
      MODNET_ASSIGN(const ValueType type, port_type(port));
      layout.row_bytes = type.row_bytes();
    }
    layouts.push_back(layout);
  }
  std::vector<Digest> keys(static_cast<size_t>(items));
  constexpr int64_t kPiece = 64;
  options_.pool->parallel_for((items + kPiece - 1) / kPiece, [&](int64_t piece, int) {
    for (int64_t i = piece * kPiece; i < std::min(items, (piece + 1) * kPiece); ++i) {
      DomainHash hash("modnet.item.v1");
      hash.digest(options_.function);
      for (size_t p = 0; p < layouts.size(); ++p) {
        const PortColumn* column = layouts[p].column;
        if (column == nullptr) continue;
        hash.text(options_.inputs[p].name);
        if (!column->texts.empty()) hash.text("text").text(column->texts[static_cast<size_t>(i)]);
        else hash.text("values").number(static_cast<uint64_t>(column->dtype)).number(column->offsets.empty() ? 0 : 1).bytes(layouts[p].item(i));
      }
      keys[static_cast<size_t>(i)] = hash.finish();
    }
  });

  std::vector<std::optional<CachedValue>> found(static_cast<size_t>(items));
  std::map<Digest, size_t> first;            // of the items to compute, by key
  std::vector<int64_t> rows, same(static_cast<size_t>(items), -1);
  for (int64_t i = 0; i < items; ++i) {
    const auto at = static_cast<size_t>(i);
    found[at] = group_.find(keys[at]);
    if (found[at] && serves(*found[at])) continue;
    found[at].reset();
    const auto [it, added] = first.try_emplace(keys[at], rows.size());
    if (added) rows.push_back(i);
    same[at] = rows[it->second];
  }
  hits_ += items - static_cast<int64_t>(rows.size());
  misses_ += static_cast<int64_t>(rows.size());

  if (!rows.empty()) {
    std::vector<Gathered> gathered(columns.size());
    std::vector<PortColumn> part(columns.begin(), columns.end());
    const bool all = static_cast<int64_t>(rows.size()) == items;
    for (size_t c = 0; c < part.size() && !all; ++c) {
      Gathered& one = gathered[c];
      PortColumn& column = part[c];
      if (!column.texts.empty()) {
        for (const int64_t row : rows) one.texts.push_back(column.texts[static_cast<size_t>(row)]);
        column.texts = one.texts;
        continue;
      }
      const auto layout = std::find_if(layouts.begin(), layouts.end(), [&](const ItemRows& l) { return l.column == &columns[c]; });
      if (layout == layouts.end()) continue;  // nothing reads it
      if (!column.offsets.empty()) one.offsets.push_back(0);
      for (const int64_t row : rows) {
        const Bytes bytes = layout->item(row);
        one.bytes.insert(one.bytes.end(), bytes.begin(), bytes.end());
        if (!column.offsets.empty()) one.offsets.push_back(static_cast<int64_t>(one.bytes.size()) / layout->row_bytes);
      }
      column.data = one.bytes.data();
      column.offsets = one.offsets;
    }
    OutputColumn made;
    std::vector<ItemFacts> facts;
    if (Result<RunCounts> counts = compute_(part, static_cast<int64_t>(rows.size()), &made, &facts); !counts.ok()) {
      Error error = std::move(counts).error();
      error.where = place_in_batch(error.where, rows);
      return error;
    }
    for (size_t r = 0; r < rows.size(); ++r) {
      CachedValue value;
      value.tokens = static_cast<uint32_t>(facts[r].tokens);
      value.cut = facts[r].cut;
      value.ragged = !made.offsets.empty();
      value.width = static_cast<uint32_t>(made.width);
      const int64_t begin = value.ragged ? made.offsets[r] : static_cast<int64_t>(r), end = value.ragged ? made.offsets[r + 1] : begin + 1;
      value.rows = static_cast<uint32_t>(end - begin);
      value.values.assign(made.values.begin() + begin * made.width, made.values.begin() + end * made.width);
      group_.add(keys[static_cast<size_t>(rows[r])], value);
      found[static_cast<size_t>(rows[r])] = std::move(value);
    }
    group_.flush();
  }

  values->port = options_.port;
  values->values.clear();
  values->offsets.clear();
  RunCounts counts;
  counts.items = items;
  for (int64_t i = 0; i < items; ++i) {
    const CachedValue& value = *found[static_cast<size_t>(same[static_cast<size_t>(i)] < 0 ? i : same[static_cast<size_t>(i)])];
    values->width = value.width;
    if (value.ragged && i == 0) values->offsets = {0};
    if (value.ragged) values->port.layout = Layout::kRagged;  // of a tap it was not known
    if (value.ragged) values->offsets.push_back(values->offsets.back() + value.rows);
    values->values.insert(values->values.end(), value.values.begin(), value.values.end());
    counts.tokens += value.tokens;
    counts.truncated += value.cut ? 1 : 0;
  }
  return counts;
}

}  // namespace modnet
