#include "formats/module/statement.h"

namespace modnet {

Digest statement_digest(const ModuleView& view) {
  const ModuleIndex& index = view.index();
  const Identity& identity = index.identity;
  DomainHash h("modnet.statement.v1");
  h.number(view.preamble().major).number(static_cast<uint64_t>(identity.kind));
  h.text(identity.name).text(identity.version).text(identity.licence);
  h.digest(view.digests().contract).digest(view.digests().content);
  uint64_t trailers = 0;
  for (const TrailerEntry& entry : view.trailers()) trailers += entry.kind != TrailerKind::kSignatures ? 1 : 0;
  h.number(trailers);
  for (const TrailerEntry& entry : view.trailers())
    if (entry.kind != TrailerKind::kSignatures) h.number(static_cast<uint64_t>(entry.kind)).digest(entry.digest);
  h.number(identity.lineage.size());
  for (const Lineage& parent : identity.lineage) h.text(parent.relation).text(parent.name).digest(parent.content);
  for (const auto* features : {&index.required_features, &index.optional_features}) {
    h.number(features->size());
    for (const std::string& feature : *features) h.text(feature);
  }
  h.number(index.components.size());
  for (const ComponentRecord& component : index.components) h.text(component.slot).digest(component.file);
  // What content leaves out and a reader may still act on, or people read.
  h.number(index.assets.size());
  for (const AssetRecord& asset : index.assets) h.text(asset.name).text(asset.mediatype);
  h.number(index.graph.nodes.size());
  for (const Node& node : index.graph.nodes) h.text(node.name);
  return h.finish();
}

std::string statement_text(const Digest& digest) { return "modnet.statement.v1 sha256:" + hex(digest) + "\n"; }

}  // namespace modnet
