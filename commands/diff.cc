#include "commands/diff.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/diff_text.h"
#include "commands/inspect.h"
#include "commands/module_file.h"
#include "libmod/contract/names.h"

namespace modnet {
namespace {

constexpr int64_t kLinesShown = 20;

Json value_json(const std::string& text) {
  Json out = Json::parse(text, nullptr, false);
  return out.is_discarded() ? Json(text) : out;  // "nan"
}

Json fields_json(const std::vector<FieldChange>& fields) {
  Json out = Json::array();
  for (const FieldChange& field : fields) {
    Json item{{"path", field.path}};
    if (field.before) item["before"] = value_json(*field.before);
    if (field.after) item["after"] = value_json(*field.after);
    out.push_back(std::move(item));
  }
  return out;
}

Json stats_json(const TensorStats& stats) {
  return {{"elements", stats.elements},       {"differing", stats.differing},   {"relative_l2", stats.relative_l2},
          {"largest", stats.largest},         {"cosine", stats.cosine},         {"nan_before", stats.nan_before},
          {"nan_after", stats.nan_after},     {"inf_before", stats.inf_before}, {"inf_after", stats.inf_after}};
}

Json tensor_side_json(const TensorSide& side) {
  return {{"name", side.name}, {"dtype", dtype_name(side.dtype)}, {"shape", side.shape}, {"digest", sha256_text(side.digest)}};
}

Json tensors_json(const TensorDiff& diff) {
  Json out{{"equal", diff.equal}, {"changes", Json::array()}, {"renamed_prefixes", Json::array()}};
  for (const TensorChange& change : diff.changes) {
    Json item{{"change", change_name(change.change)}};
    if (change.before) item["before"] = tensor_side_json(*change.before);
    if (change.after) item["after"] = tensor_side_json(*change.after);
    if (change.stats) item["stats"] = stats_json(*change.stats);
    out["changes"].push_back(std::move(item));
  }
  for (const PrefixRename& prefix : diff.prefixes)
    out["renamed_prefixes"].push_back({{"before", prefix.before}, {"after", prefix.after}, {"tensors", prefix.tensors}});
  return out;
}

Json graph_json(const GraphDiff& graph) {
  Json out{{"same", graph.same},
           {"nodes_before", graph.nodes_before},
           {"nodes_after", graph.nodes_after},
           {"renamed_values", graph.renamed_values},
           {"fields", fields_json(graph.fields)},
           {"nodes", Json::array()}};
  for (const NodeChange& node : graph.nodes) {
    Json item{{"change", change_name(node.change)}, {"op", node.op}, {"value", node.value}};
    if (node.before) item["before"] = *node.before;
    if (node.after) item["after"] = *node.after;
    if (node.change == Change::kChanged) item["fields"] = fields_json(node.fields);
    out["nodes"].push_back(std::move(item));
  }
  return out;
}

Json entries_json(const std::vector<EntryChange>& entries) {
  Json out = Json::array();
  for (const EntryChange& entry : entries) {
    Json item{{"change", change_name(entry.change)}, {"text", entry.text}};
    if (entry.before) item["before"] = *entry.before;
    if (entry.after) item["after"] = *entry.after;
    out.push_back(std::move(item));
  }
  return out;
}

Json lines_json(const std::vector<LineChange>& lines) {
  Json out = Json::array();
  for (const LineChange& line : lines) out.push_back({{"change", change_name(line.change)}, {"line", line.line}, {"text", line.text}});
  return out;
}

Json assets_json(const std::vector<AssetChange>& assets) {
  Json out = Json::array();
  const auto side = [](const AssetSide& asset) {
    return Json{{"name", asset.name}, {"bytes", asset.bytes}, {"digest", sha256_text(asset.digest)}};
  };
  for (const AssetChange& asset : assets) {
    Json item{{"change", change_name(asset.change)}};
    if (asset.before) item["before"] = side(*asset.before);
    if (asset.after) item["after"] = side(*asset.after);
    if (asset.change == Change::kChanged) {
      const AssetDetail& detail = asset.detail;
      item["form"] = asset_form_name(detail.form);
      if (!detail.vocabulary.empty()) item["vocabulary"] = entries_json(detail.vocabulary);
      if (!detail.merges.empty()) item["merges"] = entries_json(detail.merges);
      if (!detail.fields.empty()) item["fields"] = fields_json(detail.fields);
      if (!detail.lines.empty()) item["lines"] = lines_json(detail.lines);
    }
    out.push_back(std::move(item));
  }
  return out;
}

Json module_json(const ModuleDiff& diff);

Json components_json(const ModuleDiff& diff) {
  Json out{{"equal", diff.equal_components}, {"changes", Json::array()}};
  const auto side = [](const ComponentRecord& record) {
    return Json{{"slot", record.slot}, {"content", sha256_text(record.content)}, {"file_digest", sha256_text(record.file)}};
  };
  for (const ComponentChange& component : diff.components) {
    Json item{{"change", change_name(component.change)}};
    if (component.before) item["before"] = side(*component.before);
    if (component.after) item["after"] = side(*component.after);
    if (component.inside != nullptr) item["inside"] = module_json(*component.inside);
    if (!component.shown_at.empty()) item["shown_at"] = component.shown_at;
    out["changes"].push_back(std::move(item));
  }
  return out;
}

Json layout_json(const ModuleDiff& diff) {
  Json out{{"fields", fields_json(diff.layout)}, {"recodings", Json::array()}};
  for (const Recoding& recoding : diff.recodings)
    out["recodings"].push_back({{"before", codec_name(recoding.before)},
                                {"after", codec_name(recoding.after)},
                                {"segments", recoding.segments},
                                {"bytes_before", recoding.bytes_before},
                                {"bytes_after", recoding.bytes_after}});
  return out;
}

Json module_json(const ModuleDiff& diff) {
  Json trailers = Json::array();
  for (const TrailerChange& trailer : diff.trailers) {
    Json item{{"kind", trailer_name(trailer.kind)}};
    if (trailer.before) item["before"] = {{"bytes", trailer.before->length}, {"digest", sha256_text(trailer.before->digest)}};
    if (trailer.after) item["after"] = {{"bytes", trailer.after->length}, {"digest", sha256_text(trailer.after->digest)}};
    trailers.push_back(std::move(item));
  }
  return {{"same_file", diff.same_file()},
          {"same_content", diff.same_content()},
          {"contract", fields_json(diff.contract)},
          {"tensors", tensors_json(diff.tensors)},
          {"graph", graph_json(diff.graph)},
          {"assets", assets_json(diff.assets)},
          {"components", components_json(diff)},
          {"identity", fields_json(diff.identity)},
          {"card", fields_json(diff.card)},
          {"card_lines", lines_json(diff.card_lines)},
          {"trailers", std::move(trailers)},
          {"layout", layout_json(diff)}};
}

Json side_json(const DiffSide& side) {
  const Identity& identity = side.view->index().identity;
  return {{"file", side.file},
          {"name", identity.name},
          {"kind", name_of(identity.kind)},
          {"version", identity.version},
          {"content", sha256_text(side.view->digests().content)},
          {"file_digest", sha256_text(side.view->digests().file)}};
}

}  // namespace

std::string held_slot(const DiffResult& result) {
  const bool first = result.diff.kind_before == Kind::kComposite;
  if (first == (result.diff.kind_after == Kind::kComposite)) return "";
  const ModuleView& composite = *(first ? result.before : result.after).view;
  const Digest& content = (first ? result.diff.after : result.diff.before).content;
  for (const ComponentRecord& record : composite.index().components)
    if (record.content == content) return record.slot;
  return "";
}

Json diff_json(const DiffResult& result) {
  Json out{{"before", side_json(result.before)}, {"after", side_json(result.after)}};
  if (const std::string slot = held_slot(result); !slot.empty()) out["held_as"] = slot;
  out.update(module_json(result.diff));
  if (result.evolution) out["evolution"] = evolution_json(*result.evolution);
  return out;
}

Result<int> run_diff(Invocation& invocation, const std::string& before, const std::string& after) {
  Console& console = invocation.console;
  MODNET_ASSIGN(const ModuleFile old_module, ModuleFile::open(before, invocation));
  MODNET_ASSIGN(const ModuleFile new_module, ModuleFile::open(after, invocation));
  const SideNames names{input_name(before), input_name(after)};
  const Statistics statistics = invocation.args.flag("stats") ? Statistics::kYes : Statistics::kNo;
  MODNET_ASSIGN(ModuleDiff diff, diff_modules(old_module.view, new_module.view, statistics, names));
  const DiffSide old_side{names.before, &old_module.view}, new_side{names.after, &new_module.view};
  const DiffResult result{old_side, new_side, std::move(diff), diff_evolution(old_side, new_side)};
  if (console.json()) console.emit_json({{"diff", diff_json(result)}});
  else if (!invocation.args.flag("quiet")) console.print(diff_text(result, console, invocation.args.flag("verbose") ? 0 : kLinesShown));
  return result.diff.same_content() ? kExitOk : kExitNo;
}

}  // namespace modnet
