// A composite with another module in a slot: the graph stays as it is, so this works out what the composite's own ports become
// and which seams have to be checked again. Tested by tests/unit/graph/replace_test.cc.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "formats/base/result.h"
#include "formats/module/records.h"

namespace modnet {

/// What feeds the module in slot `to`, with the ports that give named as the ports that they feed.
struct Seam {
  std::string from, to;    // slots; `from` is empty where the composite's inputs, or several slots, feed it
  Contract gives, takes;   // `takes` has no input that only an operation of the composite feeds
};
struct Replacement {
  Contract contract;        // of the composite
  std::vector<Seam> seams;  // around the replaced slots, in the graph's order
};

/// The contract of every slot before, and of the replaced slots (each of them among `before`) now.
/// A port of the composite that stands for a port of a replaced module takes over that port's records; its name, its number
/// and a meaning that the composite gave it stay. kMalformed for a graph whose module nodes cannot be read.
/// That the new module has the ports which the graph uses is for the evolution check to say; one that is gone keeps its record.
[[nodiscard]] Result<Replacement> replace_slots(const ModuleIndex& composite, const std::map<std::string, const Contract*>& before,
                                                const std::map<std::string, const Contract*>& now);

}  // namespace modnet
