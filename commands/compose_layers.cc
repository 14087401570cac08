#include "commands/compose_layers.h"

#include <algorithm>
#include <cmath>

#include "libmod/compute/random.h"
#include "libmod/contract/names.h"
#include "libmod/module/semantics.h"

namespace modnet {
namespace {

constexpr double kTwoPi = 6.283185307179586;
constexpr uint32_t kWeightStream = 1, kBiasStream = 2;

/// Layers compute in f32; whole numbers are cast on the way in.
void to_f32(Composition& c) {
  if (c.current.dtype == DType::kF32) return;
  c.current.value = c.graph.node("", "Cast", 1, {c.current.value}, {{"to", int64_t{1}}}, "cast");
  c.current.dtype = DType::kF32;
}

void set_range(Composition& c, std::optional<double> low, std::optional<double> high) {
  c.current.values.reset();
  if (!low && !high) return;
  c.current.values.emplace();
  c.current.values->low = low;
  c.current.values->high = high;
}

std::string add_scalar(Composition& c, const std::string& name, double value) {
  c.tensors[name] = {{1}, {static_cast<float>(value)}};
  return name;
}

Status scale(RecipeReader& layer, const std::string& name, Composition& c) {
  MODNET_ASSIGN(const double factor, layer.real_or("scale", 1.0));
  MODNET_ASSIGN(const double offset, layer.real_or("offset", 0.0));
  if (!std::isfinite(factor) || !std::isfinite(offset)) return layer.error_at("scale", "scale and offset must be finite");
  to_f32(c);
  std::optional<double> low, high;
  if (c.current.values && c.current.values->low && c.current.values->high) {
    low = *c.current.values->low * factor + offset;
    high = *c.current.values->high * factor + offset;
    if (*low > *high) std::swap(low, high);
  }
  if (factor != 1.0) c.current.value = c.graph.node("", "Mul", 1, {c.current.value, add_scalar(c, name + ".scale", factor)}, {}, name + ".scaled");
  if (offset != 0.0) c.current.value = c.graph.node("", "Add", 1, {c.current.value, add_scalar(c, name + ".offset", offset)}, {}, name + ".shifted");
  if (low) set_range(c, low, high);
  else set_range(c, std::nullopt, std::nullopt);
  return ok();
}

Status flatten(RecipeReader&, const std::string& name, Composition& c) {
  c.current.value = c.graph.node("", "Flatten", 1, {c.current.value}, {}, name);
  const auto width = static_cast<uint64_t>(c.width());
  c.current.dims = {c.current.dims.front(), Dim{"", width, 1, 0, 1}};
  return ok();
}

Status linear(RecipeReader& layer, const std::string& name, Composition& c) {
  if (c.current.dims.size() != 2) return layer.error_at("op", "a linear layer takes one dimension an item, got " + type_text(c.current), "put op = \"flatten\" before it");
  MODNET_ASSIGN(const int64_t outputs, layer.integer("out"));
  if (outputs < 1 || outputs > (1 << 20)) return layer.error_at("out", "expected 1 to 1048576 outputs, got " + std::to_string(outputs));
  MODNET_ASSIGN(const std::string init, layer.text_or("init", "normal"));
  const int64_t inputs = c.width();
  MODNET_ASSIGN(const double spread, layer.real_or("std", 1.0 / std::sqrt(static_cast<double>(inputs))));
  MODNET_ASSIGN(const std::string bias, layer.text_or("bias", "none"));
  MODNET_ASSIGN(const int64_t seed, layer.integer("seed"));
  if (init != "normal" && init != "uniform") return layer.error_at("init", "expected normal or uniform, got '" + init + "'");
  if (bias != "none" && bias != "zeros" && bias != "uniform") return layer.error_at("bias", "expected none, zeros or uniform, got '" + bias + "'");
  if (!(spread > 0) || !std::isfinite(spread)) return layer.error_at("std", "expected a positive number");
  if (seed < 0) return layer.error_at("seed", "expected 0 or more");
  to_f32(c);
  Composition::Tensor weights{{static_cast<uint64_t>(outputs), static_cast<uint64_t>(inputs)}, std::vector<float>(static_cast<size_t>(outputs * inputs))};
  const Random draw(static_cast<uint64_t>(seed), kWeightStream);
  const double half_width = spread * std::sqrt(3.0);  // of the uniform draw with this standard deviation
  for (size_t i = 0; i < weights.values.size(); ++i)
    weights.values[i] = static_cast<float>(init == "normal" ? spread * draw.normal(i) : half_width * (2.0 * draw.uniform(i) - 1.0));
  std::vector<std::string> names = {c.current.value, name + ".weight"};
  c.tensors[name + ".weight"] = std::move(weights);
  if (bias != "none") {
    Composition::Tensor values{{static_cast<uint64_t>(outputs)}, std::vector<float>(static_cast<size_t>(outputs))};
    const Random bias_draw(static_cast<uint64_t>(seed), kBiasStream);
    if (bias == "uniform")  // of a phase: from 0 to 2π
      for (size_t i = 0; i < values.values.size(); ++i) values.values[i] = static_cast<float>(kTwoPi * bias_draw.uniform(i));
    c.tensors[name + ".bias"] = std::move(values);
    names.push_back(name + ".bias");
  }
  c.current.value = c.graph.node("", "Gemm", 1, std::move(names), {{"transB", int64_t{1}}}, name);
  c.current.dims[1] = Dim{"", static_cast<uint64_t>(outputs), 1, 0, 1};
  set_range(c, std::nullopt, std::nullopt);
  return ok();
}

struct Activation {
  std::string_view layer, domain, op;
  std::optional<double> low, high;
};
const Activation kActivations[] = {
    {"cos", "", "Cos", -1, 1},        {"sin", "", "Sin", -1, 1},   {"tanh", "", "Tanh", -1, 1}, {"sigmoid", "", "Sigmoid", 0, 1},
    {"relu", "", "Relu", 0, {}},      {"gelu", "", "Gelu", {}, {}}, {"silu", "modnet", "Silu", {}, {}}, {"exp", "", "Exp", 0, {}},
    {"softmax", "", "Softmax", 0, 1}, {"abs", "", "Abs", 0, {}},
};

Status activate(const Activation& row, const std::string& name, Composition& c) {
  to_f32(c);
  c.current.value = c.graph.node(row.domain, row.op, 1, {c.current.value}, {}, name);
  set_range(c, row.low, row.high);
  return ok();
}

Status l2_normalize(RecipeReader&, const std::string& name, Composition& c) {
  to_f32(c);
  c.current.value = c.graph.node(kOurDomain, "L2Normalize", 1, {c.current.value}, {}, name);
  set_range(c, -1.0, 1.0);
  c.current.values->norm = NormKind::kL2;
  c.normalized = true;
  return ok();
}

struct LayerRow {
  std::string_view op;
  Status (*add)(RecipeReader&, const std::string&, Composition&);
};
constexpr LayerRow kLayers[] = {{"flatten", flatten}, {"l2_normalize", l2_normalize}, {"linear", linear}, {"scale", scale}};

}  // namespace

int64_t Composition::width() const {
  int64_t n = 1;
  for (size_t i = 1; i < current.dims.size(); ++i) n *= static_cast<int64_t>(current.dims[i].size);
  return n;
}

Status add_layer(RecipeReader& layer, size_t index, Composition& c) {
  MODNET_ASSIGN(const std::string op, layer.text("op"));
  const std::string name = op + "." + std::to_string(index);
  c.normalized = false;
  for (const LayerRow& row : kLayers)
    if (row.op == op) {
      MODNET_TRY(row.add(layer, name, c));
      return layer.finish();
    }
  for (const Activation& row : kActivations)
    if (row.layer == op) {
      MODNET_TRY(activate(row, name, c));
      return layer.finish();
    }
  std::vector<std::string> known;
  for (const LayerRow& row : kLayers) known.emplace_back(row.op);
  for (const Activation& row : kActivations) known.emplace_back(row.layer);
  std::sort(known.begin(), known.end());
  std::string list;
  for (const std::string& one : known) list += (list.empty() ? "" : ", ") + one;
  const std::string close = closest_name(op, known);
  return layer.error_at("op", "there is no layer '" + op + "'" + (close.empty() ? "" : "; did you mean '" + close + "'?"), "the layers are: " + list);
}

Status check_recipe_name(const RecipeReader& table, const std::string& key, const std::string& name, std::string_view what) {
  if (const Status status = check_name(name, what); !status.ok()) return table.error_at(key, status.error().what, status.error().fix);
  return ok();
}

Result<Port> read_input(RecipeReader& input) {
  Port port;
  port.number = 1;
  port.direction = Direction::kInput;
  MODNET_ASSIGN(port.name, input.text("name"));
  MODNET_TRY(check_recipe_name(input, "name", port.name, "a port"));
  port.value = port.name;
  MODNET_ASSIGN(const std::string dtype, input.text("dtype"));
  if (dtype != "u8" && dtype != "f32") return input.error_at("dtype", "expected u8 or f32, got '" + dtype + "'");
  port.dtype = *dtype_from_name(dtype);
  MODNET_ASSIGN(const std::vector<int64_t> dims, input.integers("dims"));
  if (dims.empty() || dims.size() + 1 > 8) return input.error_at("dims", "expected 1 to 7 sizes of one item, got " + std::to_string(dims.size()));
  port.dims = {Dim{"B", 0, 1, 0, 1}};
  int64_t width = 1;
  for (const int64_t size : dims) {
    if (size < 1 || size > (1 << 24) || (width *= size) > (1 << 26)) return input.error_at("dims", "a size is out of range");
    port.dims.push_back(Dim{"", static_cast<uint64_t>(size), 1, 0, 1});
  }
  MODNET_ASSIGN(const std::string semantic, input.text("semantic"));
  const auto meaning = from_name<Semantic>(semantic);
  if (!meaning || (*meaning != Semantic::kImage && *meaning != Semantic::kFeatures && *meaning != Semantic::kColumns && *meaning != Semantic::kEmbedding))
    return input.error_at("semantic", "expected image, features, columns or embedding, got '" + semantic + "'");
  port.semantic = *meaning;
  if (port.dtype == DType::kU8) {
    port.values.emplace();
    port.values->low = 0.0;
    port.values->high = 255.0;
  } else if (input.has("low") || input.has("high")) {
    port.values.emplace();
    MODNET_ASSIGN(port.values->low, input.real("low"));
    MODNET_ASSIGN(port.values->high, input.real("high"));
    if (!(*port.values->low < *port.values->high)) return input.error_at("low", "expected low < high");
  }
  MODNET_TRY(input.finish());
  return port;
}

}  // namespace modnet
