#include "commands/check.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "commands/accept_file.h"
#include "commands/chain.h"
#include "commands/check_pairs.h"
#include "libmod/contract/versions.h"

namespace modnet {
namespace {

constexpr std::pair<std::string_view, ReportFormat> kFormats[] = {
    {"text", ReportFormat::kText},   {"json", ReportFormat::kJson},     {"junit", ReportFormat::kJunit},
    {"sarif", ReportFormat::kSarif}, {"github", ReportFormat::kGithub}, {"markdown", ReportFormat::kMarkdown},
};

Result<ReportFormat> format_of(const Invocation& invocation) {
  const std::string name = invocation.args.text("format");
  const auto row = std::find_if(std::begin(kFormats), std::end(kFormats), [&](const auto& one) { return one.first == name; });
  if (invocation.json() && invocation.args.has("format") && row->second != ReportFormat::kJson)
    return usage("--json and --format " + name + " ask for two documents on standard output", "leave one of them out");
  return invocation.json() ? ReportFormat::kJson : row->second;
}

/// --allow-undecidable: rules whose undecidable findings are let through, by id.
Result<std::vector<const Rule*>> allowed_rules(const Invocation& invocation) {
  std::vector<const Rule*> out;
  for (const std::string& id : invocation.args.list("allow-undecidable")) {
    const Rule* rule = find_rule(id);
    if (rule == nullptr) {
      std::vector<std::string> known;
      for (const Rule& one : rule_table()) known.emplace_back(one.id);
      const std::string near = closest_name(id, known);
      return usage("there is no rule '" + id + "'", near.empty() ? "see 'modnet rules'" : "did you mean '" + near + "'?");
    }
    out.push_back(rule);
  }
  return out;
}

void allow_undecidable(const std::vector<const Rule*>& rules, CheckReport& report) {
  bool any = false;
  for (Finding& finding : report.findings) {
    if (finding.severity != Severity::kUndecidable || std::find(rules.begin(), rules.end(), finding.rule) == rules.end()) continue;
    finding.severity = Severity::kWarn;
    finding.bump = Bump::kNone;
    finding.what += "; let through by --allow-undecidable";
    any = true;
  }
  if (any) settle(report);
}

/// What the options ask for.
struct Request {
  Asked asked = Asked::kByKinds;
  CheckContext context;
  std::vector<OpRequirement> operations;
  std::vector<PairPattern> required;
  Prober prober;
};

Error failure_of(const CheckInput& input) { return *input.error; }

/// A alone, or against each of the others; all count. Named files that cannot be read end the command.
Status check_named(const Request& request, const CheckInput& a, const std::vector<CheckInput>& others, CheckDocument& document) {
  if (a.error) return failure_of(a);
  for (const CheckInput& other : others)
    if (other.error) return failure_of(other);
  if (others.empty()) {
    MODNET_ASSIGN(CheckedPair pair, check_by_itself(a, request.context, request.prober));
    document.pairs.push_back(std::move(pair));
  }
  for (const CheckInput& other : others) {
    MODNET_ASSIGN(CheckedPair pair, check_pair(a, other, request.asked, request.context, request.prober, Seams::kSaid));
    document.pairs.push_back(std::move(pair));
  }
  return ok();
}

/// The major number, or what stands for it before 1.0.0.
std::pair<uint64_t, uint64_t> promise_of(const Version& version) { return {version.major, version.major == 0 ? version.minor : 0}; }

/// Every earlier version in the history. Within the major of A it must be compatible; across majors the bump must suffice.
Status check_history(const Request& request, const CheckInput& a, std::vector<CheckInput> history, CheckDocument& document, Console& console) {
  if (a.error) return failure_of(a);
  document.table = true;
  const Result<Version> now = parse_version(a.identity().version);
  std::stable_sort(history.begin(), history.end(), [](const CheckInput& x, const CheckInput& y) {
    const auto version = [](const CheckInput& input) { return input.module ? parse_version(input.identity().version) : Result<Version>(internal("none")); };
    const Result<Version> u = version(x), v = version(y);
    return u.ok() && v.ok() ? compare(*u, *v) < 0 : u.ok() && !v.ok();
  });
  int64_t others = 0;
  for (const CheckInput& old : history) {
    if (old.module && old.file->view.digests().file == a.file->view.digests().file) continue;  // the new module, in the folder already
    if (old.module && (old.identity().name != a.identity().name || old.identity().kind != a.identity().kind)) {
      ++others;
      continue;
    }
    MODNET_ASSIGN(CheckedPair pair, check_pair(a, old, Asked::kEvolution, request.context, request.prober));
    if (old.module && now.ok())
      if (const Result<Version> was = parse_version(old.identity().version); was.ok() && promise_of(*was) != promise_of(*now))
        pair.counts = compare(*was, *now) < 0 && !pair.report.suffices();  // a later major is another line of releases
    document.pairs.push_back(std::move(pair));
  }
  if (others > 0) console.note(std::to_string(others) + " modules of other names or kinds are not part of the history");
  return ok();
}

Status check_matrix(const Request& request, const std::vector<CheckInput>& rows, const std::vector<CheckInput>& columns, CheckDocument& document) {
  document.table = true;
  document.pairs.reserve(rows.size() * columns.size());
  std::vector<bool> used(request.required.size());
  bool unreadable = false;
  for (const CheckInput& a : rows)
    for (const CheckInput& b : columns) {
      MODNET_ASSIGN(CheckedPair pair, check_pair(a, b, request.asked, request.context, request.prober));
      pair.counts = false;
      unreadable = unreadable || pair.error.has_value();
      for (size_t i = 0; i < request.required.size(); ++i)
        if (request.required[i].fits(a, b)) used[i] = pair.counts = true;
      document.pairs.push_back(std::move(pair));
    }
  for (size_t i = 0; i < used.size(); ++i)
    if (!used[i] && !unreadable)
      return usage("--require " + request.required[i].a + ":" + request.required[i].b + " fits no pair", "patterns fit names, NAME@VERSION or paths");
  return ok();
}

std::vector<CheckInput> open_all(const std::vector<std::string>& paths, const Invocation& invocation) {
  std::vector<CheckInput> out;
  for (const std::string& path : paths) out.push_back(open_input(path, invocation));
  return out;
}

/// How probes are run: not at all in a matrix and with --no-probes. Threads are started for the first pair that needs them.
Prober prober_of(const Invocation& invocation) {
  const Arguments& args = invocation.args;
  if (args.flag("no-probes") || args.flag("matrix")) return {};
  const Probing probing = args.flag("probes") ? Probing::kAlways : Probing::kWhereNeeded;
  const EngineSource source = [&invocation, engine = std::make_shared<std::optional<Engine>>()]() -> Result<const Engine*> {
    if (!*engine) {
      MODNET_ASSIGN(*engine, make_engine(invocation));
    }
    return &**engine;
  };
  return [&invocation, probing, source](const CheckedModule& from, const CheckedModule& to, CheckKind kind) {
    return measure_pair(from, to, kind, probing, source, invocation.args.real("space-tolerance"));
  };
}

Status check_options(const Arguments& args) {
  const bool matrix = args.flag("matrix"), baseline = args.has("baseline"), against = args.has("against");
  if (args.flag("edge") && args.flag("evolution")) return usage("--edge and --evolution exclude each other");
  if (args.flag("probes") && args.flag("no-probes")) return usage("--probes and --no-probes exclude each other");
  if (matrix && args.flag("probes")) return usage("a matrix runs no probes: it takes what was recorded", "check the pair without --matrix");
  if (args.flag("edge") && baseline) return usage("--baseline is about evolution; --edge is not", "leave --edge out");
  if (matrix && !against) return usage("--matrix needs the other side", "add --against FILE...");
  if (baseline && against) return usage("--baseline and --against exclude each other", "run check twice");
  if (!matrix && args.has("require")) return usage("--require is about pairs of a --matrix", "add --matrix, or leave --require out");
  if (!matrix && args.words("A").size() > 1) return usage("several modules need --matrix", "add --matrix, or give one module");
  if (!against && !baseline && (args.flag("edge") || args.flag("evolution"))) return usage("one module has neither edge nor evolution", "add --against FILE");
  return ok();
}

Result<int> run(Invocation& invocation) {
  const Arguments& args = invocation.args;
  MODNET_TRY(check_options(args));
  MODNET_ASSIGN(const ReportFormat format, format_of(invocation));
  MODNET_ASSIGN(const std::vector<const Rule*> allowed, allowed_rules(invocation));
  MODNET_ASSIGN(const std::vector<Acceptance> acceptances, load_acceptances(invocation));
  MODNET_ASSIGN(const std::string today, judging_day(invocation));
  Request request;
  request.asked = args.flag("edge") ? Asked::kEdge : args.flag("evolution") ? Asked::kEvolution : Asked::kByKinds;
  request.operations = build_operations();
  request.context.operations = request.operations;
  request.prober = prober_of(invocation);
  request.context.space_tolerance = args.real("space-tolerance");
  for (const std::string& text : args.list("require")) {
    MODNET_ASSIGN(PairPattern pattern, PairPattern::parse(text));
    request.required.push_back(std::move(pattern));
  }

  CheckDocument document;
  const std::vector<CheckInput> first = open_all(args.words("A"), invocation), second = open_all(args.list("against"), invocation);
  if (args.flag("matrix")) MODNET_TRY(check_matrix(request, first, second, document));
  else if (args.has("baseline")) MODNET_TRY(check_history(request, first[0], open_history(args.text("baseline"), invocation), document, invocation.console));
  else MODNET_TRY(check_named(request, first[0], second, document));

  for (CheckedPair& pair : document.pairs) allow_undecidable(allowed, pair.report);
  if (!acceptances.empty()) {
    document.today = today;
    document.acceptances = acceptances;
    std::vector<CheckReport*> reports;
    for (CheckedPair& pair : document.pairs) reports.push_back(&pair.report);
    const std::vector<Error> errors = accept_findings(invocation, acceptances, today, reports);
    for (const Error& error : errors) invocation.console.fail(error);
    if (!errors.empty()) return exit_code(errors.front());
  }
  const Detail detail = args.flag("suggest-accept") || args.flag("verbose") ? Detail::kSuggest : Detail::kNormal;
  if (invocation.json()) invocation.console.emit_json(report_json(document));
  else invocation.console.print(write_report(document, format, detail));
  if (args.flag("matrix") && request.required.empty())
    invocation.console.note("no pair is asked for: incompatible ones decide nothing; --require '*:*' asks for all");
  if (document.pairs.empty())
    invocation.console.note("nothing was compared: the baseline holds no earlier version of '" + first[0].identity().name + "'");
  return passes(document) ? kExitOk : kExitNo;
}

}  // namespace

CommandSpec check_command() {
  std::vector<OptionSpec> options = {
      {.name = "against", .type = OptionType::kPathList, .metavar = "FILE", .help = "the modules that A is checked with"},
      {.name = "edge", .help = "check whether one feeds the other, whatever their kinds"},
      {.name = "evolution", .help = "check whether A may replace the module that it is checked against"},
      {.name = "baseline", .type = OptionType::kPath, .metavar = "PATH", .help = "earlier versions of A: a file, or a folder of them"},
      {.name = "matrix", .help = "check every A with every module of --against"},
      {.name = "require", .type = OptionType::kTextList, .metavar = "A:B", .help = "pairs of the matrix that decide the exit"},
      {.name = "format", .type = OptionType::kChoice, .help = "of the report", .default_text = "text", .choices = {"text", "json", "junit", "sarif", "github", "markdown"}},
      {.name = "suggest-accept", .help = "print the entry that would accept each break (as -v does)"},
      {.name = "allow-undecidable", .type = OptionType::kTextList, .metavar = "RULE", .help = "let through what this rule cannot decide"},
      {.name = "probes", .help = "run probes also where the fingerprints of spaces agree, and report whether results depend on company"},
      {.name = "no-probes", .help = "run nothing: where fingerprints differ, only recorded evidence counts"},
      {.name = "space-tolerance", .type = OptionType::kReal, .metavar = "X", .help = "largest distance in the same space, as a share of that between two probes", .default_text = "0.1", .minimum = 0, .maximum = 0.1},
  };
  for (OptionSpec& option : acceptance_options()) options.push_back(std::move(option));
  return {
      .name = "check",
      .group = "look at things",
      .summary = "say whether modules fit together, or may replace each other, and which version bump that needs",
      .description =
          "Compares contracts by the rules that 'modnet rules' lists and reports every finding in one run. Modules of different kinds "
          "meet on an edge: encoder, backbone, adapter, head, each feeds the later ones. Modules of one kind are versions: A is the "
          "new one, the module of --against the old one. A alone is checked against this build. Composites are checked inside, too. Where the spaces of a pair differ by their "
          "fingerprints, the module that gives is run on the probes of the one that takes, and the figures decide.\n\n"
          "Exit 0: compatible. 1: incompatible, undecidable, or nothing could be compared. In a matrix only pairs of --require "
          "decide, and cells that cannot be read. 3: a named file cannot be read; 5: it needs a feature that this build lacks.",
      .positionals = {{.name = "A", .help = "the module to check; several with --matrix", .maximum = PositionalSpec::kMany}},
      .options = std::move(options),
      .examples = "modnet check backbone.mnet --against head.mnet\nmodnet check new.mnet --baseline releases/ --format github\n"
                  "modnet check --matrix heads/*.mnet --against backbones/*.mnet --require 'sections:minilm'",
      .run = run,
  };
}

}  // namespace modnet
