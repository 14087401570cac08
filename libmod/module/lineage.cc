#include "libmod/module/lineage.h"

namespace modnet {
namespace {

Status collect(const ModuleView& view, const std::string& slot, std::vector<Ancestor>& out) {
  for (const Lineage& entry : view.index().identity.lineage) out.push_back({slot, entry});
  for (const ComponentRecord& component : view.index().components) {
    const std::string path = slot.empty() ? component.slot : slot + "/" + component.slot;
    auto inner = view.component(component.slot);
    if (!inner.ok()) return std::move(inner).error();
    MODNET_TRY(collect(*inner, path, out));
  }
  return ok();
}

}  // namespace

Lineage lineage_entry(std::string relation, const Identity& identity, const Digest& content) {
  return {std::move(relation), identity.name + " " + identity.version, content};
}

Result<std::vector<Ancestor>> ancestors_of(const ModuleView& view) {
  std::vector<Ancestor> out;
  MODNET_TRY(collect(view, "", out));
  return out;
}

std::vector<std::optional<size_t>> match_ancestors(std::span<const Ancestor> ancestors, std::span<const Digest> contents) {
  std::vector<std::optional<size_t>> out(ancestors.size());
  for (size_t i = 0; i < ancestors.size(); ++i)
    for (size_t j = contents.size(); j-- > 0;)
      if (!is_zero(ancestors[i].entry.content) && ancestors[i].entry.content == contents[j]) out[i] = j;
  return out;
}

}  // namespace modnet
