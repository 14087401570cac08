#include "commands/calibration.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "libmod/compute/random.h"
#include "libmod/prepare/place.h"

namespace modnet {
namespace {

// Bytes of items that are kept, beyond the least number of items.
constexpr int64_t kMostBytes = int64_t{128} << 20;

constexpr uint32_t kDrawStream = 0x63616c69;  // "cali"

enum class Part : uint8_t { kChooses, kJudges };

struct Item {
  int64_t row = 0;
  Part part = Part::kJudges;
  std::vector<std::string> values;  // one a column
  std::string label;
  double label_value = 0;
};

int64_t row_bytes_of(const Port& port) {
  int64_t bytes = dtype_size(port.dtype);
  for (size_t i = port.layout == Layout::kRagged ? 2 : 1; i < port.dims.size(); ++i) bytes *= static_cast<int64_t>(port.dims[i].size);
  return bytes;
}

/// Keeps the items whose draws are least.
class Sampler {
 public:
  explicit Sampler(const std::vector<Port>& ports) : ports_(ports) {}

  void add(const ItemBatch& batch) {
    if (columns_.empty())
      for (const PortColumn& column : batch.columns)
        columns_.push_back(*std::find_if(ports_.begin(), ports_.end(), [&](const Port& one) { return one.name == column.port; }));
    for (int64_t i = 0; i < batch.rows; ++i, ++rows_) {
      const Key key{draws_.bits(static_cast<uint64_t>(rows_)), rows_};
      if (refused_ && key > *refused_) continue;
      Item item = copy(batch, i);
      bytes_ += size_of(item);
      kept_.emplace(key, std::move(item));
      while (too_many()) {
        const auto last = std::prev(kept_.end());
        refused_ = last->first;
        bytes_ -= size_of(last->second);
        kept_.erase(last);
      }
    }
  }
  [[nodiscard]] int64_t rows() const { return rows_; }

  /// The items in the data's order; those of the least draws choose.
  [[nodiscard]] std::vector<Item> take() {
    std::vector<Item> out;
    const size_t choose = std::min(static_cast<size_t>(kMostChoosing), kept_.size() / 2);
    for (auto& [key, item] : kept_) {
      item.part = out.size() < choose ? Part::kChooses : Part::kJudges;
      out.push_back(std::move(item));
    }
    std::sort(out.begin(), out.end(), [](const Item& a, const Item& b) { return a.row < b.row; });
    return out;
  }
  [[nodiscard]] const std::vector<Port>& columns() const { return columns_; }

 private:
  using Key = std::pair<uint64_t, int64_t>;  // the row's draw, the row

  [[nodiscard]] bool too_many() const {
    const auto count = static_cast<int64_t>(kept_.size());
    return count > kMostCalibration || (bytes_ > kMostBytes && count > kLeastCalibration);
  }
  [[nodiscard]] Item copy(const ItemBatch& batch, int64_t i) const {
    Item item;
    item.row = rows_;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const PortColumn& column = batch.columns[c];
      const int64_t row = row_bytes_of(columns_[c]);
      const int64_t begin = column.offsets.empty() ? i : column.offsets[static_cast<size_t>(i)], end = column.offsets.empty() ? i + 1 : column.offsets[static_cast<size_t>(i) + 1];
      item.values.emplace_back(static_cast<const char*>(column.data) + begin * row, static_cast<size_t>((end - begin) * row));
    }
    if (!batch.labels.empty()) item.label = batch.labels[static_cast<size_t>(i)];
    if (!batch.label_values.empty()) item.label_value = batch.label_values[static_cast<size_t>(i)];
    return item;
  }
  static int64_t size_of(const Item& item) {
    int64_t bytes = 0;
    for (const std::string& value : item.values) bytes += static_cast<int64_t>(value.size());
    return bytes;
  }

  std::vector<Port> ports_, columns_;
  std::map<Key, Item> kept_;
  std::optional<Key> refused_;  // none beyond it is kept
  Random draws_{0, kDrawStream};
  int64_t rows_ = 0, bytes_ = 0;
};

/// The items of a part as probes without outputs.
Probes probes_of(const std::vector<Item>& items, Part part, const std::vector<Port>& columns, const std::string& source) {
  Probes out;
  out.source = source;
  for (size_t c = 0; c < columns.size(); ++c) {
    const Port& port = columns[c];
    const bool ragged = port.layout == Layout::kRagged;
    ProbeArray array;
    array.port = port.name;
    array.dtype = port.dtype;
    for (size_t d = ragged ? 2 : 1; d < port.dims.size(); ++d) array.item_shape.push_back(port.dims[d].size);
    if (ragged) array.offsets.push_back(0);
    for (const Item& item : items) {
      if (item.part != part) continue;
      array.data += item.values[c];
      if (ragged) array.offsets.push_back(array.data.size() / static_cast<size_t>(row_bytes_of(port)));
    }
    out.inputs.push_back(std::move(array));
  }
  out.count = static_cast<uint64_t>(std::count_if(items.begin(), items.end(), [&](const Item& item) { return item.part == part; }));
  return out;
}

}  // namespace

PlaceOfItem Calibration::judged_places() const {
  return [this](size_t item) { return "item " + std::to_string(judged_rows[item]); };
}

Error Calibration::place(Error error, const std::vector<int64_t>& items) const {
  if (!error.where.starts_with("item")) return error;
  error.where = place_in_batch(error.where, items);
  return std::move(error).in_file(source->name());
}

Result<Calibration> read_calibration(Invocation& invocation, const ModuleFile& backbone, const std::vector<std::string>& ports, const Engine& engine) {
  std::vector<Port> needed;
  for (const Port& port : backbone.view.index().contract.ports)
    if (port.direction == Direction::kInput) needed.push_back(port);
  DataOptions options;
  options.path = invocation.args.text("calibrate");
  options.format = DataFormat::kArrow;
  options.label_column = invocation.args.text("label");
  Calibration out;
  auto source = ItemSource::open(options, needed);
  if (!source.ok()) {
    Error error = std::move(source).error();
    if (error.id == "NOT_ARROW") error.fix = "make the stream with modnet encode";
    return error;
  }
  out.source = std::move(*source);
  auto claims = read_claims(out.source->arrow()->schema());
  if (!claims.ok()) return std::move(claims).error().in_file(out.source->name());
  {
    // The chain is made for the checks that an embedding of the data would go through.
    MODNET_ASSIGN(const Chain chain, Chain::make({&backbone}, ports, &*claims, engine));
    note_checks({&chain, 1}, invocation.console);
  }
  Sampler sampler(needed);
  for (;;) {
    MODNET_ASSIGN(const std::optional<ItemBatch> batch, out.source->next(kMostCalibration));
    if (!batch) break;
    sampler.add(*batch);
  }
  note_seal(*out.source, invocation.console);
  out.rows = sampler.rows();
  if (out.rows < kLeastCalibration)
    return invalid("has " + std::to_string(out.rows) + (out.rows == 1 ? " item" : " items") + "; expected at least " + std::to_string(kLeastCalibration) + ", half of which choose and half judge",
                   "give more data, or leave --calibrate out").in_file(out.source->name());
  const std::vector<Item> items = sampler.take();
  out.chosen_on = probes_of(items, Part::kChooses, sampler.columns(), out.source->name());
  out.judged_on = probes_of(items, Part::kJudges, sampler.columns(), out.source->name());
  for (const Item& item : items) {
    (item.part == Part::kJudges ? out.judged_rows : out.chosen_rows).push_back(item.row);
    if (item.part != Part::kJudges || !out.source->has_labels()) continue;
    if (out.source->labels_are_numbers()) out.label_values.push_back(item.label_value);
    else out.labels.push_back(item.label);
  }
  return out;
}

}  // namespace modnet
