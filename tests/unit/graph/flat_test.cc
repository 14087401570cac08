// Composites as one flat graph: names of nested components, optional inputs, and what does not meet.
#include "libmod/graph/flat.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <set>

#include "formats/module/write.h"
#include "libmod/graph/graph.h"
#include "tests/support/must.h"

namespace modnet {
namespace {

using test::must;

Port port(uint32_t number, Direction direction, std::string name, std::string value) {
  Port out;
  out.number = number;
  out.direction = direction;
  out.name = std::move(name);
  out.value = std::move(value);
  out.dtype = DType::kF32;
  out.dims = {{"B", 0, 1, 0, 1}, {"", 2, 1, 0, 1}};
  out.semantic = Semantic::kFeatures;
  return out;
}
Node node(std::string domain, std::string op, std::vector<std::string> inputs, std::vector<std::string> outputs) {
  return {std::move(domain), std::move(op), 1, "n", std::move(inputs), std::move(outputs), {}};
}
ModuleWriter writer_of(const std::string& name, std::vector<Port> ports, Graph graph) {
  ModuleWriter writer;
  writer.set_identity({name, Kind::kAdapter, "1.0.0", "", {}});
  Contract contract;
  contract.ports = std::move(ports);
  writer.set_contract(std::move(contract));
  writer.set_graph(std::move(graph));
  return writer;
}
Producer numbers(float a, float b) {
  return [a, b](std::string* scratch) -> Result<Bytes> {
    const float values[2] = {a, b};
    scratch->assign(reinterpret_cast<const char*>(values), sizeof values);
    return as_bytes(*scratch);
  };
}

/// in → Add(w) → Mul(extra, optional) → out; an asset, a tap.
std::string leaf(float weight) {
  Graph graph;
  graph.inputs = {"in", "extra"};
  Node add = node("", "Add", {"in", "w"}, {"mid"});
  add.attributes = {{"asset", std::string("notes.txt")}};
  graph.nodes = {add, node("", "Mul", {"mid", "extra"}, {"out"})};
  graph.outputs = {"out"};
  graph.taps = {{"middle", "mid"}};
  Port extra = port(2, Direction::kInput, "extra", "extra");
  extra.optional = true;
  ModuleWriter writer = writer_of("leaf", {port(1, Direction::kInput, "x", "in"), extra, port(3, Direction::kOutput, "y", "out")}, graph);
  must(writer.add_tensor("w", DType::kF32, {2}, numbers(weight, weight + 1)));
  must(writer.add_asset("notes.txt", "text/plain", [weight](std::string* scratch) -> Result<Bytes> {
    *scratch = "notes " + std::to_string(static_cast<int>(weight));
    return as_bytes(*scratch);
  }));
  return must(writer.to_memory());
}

/// a → slot "one" → slot "two" → b, each a leaf; its own tensor and tap.
std::string middle(const std::string& one, const std::string& two) {
  Graph graph;
  graph.inputs = {"a"};
  graph.nodes = {module_node("one", {"x"}, {"a"}, {"y"}, {"h"}), node("", "Add", {"h", "w"}, {"h2"}), module_node("two", {"x"}, {"h2"}, {"y"}, {"b"})};
  graph.outputs = {"b"};
  graph.taps = {{"joint", "h2"}};
  ModuleWriter writer = writer_of("middle", {port(1, Direction::kInput, "from", "a"), port(2, Direction::kOutput, "to", "b")}, graph);
  must(writer.add_tensor("w", DType::kF32, {2}, numbers(50, 51)));
  must(writer.add_component("one", as_bytes(one)));
  must(writer.add_component("two", as_bytes(two)));
  return must(writer.to_memory());
}

std::string outer(const std::string& inner, Graph graph = {}) {
  if (graph.nodes.empty()) {
    graph.inputs = {"p"};
    graph.nodes = {module_node("inner", {"from"}, {"p"}, {"to"}, {"q"}), node("", "Tanh", {"q"}, {"r"})};
    graph.outputs = {"q", "r"};
  }
  ModuleWriter writer =
      writer_of("outer", {port(1, Direction::kInput, "start", "p"), port(2, Direction::kOutput, "end", "r"), port(3, Direction::kOutput, "before", "q")}, graph);
  must(writer.add_component("inner", as_bytes(inner)));
  return must(writer.to_memory());
}

/// The first number of a tensor.
float first_of(const FlatGraph& graph, std::string_view name) {
  const ConstTensor tensor = must(graph.tensor(name));
  CHECK(tensor.name == name);
  CHECK(tensor.dtype == DType::kF32);
  CHECK(tensor.shape == std::vector<int64_t>{2});
  float value = 0;
  REQUIRE(tensor.bytes.size() == 8);
  std::memcpy(&value, tensor.bytes.data(), sizeof value);
  return value;
}

Error error_of(const std::string& file) {
  const ModuleView view = must(ModuleView::open(as_bytes(file)));
  const Result<FlatGraph> graph = flatten(view);
  REQUIRE_FALSE(graph.ok());
  CHECK(graph.error().code == Code::kMalformed);
  return graph.error();
}

TEST_CASE("components nested two deep become one list of nodes, each reading what the one before makes") {
  const std::string file = outer(middle(leaf(10), leaf(20)));
  const ModuleView view = must(ModuleView::open(as_bytes(file)));
  const FlatGraph graph = must(flatten(view));
  std::vector<std::string> ops;
  std::set<std::string> known;
  for (const FlatPort& input : graph.inputs) known.insert(input.value);
  for (const Node& one : graph.nodes) {
    ops.push_back(one.op);
    for (const std::string& input : one.inputs) {
      CAPTURE(input);
      CHECK((known.contains(input) || graph.is_tensor(input)));
    }
    for (const std::string& output : one.outputs) CHECK(known.insert(output).second);
  }
  CHECK(ops == std::vector<std::string>{"Add", "Mul", "Add", "Add", "Mul", "Tanh"});
  CHECK(graph.nodes[0].inputs == std::vector<std::string>{"p", "inner/one/w"});
  CHECK(graph.nodes[2].inputs == std::vector<std::string>{"inner/one/out", "inner/w"});
  CHECK(graph.nodes[3].inputs == std::vector<std::string>{"inner/h2", "inner/two/w"});
  CHECK(graph.nodes[5].inputs == std::vector<std::string>{"inner/two/out"});
}

TEST_CASE("a component whose ports break the rules of a module is refused with its slot") {
  Graph graph;
  graph.inputs = {"a"};
  graph.nodes = {node("", "Tanh", {"a"}, {"b"})};
  graph.outputs = {"b"};
  std::vector<Port> ports = {port(1, Direction::kInput, "from", "a"), port(1, Direction::kOutput, "to", "b")};
  ports[1].number = 2;
  ports[1].name = "to be";
  const Error name = error_of(outer(must(writer_of("middle", ports, graph).to_memory())));
  CHECK(name.where == "inner");
  CHECK(name.what.find("'to be' cannot be the name of a port") != std::string::npos);
  ports[1].name = "to";
  ports[1].value = "nowhere";
  const Error nothing = error_of(outer(must(writer_of("middle", ports, graph).to_memory())));
  CHECK(nothing.what.find("'nowhere', which is not an output") != std::string::npos);
}

TEST_CASE("ports are the outer module's, and stand for the inner values") {
  const std::string file = outer(middle(leaf(10), leaf(20)));
  const ModuleView view = must(ModuleView::open(as_bytes(file)));
  const FlatGraph graph = must(flatten(view));
  REQUIRE(graph.outputs.size() == 2);
  CHECK(graph.outputs[0].port.name == "end");
  CHECK(graph.outputs[0].value == "r");
  CHECK(graph.outputs[1].port.name == "before");
  CHECK(graph.outputs[1].value == "inner/two/out");
}

TEST_CASE("tensors, assets and taps of a component carry its slots as prefix") {
  const std::string file = outer(middle(leaf(10), leaf(20)));
  const ModuleView view = must(ModuleView::open(as_bytes(file)));
  const FlatGraph graph = must(flatten(view));
  CHECK(first_of(graph, "inner/one/w") == 10);
  CHECK(first_of(graph, "inner/two/w") == 20);
  CHECK(first_of(graph, "inner/w") == 50);
  CHECK_FALSE(graph.is_tensor("w"));
  CHECK_FALSE(graph.tensor("w").ok());
  CHECK(as_text(must(graph.asset("inner/two/notes.txt"))) == "notes 20");
  CHECK(std::get<std::string>(graph.nodes[0].attributes[0].value) == "inner/one/notes.txt");
  const Result<Bytes> missing = graph.asset("notes.txt");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().what.find("'notes.txt'") != std::string::npos);
  std::set<std::string> taps;
  for (const Tap& tap : graph.taps) taps.insert(tap.name + "=" + tap.value);
  CHECK(taps == std::set<std::string>{"inner/joint=inner/h2", "inner/one/middle=inner/one/mid", "inner/two/middle=inner/two/mid"});
}

TEST_CASE("an optional input that nobody feeds becomes an input of the whole, one a component") {
  const std::string file = outer(middle(leaf(10), leaf(20)));
  const ModuleView view = must(ModuleView::open(as_bytes(file)));
  const FlatGraph graph = must(flatten(view));
  std::set<std::string> optional;
  for (const FlatPort& input : graph.inputs)
    if (input.port.optional) optional.insert(input.value);
  CHECK(optional == std::set<std::string>{"inner/one/extra", "inner/two/extra"});
  CHECK(graph.inputs.size() == 3);
}

TEST_CASE("an input port paired with no value counts as not fed") {
  Graph graph;
  graph.inputs = {"p"};
  graph.nodes = {module_node("inner", {"x", "extra"}, {"p", ""}, {"y"}, {"q"}), node("", "Tanh", {"q"}, {"r"})};
  graph.outputs = {"q", "r"};
  const std::string file = outer(leaf(1), graph);
  const ModuleView view = must(ModuleView::open(as_bytes(file)));
  const FlatGraph flat = must(flatten(view));
  CHECK(flat.nodes[1].inputs == std::vector<std::string>{"inner/mid", "inner/extra"});
  graph.nodes[0] = module_node("inner", {"x"}, {""}, {"y"}, {"q"});
  const Error error = error_of(outer(leaf(1), graph));
  CHECK(error.where == "inner");
  CHECK(error.what.find("'x'") != std::string::npos);
}

TEST_CASE("a component's output may be its own input, handed through") {
  Graph through;
  through.inputs = {"in"};
  through.outputs = {"in"};
  ModuleWriter writer = writer_of("through", {port(1, Direction::kInput, "from", "in"), port(2, Direction::kOutput, "to", "in")}, through);
  const std::string file = outer(must(writer.to_memory()));
  const ModuleView view = must(ModuleView::open(as_bytes(file)));
  const FlatGraph graph = must(flatten(view));
  CHECK(graph.nodes.size() == 1);
  CHECK(graph.nodes[0].inputs == std::vector<std::string>{"p"});
  CHECK(graph.outputs[1].value == "p");
}

TEST_CASE("a flat graph outlives the view's variables but not its bytes") {
  const std::string file = outer(middle(leaf(10), leaf(20)));
  const ModuleView view = must(ModuleView::open(as_bytes(file)));
  FlatGraph copy;
  {
    const FlatGraph graph = must(flatten(view));
    copy = graph;
  }
  CHECK(first_of(copy, "inner/one/w") == 10);
}

TEST_CASE("ports that a component does not have are refused, naming slot and port") {
  Graph graph;
  graph.inputs = {"p"};
  graph.outputs = {"q", "r"};
  const auto with = [&](Node first) {
    graph.nodes = {std::move(first), node("", "Tanh", {"q"}, {"r"})};
    return error_of(outer(leaf(1), graph));
  };
  Error error = with(module_node("inner", {"z"}, {"p"}, {"y"}, {"q"}));
  CHECK(error.where == "inner");
  CHECK(error.what.find("input port 'z'") != std::string::npos);
  error = with(module_node("inner", {"y"}, {"p"}, {"y"}, {"q"}));  // an output's name
  CHECK(error.what.find("input port 'y'") != std::string::npos);
  error = with(module_node("inner", {"x"}, {"p"}, {"z"}, {"q"}));
  CHECK(error.what.find("output port 'z'") != std::string::npos);
  error = with(module_node("inner", {}, {}, {"y"}, {"q"}));
  CHECK(error.what.find("input port 'x'") != std::string::npos);
  error = with(module_node("inner", {"x", "extra"}, {"p"}, {"y"}, {"q"}));
  CHECK(error.what.find("1 inputs with 2 ports") != std::string::npos);
  Node bad = module_node("inner", {"x"}, {"p"}, {"y"}, {"q"});
  bad.attributes[0].value = std::string("x");
  error = with(bad);
  CHECK(error.what.find("'inputs'") != std::string::npos);
}

TEST_CASE("a slot that the module does not have is refused") {
  Graph graph;
  graph.inputs = {"p"};
  graph.outputs = {"q", "r"};
  graph.nodes = {module_node("other", {"x"}, {"p"}, {"y"}, {"q"}), node("", "Tanh", {"q"}, {"r"})};
  const std::string file = outer(leaf(1), graph);
  const ModuleView view = must(ModuleView::open(as_bytes(file)));
  const Result<FlatGraph> flat = flatten(view);
  REQUIRE_FALSE(flat.ok());
  CHECK(flat.error().what.find("other") != std::string::npos);
}

TEST_CASE("a slot that runs twice is refused: its values would have one name") {
  Graph graph;
  graph.inputs = {"p"};
  graph.outputs = {"q", "r"};
  graph.nodes = {module_node("inner", {"x"}, {"p"}, {"y"}, {"q"}), module_node("inner", {"x"}, {"q"}, {"y"}, {"r"})};
  const Error error = error_of(outer(leaf(1), graph));
  CHECK(error.where == "inner");
  CHECK(error.what.find("second time") != std::string::npos);
}

TEST_CASE("a value of the outer graph cannot take the name of a component's") {
  Graph graph;
  graph.inputs = {"p"};
  graph.outputs = {"q", "r"};
  graph.nodes = {node("", "Tanh", {"p"}, {"inner/mid"}), module_node("inner", {"x"}, {"inner/mid"}, {"y"}, {"q"}), node("", "Tanh", {"q"}, {"r"})};
  const Error error = error_of(outer(leaf(1), graph));
  CHECK(error.what.find("'inner/mid' is made twice") != std::string::npos);
}

TEST_CASE("a component whose own graph is broken is refused") {
  Graph graph;
  graph.inputs = {"in"};
  graph.nodes = {node("", "Tanh", {"nothing"}, {"out"})};
  graph.outputs = {"out"};
  ModuleWriter writer = writer_of("broken", {port(1, Direction::kInput, "from", "in"), port(2, Direction::kOutput, "to", "out")}, graph);
  CHECK(error_of(outer(must(writer.to_memory()))).what.find("reads 'nothing'") != std::string::npos);
}

TEST_CASE("an output port must stand for a graph output") {
  Graph graph;
  graph.inputs = {"in"};
  graph.nodes = {node("", "Tanh", {"in"}, {"out"})};
  graph.outputs = {"out"};
  ModuleWriter writer = writer_of("wrong", {port(1, Direction::kInput, "from", "in"), port(2, Direction::kOutput, "to", "elsewhere")}, graph);
  const Error error = error_of(must(writer.to_memory()));
  CHECK(error.where == "port 'to'");
  CHECK(error.what.find("'elsewhere'") != std::string::npos);
}

}  // namespace
}  // namespace modnet
