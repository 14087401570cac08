// The port record `quantisation` says how a port's own values are quantised. What convert makes takes and gives f32, so its ports carry
// none: which layers are in 8 bits is in the graph (modnet.LinearU8S8), in the operations that it requires, and on the card.
#include "commands/convert_int8.h"

#include <cstdio>

#include <nlohmann/json.hpp>

#include "commands/evidence.h"
#include "formats/base/text.h"

namespace modnet {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + escape_text(name);
  return out;
}

std::string share(double value) {
  char out[32];
  std::snprintf(out, sizeof out, "%.4f", value);
  return out;
}

Json kept_names(const Quantised& made) {
  Json out = Json::array();
  for (const Int8Choice& one : made.groups)
    for (const std::string& name : one.names)
      if (one.kept) out.push_back(name);
  return out;
}

}  // namespace

std::string int8_text(const Quantised& made) {
  size_t layers = 0, kept = 0;
  for (const Int8Choice& one : made.groups) {
    layers += one.names.size();
    kept += one.kept ? one.names.size() : 0;
  }
  std::string out = "int8: " + std::to_string(layers - kept) + " of " + std::to_string(layers) + " linear layers; beside f32, all of them: largest " + share(made.all.largest) +
                    ", mean " + share(made.all.mean);
  if (kept > 0) out += "; these: largest " + share(made.chosen.largest) + ", mean " + share(made.chosen.mean);
  out += "\n";
  for (const Int8Choice& one : made.groups)
    if (one.kept) out += "stays f32: " + joined(one.names) + " (in 8 bits by itself it moves the space by " + share(one.alone) + ")\n";
  return out;
}

void add_int8_json(Json& document, const Quantised& made, double limit) {
  document["int8_error"] = limit;
  document["all_int8"] = figures_json(made.all);
  document["chosen"] = figures_json(made.chosen);
  document["layers"] = Json::array();
  for (const Int8Choice& one : made.groups)
    document["layers"].push_back({{"tensors", one.names}, {"kept_f32", one.kept}, {"migration", one.exponent}, {"layer_error", one.layer_error}, {"alone", one.alone}, {"folded", one.folded}});
}

Json int8_card(const Quantised& made, double limit) {
  return {{"scheme", "u8s8"}, {"weights", "channel"}, {"activations", "row"}, {"kept_f32", kept_names(made)}, {"limit", limit},
          {"largest", made.chosen.largest}, {"largest_all_int8", made.all.largest}};
}

}  // namespace modnet
