#include "commands/items.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "formats/base/text.h"
#include "formats/image/idx.h"
#include "formats/table/decompress.h"
#include "formats/table/rows.h"
#include "formats/weights/npy.h"
#include "libmod/contract/names.h"
#include "commands/module_file.h"

namespace modnet {
namespace {

struct FormatName {
  std::string_view name;
  DataFormat format;
};
constexpr FormatName kFormats[] = {{"arrow", DataFormat::kArrow}, {"lines", DataFormat::kLines}, {"csv", DataFormat::kCsv}, {"tsv", DataFormat::kTsv},
                                   {"jsonl", DataFormat::kJsonl}, {"idx", DataFormat::kIdx},     {"npy", DataFormat::kNpy}};

int64_t width_of(const Port& port) {
  int64_t width = 1;
  for (size_t i = port.layout == Layout::kRagged ? 2 : 1; i < port.dims.size(); ++i) width *= static_cast<int64_t>(port.dims[i].size);
  return width;
}

std::string shape_text(DType dtype, std::span<const int64_t> shape) {
  std::string out(dtype_name(dtype));
  out += "[";
  for (const int64_t size : shape) out += (out.back() == '[' ? "" : ",") + std::to_string(size);
  return out + "]";
}

/// The one port that fixed rows of this dtype and shape can feed.
Result<std::string> port_for(const std::vector<Port>& ports, DType dtype, std::span<const int64_t> shape, const std::string& file) {
  int64_t width = 1;
  for (const int64_t size : shape) width *= size;
  std::string wanted;
  for (const Port& port : ports) {
    if (port.layout != Layout::kRagged && port.dtype == dtype && width_of(port) == width) return port.name;
    if (!port.optional) wanted = port.name + " " + std::string(dtype_name(port.dtype)) + " with " + std::to_string(width_of(port)) + " values an item";
  }
  return Error{Code::kNo, "DIM_CHANGED", "holds " + shape_text(dtype, shape) + " an item; expected " + wanted, {}, file, "use the data that the module was made for"};
}

/// Why a module without an input of text takes no text, and what does.
Error no_text(const std::vector<Port>& ports) {
  if (ports.empty()) return usage("the data is raw text, but the module takes nothing");
  const Port& port = ports.front();
  const std::string what = "the data is raw text, but the module takes '" + port.name + "': ";
  if (port.semantic == Semantic::kEmbedding)
    return usage(what + "embeddings", "make them with modnet embed, or attach the head to a backbone with its encoder");
  if (port.semantic == Semantic::kImage) return usage(what + type_text(port), "give IDX or npy data, or a stream");
  return usage(what + "prepared values", "give --encoder ENCODER, or encode the data first");
}

// ---- rows of text ------------------------------------------------------------------------------------------------------

class TableItems : public ItemSource {
 public:
  static Result<std::unique_ptr<ItemSource>> make(std::unique_ptr<ByteSource> source, RowFormat format, const DataOptions& options, const std::vector<Port>& ports) {
    auto items = std::unique_ptr<TableItems>(new TableItems);
    const auto text = std::find_if(ports.begin(), ports.end(), [](const Port& port) { return port.semantic == Semantic::kText; });
    if (text == ports.end()) return no_text(ports).in_file(source->name());
    items->port_ = text->name;
    items->label_ = options.label_column;
    items->ready_ = source.get();
    RowOptions rows;
    rows.quoting = options.quoting;
    rows.columns = {options.text_column.empty() ? "text" : options.text_column};
    if (format == RowFormat::kLines) {
      if (!options.label_column.empty() || !options.id_column.empty())
        return usage("plain lines have no columns for --label or --id", "use --format tsv, csv or jsonl").in_file(source->name());
      rows.columns = {"text"};
    }
    if (!options.label_column.empty()) rows.columns.push_back(options.label_column);
    if (!options.id_column.empty()) rows.columns.push_back(options.id_column);
    items->has_id_ = !options.id_column.empty();
    items->name_ = source->name();
    MODNET_ASSIGN(items->rows_, RowSource::open(std::move(source), format, rows));
    return std::unique_ptr<ItemSource>(std::move(items));
  }

  Result<std::optional<ItemBatch>> next(int64_t max_rows) override {
    MODNET_ASSIGN(RowBatch read, rows_->next(max_rows));
    if (read.rows == 0) return std::optional<ItemBatch>();
    auto owned = std::make_shared<RowBatch>(std::move(read));
    ItemBatch batch;
    batch.rows = owned->rows;
    batch.first_row = owned->first_row;
    batch.lines = owned->lines;
    for (const size_t column : {size_t{0}, label_.empty() ? size_t{0} : size_t{1}})
      for (size_t i = 0; i < owned->columns[column].size(); ++i)
        if (is_missing(owned->columns[column][i]))
          return malformed("the row has no '" + rows_->columns()[column] + "'", std::to_string(owned->lines[i])).in_file(name_);
    PortColumn column;
    column.port = port_;
    column.dtype = DType::kUtf8;
    column.texts = owned->columns[0];
    batch.columns.push_back(column);
    if (!label_.empty()) batch.labels = owned->columns[1];
    if (has_id_) batch.ids = owned->columns.back();
    batch.owner = owned;
    return std::optional<ItemBatch>(std::move(batch));
  }
  bool ready() override { return ready_->ready(); }
  bool has_labels() const override { return !label_.empty(); }
  std::string label_name() const override { return label_; }

 private:
  TableItems() = default;
  std::unique_ptr<RowSource> rows_;
  ByteSource* ready_ = nullptr;  // owned by rows_
  std::string port_, label_;
  bool has_id_ = false;
};

// ---- IDX and npy: arrays, labels in a file of their own -------------------------------------------------------------------

Result<std::vector<std::string>> read_label_file(const std::string& path) {
  std::vector<std::string> labels;
  MODNET_ASSIGN(std::unique_ptr<ByteSource> source, open_source(path));
  MODNET_ASSIGN(std::unique_ptr<ByteSource> plain, maybe_decompress(std::move(source)));
  MODNET_ASSIGN(const std::string head, peek(*plain, 6));
  plain = prefixed_source(head, std::move(plain));
  if (head.starts_with("\x93NUMPY")) {
    MODNET_ASSIGN(const std::string bytes, read_all(*plain, int64_t{1} << 32));
    auto array = read_npy(as_bytes(bytes));
    if (!array.ok()) return std::move(array).error().in_file(path);
    if (array->shape.size() != 1) return malformed("expected one label a row, got rank " + std::to_string(array->shape.size())).in_file(path);
    if (array->dtype == DType::kUtf8) return std::move(array->strings);
    for (int64_t i = 0; i < array->count(); ++i) {
      const std::byte* at = array->data.data() + i * dtype_size(array->dtype);
      switch (array->dtype) {
        case DType::kI64: { int64_t v; std::memcpy(&v, at, sizeof v); labels.push_back(std::to_string(v)); break; }
        case DType::kI32: { int32_t v; std::memcpy(&v, at, sizeof v); labels.push_back(std::to_string(v)); break; }
        case DType::kU8: labels.push_back(std::to_string(static_cast<unsigned>(*at))); break;
        case DType::kF64: { double v; std::memcpy(&v, at, sizeof v); labels.push_back(real_text(v)); break; }
        case DType::kF32: { float v; std::memcpy(&v, at, sizeof v); labels.push_back(real_text(static_cast<double>(v))); break; }
        default: return malformed("labels are " + std::string(dtype_name(array->dtype)) + "; expected text, whole or real numbers").in_file(path);
      }
    }
    return labels;
  }
  MODNET_ASSIGN(const std::vector<int64_t> numbers, read_idx_labels(std::move(plain), int64_t{1} << 32));
  for (const int64_t number : numbers) labels.push_back(std::to_string(number));
  return labels;
}

/// Arrays share the handling of labels.
class ArrayItems : public ItemSource {
 public:
  bool ready() override { return true; }
  bool has_labels() const override { return !labels_.empty(); }
  std::string label_name() const override { return "label"; }

 protected:
  Status read_labels(const DataOptions& options, int64_t rows) {
    if (!options.label_column.empty() || !options.text_column.empty() || !options.id_column.empty())
      return usage("an array has no columns for --text, --label or --id", "give labels with --labels FILE").in_file(options.path);
    if (options.labels_file.empty()) return ok();
    MODNET_ASSIGN(labels_, read_label_file(options.labels_file));
    if (static_cast<int64_t>(labels_.size()) != rows)
      return malformed("holds " + std::to_string(labels_.size()) + " labels for " + std::to_string(rows) + " items").in_file(options.labels_file);
    return ok();
  }
  void add_labels(ItemBatch& batch) const {
    if (labels_.empty()) return;
    for (int64_t i = 0; i < batch.rows; ++i) batch.labels.push_back(labels_[static_cast<size_t>(batch.first_row + i)]);
  }
  std::vector<std::string> labels_;
  std::string port_;
};

class IdxItems : public ArrayItems {
 public:
  static Result<std::unique_ptr<ItemSource>> make(std::unique_ptr<ByteSource> source, const DataOptions& options, const std::vector<Port>& ports) {
    auto items = std::make_unique<IdxItems>();
    items->name_ = source->name();
    MODNET_ASSIGN(items->reader_, IdxReader::open(std::move(source)));
    MODNET_ASSIGN(items->port_, port_for(ports, items->reader_->dtype(), items->reader_->row_shape(), items->name_));
    MODNET_TRY(items->read_labels(options, items->reader_->rows()));
    return std::unique_ptr<ItemSource>(std::move(items));
  }
  Result<std::optional<ItemBatch>> next(int64_t max_rows) override {
    MODNET_ASSIGN(IdxBatch read, reader_->next(max_rows));
    if (read.rows == 0) return std::optional<ItemBatch>();
    auto owned = std::make_shared<IdxBatch>(std::move(read));
    ItemBatch batch;
    batch.rows = owned->rows;
    batch.first_row = owned->first_row;
    PortColumn column;
    column.port = port_;
    column.dtype = reader_->dtype();
    column.data = owned->data.data();
    batch.columns.push_back(column);
    add_labels(batch);
    batch.owner = owned;
    return std::optional<ItemBatch>(std::move(batch));
  }

 private:
  std::unique_ptr<IdxReader> reader_;
};

class NpyItems : public ArrayItems {
 public:
  static Result<std::unique_ptr<ItemSource>> make(const DataOptions& options, const std::vector<Port>& ports) {
    auto items = std::make_unique<NpyItems>();
    items->name_ = options.path;
    MODNET_ASSIGN(items->file_, MappedFile::open(options.path));
    auto array = read_npy(items->file_.bytes());
    if (!array.ok()) return std::move(array).error().in_file(options.path);
    items->array_ = std::move(*array);
    if (items->array_.shape.empty()) return malformed("expected an array of items, got one number").in_file(options.path);
    MODNET_ASSIGN(items->port_, port_for(ports, items->array_.dtype, std::span(items->array_.shape).subspan(1), options.path));
    MODNET_TRY(items->read_labels(options, items->array_.shape[0]));
    return std::unique_ptr<ItemSource>(std::move(items));
  }
  Result<std::optional<ItemBatch>> next(int64_t max_rows) override {
    const int64_t rows = std::min(max_rows, array_.shape[0] - done_);
    if (rows <= 0) return std::optional<ItemBatch>();
    const size_t row_bytes = array_.data.size() / static_cast<size_t>(array_.shape[0]);
    ItemBatch batch;
    batch.rows = rows;
    batch.first_row = done_;
    // The file's numbers need not be aligned for their type.
    auto bytes = std::make_shared<std::vector<std::byte>>(array_.data.begin() + static_cast<int64_t>(row_bytes) * done_,
                                                          array_.data.begin() + static_cast<int64_t>(row_bytes) * (done_ + rows));
    PortColumn column;
    column.port = port_;
    column.dtype = array_.dtype;
    column.data = bytes->data();
    batch.columns.push_back(column);
    batch.byte_store.push_back(std::move(bytes));
    add_labels(batch);
    done_ += rows;
    return std::optional<ItemBatch>(std::move(batch));
  }
  const MappedFile* mapped() const override { return &file_; }

 private:
  MappedFile file_;
  NpyArray array_;
  int64_t done_ = 0;
};

// ---- Arrow ---------------------------------------------------------------------------------------------------------------

class ArrowItems : public ItemSource {
 public:
  static Result<std::unique_ptr<ItemSource>> make(std::unique_ptr<ArrowReader> reader, const DataOptions& options, const std::vector<Port>& ports) {
    auto items = std::unique_ptr<ArrowItems>(new ArrowItems);
    items->name_ = reader->name();
    const ArrowSchema& schema = reader->schema();
    for (const Port& port : ports) {
      const std::string name = port.semantic == Semantic::kText && !options.text_column.empty() ? options.text_column : port.name;
      const int64_t column = schema.find(name);
      if (column < 0) {
        if (port.optional) continue;
        if (schema.get("modnet.contract") != nullptr && name == port.name)  // a stream of ours that holds something else does not fit
          return Error{Code::kNo, "REQUIRED_PORT_ADDED", "nothing in the stream feeds the input '" + port.name + "'; its columns are: " + columns_text(schema), {}, items->name_,
                       "send it to the module that it was made for, or make it with the command in between"};
        return usage("there is no column '" + name + "' for the input '" + port.name + "'", "the columns are: " + columns_text(schema)).in_file(items->name_);
      }
      MODNET_TRY(check_column(schema.fields[static_cast<size_t>(column)], port, items->name_));
      items->ports_.push_back({port, column});
    }
    items->id_ = schema.find(options.id_column.empty() ? "id" : options.id_column);
    items->label_ = schema.find(options.label_column.empty() ? "label" : options.label_column);
    if (items->label_ < 0 && !options.label_column.empty() && schema.get("modnet.label") != nullptr && *schema.get("modnet.label") == options.label_column)
      items->label_ = schema.find("label");  // encode stores the column under this name and says what it was called
    if (!options.label_column.empty() && items->label_ < 0)
      return usage("there is no column '" + options.label_column + "'", "the columns are: " + columns_text(schema)).in_file(items->name_);
    if (!options.id_column.empty() && items->id_ < 0)
      return usage("there is no column '" + options.id_column + "'", "the columns are: " + columns_text(schema)).in_file(items->name_);
    if (items->id_ >= 0 && !schema.fields[static_cast<size_t>(items->id_)].is_text()) items->id_ = -1;
    if (items->label_ >= 0) {
      const ArrowField& field = schema.fields[static_cast<size_t>(items->label_)];
      if (!field.is_text() && field.type != ArrowType::kValue)
        return malformed("column '" + field.name + "' is " + field.type_name() + "; labels are text or numbers").in_file(items->name_);
      items->numbers_ = field.type == ArrowType::kValue;
      const std::string* said = schema.get("modnet.label");
      items->label_name_ = said != nullptr ? *said : field.name;
    }
    items->reader_ = std::move(reader);
    return std::unique_ptr<ItemSource>(std::move(items));
  }

  Result<std::optional<ItemBatch>> next(int64_t max_rows) override {
    if (!pending_ || at_ >= pending_->rows) {
      pending_.reset();
      auto read = reader_->next();
      if (!read.ok()) return std::move(read).error().in_file(name_);
      if (!*read) return std::optional<ItemBatch>();
      pending_ = std::make_shared<ArrowBatch>(std::move(**read));
      at_ = 0;
    }
    const int64_t rows = std::min(max_rows, pending_->rows - at_);
    auto part = std::make_shared<ArrowBatch>(pending_->slice(at_, rows));
    ItemBatch batch;
    batch.rows = rows;
    batch.first_row = first_row_;
    first_row_ += rows;
    at_ += rows;
    for (const Bound& bound : ports_) MODNET_TRY(add_column(batch, part->columns[static_cast<size_t>(bound.column)], bound.port));
    if (id_ >= 0)
      for (int64_t i = 0; i < rows; ++i) batch.ids.push_back(part->columns[static_cast<size_t>(id_)].utf8(i));
    if (label_ >= 0) {
      const ArrowColumn& column = part->columns[static_cast<size_t>(label_)];
      for (int64_t i = 0; i < rows; ++i) {
        if (!column.valid(i)) return malformed("the row has no label", "row " + std::to_string(batch.first_row + i)).in_file(name_);
        if (numbers_) batch.label_values.push_back(column.number(i));
        else batch.labels.push_back(column.utf8(i));
      }
    }
    batch.owner = part;
    return std::optional<ItemBatch>(std::move(batch));
  }
  bool ready() override { return (pending_ && at_ < pending_->rows) || reader_->ready(); }
  bool has_labels() const override { return label_ >= 0; }
  bool labels_are_numbers() const override { return numbers_; }
  std::string label_name() const override { return label_name_; }
  const ArrowReader* arrow() const override { return reader_.get(); }
  const MappedFile* mapped() const override { return reader_->mapped(); }

 private:
  struct Bound {
    Port port;
    int64_t column;
  };
  ArrowItems() = default;

  static std::string columns_text(const ArrowSchema& schema) {
    std::string out;
    for (const ArrowField& field : schema.fields) out += (out.empty() ? "" : ", ") + escape_text(field.name);
    return out;
  }

  static Status check_column(const ArrowField& field, const Port& port, const std::string& file) {
    bool fits = false;
    if (port.semantic == Semantic::kText) fits = field.is_text();
    else if (port.layout == Layout::kRagged) fits = field.is_list() && field.value == port.dtype && width_of(port) == 1;
    else fits = (field.is_fixed() || (field.type == ArrowType::kValue && width_of(port) == 1)) && field.value == port.dtype && field.width == width_of(port);
    if (fits) return ok();
    return Error{Code::kNo, "DIM_CHANGED", "column '" + field.name + "' is " + field.type_name() + "; the input '" + port.name + "' takes " +
                 std::string(dtype_name(port.dtype)) + " with " + std::to_string(width_of(port)) + " values" + (port.layout == Layout::kRagged ? " a token" : " an item"),
                 {}, file, "use the data that the module was made for"};
  }

  Status add_column(ItemBatch& batch, const ArrowColumn& column, const Port& port) const {
    PortColumn out;
    out.port = port.name;
    out.dtype = port.dtype;
    if (column.null_count > 0)
      for (int64_t i = 0; i < column.rows; ++i)
        if (!column.valid(i)) return malformed("the row has no '" + port.name + "'", "row " + std::to_string(batch.first_row + i)).in_file(name_);
    if (port.semantic == Semantic::kText) {
      auto texts = std::make_shared<std::vector<std::string_view>>();
      for (int64_t i = 0; i < column.rows; ++i) texts->push_back(column.utf8(i));
      out.texts = *texts;
      batch.text_store.push_back(std::move(texts));
    } else {
      const int64_t size = dtype_size(port.dtype);
      const int64_t first = column.rows == 0 ? 0 : column.range(0).first;
      out.data = column.data + first * size;
      if (port.layout == Layout::kRagged) {
        auto offsets = std::make_shared<std::vector<int64_t>>();
        offsets->push_back(0);
        for (int64_t i = 0; i < column.rows; ++i) offsets->push_back(column.range(i).second - first);
        out.offsets = *offsets;
        batch.offset_store.push_back(std::move(offsets));
      }
    }
    batch.columns.push_back(out);
    return ok();
  }

  std::unique_ptr<ArrowReader> reader_;
  std::shared_ptr<ArrowBatch> pending_;
  int64_t at_ = 0, first_row_ = 0, id_ = -1, label_ = -1;
  bool numbers_ = false;
  std::string label_name_ = "label";
  std::vector<Bound> ports_;
};

}  // namespace

std::string real_text(double value) {
  char buffer[64];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return error == std::errc() ? std::string(buffer, end) : "nan";
}

std::string ItemBatch::id(int64_t row) const {
  return ids.empty() ? std::to_string(first_row + row) : std::string(ids[static_cast<size_t>(row)]);
}

std::vector<OptionSpec> data_options() {
  return {
      {.name = "format", .type = OptionType::kChoice, .help = "what the data is, where its name does not say", .choices = {"arrow", "lines", "csv", "tsv", "jsonl", "idx", "npy"}},
      {.name = "text", .type = OptionType::kText, .metavar = "COLUMN", .help = "column with the text (default: text)"},
      {.name = "label", .type = OptionType::kText, .metavar = "COLUMN", .help = "column with the label"},
      {.name = "id", .type = OptionType::kText, .metavar = "COLUMN", .help = "column with an id for each item (default: its number)"},
      {.name = "quoting", .type = OptionType::kChoice, .help = "what a double quote means in CSV and TSV, where the default does not fit", .choices = {"none", "csv"}},
      {.name = "labels", .type = OptionType::kPath, .metavar = "FILE", .help = "labels beside IDX or npy data, one an item: IDX or npy"},
  };
}

DataOptions read_data_options(const Arguments& args, const std::string& path) {
  DataOptions options;
  options.path = path;
  for (const FormatName& row : kFormats)
    if (row.name == args.text("format")) options.format = row.format;
  options.text_column = args.text("text");
  options.label_column = args.text("label");
  options.id_column = args.text("id");
  options.labels_file = args.text("labels");
  if (args.has("quoting")) options.quoting = args.text("quoting") == "none" ? Quoting::kNone : Quoting::kCsv;
  return options;
}

std::optional<DataFormat> format_from_path(std::string_view path) {
  if (path.ends_with(".arrow") || path.ends_with(".arrows") || path.ends_with(".feather")) return DataFormat::kArrow;
  if (path.ends_with(".npy")) return DataFormat::kNpy;
  for (const std::string_view end : {".idx", ".idx.gz", "-ubyte", "-ubyte.gz", ".idx.zst"})
    if (path.ends_with(end)) return DataFormat::kIdx;
  const auto rows = row_format_from_path(path);
  if (!rows) return std::nullopt;
  switch (*rows) {
    case RowFormat::kLines: return DataFormat::kLines;
    case RowFormat::kCsv: return DataFormat::kCsv;
    case RowFormat::kTsv: return DataFormat::kTsv;
    case RowFormat::kJsonl: return DataFormat::kJsonl;
  }
  return std::nullopt;
}

Result<std::unique_ptr<ItemSource>> ItemSource::open(const DataOptions& options, std::vector<Port> ports) {
  std::optional<DataFormat> format = options.format ? options.format : options.path == "-" ? std::nullopt : format_from_path(options.path);
  if (!options.labels_file.empty() && format && *format != DataFormat::kIdx && *format != DataFormat::kNpy)
    return usage("--labels goes with IDX and npy data; this data has columns", "use --label COLUMN").in_file(input_name(options.path));
  if (format == DataFormat::kNpy) return NpyItems::make(options, ports);
  if (format == DataFormat::kArrow && options.path != "-") {
    MODNET_ASSIGN(std::unique_ptr<ArrowReader> reader, ArrowReader::open_path(options.path));
    return ArrowItems::make(std::move(reader), options, ports);
  }
  MODNET_ASSIGN(std::unique_ptr<ByteSource> source, open_source(options.path));
  if (!format || *format == DataFormat::kArrow) {
    MODNET_ASSIGN(std::string head, peek(*source, 8));
    const bool empty = head.empty();
    const bool arrow = arrow_form(as_bytes(head)).has_value();
    source = prefixed_source(std::move(head), std::move(source));
    if (arrow || format) {
      MODNET_ASSIGN(std::unique_ptr<ArrowReader> reader, ArrowReader::open(std::move(source)));
      return ArrowItems::make(std::move(reader), options, ports);
    }
    // A producer that failed before its first byte is no empty text, unless text is what the module takes.
    const bool takes_text = std::any_of(ports.begin(), ports.end(), [](const Port& port) { return port.semantic == Semantic::kText; });
    if (empty && !takes_text)
      return Error{Code::kMalformed, "STREAM_CUT", "there is no data at all", {}, source->name(), "look at how its producer ended"};
    if (options.path != "-")
      return usage("the name does not say what the data is", "give --format lines, csv, tsv, jsonl, idx, npy or arrow").in_file(options.path);
    format = DataFormat::kLines;
  }
  if (*format == DataFormat::kIdx) return IdxItems::make(std::move(source), options, ports);
  const RowFormat rows = *format == DataFormat::kCsv ? RowFormat::kCsv : *format == DataFormat::kTsv ? RowFormat::kTsv
                       : *format == DataFormat::kJsonl ? RowFormat::kJsonl : RowFormat::kLines;
  return TableItems::make(std::move(source), rows, options, ports);
}

}  // namespace modnet
