// Operations that know about ragged sequences: lookups by id, positions, attention, pooling.
// Kernels: gather.h, attention.h, pool.h. Tested by tests/unit/compute/ops_test.cc.
#include <algorithm>
#include <array>
#include <cmath>

#include "libmod/compute/attention.h"
#include "libmod/compute/elementwise.h"
#include "libmod/compute/gather.h"
#include "libmod/compute/ops/ops.h"
#include "libmod/compute/pool.h"
#include "libmod/graph/graph.h"

namespace modnet {
namespace {

// ---- Gather(table, ids): a row of the table for each id -------------------------------------------------------------

/// Reads an f32 table where it lies, in the mapped module; `owned` holds it where it had to be converted.
class GatherStep : public Step {
 public:
  GatherStep(int ids, int out, RowKind kind, const float* table, std::vector<float> owned, int64_t rows, int64_t width)
      : ids_(ids), out_(out), kind_(kind), owned_(std::move(owned)), table_(owned_.empty() ? table : owned_.data()), width_(width), rows_(rows) {}
  Status run(const Frame& frame) const override {
    const int64_t n = frame.rows(kind_);
    const std::span<const int32_t> ids(frame.data<int32_t>(ids_), static_cast<size_t>(n));
    MODNET_TRY(check_ids(ids, rows_));
    for_rows(*frame.context, n, width_ * 4, [&](int64_t begin, int64_t end) {
      const Lookup lookup{{table_, rows_, width_, width_}, ids.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin))};
      gather_sum({&lookup, 1}, {frame.data<float>(out_) + begin * width_, end - begin, width_, width_});
    });
    return ok();
  }

 private:
  int ids_, out_;
  RowKind kind_;
  std::vector<float> owned_;
  const float* table_;
  int64_t width_, rows_;
};

Result<std::unique_ptr<Step>> lower_gather(LowerContext& context) {
  constexpr std::array<std::string_view, 1> kKnown = {"axis"};
  MODNET_TRY(context.arity(2, 2));
  MODNET_TRY(only_attributes(context.node(), kKnown));
  MODNET_ASSIGN(const int64_t axis, attribute_int(context.node(), "axis", 0));
  if (axis != 0) return context.wrong("attribute 'axis': expected 0, got " + std::to_string(axis));
  MODNET_ASSIGN(const ValueType ids, context.type(1));
  if (ids.dtype != DType::kI32 || !ids.item.empty()) return context.wrong("expected one i32 id a row");
  MODNET_ASSIGN(const ConstTensor tensor, context.tensor(0));
  if (tensor.shape.size() != 2) return context.wrong("table '" + tensor.name + "' is not a matrix");
  if (tensor.shape[0] == 0 || tensor.shape[1] == 0) return context.wrong("table '" + tensor.name + "' is empty");
  const bool in_place = tensor.dtype == DType::kF32 && reinterpret_cast<uintptr_t>(tensor.bytes.data()) % alignof(float) == 0;
  std::vector<float> owned;
  if (!in_place) {
    MODNET_ASSIGN(owned, tensor_to_f32(tensor));
  }
  const auto* table = reinterpret_cast<const float*>(tensor.bytes.data());
  const int out = context.declare({DType::kF32, {tensor.shape[1]}, ids.rows});
  return std::unique_ptr<Step>(std::make_unique<GatherStep>(context.value(1), out, ids.rows, table, std::move(owned), tensor.shape[0], tensor.shape[1]));
}

// ---- Positions(ids): the position of each token in its sequence -----------------------------------------------------
// mode "absolute": 0, 1, 2 … + offset. mode "after_padding" (RoBERTa, MPNet): tokens that are not pad_id count up from
// pad_id + 1, pad tokens get pad_id (transformers, create_position_ids_from_input_ids).

class PositionsStep : public Step {
 public:
  PositionsStep(int ids, int out, bool after_padding, int64_t pad, int64_t offset)
      : ids_(ids), out_(out), after_padding_(after_padding), pad_(static_cast<int32_t>(pad)), offset_(static_cast<int32_t>(offset)) {}
  Status run(const Frame& frame) const override {
    const int32_t* ids = frame.data<int32_t>(ids_);
    int32_t* out = frame.data<int32_t>(out_);
    for (int64_t s = 0; s < frame.items; ++s) {
      const int64_t begin = frame.offsets[static_cast<size_t>(s)], end = frame.offsets[static_cast<size_t>(s) + 1];
      int32_t count = 0;
      for (int64_t i = begin; i < end; ++i)
        out[i] = after_padding_ ? (ids[i] == pad_ ? pad_ : pad_ + ++count) : static_cast<int32_t>(i - begin) + offset_;
    }
    return ok();
  }

 private:
  int ids_, out_;
  bool after_padding_;
  int32_t pad_, offset_;
};

Result<std::unique_ptr<Step>> lower_positions(LowerContext& context) {
  constexpr std::array<std::string_view, 3> kKnown = {"mode", "offset", "pad_id"};
  MODNET_TRY(context.arity(1, 1));
  MODNET_TRY(only_attributes(context.node(), kKnown));
  MODNET_ASSIGN(const std::string mode, attribute_text(context.node(), "mode", "absolute"));
  MODNET_ASSIGN(const int64_t offset, attribute_int(context.node(), "offset", 0));
  MODNET_ASSIGN(const int64_t pad, attribute_int(context.node(), "pad_id", 0));
  if (mode != "absolute" && mode != "after_padding") return context.wrong("attribute 'mode': expected absolute or after_padding, got '" + mode + "'");
  if (offset < 0 || offset > (1 << 30) || pad < 0 || pad > (1 << 30)) return context.wrong("offset or pad_id is out of range");
  MODNET_ASSIGN(const ValueType ids, context.type(0));
  if (ids.dtype != DType::kI32 || !ids.item.empty() || ids.rows != RowKind::kTokens) return context.wrong("expected ragged i32 token ids");
  const int out = context.declare(ids);
  return std::unique_ptr<Step>(std::make_unique<PositionsStep>(context.value(0), out, mode == "after_padding", pad, offset));
}

// ---- Attention(q, k, v, [distance table]) ----------------------------------------------------------------------------

/// T5's and MPNet's relative position buckets (Raffel et al. 2020; transformers, relative_position_bucket, bidirectional).
/// distance = key − query.
int64_t distance_bucket(int64_t distance, int64_t buckets, int64_t max_distance) {
  const int64_t half = buckets / 2, exact = half / 2;
  const int64_t base = distance > 0 ? half : 0;
  const int64_t n = distance < 0 ? -distance : distance;
  if (n < exact) return base + n;
  // The original computes in f32; log is rounded once from f64 here, which gives the same buckets.
  double logs[2] = {static_cast<double>(n) / static_cast<double>(exact), static_cast<double>(max_distance) / static_cast<double>(exact)};
  unary(UnaryOp::kLog, logs, logs, 2);
  const float ratio = static_cast<float>(logs[0]) / static_cast<float>(logs[1]);
  const auto log_bucket = exact + static_cast<int64_t>(ratio * static_cast<float>(half - exact));
  return base + std::min(log_bucket, half - 1);
}

class AttentionStep : public Step {
 public:
  /// fused: q, k and v stand side by side in one value.
  AttentionStep(AttentionShape shape, std::array<int, 3> inputs, int out, int64_t stride, std::vector<float> bias, int64_t max_length)
      : shape_(shape), inputs_(inputs), out_(out), stride_(stride), bias_(std::move(bias)), max_length_(max_length) {}
  Status run(const Frame& frame) const override {
    if (!bias_.empty())
      for (size_t s = 0; s + 1 < frame.offsets.size(); ++s)
        if (frame.offsets[s + 1] - frame.offsets[s] > max_length_)
          return invalid("a sequence of " + std::to_string(frame.offsets[s + 1] - frame.offsets[s]) + " tokens; the model takes at most " + std::to_string(max_length_));
    const int64_t width = shape_.heads * shape_.head_dim;
    const bool joined = inputs_[0] == inputs_[1] && stride_ != width;
    AttentionInput input;
    input.shape = shape_;
    input.q = frame.data<float>(inputs_[0]);
    input.k = frame.data<float>(inputs_[1]) + (joined ? width : 0);
    input.v = frame.data<float>(inputs_[2]) + (joined ? 2 * width : 0);
    input.ldq = input.ldk = input.ldv = stride_;
    input.offsets = frame.offsets;
    input.bias = bias_.empty() ? nullptr : bias_.data();
    input.bias_length = max_length_;
    attention(*frame.context->pool, input, frame.data<float>(out_), width);
    return ok();
  }

 private:
  AttentionShape shape_;
  std::array<int, 3> inputs_;
  int out_;
  int64_t stride_;
  std::vector<float> bias_;
  int64_t max_length_;
};

/// `values`: 3 for modnet.Attention, 1 for fused.QkvAttention; the distance table follows them.
Result<std::unique_ptr<Step>> lower_attention_of(LowerContext& context, size_t values) {
  constexpr std::array<std::string_view, 5> kKnown = {"heads", "scale", "buckets", "max_distance", "max_length"};
  MODNET_TRY(context.arity(values, values + 1));
  MODNET_TRY(only_attributes(context.node(), kKnown));
  MODNET_ASSIGN(const int64_t heads, attribute_int(context.node(), "heads", 0));
  MODNET_ASSIGN(const ValueType first, context.f32(0));
  if (first.rows != RowKind::kTokens || first.item.size() != 1) return context.wrong("expected ragged rows of one dimension");
  for (size_t i = 1; i < values; ++i) {
    MODNET_ASSIGN(const ValueType other, context.f32(i));
    if (other.item != first.item || other.rows != first.rows) return context.wrong("query, key and value have different shapes");
  }
  const int64_t width = values == 1 ? first.item[0] / 3 : first.item[0];
  if (heads < 1 || width % heads != 0 || (values == 1 && first.item[0] % 3 != 0))
    return context.wrong("a width of " + std::to_string(width) + " does not divide into " + std::to_string(heads) + " heads");
  AttentionShape shape{heads, width / heads, 0, AttentionMask::kNone};
  MODNET_ASSIGN(const double scale, attribute_real(context.node(), "scale", 0.0));
  shape.scale = scale != 0.0 ? static_cast<float>(scale) : static_cast<float>(1.0 / std::sqrt(static_cast<double>(shape.head_dim)));
  std::vector<float> bias;
  int64_t max_length = 0;
  if (context.present(values)) {
    MODNET_ASSIGN(const int64_t buckets, attribute_int(context.node(), "buckets", 32));
    MODNET_ASSIGN(const int64_t max_distance, attribute_int(context.node(), "max_distance", 128));
    MODNET_ASSIGN(max_length, attribute_int(context.node(), "max_length", 0));
    if (buckets < 4 || buckets % 2 != 0 || max_distance <= buckets / 4 || max_length < 1 || max_length > (1 << 20))
      return context.wrong("buckets, max_distance or max_length is out of range");
    MODNET_ASSIGN(const std::vector<float> table, context.floats(values, {buckets, heads}));
    bias.resize(static_cast<size_t>(heads * (2 * max_length - 1)));
    for (int64_t d = 1 - max_length; d < max_length; ++d) {
      const int64_t bucket = distance_bucket(d, buckets, max_distance);
      for (int64_t h = 0; h < heads; ++h)
        bias[static_cast<size_t>(h * (2 * max_length - 1) + d + max_length - 1)] = table[static_cast<size_t>(bucket * heads + h)];
    }
  }
  const int out = context.declare({DType::kF32, {width}, RowKind::kTokens});
  const std::array<int, 3> inputs = values == 1 ? std::array<int, 3>{context.value(0), context.value(0), context.value(0)}
                                                : std::array<int, 3>{context.value(0), context.value(1), context.value(2)};
  return std::unique_ptr<Step>(std::make_unique<AttentionStep>(shape, inputs, out, first.item[0], std::move(bias), max_length));
}
Result<std::unique_ptr<Step>> lower_attention(LowerContext& context) { return lower_attention_of(context, 3); }
Result<std::unique_ptr<Step>> lower_qkv_attention(LowerContext& context) { return lower_attention_of(context, 1); }

// ---- Pool(rows): one row a sequence ------------------------------------------------------------------------------------

class PoolStep : public Step {
 public:
  PoolStep(Pooling pooling, int in, int out, int64_t width) : pooling_(pooling), in_(in), out_(out), width_(width) {}
  Status run(const Frame& frame) const override {
    pool_rows(pooling_, {frame.data<float>(in_), frame.tokens, width_, width_}, frame.offsets, nullptr,
              {frame.data<float>(out_), frame.items, width_, width_});
    return ok();
  }

 private:
  Pooling pooling_;
  int in_, out_;
  int64_t width_;
};

Result<std::unique_ptr<Step>> lower_pool(LowerContext& context) {
  constexpr std::array<std::string_view, 1> kKnown = {"mode"};
  MODNET_TRY(context.arity(1, 1));
  MODNET_TRY(only_attributes(context.node(), kKnown));
  MODNET_ASSIGN(const std::string mode, attribute_text(context.node(), "mode", ""));
  const Pooling pooling = mode == "mean" ? Pooling::kMean : mode == "cls" ? Pooling::kCls : mode == "max" ? Pooling::kMax : Pooling::kInvalid;
  if (pooling == Pooling::kInvalid) return context.wrong("attribute 'mode': expected mean, cls or max, got '" + mode + "'");
  MODNET_ASSIGN(const ValueType type, context.f32(0));
  if (type.rows != RowKind::kTokens || type.item.size() != 1) return context.wrong("expected ragged rows of one dimension");
  const int out = context.declare({DType::kF32, type.item, RowKind::kItems});
  return std::unique_ptr<Step>(std::make_unique<PoolStep>(pooling, context.value(0), out, type.item[0]));
}

}  // namespace

std::span<const OpRow> sequence_ops() {
  static const std::vector<OpRow> kRows = {
      {"", "Gather", 1, "rows of a table by id", lower_gather},
      {"modnet", "Positions", 1, "positions of tokens in their sequences", lower_positions},
      {"modnet", "Attention", 1, "multi-head self-attention over ragged sequences", lower_attention},
      {"modnet", "Pool", 1, "mean, first row or maximum of each sequence", lower_pool},
      {"fused", "QkvAttention", 1, "attention on query, key and value side by side", lower_qkv_attention},
  };
  return kRows;
}

}  // namespace modnet
