#include "commands/trust_policy.h"

#include <algorithm>
#include <filesystem>

#include "commands/module_file.h"
#include "formats/base/text.h"
#include "libmod/contract/names.h"

namespace modnet {
namespace {

constexpr Kind kKinds[] = {Kind::kEncoder, Kind::kBackbone, Kind::kHead, Kind::kAdapter, Kind::kComposite};

Status load_keys(const RecipeValue& table, const std::string& path, TrustPolicy* out) {
  // Keys named on standard input are relative to where we are.
  const std::filesystem::path folder = path == "-" ? std::filesystem::path() : std::filesystem::path(path).parent_path();
  for (size_t i = 0; i < table.keys.size(); ++i) {
    const RecipeValue& value = table.items[i];
    const std::string named = "key '" + escape_text(table.keys[i]) + "'";
    if (value.kind != RecipeValue::Kind::kText)
      return Error{Code::kMalformed, "RECIPE", named + " has the wrong type; expected the path of a PEM file, got " + std::string(kind_name(value.kind)),
                   value.place(), input_name(path), {}};
    MODNET_ASSIGN(const PublicKey key, read_public_key((folder / value.text).string()));
    out->keys.push_back({table.keys[i], key});
  }
  return ok();
}

Result<TrustDemand> load_demand(const RecipeValue& table, const std::string& file, const TrustPolicy& policy) {
  RecipeReader reader(table, file);
  TrustDemand out;
  MODNET_ASSIGN(out.all, reader.texts_or_none("all"));
  MODNET_ASSIGN(out.any, reader.texts_or_none("any"));
  MODNET_ASSIGN(out.components, reader.flag_or("components", false));
  MODNET_ASSIGN(const std::string evidence, reader.text_or("evidence", "recorded"));
  MODNET_TRY(reader.finish());
  if (evidence != "signed" && evidence != "recorded")
    return reader.error_at("evidence", "evidence = '" + escape_text(evidence) + "' is not known; expected 'signed' or 'recorded'");
  out.signed_evidence = evidence == "signed";
  if (reader.has("any") && out.any.empty()) return reader.error_at("any", "one of no keys can never have signed", "name a key, or remove 'any'");
  std::vector<std::string> names;
  for (const TrustedKey& known : policy.keys) names.push_back(known.name);
  for (const std::string_view list : {"all", "any"})
    for (const std::string& name : list == "all" ? out.all : out.any)
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        const std::string near = closest_name(name, names);
        return reader.error_at(list, "[keys] names no '" + escape_text(name) + "'", near.empty() ? std::string() : "did you mean '" + near + "'?");
      }
  return out;
}

}  // namespace

Result<TrustPolicy> load_trust_policy(const Invocation& invocation, const std::string& path) {
  MODNET_ASSIGN(const RecipeValue tree, invocation.load_recipe(path));
  RecipeReader reader(tree, input_name(path));
  TrustPolicy out;
  MODNET_ASSIGN(const RecipeValue* keys, reader.table_or_null("keys"));
  if (keys != nullptr) MODNET_TRY(load_keys(*keys, path, &out));
  bool any_table = false;
  for (const Kind kind : kKinds) {
    MODNET_ASSIGN(const RecipeValue* table, reader.table_or_null(name_of(kind)));
    if (table == nullptr) continue;
    MODNET_ASSIGN(out.kinds[kind], load_demand(*table, input_name(path), out));
    any_table = true;
  }
  MODNET_ASSIGN(const RecipeValue* others, reader.table_or_null("any"));
  if (others != nullptr) {
    MODNET_ASSIGN(out.others, load_demand(*others, input_name(path), out));
    any_table = true;
  }
  MODNET_TRY(reader.finish());
  if (!any_table) return reader.error_at("", "the policy demands nothing of any kind of module", "add [any] with all = […] or any = […]");
  return out;
}

}  // namespace modnet
