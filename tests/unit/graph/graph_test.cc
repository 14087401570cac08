// Graphs as data: attributes, structure, building, pruning.
#include "libmod/graph/graph.h"

#include <doctest/doctest.h>

#include <array>

namespace modnet {
namespace {

using Names = std::set<std::string, std::less<>>;

Node node(std::string op, std::vector<std::string> inputs, std::vector<std::string> outputs) {
  return {"", std::move(op), 1, "the node", std::move(inputs), std::move(outputs), {}};
}

/// x → h (Gemm with w) → y; a side branch x → s.
Graph sample() {
  Graph graph;
  graph.inputs = {"x"};
  graph.nodes = {node("Gemm", {"x", "w"}, {"h"}), node("Tanh", {"x"}, {"s"}), node("Add", {"h", "", "b"}, {"y"})};
  graph.outputs = {"y"};
  graph.taps = {{"hidden", "h"}, {"side", "s"}};
  return graph;
}
const Names kTensors = {"b", "unused", "w"};

std::string what_of(const Graph& graph) {
  const Status status = check_graph(graph, kTensors);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == Code::kMalformed);
  return status.error().what;
}
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("attributes come with their type, or a fallback when absent") {
  Node one = node("Op", {}, {"y"});
  one.attributes = {{"i", int64_t{-3}}, {"r", 0.5}, {"t", std::string("mean")}};
  CHECK(*attribute_int(one, "i", 7) == -3);
  CHECK(*attribute_int(one, "none", 7) == 7);
  CHECK(*attribute_real(one, "r", 1.0) == 0.5);
  CHECK(*attribute_real(one, "none", 1.0) == 1.0);
  CHECK(*attribute_text(one, "t", "cls") == "mean");
  CHECK(*attribute_text(one, "none", "cls") == "cls");
}

TEST_CASE("an attribute of another type is an error that names it, never the fallback") {
  Node one = node("Op", {}, {"y"});
  one.domain = "modnet";
  one.attributes = {{"i", int64_t{-3}}, {"r", 0.5}, {"t", std::string("mean")}};
  for (const Error& error : {attribute_int(one, "r", 0).error(), attribute_real(one, "t", 0).error(), attribute_text(one, "i", "").error()}) {
    CHECK(error.code == Code::kMalformed);
    CHECK(error.where == "the node");
    CHECK(has(error.what, "modnet.Op"));
  }
  CHECK(has(attribute_real(one, "i", 0).error().what, "'i'"));  // an integer is not a real number either
}

TEST_CASE("an attribute that an operation does not know is refused by name") {
  Node one = node("Gemm", {}, {"y"});
  constexpr std::array<std::string_view, 2> kKnown = {"transA", "transB"};
  CHECK(only_attributes(one, kKnown).ok());
  one.attributes = {{"transB", int64_t{1}}};
  CHECK(only_attributes(one, kKnown).ok());
  one.attributes.push_back({"zeta", int64_t{1}});
  const Status status = only_attributes(one, kKnown);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == Code::kUnavailable);
  CHECK(status.error().id == "OP_UNSUPPORTED");
  CHECK(has(status.error().what, "'zeta'"));
}

TEST_CASE("a whole graph passes the structure check") {
  CHECK(check_graph(sample(), kTensors).ok());
  CHECK(check_graph(Graph{}, {}).ok());
}

TEST_CASE("a value must be made before it is read") {
  Graph graph = sample();
  std::swap(graph.nodes[0], graph.nodes[2]);
  CHECK(has(what_of(graph), "reads 'h'"));
  graph = sample();
  graph.nodes[0].inputs[0] = "h";  // its own output
  CHECK(has(what_of(graph), "reads 'h'"));
  graph = sample();
  graph.nodes[0].inputs[1] = "w2";
  CHECK(has(what_of(graph), "reads 'w2'"));
}

TEST_CASE("no name is made twice") {
  Graph graph = sample();
  graph.nodes[1].outputs = {"h"};
  CHECK(has(what_of(graph), "'h' is made twice"));
  graph = sample();
  graph.nodes[1].outputs = {"x"};
  CHECK(has(what_of(graph), "'x' is made twice"));
  graph = sample();
  graph.nodes[1].outputs = {"w"};
  CHECK(has(what_of(graph), "'w' is made twice"));
  graph = sample();
  graph.inputs = {"x", "x"};
  CHECK(has(what_of(graph), "input 'x' is declared twice"));
  graph.inputs = {"x", "b"};
  CHECK(has(what_of(graph), "input 'b' is declared twice"));
}

TEST_CASE("a node has outputs with names; graph outputs and taps exist") {
  Graph graph = sample();
  graph.nodes[1].outputs = {};
  CHECK(has(what_of(graph), "Tanh has no output"));
  graph = sample();
  graph.nodes[1].outputs = {""};
  CHECK_FALSE(check_graph(graph, kTensors).ok());
  graph = sample();
  graph.outputs = {"z"};
  CHECK(has(what_of(graph), "output 'z'"));
  graph.outputs = {"w"};
  CHECK(has(what_of(graph), "output 'w'"));
  graph = sample();
  graph.taps[0].value = "nowhere";
  CHECK(has(what_of(graph), "tap 'hidden'"));
}

TEST_CASE("a builder gives each node a value name of its own and sorts attributes and taps") {
  GraphBuilder builder;
  const std::string x = builder.input("x");
  const std::string first = builder.node("", "Tanh", 1, {x}, {{"b", int64_t{1}}, {"a", int64_t{2}}}, "h");
  const std::string second = builder.node("", "Tanh", 1, {first}, {}, "h");
  const std::string third = builder.node("modnet", "Silu", 2, {second}, {}, "h");
  const std::string fourth = builder.node("", "Relu", 1, {third}, {}, "x");
  CHECK(x == "x");
  CHECK(first == "h");
  CHECK(second == "h.2");
  CHECK(third == "h.3");
  CHECK(fourth == "x.2");
  builder.tap("late", third);
  builder.tap("early", first);
  builder.output(fourth);
  CHECK(builder.peek().nodes.size() == 4);
  const Graph graph = builder.take();
  CHECK(check_graph(graph, {}).ok());
  CHECK(graph.nodes[0].attributes[0].name == "a");
  CHECK(graph.nodes[2].domain == "modnet");
  CHECK(graph.nodes[2].version == 2);
  CHECK(graph.taps == std::vector<Tap>{{"early", "h"}, {"late", "h.3"}});
  CHECK(graph.outputs == std::vector<std::string>{"x.2"});
}

TEST_CASE("pruning keeps what the outputs need and drops nodes, taps and tensors that nobody needs") {
  Graph graph = sample();
  CHECK(prune(graph, kTensors) == Names{"b", "w"});
  CHECK(graph.nodes.size() == 2);
  CHECK(graph.nodes[0].op == "Gemm");
  CHECK(graph.nodes[1].op == "Add");
  CHECK(graph.taps == std::vector<Tap>{{"hidden", "h"}});
  CHECK(graph.inputs == std::vector<std::string>{"x"});
  CHECK(check_graph(graph, kTensors).ok());
  Graph other = sample();
  other.outputs = {"s"};
  CHECK(prune(other, kTensors).empty());
  CHECK(other.nodes.size() == 1);
  CHECK(other.taps == std::vector<Tap>{{"side", "s"}});
}

TEST_CASE("an input that is dropped takes its taps along") {
  Graph graph = sample();
  graph.inputs = {"x", "z"};
  graph.nodes.push_back(node("Tanh", {"z"}, {"t"}));
  graph.taps.push_back({"zed", "z"});
  static_cast<void>(prune(graph, kTensors));
  CHECK(graph.inputs == std::vector<std::string>{"x"});
  CHECK(graph.taps == std::vector<Tap>{{"hidden", "h"}});
  CHECK(check_graph(graph, kTensors).ok());
}

TEST_CASE("a node of which one output is needed stays whole") {
  Graph graph;
  graph.inputs = {"x"};
  graph.nodes = {node("Split", {"x"}, {"a", "b"}), node("Tanh", {"b"}, {"y"})};
  graph.outputs = {"y"};
  static_cast<void>(prune(graph, {}));
  CHECK(graph.nodes.size() == 2);
  CHECK(graph.nodes[0].outputs == std::vector<std::string>{"a", "b"});
}

TEST_CASE("the operations of a graph are sorted and listed once") {
  Graph graph = sample();
  graph.nodes.push_back(graph.nodes[0]);
  Node ours = node("Pool", {"x"}, {"p"});
  ours.domain = "modnet";
  ours.version = 2;
  graph.nodes.insert(graph.nodes.begin(), ours);
  CHECK(ops_of(graph) == std::vector<OpRequirement>{{"", "Add", 1}, {"", "Gemm", 1}, {"", "Tanh", 1}, {"modnet", "Pool", 2}});
  CHECK(op_text(ours) == "modnet.Pool");
  CHECK(op_text(graph.nodes[1]) == "Gemm");
}

}  // namespace
}  // namespace modnet
