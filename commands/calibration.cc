#include "commands/calibration.h"

#include <algorithm>

#include "libmod/prepare/place.h"

namespace modnet {
namespace {

// Bytes of items that are kept, beyond the least number of items.
constexpr int64_t kMostBytes = int64_t{128} << 20;

struct Item {
  int64_t row = 0;
  std::vector<std::string> values;  // one a column
  std::string label;
  double label_value = 0;
};

int64_t row_bytes_of(const Port& port) {
  int64_t bytes = dtype_size(port.dtype);
  for (size_t i = port.layout == Layout::kRagged ? 2 : 1; i < port.dims.size(); ++i) bytes *= static_cast<int64_t>(port.dims[i].size);
  return bytes;
}

/// Keeps every n-th item; n doubles whenever there are too many.
class Sampler {
 public:
  explicit Sampler(const std::vector<Port>& ports) : ports_(ports) {}

  void add(const ItemBatch& batch) {
    if (columns_.empty())
      for (const PortColumn& column : batch.columns)
        columns_.push_back(*std::find_if(ports_.begin(), ports_.end(), [&](const Port& one) { return one.name == column.port; }));
    for (int64_t i = 0; i < batch.rows; ++i, ++rows_) {
      if (rows_ % step_ != 0) continue;
      keep(batch, i);
      const auto count = static_cast<int64_t>(items_.size());
      if (count > kMostCalibration || (bytes_ > kMostBytes && count >= 2 * kLeastCalibration)) halve();
    }
  }
  [[nodiscard]] int64_t rows() const { return rows_; }
  [[nodiscard]] const std::vector<Item>& items() const { return items_; }

  /// The items at `first`, `first` + 2, … as probes without outputs.
  [[nodiscard]] Probes half(size_t first, const std::string& source) const {
    Probes out;
    out.source = source;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const Port& port = columns_[c];
      const bool ragged = port.layout == Layout::kRagged;
      ProbeArray array;
      array.port = port.name;
      array.dtype = port.dtype;
      for (size_t d = ragged ? 2 : 1; d < port.dims.size(); ++d) array.item_shape.push_back(port.dims[d].size);
      if (ragged) array.offsets.push_back(0);
      for (size_t i = first; i < items_.size(); i += 2) {
        array.data += items_[i].values[c];
        if (ragged) array.offsets.push_back(array.data.size() / static_cast<size_t>(row_bytes_of(port)));
      }
      out.inputs.push_back(std::move(array));
    }
    out.count = (items_.size() + 1 - first) / 2;
    return out;
  }

 private:
  void keep(const ItemBatch& batch, int64_t i) {
    Item& item = items_.emplace_back();
    item.row = batch.first_row + i;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const PortColumn& column = batch.columns[c];
      const int64_t row = row_bytes_of(columns_[c]);
      const int64_t begin = column.offsets.empty() ? i : column.offsets[static_cast<size_t>(i)], end = column.offsets.empty() ? i + 1 : column.offsets[static_cast<size_t>(i) + 1];
      item.values.emplace_back(static_cast<const char*>(column.data) + begin * row, static_cast<size_t>((end - begin) * row));
    }
    if (!batch.labels.empty()) item.label = batch.labels[static_cast<size_t>(i)];
    if (!batch.label_values.empty()) item.label_value = batch.label_values[static_cast<size_t>(i)];
    bytes_ += size_of(item);
  }
  void halve() {
    size_t kept = 0;
    bytes_ = 0;
    for (size_t i = 0; i < items_.size(); i += 2) {
      bytes_ += size_of(items_[i]);
      if (kept != i) items_[kept] = std::move(items_[i]);
      ++kept;
    }
    items_.resize(kept);
    step_ *= 2;
  }
  static int64_t size_of(const Item& item) {
    int64_t bytes = 0;
    for (const std::string& value : item.values) bytes += static_cast<int64_t>(value.size());
    return bytes;
  }

  std::vector<Port> ports_, columns_;
  std::vector<Item> items_;
  int64_t rows_ = 0, step_ = 1, bytes_ = 0;
};

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
  MODNET_ASSIGN(out.source, ItemSource::open(options, needed));
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
  const std::string name = out.source->name();
  out.chosen_on = sampler.half(0, name);
  out.judged_on = sampler.half(1, name);
  for (size_t i = 0; i < sampler.items().size(); ++i) {
    const Item& item = sampler.items()[i];
    (i % 2 == 0 ? out.chosen_rows : out.judged_rows).push_back(item.row);
    if (i % 2 == 0 || !out.source->has_labels()) continue;
    if (out.source->labels_are_numbers()) out.label_values.push_back(item.label_value);
    else out.labels.push_back(item.label);
  }
  return out;
}

}  // namespace modnet
