// How fast 8-bit layers are: against our own f32 product and oneDNN's bare 8-bit product in the same rounds, and as a share of the
// dot-product peak where the CPU has AVX512-VNNI, or of that of its tiles where it has AMX. Rows are turned into whole numbers within our
// time; ratios are of the best rounds, by processor time. Prints lines as tests/bench/run wants them.
//   bench_int8_program [rounds [instruction set, or ""]]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "libmod/compute/int8.h"
#include "libmod/compute/matmul.h"
#include "libmod/compute/target.h"
#include "tests/bench/onednn.h"
#include "tests/bench/peak.h"
#include "tests/bench/products.h"

namespace {

using modnet::ComputeContext;
using modnet::PackedInt8;
using modnet::PackedMatrix;
using modnet::Trans;
using modnet::bench::OneDnn;
using modnet::bench::processor_seconds;
using modnet::bench::ramp;
using modnet::bench::Shape;
using modnet::bench::spin_byte_multipliers;
using modnet::bench::spin_tile_multipliers;

void measure(const Shape& shape, int rounds) {
  const std::vector<float> a = ramp(shape.m * shape.k), b = ramp(shape.n * shape.k), bias = ramp(shape.n);
  std::vector<float> c(static_cast<size_t>(shape.m * shape.n)), scales(static_cast<size_t>(shape.n));
  std::vector<int8_t> whole(b.size());
  modnet::quantise_weights(b.data(), shape.k, shape.n, whole.data(), scales.data());
  const PackedMatrix wide = PackedMatrix::pack(b.data(), shape.k, Trans::kYes, shape.k, shape.n);
  const PackedInt8 narrow = PackedInt8::pack(whole.data(), scales.data(), bias.data(), shape.k, shape.n);
  const double operations = 2.0 * static_cast<double>(shape.m * shape.k * shape.n);
  const auto repeats = std::max<int64_t>(1, static_cast<int64_t>(1e9 / operations));
  // The same numbers for oneDNN: rows of bytes above zero, weights as [k, n].
  const OneDnn& dnn = modnet::bench::one_dnn();
  if (dnn.there()) dnn.set_threads(1);
  std::vector<uint8_t> row_bytes(a.size());
  for (size_t i = 0; i < a.size(); ++i) row_bytes[i] = static_cast<uint8_t>(128 + static_cast<int>(a[i] * 126));
  std::vector<int8_t> turned(whole.size());
  for (int64_t i = 0; i < shape.n * shape.k; ++i) turned[static_cast<size_t>(i % shape.k * shape.n + i / shape.k)] = whole[static_cast<size_t>(i)];
  std::vector<int32_t> sums(c.size());
  const int32_t nothing = 0;
  double ours = 0, wide_best = 0, peak_best = 0, dnn_best = 0;  // best rounds, as the other programs on products take them
  const auto timed = [&](double work, const std::function<void()>& body) {
    const double start = processor_seconds();
    body();
    return work * 1e-9 / (processor_seconds() - start);
  };
  const bool tiles = modnet::int8_tiles();
  const auto spin = [&](int64_t loops) { return tiles ? spin_tile_multipliers(loops) : spin_byte_multipliers(loops); };
  const double spun = spin(1) * 50'000;
  for (int round = 0; round < rounds; ++round) {
    const double peak = spun > 0 ? timed(spun, [&] { (void)spin(50'000); }) : 0.0;
    const double f32 = timed(operations * static_cast<double>(repeats), [&] {
      for (int64_t i = 0; i < repeats; ++i) matmul_packed(ComputeContext{}, a.data(), shape.k, shape.m, wide, bias.data(), nullptr, c.data(), shape.n);
    });
    const double int8 = timed(operations * static_cast<double>(repeats), [&] {
      for (int64_t i = 0; i < repeats; ++i) linear_int8(ComputeContext{}, a.data(), shape.k, shape.m, {narrow}, c.data(), shape.n);
    });
    const double bare = !dnn.there() ? 0.0 : timed(operations * static_cast<double>(repeats), [&] {
      for (int64_t i = 0; i < repeats; ++i)
        if (dnn.byte_product('N', 'N', 'F', shape.m, shape.n, shape.k, 1.0F, row_bytes.data(), shape.k, 128, turned.data(), shape.n, 0, 0.0F,
                             sums.data(), shape.n, &nothing) != 0)
          std::abort();
    });
    ours = std::max(ours, int8);
    dnn_best = std::max(dnn_best, bare);
    wide_best = std::max(wide_best, f32);
    peak_best = std::max(peak_best, peak);
  }
  const double ratio = ours / wide_best;
  const std::string target(modnet::cpu_target_name());
  const auto what = [&](const char* rest) {
    std::printf("{\"what\": \"layer int8 %lldx%lldx%lld, %s, 1 thread, %s\", ", static_cast<long long>(shape.m), static_cast<long long>(shape.k),
                static_cast<long long>(shape.n), target.c_str(), rest);
  };
  // For information: without VNNI an exact 8-bit product can be 1.55 times as fast at most; the goals are embed's.
  what("speed");
  std::printf("\"peer\": \"our f32 product\", \"ratio\": %.3f, \"goal\": \"-\", \"ok\": null, \"unit\": \"Gop/s\", \"best\": %.1f}\n", ratio, ours);
  what("speed beside oneDNN");  // theirs without the rows' way to whole numbers and back: more than a layer's share is ours
  if (dnn.there()) {
    std::printf("\"peer\": \"oneDNN dnnl_gemm_u8s8s32\", \"ratio\": %.3f, \"goal\": \"-\", \"ok\": null, \"unit\": \"Gop/s\", \"onednn_best\": %.1f}\n",
                ours / dnn_best, dnn_best);
  } else {
    std::printf("%s", modnet::bench::kNoOneDnn);
  }
  what("share of the peak");
  if (modnet::int8_dot_products()) {
    std::printf("\"peer\": \"%s peak\", \"ratio\": %.3f, \"goal\": \"-\", \"ok\": null, \"unit\": \"Gop/s\", \"best\": %.1f, \"peak_best\": %.1f}\n", tiles ? "AMX" : "VNNI",
                ours / peak_best, ours, peak_best);
  } else {
    std::printf("\"skipped\": \"this CPU, or the instruction set that was asked for, has no AVX512-VNNI\"}\n");
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 9;
  if (argc > 2 && !modnet::select_cpu_target(argv[2]).ok()) {
    std::fprintf(stderr, "instruction set %s is not available\n", argv[2]);
    return 5;
  }
  for (const Shape& shape : {Shape{2064, 384, 1536}, Shape{2064, 1536, 384}, Shape{2064, 384, 1152}, Shape{2064, 384, 384}, Shape{16, 384, 1536}})
    measure(shape, rounds);
  return 0;
}
