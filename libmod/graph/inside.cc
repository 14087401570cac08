#include "libmod/graph/inside.h"

#include <algorithm>
#include <map>

#include "libmod/contract/edge.h"
#include "libmod/contract/evolution.h"
#include "libmod/graph/graph.h"

namespace modnet {
namespace {

const CheckedModule::Component* find_slot(const CheckedModule& module, std::string_view slot) {
  for (const auto& component : module.components())
    if (component->slot == slot) return component.get();
  return nullptr;
}

const std::vector<std::string>* texts(const Node& node, std::string_view name) {
  for (const Attribute& one : node.attributes)
    if (one.name == name) return std::get_if<std::vector<std::string>>(&one.value);
  return nullptr;
}

/// The ports of one seam alone, each under the name of the input that it meets.
struct Wires {
  Contract from, to;
};

void add_wire(Wires& wires, const Contract& from, const std::string& output, const Contract& to, const std::string& input) {
  const Port* giver = find_port(from, Direction::kOutput, output);
  const Port* taker = find_port(to, Direction::kInput, input);
  if (giver == nullptr || taker == nullptr) return;
  wires.from.ports.push_back(*giver);
  wires.from.ports.back().name = input;
  wires.to.ports.push_back(*taker);
}

void take_findings(std::vector<Finding>& out, std::vector<Finding> from, const std::string& prefix) {
  for (Finding& finding : from) {
    if (finding.rule == find_rule("BUMP_INSUFFICIENT")) continue;  // the version that counts is the whole module's
    finding.path = prefix + finding.path;
    out.push_back(std::move(finding));
  }
}

/// One slot that feeds another, as the graph wires them.
void seam(const CheckedModule::Component& from, const CheckedModule::Component& to, const Wires& wires, const CheckContext& context,
          std::vector<Finding>& out) {
  Subject giver = from.module.subject(), taker = to.module.subject();
  giver.contract = &wires.from;
  taker.contract = &wires.to;
  CheckContext wired = context;
  wired.operations.reset();  // asked of the components themselves
  CheckReport report = check_edge(giver, taker, wired);
  // Lineage is a matter of the component alone.
  std::erase_if(report.findings, [](const Finding& finding) { return finding.path.starts_with("identity.lineage."); });
  take_findings(out, std::move(report.findings), to.slot + "/");
}

/// Both sides of every slot that was there before; a slot that is new or gone shows in the ports of the module.
void check_slots(const CheckedModule& before, const CheckedModule& now, const CheckContext& context, std::vector<Finding>& out) {
  for (const auto& component : now.components()) {
    const CheckedModule::Component* old = find_slot(before, component->slot);
    if (old == nullptr || old->view.digests().file == component->view.digests().file) continue;
    CheckContext inner = context;
    inner.operations.reset();
    CheckReport report = check_evolution(old->module.subject(), component->module.subject(), inner);
    take_findings(out, std::move(report.findings), component->slot + "/");
    std::vector<Finding> deeper;
    check_slots(old->module, component->module, context, deeper);
    take_findings(out, std::move(deeper), component->slot + "/");
  }
}

void add_findings(CheckReport& report, std::vector<Finding> inside) {
  if (inside.empty()) return;
  for (Finding& finding : inside) report.findings.push_back(std::move(finding));
  std::stable_sort(report.findings.begin(), report.findings.end(), [](const Finding& a, const Finding& b) { return a.rule < b.rule; });
  settle(report);
  if (report.kind == CheckKind::kEdge) report.required = Bump::kNone;
}

}  // namespace

void CheckedModule::add_evidence(CheckedModule& module, const std::vector<EvidenceRecord>& outer) {
  module.evidence_.insert(module.evidence_.end(), outer.begin(), outer.end());
  for (const auto& component : module.components_) add_evidence(component->module, outer);
}

Result<CheckedModule> CheckedModule::open(const ModuleView& view) {
  CheckedModule out;
  out.view_ = &view;
  MODNET_ASSIGN(out.evidence_, view.evidence());
  for (const ComponentRecord& record : view.index().components) {
    const auto in_slot = [&](Error error) {
      error.where = error.where.empty() ? record.slot : record.slot + "/" + error.where;
      return error;
    };
    Result<ModuleView> inner = view.component(record.slot);
    if (!inner.ok()) return in_slot(std::move(inner).error());
    auto component = std::make_unique<Component>(Component{record.slot, std::move(inner).value(), {}});
    Result<CheckedModule> module = open(component->view);
    if (!module.ok()) return in_slot(std::move(module).error());
    component->module = std::move(module).value();
    add_evidence(component->module, out.evidence_);
    out.parts_.push_back(record.content);
    out.parts_.insert(out.parts_.end(), component->module.parts_.begin(), component->module.parts_.end());
    out.components_.push_back(std::move(component));
  }
  return out;
}

Subject CheckedModule::subject() const {
  Subject out(view_->index().contract, view_->index().identity, view_->digests().content);
  out.parts = parts_;
  out.evidence = evidence_;
  return out;
}

std::vector<Finding> check_seams(const CheckedModule& module, const CheckContext& context) {
  std::vector<Finding> out;
  std::map<std::string, std::pair<const CheckedModule::Component*, std::string>> made;  // value → slot and port that give it
  for (const Node& node : module.view().index().graph.nodes) {
    if (node.domain != kOurDomain || node.op != "Module") continue;
    const Result<std::string> slot = attribute_text(node, "slot", "");
    const CheckedModule::Component* to = slot.ok() ? find_slot(module, *slot) : nullptr;
    const std::vector<std::string>*inputs = texts(node, "inputs"), *outputs = texts(node, "outputs");
    if (to == nullptr || inputs == nullptr || outputs == nullptr) continue;  // flatten() refuses such a graph
    std::map<const CheckedModule::Component*, Wires> seams;
    for (size_t i = 0; i < std::min(inputs->size(), node.inputs.size()); ++i) {
      const auto giver = made.find(node.inputs[i]);
      if (giver == made.end()) continue;
      add_wire(seams[giver->second.first], giver->second.first->view.index().contract, giver->second.second, to->view.index().contract, (*inputs)[i]);
    }
    for (const auto& from : module.components())  // by slot, not by address
      if (const auto wires = seams.find(from.get()); wires != seams.end()) seam(*from, *to, wires->second, context, out);
    for (size_t i = 0; i < std::min(outputs->size(), node.outputs.size()); ++i) made[node.outputs[i]] = {to, (*outputs)[i]};
  }
  for (const auto& component : module.components()) {
    Findings alone;
    check_alone(component->module.subject(), context, alone);
    take_findings(out, alone.take(), component->slot + "/");
    take_findings(out, check_seams(component->module, context), component->slot + "/");
  }
  return out;
}

CheckReport check_edge(const CheckedModule& from, const CheckedModule& to, const CheckContext& context) {
  CheckReport report = check_edge(from.subject(), to.subject(), context);
  std::vector<Finding> inside = check_seams(from, context);
  for (Finding& finding : check_seams(to, context)) inside.push_back(std::move(finding));
  add_findings(report, std::move(inside));
  return report;
}

CheckReport check_evolution(const CheckedModule& before, const CheckedModule& now, const CheckContext& context) {
  CheckReport report = check_evolution(before.subject(), now.subject(), context);
  std::vector<Finding> inside;
  check_slots(before, now, context, inside);
  for (Finding& finding : check_seams(now, context)) inside.push_back(std::move(finding));
  add_findings(report, std::move(inside));
  return report;
}

}  // namespace modnet
