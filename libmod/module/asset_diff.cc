#include "libmod/module/asset_diff.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "libmod/module/align.h"

namespace modnet {
namespace {

using Json = nlohmann::json;
using Entries = std::map<std::string, int64_t>;  // text → id or rank

/// A tokenizer.json in parts: its vocabulary, its merges and everything else.
struct TokenizerParts {
  Entries vocabulary, merges;
  Json rest;
};

std::optional<Entries> vocabulary_of(const Json& value) {
  if (!value.is_object() || value.empty()) return std::nullopt;
  Entries out;
  for (const auto& [token, id] : value.items()) {
    if (!id.is_number_integer()) return std::nullopt;
    out[token] = id.get<int64_t>();
  }
  return out;
}

/// "a b", or ["a", "b"].
std::optional<Entries> merges_of(const Json& value) {
  if (!value.is_array()) return std::nullopt;
  Entries out;
  for (size_t i = 0; i < value.size(); ++i) {
    const Json& merge = value[i];
    std::string text;
    if (merge.is_string()) text = merge.get<std::string>();
    else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
      text = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
    else return std::nullopt;
    out.emplace(std::move(text), static_cast<int64_t>(i));
  }
  return out;
}

/// [{"content": C, …}, …] as {C: {…}, …}: added tokens are compared by what they are, not by their place.
void key_added_tokens(Json& document) {
  const auto tokens = document.find("added_tokens");
  if (tokens == document.end() || !tokens->is_array()) return;
  Json keyed = Json::object();
  for (const Json& token : *tokens) {
    if (!token.is_object() || !token.contains("content") || !token["content"].is_string()) return;
    const std::string content = token["content"].get<std::string>();
    if (keyed.contains(content)) return;
    keyed[content] = token;
  }
  *tokens = std::move(keyed);
}

std::optional<TokenizerParts> tokenizer_of(Json document) {
  if (!document.is_object()) return std::nullopt;
  const auto model = document.find("model");
  if (model == document.end() || !model->is_object() || !model->contains("vocab")) return std::nullopt;
  TokenizerParts out;
  std::optional<Entries> vocabulary = vocabulary_of((*model)["vocab"]);
  if (!vocabulary) return std::nullopt;
  out.vocabulary = *std::move(vocabulary);
  if (model->contains("merges")) {
    std::optional<Entries> merges = merges_of((*model)["merges"]);
    if (!merges) return std::nullopt;
    out.merges = *std::move(merges);
    model->erase("merges");
  }
  model->erase("vocab");
  key_added_tokens(document);
  out.rest = std::move(document);
  return out;
}

void sort_entries(std::vector<EntryChange>& changes) {
  std::stable_sort(changes.begin(), changes.end(), [](const EntryChange& a, const EntryChange& b) {
    const bool gone_a = a.change == Change::kRemoved, gone_b = b.change == Change::kRemoved;
    if (gone_a != gone_b) return gone_a;
    return gone_a ? *a.before < *b.before : *a.after < *b.after;
  });
}

enum class Position : uint8_t { kAbsolute, kRelative };

/// kAbsolute: a common entry moved when its number is another; kRelative: when its order among the common ones is.
std::vector<EntryChange> diff_entries(const Entries& before, const Entries& after, Position position) {
  std::vector<EntryChange> out;
  std::vector<std::pair<int64_t, const std::string*>> common;  // by the old number
  for (const auto& [text, number] : before) {
    if (after.contains(text)) common.emplace_back(number, &text);
    else out.push_back({Change::kRemoved, text, number, std::nullopt});
  }
  for (const auto& [text, number] : after)
    if (!before.contains(text)) out.push_back({Change::kAdded, text, std::nullopt, number});
  std::vector<bool> stays(common.size(), false);
  if (position == Position::kRelative) {
    std::sort(common.begin(), common.end());
    std::vector<size_t> ranks;
    for (const auto& [number, text] : common) ranks.push_back(static_cast<size_t>(after.at(*text)));
    for (const size_t i : longest_rising(ranks)) stays[i] = true;
  } else {
    for (size_t i = 0; i < common.size(); ++i) stays[i] = common[i].first == after.at(*common[i].second);
  }
  for (size_t i = 0; i < common.size(); ++i)
    if (!stays[i]) out.push_back({Change::kMoved, *common[i].second, common[i].first, after.at(*common[i].second)});
  sort_entries(out);
  return out;
}

/// JSON of both sides; false where it shows no difference, so that the texts have to be compared.
bool diff_as_json(std::string_view before, std::string_view after, AssetDetail& out) {
  std::optional<Json> old_json = parse_bounded_json(before), new_json = parse_bounded_json(after);
  if (!old_json || !new_json) return false;
  const std::optional<TokenizerParts> old_parts = tokenizer_of(*old_json), new_parts = tokenizer_of(*new_json);
  if (old_parts && new_parts) {
    out.form = AssetForm::kTokenizer;
    out.vocabulary = diff_entries(old_parts->vocabulary, new_parts->vocabulary, Position::kAbsolute);
    out.merges = diff_entries(old_parts->merges, new_parts->merges, Position::kRelative);
    diff_json(old_parts->rest, new_parts->rest, "", out.fields);
    if (!out.vocabulary.empty() || !out.merges.empty() || !out.fields.empty()) return true;
  }
  out.form = AssetForm::kJson;
  diff_json(*old_json, *new_json, "", out.fields);
  return !out.fields.empty();
}

AssetSide side_of(const AssetRecord& record) { return {record.name, record.raw_length, record.digest}; }

}  // namespace

AssetDetail diff_asset_bytes(std::string_view before, std::string_view after) {
  AssetDetail out;
  if (diff_as_json(before, after, out)) return out;
  if (std::optional<std::vector<LineChange>> lines = diff_lines(before, after); lines && !lines->empty())
    return {AssetForm::kText, {}, {}, {}, *std::move(lines)};
  return {};
}

Result<std::vector<AssetChange>> diff_assets(const ModuleView& before, const ModuleView& after, const SideNames& names) {
  std::vector<AssetChange> out;
  std::multimap<Digest, const AssetRecord*> added;
  for (const AssetRecord& record : after.index().assets)
    if (!before.find_asset(record.name)) added.emplace(record.digest, &record);
  for (const AssetRecord& record : before.index().assets) {
    const std::optional<size_t> same_name = after.find_asset(record.name);
    if (!same_name) {
      const auto same_bytes = added.find(record.digest);
      if (same_bytes == added.end()) {
        out.push_back({Change::kRemoved, side_of(record), std::nullopt, {}});
      } else {
        out.push_back({Change::kRenamed, side_of(record), side_of(*same_bytes->second), {}});
        added.erase(same_bytes);
      }
      continue;
    }
    const AssetRecord& other = after.index().assets[*same_name];
    if (other.digest == record.digest) continue;
    AssetChange change{Change::kChanged, side_of(record), side_of(other), {}};
    if (std::max(record.raw_length, other.raw_length) <= static_cast<uint64_t>(kMaxDiffedText)) {
      MODNET_ASSIGN(const Bytes old_bytes, in_file(before.asset(record.name), names.before));
      MODNET_ASSIGN(const Bytes new_bytes, in_file(after.asset(record.name), names.after));
      change.detail = diff_asset_bytes(as_text(old_bytes), as_text(new_bytes));
    }
    out.push_back(std::move(change));
  }
  for (const auto& [digest, record] : added) out.push_back({Change::kAdded, std::nullopt, side_of(*record), {}});
  std::stable_sort(out.begin(), out.end(), [](const AssetChange& a, const AssetChange& b) {
    return (a.before ? a.before : a.after)->name < (b.before ? b.before : b.after)->name;
  });
  return out;
}

}  // namespace modnet
