#include "commands/accept_file.h"

#include <ctime>

namespace modnet {
namespace {

Result<std::optional<std::string>> text_or_none(RecipeReader& reader, std::string_view key) {
  if (!reader.has(key)) {
    MODNET_TRY(reader.text_or(key, ""));  // noted as a key that is known
    return std::optional<std::string>();
  }
  MODNET_ASSIGN(std::string text, reader.text(key));
  return std::optional<std::string>(std::move(text));
}

Result<Acceptance> read_entry(const RecipeValue& table, const std::string& file) {
  RecipeReader reader(table, file);
  Acceptance out;
  out.place = table.place();
  MODNET_ASSIGN(out.key, reader.text_or("key", ""));
  if (reader.has("key") && out.key.empty()) return reader.error_at("key", "the key is empty", "copy it from the report of check");
  MODNET_ASSIGN(out.rule, text_or_none(reader, "rule"));
  MODNET_ASSIGN(out.path, text_or_none(reader, "path"));
  MODNET_ASSIGN(out.old_text, text_or_none(reader, "old"));
  MODNET_ASSIGN(out.new_text, text_or_none(reader, "new"));
  MODNET_ASSIGN(out.reason, reader.text("reason"));
  MODNET_ASSIGN(out.owner, reader.text("owner"));
  MODNET_ASSIGN(out.expires, reader.text("expires"));
  MODNET_TRY(reader.finish());
  if (Status status = check_acceptance(out); !status.ok()) return std::move(status).error().in_file(file);
  return out;
}

}  // namespace

Result<std::vector<Acceptance>> read_acceptances(const RecipeValue& tree, const std::string& file) {
  RecipeReader reader(tree, file);
  MODNET_ASSIGN(const RecipeValue* tables, reader.tables_or_null("accept"));
  MODNET_TRY(reader.finish());
  if (tables == nullptr || tables->items.empty())
    return Error{Code::kMalformed, "ACCEPTANCE", "the file accepts nothing", {}, file, "add [[accept]] entries, or leave --accept out"};
  std::vector<Acceptance> out;
  for (const RecipeValue& table : tables->items) {
    MODNET_ASSIGN(Acceptance entry, read_entry(table, file));
    out.push_back(std::move(entry));
  }
  return out;
}

Result<std::vector<Acceptance>> load_acceptances(const Invocation& invocation) {
  if (!invocation.args.has("accept")) return std::vector<Acceptance>();
  const std::string file = invocation.args.text("accept");
  MODNET_ASSIGN(const RecipeValue tree, invocation.load_recipe(file));
  return read_acceptances(tree, file);
}

Result<std::string> judging_day(const Invocation& invocation) {
  if (invocation.args.has("today")) {
    std::string day = invocation.args.text("today");
    if (!is_day(day)) return usage("--today expected a day as YYYY-MM-DD, got '" + day + "'");
    return day;
  }
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  char text[16];
  if (::gmtime_r(&now, &parts) == nullptr || std::strftime(text, sizeof text, "%Y-%m-%d", &parts) == 0)
    return internal("the clock gives no day");
  return std::string(text);
}

std::vector<OptionSpec> acceptance_options() {
  return {{.name = "accept", .type = OptionType::kPath, .metavar = "FILE", .help = "breaks that are accepted (modnet-accept.toml)"},
          {.name = "today", .type = OptionType::kText, .metavar = "YYYY-MM-DD", .help = "the day that acceptances are judged by (default: the clock's, UTC)"}};
}

std::vector<Error> accept_findings(const Invocation& invocation, const std::vector<Acceptance>& entries, std::string_view today,
                                   std::span<CheckReport* const> reports) {
  std::vector<Error> errors = apply_acceptances(entries, today, reports);
  for (Error& error : errors) error = std::move(error).in_file(invocation.args.text("accept"));
  return errors;
}

}  // namespace modnet
