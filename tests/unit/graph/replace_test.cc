// Another module in a slot: which records the composite's ports take over, and which seams are looked at again.
#include "libmod/graph/replace.h"

#include <doctest/doctest.h>

#include "libmod/graph/flat.h"
#include "libmod/graph/graph.h"

namespace modnet {
namespace {

Port port(uint32_t number, Direction direction, std::string name, Semantic semantic, uint64_t width) {
  Port out;
  out.number = number;
  out.direction = direction;
  out.name = name;
  out.value = "inner-" + name;
  out.dtype = DType::kF32;
  out.dims = {{"B", 0, 1, 0, 1}, {"", width, 1, 0, 1}};
  out.semantic = semantic;
  return out;
}
Port shown_as(Port port, uint32_t number, std::string name, std::string value) {
  port.number = number;
  port.name = std::move(name);
  port.value = std::move(value);
  return port;
}

/// text → encoder → tokens → backbone → embedding → head → answer; the embedding is shown, too, and a squared one feeds "square".
struct Line {
  Contract encoder, backbone, head, square;
  ModuleIndex composite;
  Line() {
    encoder.ports = {port(1, Direction::kInput, "text", Semantic::kText, 1), port(2, Direction::kOutput, "tokens", Semantic::kTokens, 5)};
    backbone.ports = {port(1, Direction::kInput, "ids", Semantic::kTokens, 5), port(2, Direction::kOutput, "embedding", Semantic::kEmbedding, 3)};
    backbone.ports[1].space.emplace().id = "s";
    backbone.ports[1].space->fingerprint = Digest{1};
    backbone.requirements.licence = "MIT";
    head.ports = {port(1, Direction::kInput, "embedding", Semantic::kEmbedding, 3), port(2, Direction::kOutput, "answer", Semantic::kLogits, 2)};
    head.ports[1].labels = LabelsRecord{{"no", "yes"}, true, {}};
    square.ports = {port(1, Direction::kInput, "x", Semantic::kFeatures, 3), port(2, Direction::kOutput, "y", Semantic::kValue, 1)};
    Graph& graph = composite.graph;
    graph.inputs = {"text"};
    graph.nodes = {module_node("encoder", {"text"}, {"text"}, {"tokens"}, {"encoder/tokens"}),
                   module_node("backbone", {"ids"}, {"encoder/tokens"}, {"embedding"}, {"backbone/embedding"}),
                   Node{"", "Mul", 1, "", {"backbone/embedding", "backbone/embedding"}, {"squared"}, {}},
                   module_node("square", {"x"}, {"squared"}, {"y"}, {"square/y"}),
                   module_node("head", {"embedding"}, {"backbone/embedding"}, {"answer"}, {"head/answer"})};
    graph.outputs = {"head/answer", "backbone/embedding"};
    composite.contract.ports = {shown_as(encoder.ports[0], 1, "text", "text"), shown_as(head.ports[1], 2, "class", "head/answer"),
                                shown_as(backbone.ports[1], 3, "embedding", "backbone/embedding")};
  }
  std::map<std::string, const Contract*> slots() const { return {{"backbone", &backbone}, {"encoder", &encoder}, {"head", &head}, {"square", &square}}; }
};

TEST_CASE("the composite's port takes over the new module's records and keeps its own name, number and value") {
  const Line line;
  Contract head = line.head;
  head.ports[1].labels->names.push_back("maybe");
  head.ports[1].dims[1].size = 3;
  head.ports[1].value = "elsewhere";
  const auto made = replace_slots(line.composite, line.slots(), {{"head", &head}});
  REQUIRE(made.ok());
  CHECK(made->contract.ports[1] == shown_as(head.ports[1], 2, "class", "head/answer"));
  CHECK(made->contract.ports[0] == line.composite.contract.ports[0]);
  CHECK(made->contract.ports[2] == line.composite.contract.ports[2]);
}

TEST_CASE("an input of the composite follows the module that takes it, and a meaning that the composite gave stays") {
  Line line;
  line.composite.contract.ports[1].semantic = Semantic::kProbabilities;
  Contract encoder = line.encoder, head = line.head;
  encoder.ports[0].values = ValuesRecord{};
  head.ports[1].labels.reset();
  const auto made = replace_slots(line.composite, line.slots(), {{"encoder", &encoder}, {"head", &head}});
  REQUIRE(made.ok());
  CHECK(made->contract.ports[0].values.has_value());
  CHECK(made->contract.ports[1].semantic == Semantic::kProbabilities);
  CHECK_FALSE(made->contract.ports[1].labels.has_value());
}

TEST_CASE("every seam around a replaced slot is given back, and no other") {
  const Line line;
  const auto seams = [&](const std::string& slot, const Contract& contract) {
    std::string out;
    const auto made = replace_slots(line.composite, line.slots(), {{slot, &contract}});
    REQUIRE(made.ok());
    for (const Seam& seam : made->seams) out += seam.from + ">" + seam.to + " ";
    return out;
  };
  CHECK(seams("encoder", line.encoder) == ">encoder encoder>backbone ");
  CHECK(seams("backbone", line.backbone) == "encoder>backbone backbone>head ");
  CHECK(seams("head", line.head) == "backbone>head ");
  CHECK(seams("square", line.square) == "");  // only an operation feeds it: the evolution of the module alone decides
}

TEST_CASE("a seam pairs the ports as the graph does, whatever they are called, with the new records") {
  const Line line;
  Contract backbone = line.backbone;
  backbone.ports[1].space->fingerprint = Digest{2};
  const auto made = replace_slots(line.composite, line.slots(), {{"backbone", &backbone}});
  REQUIRE(made.ok());
  REQUIRE(made->seams.size() == 2);
  const Seam &before = made->seams[0], &behind = made->seams[1];
  REQUIRE(before.gives.ports.size() == 1);
  CHECK(before.gives.ports[0].name == "ids");
  CHECK(before.gives.ports[0].direction == Direction::kOutput);
  CHECK(before.takes.ports[0] == backbone.ports[0]);
  CHECK(behind.gives.ports[0].space->fingerprint == Digest{2});
  CHECK(behind.gives.requirements.licence == "MIT");
  CHECK(behind.takes.ports[0] == line.head.ports[0]);
  CHECK(made->contract.ports[2].space->fingerprint == Digest{2});
}

TEST_CASE("a graph that cannot be read is malformed, not passed over") {
  Line line;
  CHECK(replace_slots(line.composite, {{"backbone", &line.backbone}}, {}).error().code == Code::kMalformed);
  line.composite.graph.nodes[4].attributes.pop_back();
  line.composite.graph.nodes[4].attributes.pop_back();
  CHECK(replace_slots(line.composite, line.slots(), {{"head", &line.head}}).error().code == Code::kMalformed);
}

}  // namespace
}  // namespace modnet
