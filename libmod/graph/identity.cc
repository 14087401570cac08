#include "libmod/graph/identity.h"

#include <algorithm>

#include "formats/module/digests.h"

namespace modnet {
namespace {

using Names = std::set<std::string, std::less<>>;

/// The leaf that a value without a node is.
class Identifier {
 public:
  Identifier(const FlatGraph& graph, const FlatRecords& records, const std::map<std::string, ValueIdentity>& fed, ValueIdentity& whole)
      : graph_(graph), records_(records), fed_(fed), whole_(whole) {}

  Result<Digest> leaf(const std::string& name) {
    if (name.empty()) return DomainHash("modnet.value.v1").text("absent").finish();
    if (graph_.is_tensor(name)) {
      const TensorRecord* record = records_.tensor ? records_.tensor(name) : nullptr;
      if (record == nullptr) return malformed("nothing is recorded of the tensor '" + name + "'");
      whole_.tensors.insert(name);
      DomainHash hash("modnet.value.v1");
      hash.text("tensor").number(static_cast<uint64_t>(record->dtype)).number(record->shape.size());
      for (const uint64_t size : record->shape) hash.number(size);
      return hash.digest(record->digest).finish();
    }
    const auto input = std::find_if(graph_.inputs.begin(), graph_.inputs.end(), [&](const FlatPort& one) { return one.value == name; });
    if (input == graph_.inputs.end()) return malformed("there is no value '" + name + "'");
    const Port& port = input->port;
    if (const auto it = fed_.find(port.name); it != fed_.end()) {
      whole_.inputs.insert(it->second.inputs.begin(), it->second.inputs.end());
      return it->second.digest;
    }
    whole_.inputs.insert(port.name);
    DomainHash hash("modnet.value.v1");
    hash.text("input").text(port.name).number(static_cast<uint64_t>(port.dtype)).number(static_cast<uint64_t>(port.layout));
    hash.number(static_cast<uint64_t>(port.semantic)).number(port.dims.size());
    for (const Dim& dim : port.dims) hash.number(dim.size);
    return hash.finish();
  }

  /// An attribute that names an asset stands for the asset.
  Status attribute(DomainHash& hash, const Attribute& one) {
    const auto* asset = one.name == "asset" ? std::get_if<std::string>(&one.value) : nullptr;
    if (asset == nullptr) {
      hash_attribute(&hash, one);
      return ok();
    }
    const AssetRecord* record = records_.asset ? records_.asset(*asset) : nullptr;
    if (record == nullptr) return malformed("nothing is recorded of the asset '" + *asset + "'");
    whole_.assets.insert(*asset);
    hash.text("asset").digest(record->digest);
    return ok();
  }

 private:
  const FlatGraph& graph_;
  const FlatRecords& records_;
  const std::map<std::string, ValueIdentity>& fed_;
  ValueIdentity& whole_;
};

}  // namespace

std::vector<Node> nodes_behind(const FlatGraph& graph, std::span<const std::string> wanted, std::string_view stop) {
  Names needed(wanted.begin(), wanted.end());
  std::vector<Node> nodes;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (std::none_of(node->outputs.begin(), node->outputs.end(), [&](const std::string& one) { return !one.empty() && one != stop && needed.contains(one); })) continue;
    needed.insert(node->inputs.begin(), node->inputs.end());
    nodes.push_back(*node);
  }
  std::reverse(nodes.begin(), nodes.end());
  return nodes;
}

Result<ValueIdentity> identify(const FlatGraph& graph, const FlatRecords& records, std::string_view value, const std::map<std::string, ValueIdentity>& fed) {
  ValueIdentity whole;
  Identifier identifier(graph, records, fed, whole);
  std::map<std::string, Digest> known;
  const std::string wanted[] = {std::string(value)};
  for (const Node& node : nodes_behind(graph, wanted)) {
    DomainHash hash("modnet.value.v1");
    hash.text("node").text(node.domain).text(node.op).number(node.version).number(node.attributes.size());
    for (const Attribute& one : node.attributes) MODNET_TRY(identifier.attribute(hash, one));
    hash.number(node.inputs.size());
    for (const std::string& input : node.inputs) {
      auto it = known.find(input);
      if (it == known.end()) {
        MODNET_ASSIGN(const Digest leaf, identifier.leaf(input));
        it = known.emplace(input, leaf).first;
      }
      hash.digest(it->second);
    }
    const Digest made = hash.finish();
    for (size_t i = 0; i < node.outputs.size(); ++i)
      if (!node.outputs[i].empty()) known[node.outputs[i]] = DomainHash("modnet.value.v1").text("output").digest(made).number(i).finish();
  }
  if (const auto it = known.find(wanted[0]); it != known.end()) whole.digest = it->second;
  else {
    MODNET_ASSIGN(whole.digest, identifier.leaf(wanted[0]));
  }
  return whole;
}

std::optional<FlatPort> waist(const FlatGraph& graph, const FlatRecords& records, std::span<const std::string> wanted) {
  std::vector<FlatPort> seams = records.seams;
  seams.insert(seams.end(), graph.outputs.begin(), graph.outputs.end());
  for (const FlatPort& seam : seams) {
    if (!seam.port.space || seam.port.semantic != Semantic::kEmbedding || seam.port.layout == Layout::kRagged) continue;
    Names read(wanted.begin(), wanted.end());
    for (const Node& node : nodes_behind(graph, wanted, seam.value)) read.insert(node.inputs.begin(), node.inputs.end());
    const auto is_read = [&](const FlatPort& input) { return input.value != seam.value && read.contains(input.value); };
    const bool made_here = std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) { return std::find(node.outputs.begin(), node.outputs.end(), seam.value) != node.outputs.end(); });
    if (made_here && read.contains(seam.value) && std::none_of(graph.inputs.begin(), graph.inputs.end(), is_read)) return seam;
  }
  return std::nullopt;
}

}  // namespace modnet
