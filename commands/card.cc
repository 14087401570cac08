#include "commands/card.h"

#include <cstdlib>
#include <ctime>

#include <nlohmann/json.hpp>

#include "commands/label.h"
#include "commands/module_file.h"
#include "formats/base/text.h"
#include "formats/module/edit.h"
#include "libmod/contract/names.h"
#include "libmod/contract/versions.h"
#include "libmod/module/card_text.h"

namespace modnet {
namespace {

constexpr int64_t kMaxReport = int64_t{64} << 20;

/// The card and the identity, before or after an edit.
struct State {
  Card card;
  Identity identity;
  bool operator==(const State&) const = default;
};

/// --date, else SOURCE_DATE_EPOCH, else today in UTC.
Result<std::string> date_of(const Arguments& args) {
  if (args.has("date")) {
    if (!is_date(args.text("date"))) return usage("--date '" + args.text("date") + "' is no date; expected one as 2026-11-25");
    return args.text("date");
  }
  std::time_t seconds = std::time(nullptr);
  if (const char* epoch = std::getenv("SOURCE_DATE_EPOCH"); epoch != nullptr) {
    char* end = nullptr;
    seconds = static_cast<std::time_t>(std::strtoll(epoch, &end, 10));
    if (end == epoch || *end != '\0' || seconds < 0) return usage("SOURCE_DATE_EPOCH is not a number of seconds");
  }
  std::tm day{};
  char text[16];
  ::gmtime_r(&seconds, &day);
  std::strftime(text, sizeof text, "%Y-%m-%d", &day);
  return std::string(text);
}

Json json_of(const RecipeValue& value) {
  switch (value.kind) {
    case RecipeValue::Kind::kNull: return nullptr;
    case RecipeValue::Kind::kBool: return value.boolean;
    case RecipeValue::Kind::kInteger: return value.integer;
    case RecipeValue::Kind::kReal: return value.real;
    case RecipeValue::Kind::kText: return value.text;
    case RecipeValue::Kind::kArray: {
      Json out = Json::array();
      for (const RecipeValue& item : value.items) out.push_back(json_of(item));
      return out;
    }
    case RecipeValue::Kind::kTable: {
      Json out = Json::object();
      for (size_t i = 0; i < value.keys.size(); ++i) out[value.keys[i]] = json_of(value.items[i]);
      return out;
    }
  }
  return nullptr;
}

Status merge_file(const Invocation& invocation, const std::string& path, Card& card) {
  std::string patch;
  if (path.ends_with(".json")) {
    MODNET_ASSIGN(patch, read_file(path, kMaxReport));
  } else {
    MODNET_ASSIGN(const RecipeValue recipe, invocation.load_recipe(path));
    patch = json_of(recipe).dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  Result<Card> merged = merge_card(card, patch);
  if (!merged.ok()) return std::move(merged).error().in_file(input_name(path));
  card = std::move(*merged);
  return ok();
}

/// --version and --log: an entry of the change log goes with every new version.
Status change_version(const Arguments& args, State& state) {
  const bool moves = args.has("version");
  if (!moves && !args.has("log")) return ok();
  if (moves) {
    if (const auto version = parse_version(args.text("version")); !version.ok()) return usage(version.error().what);
    if (args.text("version") == state.identity.version) return usage("the version is " + state.identity.version + " already");
    if (args.text("log").empty()) return usage("a new version needs an entry in the change log", "say what changed with --log TEXT");
    state.identity.version = args.text("version");
  }
  MODNET_ASSIGN(const std::string date, date_of(args));
  state.card.changes.push_back({state.identity.version, date, args.text("log")});
  return ok();
}

Result<State> edited(const Invocation& invocation, const ModuleView& view, const State& before) {
  const Arguments& args = invocation.args;
  State out = before;
  for (const std::string& path : args.list("edit")) MODNET_TRY(merge_file(invocation, path, out.card));
  for (const std::string& one : args.list("set")) {
    const size_t equals = one.find('=');
    if (equals == std::string::npos) return usage("--set '" + one + "' has no value; expected KEY=VALUE");
    MODNET_TRY(set_card_field(out.card, std::string_view(one).substr(0, equals), std::string_view(one).substr(equals + 1)));
  }
  if (args.has("from-eval")) {
    Result<std::string> report = read_file(args.text("from-eval"), kMaxReport);
    if (!report.ok()) return std::move(report).error().in_file(args.text("from-eval"));
    if (auto added = add_eval_metrics(out.card, *report, view.digests().content); !added.ok()) return std::move(added).error().in_file(input_name(args.text("from-eval")));
  }
  if (args.has("licence")) out.identity.licence = args.text("licence");
  MODNET_TRY(change_version(args, out));
  MODNET_ASSIGN(const std::string text, card_to_json(out.card));
  Result<Card> again = card_from_json(text);  // every value in its range, whatever way it came in
  if (!again.ok()) return usage(again.error().what);
  return out;
}

Result<Json> document_of(const State& state, const ModuleDigests& digests) {
  MODNET_ASSIGN(const std::string text, card_to_json(state.card));
  return Json{{"name", state.identity.name}, {"kind", name_of(state.identity.kind)}, {"version", state.identity.version}, {"licence", state.identity.licence},
              {"content", "sha256:" + hex(digests.content)}, {"file_digest", "sha256:" + hex(digests.file)}, {"card", Json::parse(text, nullptr, false)}};
}

Result<int> show(Invocation& invocation, const ModuleView& view, const State& state) {
  const Arguments& args = invocation.args;
  if (args.has("output") || args.flag("force") || args.flag("drop-signatures"))
    return usage("nothing changes, so there is nothing to write", "change something with --set, --edit, --from-eval, --version, --log or --licence");
  MODNET_ASSIGN(const std::string text, card_to_json(state.card));
  if (args.text("export") == "md") invocation.console.print(card_markdown(state.card, state.identity));
  else if (args.text("export") == "json") invocation.console.print(text + "\n");
  else invocation.console.print(card_text(state.card, state.identity));
  MODNET_ASSIGN(const Json document, document_of(state, view.digests()));
  invocation.console.emit_json(document);
  return kExitOk;
}

Result<int> write(Invocation& invocation, const ModuleFile& module, const State& state) {
  const bool was_signed = module.view.find_trailer(TrailerKind::kSignatures) != nullptr;
  if (was_signed && !invocation.args.flag("drop-signatures"))
    return Error{Code::kUsage, "SIGNED", "the module is signed, and the signatures cover what would change", {}, {}, "use --drop-signatures, and sign again"};
  TrailerChanges changes;
  MODNET_ASSIGN(changes[TrailerKind::kCard], card_to_json(state.card));
  if (was_signed) changes[TrailerKind::kSignatures] = "";
  std::optional<Identity> identity;
  if (state.identity != module.view.index().identity) identity = state.identity;
  ModuleDigests digests = module.view.digests();
  if (!invocation.dry_run()) {
    MODNET_ASSIGN(const std::unique_ptr<Output> output, invocation.open_output(Invocation::Content::kBinary));
    MODNET_ASSIGN(digests, rewrite_trailers(module.view, module.file, changes, identity, *output));
    if (digests.content != module.view.digests().content) return internal("an edit of the card changed the content");
    MODNET_TRY(output->commit({&module.file}));
  }
  if (invocation.output() != "-") {
    std::string text = escape_text(state.identity.name) + " " + escape_text(state.identity.version) + (invocation.dry_run() ? ": the card would change" : ": the card changed");
    if (was_signed) text += ", signatures dropped";
    invocation.console.print(text + "\n" + escape_text(invocation.output()) + "  content sha256:" + short_digest(digests.content) + ", as before\n");
  }
  MODNET_ASSIGN(Json document, document_of(state, digests));
  document["output"] = invocation.output();
  document["dry_run"] = invocation.dry_run();
  document["signatures_dropped"] = was_signed;
  invocation.console.emit_json(document);
  return kExitOk;
}

Result<int> edit_or_show(Invocation& invocation, const std::string& path) {
  const Arguments& args = invocation.args;
  MODNET_ASSIGN(const ModuleFile module, ModuleFile::open(path, invocation));
  MODNET_ASSIGN(const Bytes bytes, module.view.trailer(TrailerKind::kCard));
  State before;
  MODNET_ASSIGN(before.card, card_from_json(as_text(bytes)));
  before.identity = module.view.index().identity;
  bool edits = false;
  for (const char* option : {"edit", "set", "from-eval", "version", "log", "licence"}) edits = edits || args.has(option);
  if (!edits) return show(invocation, module.view, before);
  if (args.has("export")) return usage("--export shows the card and changes nothing", "make the edit first");
  MODNET_TRY(invocation.check_output(Invocation::Content::kBinary));
  MODNET_ASSIGN(const State after, edited(invocation, module.view, before));
  return write(invocation, module, after);
}

Result<int> run(Invocation& invocation) {
  const std::string path = invocation.args.word("FILE");
  Result<int> result = edit_or_show(invocation, path);
  if (!result.ok()) return std::move(result).error().in_file(input_name(path));
  return result;
}

}  // namespace

CommandSpec card_command() {
  return {
      .name = "card",
      .group = "look at things",
      .summary = "show, change or export a module's card",
      .description =
          "Shows what the card says: intended use, limitations, training data, metrics with what they were measured on, changes. With "
          "an option that changes something it writes the module again, into a file of its own (-o) or in place (-f). Only card, "
          "version and licence change; the content stays byte for byte.\n\n"
          "A new version needs an entry in the change log. A signed module is changed with --drop-signatures only, because "
          "signatures cover the card.",
      .positionals = {{.name = "FILE", .help = "a module; - is standard input"}},
      .options = {{.name = "set", .type = OptionType::kTextList, .metavar = "KEY=VALUE", .help = "set one field, as metrics.0.value=0.9; no value takes it away; may be given several times"},
                  {.name = "edit", .type = OptionType::kTextList, .metavar = "FILE", .help = "merge fields from TOML, or JSON where the name ends in .json"},
                  {.name = "from-eval", .type = OptionType::kPath, .metavar = "REPORT.json", .help = "take metrics from a report of modnet eval --json"},
                  {.name = "version", .type = OptionType::kText, .metavar = "SEMVER", .help = "new version of the module; needs --log"},
                  {.name = "log", .type = OptionType::kText, .metavar = "TEXT", .help = "entry of the change log"},
                  {.name = "date", .type = OptionType::kText, .metavar = "DATE", .help = "of that entry (default: SOURCE_DATE_EPOCH, else today)"},
                  {.name = "licence", .type = OptionType::kText, .metavar = "SPDX", .help = "licence of the module"},
                  {.name = "drop-signatures", .help = "take away the signatures that an edit would break"},
                  {.name = "export", .type = OptionType::kChoice, .help = "print the card as Markdown or JSON", .choices = {"md", "json"}}},
      .writes = Writes::kEdit,
      .examples = "modnet card sections.mnet\nmodnet card sections.mnet --set intended_use='news in English' -f\n"
                  "modnet card sections.mnet --version 1.1.0 --log 'more labels' -o sections-1.1.mnet\nmodnet card sections.mnet --export md >README.md",
      .run = run,
  };
}

}  // namespace modnet
