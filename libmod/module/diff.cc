#include "libmod/module/diff.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "libmod/contract/json.h"
#include "libmod/contract/names.h"

namespace modnet {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxPairs = 4096;

std::string json_text(std::string_view text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

/// {"inputs": {NAME: port}, "outputs": {NAME: port}, "requirements": …}. A port of `renamed` goes by its other name.
Json keyed_contract(const Contract& contract, const std::map<uint32_t, std::string>& renamed) {
  const Json document = Json::parse(contract_to_json(contract), nullptr, false);
  Json out = {{"inputs", Json::object()}, {"outputs", Json::object()}, {"requirements", document.value("requirements", Json::object())}};
  for (size_t i = 0; i < contract.ports.size(); ++i) {
    const Port& port = contract.ports[i];
    const auto other = renamed.find(port.number);
    Json& side = out[port.direction == Direction::kInput ? "inputs" : "outputs"];
    side[other == renamed.end() ? port.name : other->second] = document["ports"][i];
  }
  return out;
}

/// Ports whose name is on one side only and whose number and direction are on both: new number → old name.
std::map<uint32_t, std::string> renamed_ports(const Contract& before, const Contract& after) {
  const auto has = [](const Contract& contract, const Port& port) {
    return std::any_of(contract.ports.begin(), contract.ports.end(),
                       [&](const Port& other) { return other.direction == port.direction && other.name == port.name; });
  };
  std::map<uint32_t, std::string> out;
  for (const Port& old_port : before.ports)
    for (const Port& new_port : after.ports)
      if (old_port.number == new_port.number && old_port.direction == new_port.direction && !has(after, old_port) && !has(before, new_port))
        out[new_port.number] = old_port.name;
  return out;
}

Json identity_json(const Identity& identity) {
  Json lineage = Json::array();
  for (const Lineage& parent : identity.lineage)
    lineage.push_back({{"relation", parent.relation}, {"name", parent.name}, {"content", is_zero(parent.content) ? "" : hex(parent.content)}});
  return {{"kind", name_of(identity.kind)}, {"name", identity.name},       {"version", identity.version},
          {"licence", identity.licence},    {"lineage", std::move(lineage)}};
}

class Differ {
 public:
  Differ(Statistics statistics, const SideNames& names) : statistics_(statistics), names_(names) {}

  Result<ModuleDiff> run(const ModuleView& before, const ModuleView& after, const std::string& slots) {
    const ModuleIndex &a = before.index(), &b = after.index();
    ModuleDiff out;
    out.kind_before = a.identity.kind;
    out.kind_after = b.identity.kind;
    out.before = before.digests();
    out.after = after.digests();
    if (out.same_file()) return out;
    if (out.before.contract != out.after.contract) {
      out.contract = diff_contracts(a.contract, b.contract);
      if (out.contract.empty()) out.contract.push_back({"digest", json_text(hex(out.before.contract)), json_text(hex(out.after.contract))});
    }
    out.tensors = diff_tensors(a.tensors, b.tensors);
    if (statistics_ == Statistics::kYes) MODNET_TRY(add_statistics(before, after, out.tensors));
    std::map<std::string, std::string> renamed;
    for (const TensorChange& change : out.tensors.changes)
      if (change.change == Change::kRenamed) renamed[change.before->name] = change.after->name;
    out.graph = diff_graphs(a.graph, b.graph, renamed);
    MODNET_ASSIGN(out.assets, diff_assets(before, after, names_));
    diff_json(identity_json(a.identity), identity_json(b.identity), "", out.identity);
    MODNET_TRY(diff_trailers(before, after, out));
    MODNET_TRY(diff_components(before, after, slots, out));
    diff_layout(before, after, out);
    return out;
  }

 private:
  Status add_statistics(const ModuleView& before, const ModuleView& after, TensorDiff& diff) {
    for (TensorChange& change : diff.changes) {
      if (change.change != Change::kChanged || change.before->shape != change.after->shape || change.before->digest == change.after->digest)
        continue;
      if (dtype_size(change.before->dtype) == 0 || dtype_size(change.after->dtype) == 0) continue;
      MODNET_ASSIGN(const Bytes old_bytes, in_file(before.tensor_bytes(*before.find_tensor(change.before->name)), names_.before));
      MODNET_ASSIGN(const Bytes new_bytes, in_file(after.tensor_bytes(*after.find_tensor(change.after->name)), names_.after));
      MODNET_ASSIGN(change.stats, compare_tensors(change.before->dtype, old_bytes, change.after->dtype, new_bytes));
    }
    return ok();
  }

  Status diff_trailers(const ModuleView& before, const ModuleView& after, ModuleDiff& out) {
    std::map<TrailerKind, TrailerChange> all;
    for (const TrailerEntry& entry : before.trailers()) all[entry.kind].before = entry;
    for (const TrailerEntry& entry : after.trailers()) all[entry.kind].after = entry;
    for (auto& [kind, change] : all) {
      change.kind = kind;
      if (change.before && change.after && change.before->digest == change.after->digest) continue;
      out.trailers.push_back(change);
      if (kind != TrailerKind::kCard) continue;
      MODNET_ASSIGN(const Bytes old_card, in_file(before.trailer(kind), names_.before));
      MODNET_ASSIGN(const Bytes new_card, in_file(after.trailer(kind), names_.after));
      const std::optional<Json> old_json = old_card.empty() ? Json::object() : parse_bounded_json(as_text(old_card));
      const std::optional<Json> new_json = new_card.empty() ? Json::object() : parse_bounded_json(as_text(new_card));
      if (old_json && new_json) diff_json(*old_json, *new_json, "", out.card);
      if (out.card.empty()) out.card_lines = diff_lines(as_text(old_card), as_text(new_card)).value_or(std::vector<LineChange>{});
    }
    return ok();
  }

  Status diff_components(const ModuleView& before, const ModuleView& after, const std::string& slots, ModuleDiff& out) {
    std::multimap<Digest, const ComponentRecord*> added;
    for (const ComponentRecord& record : after.index().components)
      if (before.find_component(record.slot) == nullptr) added.emplace(record.content, &record);
    for (const ComponentRecord& record : before.index().components) {
      const ComponentRecord* other = after.find_component(record.slot);
      ComponentChange change{other == nullptr ? Change::kRemoved : Change::kChanged, record, std::nullopt, nullptr, {}};
      if (other == nullptr) {
        if (const auto moved = added.find(record.content); moved != added.end()) {
          change.change = Change::kRenamed;
          change.after = *moved->second;
          added.erase(moved);
        }
        out.components.push_back(std::move(change));
        continue;
      }
      if (other->file == record.file) {
        ++out.equal_components;
        continue;
      }
      change.after = *other;
      // Components may be shared and nested: a pair that was compared once is not compared again.
      const std::string here = slots.empty() ? record.slot : slots + "/" + record.slot;
      const auto [seen, fresh] = pairs_.try_emplace({record.file, other->file}, here);
      if (!fresh) {
        change.shown_at = seen->second;
      } else if (pairs_.size() > kMaxPairs) {
        return Error{Code::kUnavailable, "LIMIT", "more than " + std::to_string(kMaxPairs) + " different pairs of components", {}, {}, {}};
      } else {
        MODNET_ASSIGN(const ModuleView old_part, in_file(before.component(record.slot), names_.before));
        MODNET_ASSIGN(const ModuleView new_part, in_file(after.component(record.slot), names_.after));
        MODNET_ASSIGN(ModuleDiff inside, run(old_part, new_part, here));
        change.inside = std::make_unique<ModuleDiff>(std::move(inside));
      }
      out.components.push_back(std::move(change));
    }
    for (const auto& [content, record] : added) out.components.push_back({Change::kAdded, std::nullopt, *record, nullptr, {}});
    std::stable_sort(out.components.begin(), out.components.end(), [](const ComponentChange& a, const ComponentChange& b) {
      return (a.before ? a.before : a.after)->slot < (b.before ? b.before : b.after)->slot;
    });
    return ok();
  }

  template <typename Record>
  static void note_recoding(const Record& a, const Record& b, std::map<std::pair<Codec, Codec>, Recoding>& all) {
    if (a.digest != b.digest || (a.codec == b.codec && a.hash == b.hash && a.chunk_stored == b.chunk_stored)) return;
    Recoding& recoding = all[{a.codec, b.codec}];
    recoding.before = a.codec;
    recoding.after = b.codec;
    ++recoding.segments;
    recoding.bytes_before += a.stored_length;
    recoding.bytes_after += b.stored_length;
  }

  static void diff_layout(const ModuleView& before, const ModuleView& after, ModuleDiff& out) {
    const ModuleIndex &a = before.index(), &b = after.index();
    const auto format = [](const Preamble& preamble) { return std::to_string(preamble.major) + "." + std::to_string(preamble.minor); };
    const auto compare = [&](const std::string& path, const Json& x, const Json& y) { diff_json(x, y, path, out.layout); };
    compare("format", format(before.preamble()), format(after.preamble()));
    compare("required_features", a.required_features, b.required_features);
    compare("optional_features", a.optional_features, b.optional_features);
    std::map<std::pair<Codec, Codec>, Recoding> recodings;
    for (const TensorRecord& tensor : a.tensors)
      if (const auto other = after.find_tensor(tensor.name)) note_recoding(tensor, b.tensors[*other], recodings);
    for (const AssetRecord& asset : a.assets)
      if (const auto other = after.find_asset(asset.name)) {
        note_recoding(asset, b.assets[*other], recodings);
        compare("assets." + asset.name + ".mediatype", asset.mediatype, b.assets[*other].mediatype);
      }
    for (const auto& [codecs, recoding] : recodings) out.recodings.push_back(recoding);
    if (out.graph.renamed_nodes > 0) out.layout.push_back({"graph.renamed_nodes", std::nullopt, std::to_string(out.graph.renamed_nodes)});
    // Equal records, and yet other bytes: another writer, or components that are stored once here and twice there.
    if (out.same_content() && before.preamble().index_digest != after.preamble().index_digest && out.layout.empty() &&
        out.recodings.empty() && out.identity.empty() && out.components.empty())
      out.layout.push_back({"index", json_text(hex(before.preamble().index_digest)), json_text(hex(after.preamble().index_digest))});
  }

  Statistics statistics_;
  const SideNames& names_;
  std::map<std::pair<Digest, Digest>, std::string> pairs_;  // files of components → the slots where they were compared
};

}  // namespace

std::vector<FieldChange> diff_contracts(const Contract& before, const Contract& after) {
  std::vector<FieldChange> out;
  diff_json(keyed_contract(before, {}), keyed_contract(after, renamed_ports(before, after)), "", out);
  return out;
}

Result<ModuleDiff> diff_modules(const ModuleView& before, const ModuleView& after, Statistics statistics, const SideNames& names) {
  return Differ(statistics, names).run(before, after, "");
}

}  // namespace modnet
