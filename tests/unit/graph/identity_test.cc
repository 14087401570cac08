// What a value is does not depend on where it stands, and depends on everything that makes it.
#include "libmod/graph/identity.h"

#include <doctest/doctest.h>

#include <functional>

#include "formats/module/write.h"
#include "libmod/graph/graph.h"
#include "tests/support/must.h"

namespace modnet {
namespace {

using test::must;

Port port(uint32_t number, Direction direction, std::string name, std::string value, Semantic semantic = Semantic::kFeatures) {
  Port out;
  out.number = number;
  out.direction = direction;
  out.name = std::move(name);
  out.value = std::move(value);
  out.dtype = DType::kF32;
  out.dims = {{"B", 0, 1, 0, 1}, {"", 2, 1, 0, 1}};
  out.semantic = semantic;
  if (semantic == Semantic::kEmbedding) out.space.emplace();
  return out;
}
Node node(std::string op, std::vector<std::string> inputs, std::string output, std::vector<Attribute> attributes = {}) {
  return {"", std::move(op), 1, "name of " + output, std::move(inputs), {std::move(output)}, std::move(attributes)};
}

struct Parts {
  std::string name = "part";
  Kind kind = Kind::kBackbone;
  float weight = 1;
  std::vector<uint64_t> shape = {2};
  std::string asset = "text";
  Graph graph;
  std::vector<Port> ports;
  std::vector<std::pair<std::string, std::string>> components;
};
std::string module_of(const Parts& parts) {
  ModuleWriter writer;
  writer.set_identity({parts.name, parts.kind, "1.0.0", "", {}});
  Contract contract;
  contract.ports = parts.ports;
  writer.set_contract(std::move(contract));
  writer.set_graph(parts.graph);
  if (parts.components.empty()) {
    must(writer.add_tensor("w", DType::kF32, parts.shape, [&](std::string* scratch) -> Result<Bytes> {
      const float values[2] = {parts.weight, parts.weight};
      scratch->assign(reinterpret_cast<const char*>(values), sizeof values);
      return as_bytes(*scratch);
    }));
    must(writer.add_asset("notes.txt", "text/plain", [&](std::string* scratch) -> Result<Bytes> {
      *scratch = parts.asset;
      return as_bytes(*scratch);
    }));
  }
  for (const auto& [slot, bytes] : parts.components) must(writer.add_component(slot, as_bytes(bytes)));
  return must(writer.to_memory());
}

/// x → Add(w) → Elu(alpha) → "y", an embedding.
Parts backbone() {
  Parts parts;
  parts.graph.inputs = {"x"};
  parts.graph.nodes = {node("Add", {"x", "w"}, "m", {{"asset", std::string("notes.txt")}}), node("Elu", {"m"}, "y", {{"alpha", 0.5}})};
  parts.graph.outputs = {"y"};
  parts.ports = {port(1, Direction::kInput, "x", "x"), port(2, Direction::kOutput, "embedding", "y", Semantic::kEmbedding)};
  return parts;
}
/// e → Mul(w) → "z", logits.
Parts head() {
  Parts parts;
  parts.kind = Kind::kHead;
  parts.graph.inputs = {"e"};
  parts.graph.nodes = {node("Mul", {"e", "w"}, "z")};
  parts.graph.outputs = {"z"};
  parts.ports = {port(1, Direction::kInput, "embedding", "e", Semantic::kEmbedding), port(2, Direction::kOutput, "class", "z", Semantic::kLogits)};
  return parts;
}
/// x → slot "b" → h → slot "head" → "class"; where `around`, the head reads h + x.
std::string composite(const std::string& inner, bool around = false) {
  Parts parts;
  parts.kind = Kind::kComposite;
  parts.graph.inputs = {"x"};
  parts.graph.nodes = {module_node("b", {"x"}, {"x"}, {"embedding"}, {"h"}), node("Add", {"h", around ? "x" : "h"}, "h2"),
                       module_node("head", {"embedding"}, {around ? "h2" : "h"}, {"class"}, {"c"})};
  parts.graph.outputs = {"h", "c"};
  parts.ports = {port(1, Direction::kInput, "x", "x"), port(2, Direction::kOutput, "embedding", "h", Semantic::kEmbedding), port(3, Direction::kOutput, "class", "c", Semantic::kLogits)};
  parts.components = {{"b", inner}, {"head", module_of(head())}};
  return module_of(parts);
}

/// Runs `use` on the flat graph of a module.
void with_graph(const std::string& file, const std::function<void(const FlatGraph&, const FlatRecords&)>& use) {
  const ModuleView view = must(ModuleView::open(as_bytes(file)));
  FlatRecords records;
  const FlatGraph graph = must(flatten(view, &records));
  use(graph, records);
}
ValueIdentity identity_of(const std::string& file, const std::string& value) {
  ValueIdentity out;
  with_graph(file, [&](const FlatGraph& graph, const FlatRecords& records) { out = must(identify(graph, records, value)); });
  return out;
}

TEST_CASE("a backbone's embedding is the same by itself, in a composite, and with other names") {
  const ValueIdentity alone = identity_of(module_of(backbone()), "y");
  CHECK(alone.inputs == std::set<std::string>{"x"});
  CHECK(alone.tensors == std::set<std::string>{"w"});
  CHECK(alone.assets == std::set<std::string>{"notes.txt"});
  const ValueIdentity inside = identity_of(composite(module_of(backbone())), "b/y");
  CHECK(inside.digest == alone.digest);
  CHECK(inside.inputs == alone.inputs);
  CHECK(inside.tensors == std::set<std::string>{"b/w"});

  Parts renamed = backbone();
  renamed.name = "another";
  renamed.graph.nodes[0].outputs = renamed.graph.nodes[1].inputs = {"inner"};
  renamed.graph.nodes[1].name = "";
  renamed.graph.taps = {{"tap", "inner"}};
  CHECK(identity_of(module_of(renamed), "y").digest == alone.digest);
  CHECK(identity_of(module_of(renamed), "inner").digest != alone.digest);
}

TEST_CASE("an identity changes with every weight, shape, asset, operation, version, attribute and input") {
  const auto changed = [](const std::function<void(Parts&)>& change) {
    Parts parts = backbone();
    change(parts);
    return identity_of(module_of(parts), "y").digest;
  };
  const Digest was = identity_of(module_of(backbone()), "y").digest;
  const std::vector<std::pair<const char*, std::function<void(Parts&)>>> changes = {
      {"weight", [](Parts& p) { p.weight = 2; }},
      {"shape", [](Parts& p) { p.shape = {1, 2}; }},
      {"asset", [](Parts& p) { p.asset = "other"; }},
      {"operation", [](Parts& p) { p.graph.nodes[1].op = "Celu"; }},
      {"domain", [](Parts& p) { p.graph.nodes[1].domain = "modnet"; }},
      {"version", [](Parts& p) { p.graph.nodes[1].version = 2; }},
      {"attribute", [](Parts& p) { p.graph.nodes[1].attributes = {{"alpha", 0.25}}; }},
      {"no attribute", [](Parts& p) { p.graph.nodes[1].attributes = {}; }},
      {"order of inputs", [](Parts& p) { p.graph.nodes[0].inputs = {"w", "x"}; }},
      {"an absent input", [](Parts& p) { p.graph.nodes[0].inputs = {"x", "w", ""}; }},
      {"name of the input port", [](Parts& p) { p.ports[0].name = "z"; }},
      {"meaning of the input port", [](Parts& p) { p.ports[0].semantic = Semantic::kColumns; }},
      {"size of the input port", [](Parts& p) { p.ports[0].dims[1].size = 1; }},
  };
  std::set<Digest> seen = {was};
  for (const auto& [what, change] : changes) {
    CAPTURE(what);
    CHECK(seen.insert(changed(change)).second);
  }
}

TEST_CASE("what feeds an input takes its place") {
  Parts first = backbone();
  first.weight = 3;
  const ValueIdentity feeding = identity_of(module_of(first), "y");
  with_graph(module_of(backbone()), [&](const FlatGraph& graph, const FlatRecords& records) {
    const ValueIdentity fed = must(identify(graph, records, "y", {{"x", feeding}}));
    CHECK(fed.digest != must(identify(graph, records, "y")).digest);
    CHECK(fed.inputs == std::set<std::string>{"x"});
  });
  with_graph(module_of(backbone()), [&](const FlatGraph& graph, const FlatRecords& records) {
    CHECK_FALSE(identify(graph, records, "nothing").ok());
    CHECK_FALSE(identify(graph, FlatRecords{}, "y").ok());
  });
}

TEST_CASE("answers of a composite go through its backbone's embedding, unless something goes around it") {
  const std::string class_values[] = {"head/z"};
  with_graph(composite(module_of(backbone())), [&](const FlatGraph& graph, const FlatRecords& records) {
    const std::optional<FlatPort> found = waist(graph, records, class_values);
    REQUIRE(found.has_value());
    CHECK(found->value == "b/y");
    CHECK(found->port.name == "embedding");
    const std::vector<Node> rest = nodes_behind(graph, class_values, found->value);
    REQUIRE(rest.size() == 1);
    CHECK(rest[0].op == "Mul");
    CHECK(nodes_behind(graph, class_values).size() == 3);
    const std::string itself[] = {"b/y"};
    CHECK(waist(graph, records, itself)->value == "b/y");
  });
  with_graph(composite(module_of(backbone()), true), [&](const FlatGraph& graph, const FlatRecords& records) { CHECK_FALSE(waist(graph, records, class_values).has_value()); });
  Parts no_space = backbone();
  no_space.ports[1].semantic = Semantic::kFeatures;
  no_space.ports[1].space.reset();
  with_graph(composite(module_of(no_space)), [&](const FlatGraph& graph, const FlatRecords& records) { CHECK(waist(graph, records, class_values)->value == "b/y"); });  // the composite's own port
  with_graph(module_of(head()), [&](const FlatGraph& graph, const FlatRecords& records) {
    const std::string z[] = {"z"};
    CHECK_FALSE(waist(graph, records, z).has_value());  // it takes the embedding itself
  });
}

}  // namespace
}  // namespace modnet
