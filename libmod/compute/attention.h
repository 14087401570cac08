// Self-attention over ragged sequences: packed rows plus offsets, no padding, no mask matrix (Vaswani et al. 2017, eq.
// 1). Scores are fused multiply-add chains over head_dim in order, the weighted sum is a chain over the keys in order,
// the softmax has 16 virtual lanes: a row's result depends on its own sequence alone and on no machine. Kernels:
// cpu/attention.cc; plain form: reference/attention.h. Tested by tests/unit/compute/attention_test.cc.
#pragma once

#include <cstdint>
#include <span>

namespace modnet {

class ThreadPool;

enum class AttentionMask : uint8_t {
  kNone = 0,    // every row sees its whole sequence
  kCausal = 1,  // row i sees keys 0 … i of its sequence
};

struct AttentionShape {
  int64_t heads = 0;     // >= 1
  int64_t head_dim = 0;  // >= 1
  float scale = 0;       // scores = (q · k) * scale [+ bias]; usually 1 / sqrt(head_dim)
  AttentionMask mask = AttentionMask::kNone;
};

/// One attention's inputs, borrowed. Head h of row r of q is q[r * ldq + h * head_dim …], the same for k and v: they
/// may be slices of one fused QKV matrix (k = q + width, ldk = ldq = 3 * width).
struct AttentionInput {
  AttentionShape shape;
  const float* q = nullptr;
  const float* k = nullptr;
  const float* v = nullptr;
  int64_t ldq = 0, ldk = 0, ldv = 0;  // elements from one row to the next
  /// [sequences + 1], ascending from 0: rows of sequence s are offsets[s] … offsets[s + 1]. Sequences may be empty.
  std::span<const int64_t> offsets;
  /// Optional additive score bias by distance, [heads, 2 * bias_length - 1], entry (key - query) + bias_length - 1 of a
  /// row; bias_length >= the longest sequence. Null: none.
  const float* bias = nullptr;
  int64_t bias_length = 0;
  /// Optional [rows]: a row whose byte is 0 is no key for anyone. A query without any key gives zeros. Null: all are
  /// keys.
  const uint8_t* key_mask = nullptr;
};

/// Scratch bytes that a worker needs for sequences of up to `length` rows: for one head, grows with the length alone.
[[nodiscard]] int64_t attention_bytes(const AttentionShape& shape, int64_t length);

/// out: [rows, heads * head_dim] with row stride ldo, head h at column h * head_dim; must not overlap the inputs.
/// out row = sum over keys of softmax(scores) * v. Checks nothing: shapes are the caller's promise.
void attention(ThreadPool& pool, const AttentionInput& input, float* out, int64_t ldo);

}  // namespace modnet
