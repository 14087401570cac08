// Checks inside composites: seams as they are wired, slots as versions of each other, at any depth.
#include "libmod/graph/inside.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "formats/module/write.h"
#include "libmod/graph/flat.h"
#include "libmod/graph/graph.h"
#include "tests/support/must.h"

namespace modnet {
namespace {

using test::must;

Port port(uint32_t number, Direction direction, std::string name, uint64_t width) {
  Port out;
  out.number = number;
  out.direction = direction;
  out.name = std::move(name);
  out.value = direction == Direction::kInput ? "in" : "out";
  out.dtype = DType::kF32;
  out.dims = {{"B", 0, 1, 0, 1}, {"", width, 1, 0, 1}};
  out.semantic = Semantic::kFeatures;
  return out;
}
ModuleWriter writer_of(const std::string& name, Kind kind, std::string version, Port in, Port out, Graph graph) {
  ModuleWriter writer;
  writer.set_identity({name, kind, std::move(version), "", {}});
  Contract contract;
  contract.ports = {std::move(in), std::move(out)};
  contract.requirements.ops = ops_of(graph);
  writer.set_contract(std::move(contract));
  writer.set_graph(std::move(graph));
  return writer;
}

/// in[B,from] → out[B,to].
std::string leaf(const std::string& name, uint64_t from, uint64_t to, const std::string& op = "Relu") {
  Graph graph;
  graph.inputs = {"in"};
  graph.nodes = {{"", op, 1, "n", {"in"}, {"out"}, {}}};
  graph.outputs = {"out"};
  ModuleWriter writer = writer_of(name, Kind::kAdapter, "1.0.0", port(1, Direction::kInput, "x", from), port(2, Direction::kOutput, "y", to), graph);
  return must(writer.to_memory());
}

/// in → slot "one" → slot "two" → out, outside [B,3] → [B,2] whatever is inside.
std::string chain(const std::string& one, const std::string& two, const std::string& version = "1.0.0") {
  Graph graph;
  graph.inputs = {"in"};
  graph.nodes = {module_node("one", {"x"}, {"in"}, {"y"}, {"h"}), module_node("two", {"x"}, {"h"}, {"y"}, {"out"})};
  graph.outputs = {"out"};
  ModuleWriter writer = writer_of("chain", Kind::kComposite, version, port(1, Direction::kInput, "x", 3), port(2, Direction::kOutput, "y", 2), graph);
  must(writer.add_component("one", as_bytes(one)));
  must(writer.add_component("two", as_bytes(two)));
  return must(writer.to_memory());
}

/// A composite and what checks read of it.
struct Opened {
  explicit Opened(std::string bytes) : bytes_(std::move(bytes)), view(must(ModuleView::open(as_bytes(bytes_)))), module(must(CheckedModule::open(view))) {}
  std::string bytes_;
  ModuleView view;
  CheckedModule module;
};

std::set<std::string> found(const CheckReport& report) {
  std::set<std::string> out;
  for (const Finding& finding : report.findings) out.insert(std::string(finding.rule->id) + " " + finding.path);
  return out;
}

TEST_CASE("a composite whose components fit is compatible with itself, without a finding") {
  const Opened one(chain(leaf("a", 3, 4), leaf("b", 4, 2)));
  const CheckReport report = check_evolution(one.module, one.module);
  CHECK(report.verdict == Verdict::kCompatible);
  CHECK(report.findings.empty());
  CHECK(report.comparisons == 2);
  CHECK(report.required == Bump::kNone);
}

TEST_CASE("a seam that does not fit inside is found, under the slot that takes") {
  const Opened one(chain(leaf("a", 3, 4), leaf("b", 5, 2)));
  const CheckReport report = check_evolution(one.module, one.module);
  CHECK(report.verdict == Verdict::kIncompatible);
  CHECK(found(report) == std::set<std::string>{"DIM_CHANGED two/x.dims[1]"});
}

TEST_CASE("a seam at any depth is found") {
  const Opened one(chain(chain(leaf("a", 3, 4), leaf("b", 5, 2)), leaf("c", 2, 2)));
  CHECK(found(check_evolution(one.module, one.module)) == std::set<std::string>{"DIM_CHANGED one/two/x.dims[1]"});
}

TEST_CASE("a slot that holds a narrower module is an evolution of that slot, though the outside is the same") {
  const Opened before(chain(leaf("a", 3, 4), leaf("b", 4, 2))), now(chain(leaf("a", 3, 5), leaf("b", 5, 2), "1.1.0"));
  const CheckReport report = check_evolution(before.module, now.module);
  CHECK(report.verdict == Verdict::kIncompatible);
  CHECK(report.required == Bump::kMajor);
  const std::set<std::string> all = found(report);
  CHECK(all.contains("DIM_CHANGED one/outputs.y.dims[1]"));
  CHECK(all.contains("DIM_CHANGED two/inputs.x.dims[1]"));
  CHECK(all.contains("BUMP_INSUFFICIENT identity.version"));
}

TEST_CASE("other weights of the same contract inside need a patch, and their own version") {
  const Opened before(chain(leaf("a", 3, 4), leaf("b", 4, 2))), now(chain(leaf("a", 3, 4, "Tanh"), leaf("b", 4, 2), "1.0.1"));
  const CheckReport report = check_evolution(before.module, now.module);
  CHECK(found(report) == std::set<std::string>{"SAME_VERSION_DIFFERENT_DIGEST one/identity.version"});
}

TEST_CASE("operations that this build lacks are found inside") {
  const Opened one(chain(leaf("a", 3, 4), leaf("b", 4, 2)));
  const std::vector<OpRequirement> all = {{"", "Relu", 1}, {"modnet", "Module", 1}}, fewer = {{"", "Tanh", 1}, {"modnet", "Module", 1}};
  CheckContext context;
  context.operations = all;
  CHECK(check_evolution(one.module, one.module, context).findings.empty());
  context.operations = fewer;
  CHECK(found(check_evolution(one.module, one.module, context)) ==
        std::set<std::string>{"OP_UNSUPPORTED one/requirements.ops.Relu", "OP_UNSUPPORTED two/requirements.ops.Relu"});
}

TEST_CASE("an edge looks inside both sides") {
  const Opened broken(chain(leaf("a", 3, 4), leaf("b", 5, 2))), next(leaf("c", 2, 2));
  const CheckReport report = check_edge(broken.module, next.module);
  CHECK(report.verdict == Verdict::kIncompatible);
  CHECK(report.required == Bump::kNone);
  CHECK(found(report) == std::set<std::string>{"DIM_CHANGED two/x.dims[1]"});
}

}  // namespace
}  // namespace modnet
