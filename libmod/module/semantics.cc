#include "libmod/module/semantics.h"

#include <algorithm>
#include <map>
#include <set>

#include "libmod/contract/names.h"
#include "libmod/contract/versions.h"

namespace modnet {
namespace {

/// A name that is read from a file is the file's fault, not the user's.
Status name_in_file(std::string_view name, std::string_view what) {
  if (const Status status = check_name(name, what); !status.ok()) return malformed(status.error().what);
  return ok();
}

}  // namespace

Status check_name(std::string_view name, std::string_view what) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
  };
  if (name.empty() || name.size() > 128 || name[0] == '.' || name[0] == '-' || !std::all_of(name.begin(), name.end(), allowed))
    return usage("'" + std::string(name) + "' cannot be the name of " + std::string(what),
                 "use 1 to 128 letters, digits, '.', '_' and '-', beginning with a letter, a digit or '_'");
  return ok();
}

Status check_head_name(std::string_view name) {
  MODNET_TRY(check_name(name, "a head"));
  if (name == "encoder" || name == "backbone")
    return usage("a head cannot be called '" + std::string(name) + "', which is a slot of every composite", "give it another --name");
  return ok();
}

Status check_module(const ModuleIndex& index) {
  MODNET_TRY(name_in_file(index.identity.name, "a module"));
  if (index.identity.kind == Kind::kInvalid) return malformed("has no kind that this build knows", "identity.kind");
  if (const auto version = parse_version(index.identity.version); !version.ok()) return malformed(version.error().what, "identity.version");
  std::set<uint32_t> numbers;
  std::set<std::pair<Direction, std::string>> names;
  std::map<std::string, Dim> symbols;
  for (const Port& port : index.contract.ports) {
    const std::string where = "port '" + port.name + "'";
    MODNET_TRY(name_in_file(port.name, "a port"));
    if (port.direction == Direction::kInvalid || port.semantic == Semantic::kInvalid || port.dtype == DType::kInvalid)
      return malformed("direction, dtype or semantic type is missing", where);
    if (!numbers.insert(port.number).second) return malformed("port number " + std::to_string(port.number) + " is used twice", where);
    if (!names.insert({port.direction, port.name}).second) return malformed("two ports of one direction have this name", where);
    const auto& values = port.direction == Direction::kInput ? index.graph.inputs : index.graph.outputs;
    if (std::find(values.begin(), values.end(), port.value) == values.end())
      return malformed("stands for the graph value '" + port.value + "', which is not an " + std::string(name_of(port.direction)) + " of the graph", where);
    for (const Dim& dim : port.dims)
      if (!dim.symbol.empty() && !(symbols.try_emplace(dim.symbol, dim).first->second == dim))
        return malformed("gives the symbol '" + dim.symbol + "' other bounds than a port before it", where);
    if (port.labels && !port.dims.empty() && port.dims.back().symbol.empty() && port.labels->names.size() != port.dims.back().size)
      return malformed("has " + std::to_string(port.labels->names.size()) + " labels for a last dimension of " +
                           std::to_string(port.dims.back().size), where);
  }
  return ok();
}

}  // namespace modnet
