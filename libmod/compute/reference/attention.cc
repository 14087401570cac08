// Ragged self-attention as obvious loops. Tested by tests/unit/compute/attention_test.cc.
#include "libmod/compute/reference/attention.h"

#include <cmath>
#include <limits>
#include <vector>

#include "libmod/compute/reference/math.h"
#include "libmod/compute/reference/rows.h"

namespace modnet::reference {
namespace {

/// One query row of one head; rows are those of the packed matrix.
void attend(const AttentionInput& in, int64_t head, int64_t begin, int64_t end, int64_t query, float* out) {
  const int64_t d = in.shape.head_dim;
  const int64_t last = in.shape.mask == AttentionMask::kCausal ? query + 1 : end;
  std::vector<int64_t> keys;
  std::vector<float> weights;
  float greatest = -std::numeric_limits<float>::infinity();
  const float* q = in.q + query * in.ldq + head * d;
  for (int64_t j = begin; j < last; ++j) {
    float score = -std::numeric_limits<float>::infinity();
    if (in.key_mask == nullptr || in.key_mask[j] != 0) {
      const float* k = in.k + j * in.ldk + head * d;
      score = 0.0f;
      for (int64_t i = 0; i < d; ++i) score = std::fma(q[i], k[i], score);
      score *= in.shape.scale;
      if (in.bias != nullptr) score += in.bias[head * (2 * in.bias_length - 1) + (j - query) + in.bias_length - 1];
      keys.push_back(j);
    }
    weights.push_back(score);
    greatest = score > greatest ? score : greatest;
  }
  if (keys.empty()) {
    for (int64_t i = 0; i < d; ++i) out[i] = 0.0f;
    return;
  }
  for (float& weight : weights) weight = exp(weight - greatest);
  const float total = sum(weights.data(), static_cast<int64_t>(weights.size()));
  for (int64_t i = 0; i < d; ++i) {
    float value = 0.0f;
    for (int64_t j = begin; j < last; ++j) {
      const bool hidden = in.key_mask != nullptr && in.key_mask[j] == 0;
      value = std::fma(weights[static_cast<size_t>(j - begin)], hidden ? 0.0f : in.v[j * in.ldv + head * d + i], value);
    }
    value /= total;
    out[i] = value == value ? value : std::numeric_limits<float>::quiet_NaN();
  }
}

}  // namespace

void attention(const AttentionInput& input, float* out, int64_t ldo) {
  for (size_t s = 0; s + 1 < input.offsets.size(); ++s) {
    for (int64_t h = 0; h < input.shape.heads; ++h) {
      for (int64_t r = input.offsets[s]; r < input.offsets[s + 1]; ++r) {
        attend(input, h, input.offsets[s], input.offsets[s + 1], r, out + r * ldo + h * input.shape.head_dim);
      }
    }
  }
}

}  // namespace modnet::reference
