#include "commands/convert_data.h"

#include <algorithm>
#include <cstring>

#include <nlohmann/json.hpp>

#include "commands/evidence.h"
#include "commands/scoring.h"
#include "formats/base/text.h"
#include "formats/module/digests.h"
#include "libmod/contract/edge.h"
#include "libmod/contract/names.h"
#include "libmod/metrics/report.h"
#include "libmod/prepare/probes.h"

namespace modnet {
namespace {

double figure_of(const std::vector<Figure>& figures, std::string_view name) {
  return std::find_if(figures.begin(), figures.end(), [&](const Figure& one) { return one.name == name; })->value;
}

/// What a head gives for outputs of a backbone.
Result<std::vector<OutputColumn>> answers_of(const ModuleFile& head, const std::vector<std::pair<std::string, std::string>>& feeds, const std::vector<ProbeArray>& outputs,
                                             int64_t items, const Engine& engine) {
  std::vector<std::string> names;
  for (const Port* port : answer_ports(head.view.index().contract)) names.push_back(port->name);
  MODNET_ASSIGN(FlatGraph graph, flatten(head.view));
  MODNET_ASSIGN(Runner runner, Runner::make(std::move(graph), names, engine.options));
  std::vector<PortColumn> columns;
  for (const auto& [from, to] : feeds) {
    const auto it = std::find_if(outputs.begin(), outputs.end(), [&](const ProbeArray& one) { return one.port == from; });
    columns.push_back({to, DType::kF32, it->data.data(), {}, {}});
  }
  std::vector<OutputColumn> out;
  MODNET_TRY(runner.run(columns, items, &out));
  return out;
}

/// The class of each row, the first of equal ones: what is read out of a head's answer.
std::vector<int64_t> classes_of(const OutputColumn& answer) {
  std::vector<int64_t> out;
  for (auto row = answer.values.begin(); row != answer.values.end(); row += answer.width) out.push_back(std::max_element(row, row + answer.width) - row);
  return out;
}

Result<HeadChange> compare_classes(const Port& port, const Calibration& data, const OutputColumn& before, const OutputColumn& after) {
  HeadChange out{port.name, "accuracy", 0, 0, {}};
  MODNET_ASSIGN(const std::vector<int32_t> truth, class_numbers(port, port.name, data.labels, data.judged_places()));
  for (const auto& [answer, value] : {std::pair(&before, &out.before), std::pair(&after, &out.after)}) {
    MODNET_ASSIGN(const std::vector<double> probabilities, class_probabilities(port, answer->values, answer->width));
    MODNET_ASSIGN(const ClassificationReport report, classification_report({truth, probabilities, answer->width}, {}, {0, 0}));
    *value = figure_of(report.figures, out.metric);
  }
  const std::vector<int64_t> was = classes_of(before), is = classes_of(after);
  int64_t same = 0;
  for (size_t i = 0; i < was.size(); ++i) same += was[i] == is[i] ? 1 : 0;
  out.same = static_cast<double>(same) / static_cast<double>(was.size());
  return out;
}

Result<HeadChange> compare_numbers(const Port& port, const Calibration& data, const OutputColumn& before, const OutputColumn& after) {
  HeadChange out{port.name, "r2", 0, 0, {}};
  MODNET_ASSIGN(std::vector<double> truth, number_labels(data.labels, data.judged_places()));
  truth.insert(truth.end(), data.label_values.begin(), data.label_values.end());
  for (const auto& [answer, value] : {std::pair(&before, &out.before), std::pair(&after, &out.after)}) {
    const std::vector<double> given(answer->values.begin(), answer->values.end());
    MODNET_ASSIGN(const RegressionReport report, regression_report({truth, given, 1}, {}, {0, 0}));
    *value = figure_of(report.figures, out.metric);
  }
  return out;
}

Json heads_json(const OnData& data) {
  Json out = Json::array();
  for (const HeadChange& one : data.changes) {
    const ModuleView& view = data.head->file().view;
    Json entry{{"name", view.index().identity.name}, {"content", "sha256:" + hex(view.digests().content)}, {"answer", one.answer}, {"metric", one.metric},
               {"before", one.before}, {"after", one.after}};
    if (one.same) entry["same_answers"] = *one.same;
    out.push_back(entry);
  }
  return out;
}

}  // namespace

Result<JudgedHead> JudgedHead::open(const Invocation& invocation, const ModuleFile& backbone, const Engine& engine) {
  const std::string& path = invocation.args.text("head");
  const double tolerance = invocation.args.real("space-tolerance");
  JudgedHead out;
  MODNET_ASSIGN(ModuleFile file, ModuleFile::open_checked(path, invocation));
  out.file_ = std::make_unique<ModuleFile>(std::move(file));
  const ModuleIndex& index = out.file_->view.index();
  if (index.identity.kind != Kind::kHead)
    return usage("is a module of kind " + std::string(name_of(index.identity.kind)) + "; expected a head", "give one that was trained on this backbone's embeddings").in_file(path);
  auto seam = measure_seam(backbone.view, out.file_->view, "backbone", "convert", tolerance, engine.options);
  if (!seam.ok()) return std::move(seam).error().in_file(path);
  CheckContext context;
  context.measured = seam->records;
  context.space_tolerance = tolerance;
  CheckReport report = check_edge(backbone.view.index().contract, index.contract, context);
  explain_spaces(report, *seam);
  MODNET_TRY(check_status(report, backbone.file.path(), path));
  for (const Binding& binding : report.bindings) {
    const Port& from = backbone.view.index().contract.ports[binding.from];
    if (from.layout == Layout::kRagged || !from.space) return usage("reads '" + from.name + "'; expected a head that reads one embedding an item", "leave --head out").in_file(path);
    out.feeds_.emplace_back(from.name, index.contract.ports[binding.to].name);
  }
  for (const Port* port : answer_ports(index.contract))
    if (port->dims.size() != 2 || port->layout == Layout::kRagged || (port->semantic == Semantic::kValue && port->dims[1].size != 1) || (port->semantic != Semantic::kValue && !port->labels))
      return usage("its answer '" + port->name + "' cannot be judged by one label an item", "leave --head out").in_file(path);
  if (answer_ports(index.contract).empty()) return usage("answers nothing: it has no output of labels or values", "leave --head out").in_file(path);
  return out;
}

Status JudgedHead::check_labels(const Calibration& data) const {
  if (!data.source->has_labels()) return usage("the data has no labels to judge the head by", "give --label COLUMN").in_file(data.source->name());
  for (const Port* port : answer_ports(file_->view.index().contract)) {
    if (port->semantic != Semantic::kValue && data.source->labels_are_numbers())
      return usage("the labels are numbers; '" + port->name + "' answers with one of " + std::to_string(port->labels->names.size()) + " labels", "give the --label that it was trained on").in_file(data.source->name());
    Status good = ok();
    if (port->semantic == Semantic::kValue) {
      if (auto read = number_labels(data.labels, data.judged_places()); !read.ok()) good = std::move(read).error();
    } else if (auto read = class_numbers(*port, port->name, data.labels, data.judged_places()); !read.ok()) {
      good = std::move(read).error();
    }
    if (!good.ok()) return std::move(good).error().in_file(data.source->name());
  }
  return ok();
}

Result<std::vector<HeadChange>> JudgedHead::compare(const Calibration& data, const std::vector<ProbeArray>& before, const std::vector<ProbeArray>& after, const Engine& engine) const {
  const auto items = static_cast<int64_t>(data.judged_on.count);
  MODNET_ASSIGN(const std::vector<OutputColumn> was, answers_of(*file_, feeds_, before, items, engine));
  MODNET_ASSIGN(const std::vector<OutputColumn> is, answers_of(*file_, feeds_, after, items, engine));
  std::vector<HeadChange> out;
  for (size_t a = 0; a < was.size(); ++a) {
    const Port& port = was[a].port;
    auto one = port.semantic == Semantic::kValue ? compare_numbers(port, data, was[a], is[a]) : compare_classes(port, data, was[a], is[a]);
    if (!one.ok()) return std::move(one).error().in_file(data.source->name());
    out.push_back(std::move(*one));
  }
  return out;
}

Result<std::vector<std::string>> space_ports(const ModuleView& view) {
  std::vector<std::string> out;
  for (const Port& port : view.index().contract.ports)
    if (port.direction == Direction::kOutput && port.space) out.push_back(port.name);
  if (out.empty()) return invalid("has no output with an embedding space");
  return out;
}

Result<std::optional<OnData>> read_on_data(Invocation& invocation, const ModuleFile& module, const Engine& engine) {
  const Arguments& args = invocation.args;
  if (!args.has("calibrate")) {
    for (const std::string_view option : {"head", "label"})
      if (args.has(option)) return usage("--" + std::string(option) + " is about data; expected it with --calibrate DATA");
    return std::optional<OnData>();
  }
  if (args.has("label") && !args.has("head")) return usage("--label is what a head is judged by; expected it with --head HEAD");
  OnData out;
  MODNET_ASSIGN(out.ports, space_ports(module.view));
  if (args.has("head")) {
    MODNET_ASSIGN(out.head, JudgedHead::open(invocation, module, engine));
  }
  MODNET_ASSIGN(out.items, read_calibration(invocation, module, out.ports, engine));
  if (out.head) MODNET_TRY(out.head->check_labels(out.items));
  return std::optional<OnData>(std::move(out));
}

Status measure_on_data(const FlatGraph& graph, const ChangedGraph& changed, const Engine& engine, OnData& data) {
  Calibration& items = data.items;
  {
    MODNET_ASSIGN(Runner runner, Runner::make(graph, data.ports, engine.options));
    if (Status status = fill_probe_outputs(runner, items.judged_on); !status.ok()) return items.place(std::move(status).error(), items.judged_rows);
  }
  data.judged = probes_digest(items.judged_on);
  MODNET_ASSIGN(Runner runner, Runner::make(with_changes(graph, changed), data.ports, engine.options));
  MODNET_ASSIGN(const std::vector<ProbeArray> given, run_probes(runner, items.judged_on));
  for (const std::string& port : data.ports) {
    auto one = compare_outputs(items.judged_on.outputs, port, given, port, static_cast<int64_t>(items.judged_on.count));
    if (!one.ok()) return std::move(one).error().in_file(items.source->name());
    data.figures[port] = one->figures;
  }
  if (data.head) {
    MODNET_ASSIGN(data.changes, data.head->compare(items, items.judged_on.outputs, given, engine));
  }
  return ok();
}

std::string data_text(const OnData& data, const std::string& dtype) {
  std::string out;
  const std::string on = " on " + escape_text(data.items.source->name());
  for (const std::string& port : data.ports) out += dtype + " " + escape_text(port) + on + ": " + data_figures_text(data.figures.at(port)) + "\n";
  for (const HeadChange& one : data.changes) {
    out += "head " + escape_text(data.head->file().view.index().identity.name) + on + ": " + one.metric + " of '" + escape_text(one.answer) + "' " + printed("%.4f", one.before) + " → " +
           printed("%.4f", one.after) + " of " + std::to_string(data.items.judged_on.count) + " items";
    if (one.same) out += ", " + printed("%.2f", 100 * *one.same) + " % of the answers stay";
    out += "\n";
  }
  return out;
}

Json data_json(const OnData& data) {
  Json out{{"data", data.items.source->name()}, {"rows", data.items.rows}, {"chosen_on", data.items.chosen_on.count}, {"judged_on", data.items.judged_on.count},
           {"items", "sha256:" + hex(data.judged)}};
  out["spaces"] = Json::array();
  for (const std::string& port : data.ports) out["spaces"].push_back({{"port", port}, {"measure", figures_json(data.figures.at(port))}});
  out["heads"] = heads_json(data);
  return out;
}

Json data_card(const OnData& data) {
  return {{"rows", data.items.rows}, {"judged_on", data.items.judged_on.count}, {"items", "sha256:" + hex(data.judged)}, {"heads", heads_json(data)}};
}

}  // namespace modnet
