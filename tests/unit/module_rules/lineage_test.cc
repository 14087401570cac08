// Lineage: collected down to components, matched by content and by nothing else.
#include "libmod/module/lineage.h"

#include <doctest/doctest.h>

#include "formats/module/write.h"

namespace modnet {
namespace {

/// A module of one tensor with this lineage and these components (slot, bytes).
std::string module_with(const std::string& name, std::vector<Lineage> lineage, const std::vector<std::pair<std::string, std::string>>& components = {}) {
  ModuleWriter writer;
  Identity identity{name, components.empty() ? Kind::kBackbone : Kind::kComposite, "1.2.0", "", std::move(lineage)};
  writer.set_identity(identity);
  const float value = static_cast<float>(name.size());
  REQUIRE(writer.add_tensor("w", DType::kF32, {1}, std::as_bytes(std::span(&value, 1))).ok());
  for (const auto& [slot, bytes] : components) REQUIRE(writer.add_component(slot, as_bytes(bytes)).ok());
  return writer.to_memory().value();
}

Digest content_of(const std::string& bytes) { return ModuleView::open(as_bytes(bytes)).value().digests().content; }

TEST_CASE("lineage is collected down to components at any depth, each with the slot it stands in") {
  const Lineage far{"imported-from", "far", Digest{1}}, near{"trained-on", "near 1.0.0", Digest{2}};
  const std::string leaf = module_with("leaf", {far});
  const std::string inner = module_with("inner", {near}, {{"leaf", leaf}});
  const Lineage component = lineage_entry("component", ModuleView::open(as_bytes(inner)).value().index().identity, content_of(inner));
  CHECK(component == Lineage{"component", "inner 1.2.0", content_of(inner)});
  const std::string outer = module_with("outer", {component}, {{"inner", inner}, {"leaf", leaf}});
  const auto found = ancestors_of(ModuleView::open(as_bytes(outer)).value());
  REQUIRE(found.ok());
  CHECK(*found == std::vector<Ancestor>{{"", component}, {"inner", near}, {"inner/leaf", far}, {"leaf", far}});
}

TEST_CASE("an ancestor is matched by its content, not by its name, and a missing digest by nothing") {
  const std::vector<Ancestor> ancestors{{"", {"trained-on", "a 1.0.0", Digest{7}}}, {"", {"trained-on", "b 1.0.0", Digest{8}}}, {"", {"imported-from", "c", Digest{}}}};
  const std::vector<Digest> contents{Digest{9}, Digest{8}, Digest{}, Digest{8}};
  const auto matches = match_ancestors(ancestors, contents);
  REQUIRE(matches.size() == 3);
  CHECK_FALSE(matches[0].has_value());
  CHECK(matches[1] == std::optional<size_t>(1));  // the first of equal ones
  CHECK_FALSE(matches[2].has_value());
  CHECK(match_ancestors({}, contents).empty());
}

}  // namespace
}  // namespace modnet
