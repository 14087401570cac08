// Graphs compared as a reader would: by what nodes do, not by what they and their values are called.
#include "libmod/module/graph_diff.h"

#include <doctest/doctest.h>

#include <limits>

#include "tests/support/module_samples.h"

namespace modnet {
namespace {

Node node(const std::string& op, std::vector<std::string> inputs, const std::string& output) {
  Node out;
  out.op = op;
  out.inputs = std::move(inputs);
  out.outputs = {output};
  return out;
}

/// x → MatMul w1 → Relu → MatMul w2 → y
Graph sample() {
  Graph out;
  out.inputs = {"x"};
  out.outputs = {"y"};
  out.nodes = {node("MatMul", {"x", "w1"}, "a"), node("Relu", {"a"}, "b"), node("MatMul", {"b", "w2"}, "y")};
  out.taps = {{"hidden", "b"}};
  return out;
}

TEST_CASE("a graph does not differ from itself, and names of nodes are not significant") {
  Graph named = sample();
  named.nodes[1].name = "activation";
  const GraphDiff diff = diff_graphs(sample(), named, {});
  CHECK(diff.same);
  CHECK(diff.nodes.empty());
  CHECK(diff.renamed_nodes == 1);
}

TEST_CASE("a node that was put in is one added node and one changed input") {
  Graph after = sample();
  after.nodes.insert(after.nodes.begin() + 2, node("Tanh", {"b"}, "c"));
  after.nodes[3].inputs[0] = "c";
  const GraphDiff diff = diff_graphs(sample(), after, {});
  CHECK_FALSE(diff.same);
  REQUIRE(diff.nodes.size() == 2);
  CHECK(diff.nodes[0].change == Change::kAdded);
  CHECK(diff.nodes[0].op == "Tanh");
  CHECK(diff.nodes[0].after == 2);
  CHECK(diff.nodes[1].change == Change::kChanged);
  CHECK(diff.nodes[1].fields == std::vector<FieldChange>{{"inputs[0]", "\"b\"", "\"c\""}});
  const GraphDiff back = diff_graphs(after, sample(), {});
  REQUIRE(back.nodes.size() == 2);
  CHECK(back.nodes[0].change == Change::kRemoved);
  CHECK(back.nodes[0].before == 2);
}

TEST_CASE("attributes, versions and weights of a node are fields of it") {
  Graph before = sample(), after = sample();
  before.nodes[1].attributes = {{"alpha", 0.5}, {"gone", int64_t{1}}};
  after.nodes[1].attributes = {{"alpha", 0.25}};
  after.nodes[1].version = 2;
  after.nodes[2].inputs[1] = "w3";
  const GraphDiff diff = diff_graphs(before, after, {});
  REQUIRE(diff.nodes.size() == 2);
  CHECK(diff.nodes[0].fields == std::vector<FieldChange>{
                                    {"version", "1", "2"}, {"attributes.alpha", "0.5", "0.25"}, {"attributes.gone", "1", std::nullopt}});
  CHECK(diff.nodes[1].fields == std::vector<FieldChange>{{"inputs[1]", "\"w2\"", "\"w3\""}});
  CHECK(diff_graphs(before, after, {{"w2", "w3"}}).nodes.size() == 1);  // a tensor that was renamed is no change of a node
}

TEST_CASE("values that only have other names are counted, and show no other change") {
  Graph after = sample();
  after.nodes[0].outputs[0] = after.nodes[1].inputs[0] = "h";
  const GraphDiff diff = diff_graphs(sample(), after, {});
  CHECK_FALSE(diff.same);
  CHECK(diff.nodes.empty());
  CHECK(diff.fields.empty());
  CHECK(diff.renamed_values == 1);
}

TEST_CASE("taps and outputs of a graph are fields") {
  Graph after = sample();
  after.taps = {{"hidden", "a"}, {"late", "y"}};
  after.outputs = {"y", "b"};
  const GraphDiff diff = diff_graphs(sample(), after, {});
  CHECK(diff.nodes.empty());
  CHECK(diff.fields == std::vector<FieldChange>{{"outputs[1]", std::nullopt, "\"b\""}, {"taps.hidden", "\"b\"", "\"a\""}, {"taps.late", std::nullopt, "\"y\""}});
}

TEST_CASE("a difference that no field shows is still a difference") {
  Graph before = sample(), after = sample();
  before.nodes[0].attributes = {{"alpha", std::numeric_limits<double>::quiet_NaN()}};
  after.nodes[0].attributes = {{"alpha", -std::numeric_limits<double>::signaling_NaN()}};
  CHECK(diff_graphs(before, before, {}).same);
  const GraphDiff diff = diff_graphs(before, after, {});
  CHECK_FALSE(diff.same);
  CHECK(diff.nodes.size() + diff.fields.size() == 1);
}

TEST_CASE("every attribute has a text") {
  for (const Node& each : test::full_graph().nodes)
    for (const Attribute& attribute : each.attributes) CHECK_FALSE(attribute_text(attribute.value).empty());
  CHECK(attribute_text(std::vector<std::string>{"a\"b", ""}) == R"(["a\"b",""])");
  CHECK(attribute_text(-0.0) == "-0");
}

}  // namespace
}  // namespace modnet
