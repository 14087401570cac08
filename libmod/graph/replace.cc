#include "libmod/graph/replace.h"

#include <algorithm>
#include <set>

#include "libmod/graph/flat.h"
#include "libmod/graph/graph.h"

namespace modnet {
namespace {

const Port* port_named(const Contract& contract, Direction direction, std::string_view name) {
  for (const Port& port : contract.ports)
    if (port.direction == direction && port.name == name) return &port;
  return nullptr;
}

/// `outer` stands for `before` of a module that was replaced; `now` is the same port of the new module.
Port taken_over(const Port& outer, const Port& before, const Port& now) {
  Port out = now;
  out.number = outer.number;
  out.direction = outer.direction;
  out.name = outer.name;
  out.value = outer.value;
  out.optional = outer.optional;
  if (outer.semantic != before.semantic) out.semantic = outer.semantic;
  return out;
}

/// A value of the composite's graph that a module, or the composite's caller, gives.
struct Source {
  std::string slot;  // empty: the composite's input
  Port port;
};

}  // namespace

Result<Replacement> replace_slots(const ModuleIndex& composite, const std::map<std::string, const Contract*>& before,
                                  const std::map<std::string, const Contract*>& now) {
  Replacement out;
  out.contract = composite.contract;
  std::vector<ModuleCall> calls;
  for (const Node& node : composite.graph.nodes)
    if (node.domain == kOurDomain && node.op == "Module") {
      MODNET_ASSIGN(ModuleCall call, module_call(node));
      if (!before.contains(call.slot)) return malformed("the graph runs a slot that holds no module", call.slot);
      calls.push_back(std::move(call));
    }
  const auto current = [&](const std::string& slot) { return now.contains(slot) ? now.at(slot) : before.at(slot); };

  // The composite's ports, where a replaced module stands behind them.
  for (const ModuleCall& call : calls) {
    if (!now.contains(call.slot)) continue;
    for (Port& outer : out.contract.ports) {
      const bool input = outer.direction == Direction::kInput;
      const std::vector<std::string>&values = input ? call.inputs : call.outputs, &ports = input ? call.input_ports : call.output_ports;
      const auto at = std::find(values.begin(), values.end(), outer.value);
      if (at == values.end()) continue;
      const std::string& name = ports[static_cast<size_t>(at - values.begin())];
      const Port *was = port_named(*before.at(call.slot), outer.direction, name), *is = port_named(*now.at(call.slot), outer.direction, name);
      if (was != nullptr && is != nullptr) outer = taken_over(outer, *was, *is);
    }
  }

  std::map<std::string, Source> sources;
  for (const Port& port : out.contract.ports)
    if (port.direction == Direction::kInput) sources[port.value] = {"", port};
  for (const ModuleCall& call : calls) {
    Seam seam;
    seam.to = call.slot;
    seam.takes.requirements = current(call.slot)->requirements;
    bool touched = now.contains(call.slot);
    std::set<std::string> slots;
    for (size_t i = 0; i < call.inputs.size(); ++i) {
      const auto source = sources.find(call.inputs[i]);
      const Port* port = port_named(*current(call.slot), Direction::kInput, call.input_ports[i]);
      if (source == sources.end() || port == nullptr) continue;
      Port gives = source->second.port;
      gives.direction = Direction::kOutput;
      gives.name = port->name;
      gives.number = static_cast<uint32_t>(i) + 1;
      seam.gives.ports.push_back(std::move(gives));
      seam.takes.ports.push_back(*port);
      slots.insert(source->second.slot);
      touched = touched || now.contains(source->second.slot);
    }
    if (slots.size() == 1 && !slots.begin()->empty()) {
      seam.from = *slots.begin();
      seam.gives.requirements = current(seam.from)->requirements;
    }
    if (touched && !seam.takes.ports.empty()) out.seams.push_back(std::move(seam));
    for (size_t i = 0; i < call.outputs.size(); ++i)
      if (const Port* port = port_named(*current(call.slot), Direction::kOutput, call.output_ports[i]); port != nullptr) sources[call.outputs[i]] = {call.slot, *port};
  }
  return out;
}

}  // namespace modnet
