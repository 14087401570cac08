// Data as items: whatever a user gives (lines, CSV, TSV, JSON lines, IDX, npy, Arrow), read batch by batch as columns that fit
// a module's input ports, with ids and labels beside them.
// Tested by tests/unit/commands/items_test.cc and tests/cli.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/command.h"
#include "formats/arrow/reader.h"
#include "formats/table/rows.h"
#include "libmod/prepare/runner.h"

namespace modnet {

enum class DataFormat : uint8_t { kArrow, kLines, kCsv, kTsv, kJsonl, kIdx, kNpy };

/// What the options of data_options() say.
struct DataOptions {
  std::string path;                   // "-": standard input
  std::optional<DataFormat> format;   // --format
  std::string text_column;            // --text
  std::string label_column;           // --label; empty: labels are not read (an Arrow column "label" always is)
  std::string id_column;              // --id
  Quoting quoting = Quoting::kDefault;  // --quoting
  std::string labels_file;            // --labels: IDX or npy beside IDX or npy
};
/// --format, --text, --label, --id, --labels: the options of every command that reads items.
[[nodiscard]] std::vector<OptionSpec> data_options();
[[nodiscard]] DataOptions read_data_options(const Arguments& args, const std::string& path);

/// Some items. Views live as long as the batch.
struct ItemBatch {
  int64_t rows = 0;
  int64_t first_row = 0;                       // from 0, over the whole input
  std::vector<std::string_view> ids;           // empty: the row's number is its id
  std::vector<std::string_view> labels;        // empty: none
  std::vector<double> label_values;            // of a numeric label column; empty: none
  std::vector<PortColumn> columns;             // one for each port that was asked for and is there
  std::vector<int64_t> lines;                  // where each row begins in a text file; empty elsewhere

  /// The id of a row as text.
  [[nodiscard]] std::string id(int64_t row) const;

  ItemBatch() = default;
  ItemBatch(ItemBatch&&) = default;
  ItemBatch& operator=(ItemBatch&&) = default;
  std::shared_ptr<void> owner;                           // what the views point into
  std::vector<std::shared_ptr<std::vector<int64_t>>> offset_store;
  std::vector<std::shared_ptr<std::vector<std::string_view>>> text_store;
  std::vector<std::shared_ptr<std::vector<std::byte>>> byte_store;
};

class ItemSource {
 public:
  /// Opens the data for a module with these input ports. kUsage for raw text where `ports` want prepared values, for a format
  /// that cannot be told, and for columns that do not exist (the message lists those that do).
  [[nodiscard]] static Result<std::unique_ptr<ItemSource>> open(const DataOptions& options, std::vector<Port> ports);
  virtual ~ItemSource() = default;

  /// At most max_rows items, what there is when the source would block; nothing at the end.
  [[nodiscard]] virtual Result<std::optional<ItemBatch>> next(int64_t max_rows) = 0;
  [[nodiscard]] virtual bool ready() = 0;
  [[nodiscard]] virtual bool has_labels() const = 0;
  [[nodiscard]] virtual bool labels_are_numbers() const { return false; }
  /// The name of the label's column, for ports and reports: "section".
  [[nodiscard]] virtual std::string label_name() const = 0;
  /// The Arrow reader behind it, null for other formats: metadata and the seal.
  [[nodiscard]] virtual const ArrowReader* arrow() const { return nullptr; }
  [[nodiscard]] virtual const MappedFile* mapped() const { return nullptr; }
  [[nodiscard]] const std::string& name() const { return name_; }

 protected:
  std::string name_;
};

/// The shortest text that reads back as the same number.
[[nodiscard]] std::string real_text(double value);
/// Which format a path holds: "-" by its first bytes (Arrow, else lines), a file by its extension and Arrow's magic.
[[nodiscard]] std::optional<DataFormat> format_from_path(std::string_view path);

}  // namespace modnet
