#include "commands/diff_evolution.h"

#include <nlohmann/json.hpp>

#include "commands/check_pairs.h"
#include "libmod/contract/report/words.h"
#include "libmod/graph/inside.h"
#include "libmod/module/semantics.h"

namespace modnet {
namespace {

Result<CheckedModule> open_side(const DiffSide& side) {
  MODNET_TRY(check_module(side.view->index()));
  return CheckedModule::open(*side.view);
}

}  // namespace

std::optional<CheckedPair> diff_evolution(const DiffSide& before, const DiffSide& after) {
  const Identity &was = before.view->index().identity, &is = after.view->index().identity;
  if (was.kind != is.kind || before.view->digests().content == after.view->digests().content) return std::nullopt;
  CheckedPair out;
  out.a_file = before.file, out.a_name = was.name, out.a_version = was.version;
  out.b_file = after.file, out.b_name = is.name, out.b_version = is.version;
  out.report.kind = CheckKind::kEvolution;
  const Result<CheckedModule> old_module = open_side(before), new_module = open_side(after);
  if (!old_module.ok()) out.error = Error(old_module.error()).in_file(before.file);
  else if (!new_module.ok()) out.error = Error(new_module.error()).in_file(after.file);
  if (out.error) return out;
  if (Status done = check_opened(*old_module, *new_module, CheckKind::kEvolution, CheckContext{}, {}, out); !done.ok()) out.error = std::move(done).error();
  return out;
}

std::vector<DiffLine> evolution_lines(const CheckedPair& pair) {
  using namespace report;
  std::vector<DiffLine> out;
  for (const std::string& line : {unseen_words(pair), bump_words(pair)})
    if (!line.empty()) out.push_back({' ', plain(line), ""});
  for (const Finding& finding : pair.report.findings)
    out.push_back({' ', std::string(finding.rule->id) + " " + std::string(severity_name(finding.severity)), plain(finding.path)});
  return out;
}

Json evolution_json(const CheckedPair& pair) {
  CheckDocument document;
  document.pairs.push_back(pair);
  return report_json(document)["checks"][0];
}

}  // namespace modnet
