// What a conversion costs on a user's data: distances, cosines and neighbours beside the module that was converted, and what a head loses.
// Tested by tests/cli/convert-calibrate.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "commands/calibration.h"
#include "libmod/prepare/evidence.h"
#include "libmod/prepare/quantise_layers.h"

namespace modnet {

/// One answer of a head on the outputs of both backbones.
struct HeadChange {
  std::string answer, metric;    // the port; "accuracy", or "r2" of a number
  double before = 0, after = 0;
  std::optional<double> same;    // share of items whose answer stays, of labels
};

/// A head that --head names, and where its inputs come from.
class JudgedHead {
 public:
  /// --head must take what `backbone` gives as attach-head wants it, by fingerprint or measured on the head's probes: kNo with the rules
  /// that it breaks. kUsage where it is no head, or answers nothing that labels of items judge.
  [[nodiscard]] static Result<JudgedHead> open(const Invocation& invocation, const ModuleFile& backbone, const Engine& engine);
  [[nodiscard]] const ModuleFile& file() const { return *file_; }
  /// The data has a label that the head knows for every item that judges. kUsage, kInvalid LABEL_UNKNOWN.
  [[nodiscard]] Status check_labels(const Calibration& data) const;
  /// `before` and `after` are outputs of `items` items as probes store them.
  [[nodiscard]] Result<std::vector<HeadChange>> compare(const Calibration& data, const std::vector<ProbeArray>& before, const std::vector<ProbeArray>& after, const Engine& engine) const;

 private:
  std::unique_ptr<ModuleFile> file_;
  std::vector<std::pair<std::string, std::string>> feeds_;  // the backbone's port, the head's
};

/// What --calibrate and --head name, and what was measured there.
struct OnData {
  Calibration items;
  std::optional<JudgedHead> head;
  std::vector<std::string> ports;
  Digest judged{};                              // of the items that judge, with the outputs of the module that is converted
  std::map<std::string, SpaceMeasure> figures;  // of each port
  std::vector<HeadChange> changes;              // one an answer of the head
};

/// Outputs with an embedding space, which is what a conversion is measured by. kInvalid when there is none.
[[nodiscard]] Result<std::vector<std::string>> space_ports(const ModuleView& view);
/// Opens and checks them, and reads the items; nothing without --calibrate. kUsage for --head or --label with nothing to do.
[[nodiscard]] Result<std::optional<OnData>> read_on_data(Invocation& invocation, const ModuleFile& module, const Engine& engine);
/// Runs `graph` as it is and with `changed` on the items that judge.
[[nodiscard]] Status measure_on_data(const FlatGraph& graph, const ChangedGraph& changed, const Engine& engine, OnData& data);

/// One line a space and one an answer of the head.
[[nodiscard]] std::string data_text(const OnData& data, const std::string& dtype);
/// `data` of the document.
[[nodiscard]] Json data_json(const OnData& data);
/// What the card keeps of it, under extra.on_data: the spaces' figures are evidence.
[[nodiscard]] Json data_card(const OnData& data);

}  // namespace modnet
