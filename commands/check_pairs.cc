#include "commands/check_pairs.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>

#include "libmod/compute/op.h"
#include "libmod/contract/names.h"
#include "libmod/module/card.h"

namespace modnet {
namespace {

/// Place in the line from raw data to answers; 0 for what is no part of it.
int place_of(Kind kind) {
  switch (kind) {
    case Kind::kEncoder: return 1;
    case Kind::kBackbone: return 2;
    case Kind::kAdapter: return 3;
    case Kind::kHead: return 4;
    case Kind::kComposite:
    case Kind::kInvalid: break;
  }
  return 0;
}

void name_side(const CheckInput& input, std::string& file, std::string& name, std::string& version) {
  file = input_name(input.path);
  if (!input.module) return;
  name = input.identity().name;
  version = input.identity().version;
}

bool fits_pattern(const std::string& pattern, const CheckInput& input) {
  const auto fits = [&](const std::string& text) { return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0; };
  if (fits(input.path)) return true;
  return input.module && (fits(input.identity().name) || fits(input.identity().name + "@" + input.identity().version));
}

/// What a card claims was measured; nothing where it is no card that this build reads, which is for 'modnet card' to say.
std::vector<MetricClaim> metrics_of(const ModuleView& view) {
  std::vector<MetricClaim> out;
  const Result<Bytes> bytes = view.trailer(TrailerKind::kCard);
  const Result<Card> card = bytes.ok() ? card_from_json(as_text(*bytes)) : Result<Card>(Card{});
  if (!card.ok()) return out;
  for (const CardMetric& one : card->metrics) {
    std::string data;
    bool stated = !one.data.empty();
    for (const CardSource& source : one.data) {
      stated = stated && !is_zero(source.digest);
      data += hex(source.digest);
    }
    const std::string name = one.answer.empty() ? one.name : one.answer + "." + one.name;
    out.push_back({name, one.value, one.low.value_or(one.value), one.high.value_or(one.value), stated ? data : std::string()});
  }
  return out;
}

/// A new version that its card says is worse than the old one, on the same data.
void check_cards(const CheckedModule& before, const CheckedModule& now, CheckReport& report) {
  Findings found;
  check_metrics(metrics_of(before.view()), metrics_of(now.view()), found);
  if (found.items().empty()) return;
  for (Finding& finding : found.take()) report.findings.push_back(std::move(finding));
  std::stable_sort(report.findings.begin(), report.findings.end(), [](const Finding& a, const Finding& b) { return a.rule < b.rule; });
  settle(report);
}

}  // namespace

Status check_opened(const CheckedModule& from, const CheckedModule& to, CheckKind kind, CheckContext context, const Prober& prober, CheckedPair& out) {
  MeasuredPair measured;
  if (prober) {
    MODNET_ASSIGN(measured, prober(from, to, kind));
  }
  context.measured = measured.records;
  out.report = kind == CheckKind::kEdge ? check_edge(from, to, context) : check_evolution(from, to, context);
  add_measured(measured, out);
  if (kind == CheckKind::kEvolution) check_cards(from, to, out.report);
  return ok();
}

std::vector<std::string> seam_lines(const Contract& from, const Contract& to, const CheckReport& report) {
  std::vector<std::string> out;
  for (const Binding& binding : report.bindings) {
    const Port &output = from.ports[binding.from], &input = to.ports[binding.to];
    std::string line = output.name + " → " + input.name + " " + type_text(input);
    if (output.space && input.space) {
      const bool same = output.space->fingerprint == input.space->fingerprint;
      line += same ? ", the same space " : ", from space " + space_text(*output.space) + " fingerprint " + short_digest(output.space->fingerprint) + " to ";
      line += space_text(*input.space) + " fingerprint " + short_digest(input.space->fingerprint);
    }
    if (output.preparation && input.preparation) {
      const bool same = output.preparation->digest == input.preparation->digest;
      line += same ? ", the same preparation " : ", prepared as " + output.preparation->method + "/" + short_digest(output.preparation->digest) + " for ";
      line += input.preparation->method + "/" + short_digest(input.preparation->digest);
    }
    out.push_back(std::move(line));
  }
  return out;
}

CheckInput open_input(const std::string& path, const Invocation& invocation) {
  CheckInput out;
  out.path = path;
  Result<ModuleFile> file = ModuleFile::open_checked(path, invocation);
  if (!file.ok()) {
    out.error = std::move(file).error().in_file(input_name(path));
    return out;
  }
  out.file = std::make_unique<ModuleFile>(std::move(file).value());
  Result<CheckedModule> module = CheckedModule::open(out.file->view);
  if (module.ok()) out.module = std::move(module).value();
  else out.error = std::move(module).error().in_file(input_name(path));
  return out;
}

std::vector<CheckInput> open_history(const std::string& path, const Invocation& invocation) {
  std::vector<CheckInput> out;
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    out.push_back(open_input(path, invocation));
    return out;
  }
  std::vector<std::string> files;
  for (std::filesystem::directory_iterator it(path, error), end; !error && it != end; it.increment(error))
    if (it->path().extension() == ".mnet") files.push_back(it->path().string());
  if (error) {
    out.emplace_back();
    out.back().path = path;
    out.back().error = Error{Code::kUnreadable, "CANNOT_READ", "cannot be listed: " + error.message(), {}, path, "check its permissions"};
    return out;
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) out.push_back(open_input(file, invocation));
  return out;
}

Result<Relation> relate(Kind a, Kind b, Asked asked) {
  if (asked == Asked::kEvolution || (asked == Asked::kByKinds && a == b)) return Relation{CheckKind::kEvolution, false};
  const int first = place_of(a), second = place_of(b);
  if (first != 0 && second != 0) return Relation{CheckKind::kEdge, first <= second};
  const Kind other = a == Kind::kComposite ? b : a;
  const bool a_is_composite = a == Kind::kComposite;
  if (other == Kind::kEncoder) return Relation{CheckKind::kEdge, !a_is_composite};
  if (other == Kind::kHead || other == Kind::kAdapter) return Relation{CheckKind::kEdge, a_is_composite};
  if (asked == Asked::kEdge) return Relation{CheckKind::kEdge, true};
  return usage("a " + std::string(name_of(a)) + " and a " + std::string(name_of(b)) + " can meet in more than one way",
               "say --edge (the first feeds the second) or --evolution (the first replaces the second)");
}

Result<CheckedPair> check_pair(const CheckInput& a, const CheckInput& b, Asked asked, const CheckContext& context, const Prober& prober, Seams seams) {
  Relation relation{asked == Asked::kEvolution ? CheckKind::kEvolution : CheckKind::kEdge, asked != Asked::kEvolution};
  if (a.module && b.module) {
    MODNET_ASSIGN(relation, relate(a.identity().kind, b.identity().kind, asked));
  }
  const CheckInput &first = relation.a_first ? a : b, &second = relation.a_first ? b : a;
  CheckedPair out;
  name_side(first, out.a_file, out.a_name, out.a_version);
  name_side(second, out.b_file, out.b_name, out.b_version);
  out.report.kind = relation.kind;
  if (first.error || second.error) {
    out.error = first.error ? first.error : second.error;
    return out;
  }
  MODNET_TRY(check_opened(*first.module, *second.module, relation.kind, context, prober, out));
  if (seams == Seams::kSaid && relation.kind == CheckKind::kEdge)
    out.seams = seam_lines(first.module->view().index().contract, second.module->view().index().contract, out.report);
  return out;
}

Result<CheckedPair> check_by_itself(const CheckInput& input, const CheckContext& context, const Prober& prober) {
  CheckedPair out;
  name_side(input, out.b_file, out.b_name, out.b_version);
  MODNET_TRY(check_opened(*input.module, *input.module, CheckKind::kEvolution, context, prober, out));
  out.report.versions_known = false;
  return out;
}

std::vector<OpRequirement> build_operations() {
  std::vector<OpRequirement> out = {{"modnet", "Module", 1}, {"modnet", "Tokenize", 1}};  // run outside of plans
  for (const OpRow& row : op_table())
    if (row.domain != "fused") out.push_back({std::string(row.domain), std::string(row.name), row.version});
  return out;
}

Result<PairPattern> PairPattern::parse(const std::string& text) {
  const size_t colon = text.find(':');
  PairPattern out{text.substr(0, colon), colon == std::string::npos ? "" : text.substr(colon + 1)};
  if (out.a.empty() || out.b.empty())
    return usage("--require expected two patterns as A:B, got '" + text + "'", "'*:*' asks for every pair");
  return out;
}

bool PairPattern::fits(const CheckInput& first, const CheckInput& second) const {
  return fits_pattern(a, first) && fits_pattern(b, second);
}

}  // namespace modnet
