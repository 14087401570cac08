// How fast the portable products are: GF/s as a share of the multiply-add peak measured in the same round, and against
// oneDNN and OpenBLAS. Prints lines as tests/bench/run wants them. Rounds alternate between the contenders, since other work on the
// machine comes and goes; ratios are of medians, by processor time, but for the peak right behind a product, which is too short for that.
//   bench_matmul_program [rounds [instruction set, or "" [most threads]]]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "libmod/compute/matmul.h"
#include "libmod/compute/target.h"
#include "libmod/compute/vendor/blas.h"
#include "tests/bench/onednn.h"
#include "tests/bench/peak.h"
#include "tests/bench/products.h"

namespace {

using modnet::ComputeContext;
using modnet::PackedMatrix;
using modnet::Policy;
using modnet::ThreadPool;
using modnet::Trans;
using modnet::bench::on_pages;
using modnet::bench::OneDnn;
using modnet::bench::OnFirstCore;
using modnet::bench::processor_seconds;
using modnet::bench::ramp;
using modnet::bench::Shape;
using modnet::bench::spin_multipliers;

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Series {
  std::vector<double> gflops;            // by the clock
  std::vector<double> processor_gflops;  // a core, by processor time
  [[nodiscard]] double best() const { return *std::max_element(gflops.begin(), gflops.end()); }
  [[nodiscard]] double median() const { return middle(gflops); }
  [[nodiscard]] double median_by_processor() const { return middle(processor_gflops); }

 private:
  static double middle(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }
};

// The share of the peak that is asked for, 0 where a product is too small to have a goal of its own.
double goal_of(const Shape& shape) {
  if (shape.m < 512) return 0.0;
  return shape.k >= 1024 && shape.n >= 1024 ? 0.90 : 0.87;
}

// "product f32 …", the beginning of a line.
void print_what(const Shape& shape, int threads, const char* rest) {
  std::printf("{\"what\": \"product f32 %lldx%lldx%lld, %s, %d threads%s\", ", static_cast<long long>(shape.m),
              static_cast<long long>(shape.k), static_cast<long long>(shape.n), std::string(modnet::cpu_target_name()).c_str(), threads, rest);
}

// For information: no goal is set against oneDNN, whose bits depend on the CPU and on the other rows.
void print_one_dnn(const Shape& shape, int threads, const Series& ours, const Series& unpacked, const Series& theirs) {
  print_what(shape, threads, ", beside oneDNN");
  if (theirs.gflops.empty()) {
    std::printf("%s", modnet::bench::kNoOneDnn);
    return;
  }
  std::printf("\"peer\": \"oneDNN dnnl_sgemm\", \"ratio\": %.3f, \"goal\": \"-\", \"ok\": null, \"unit\": \"GF/s\", \"best\": %.1f, "
              "\"onednn_best\": %.1f, \"unpacked_to_onednn\": %.3f}\n",
              ours.median_by_processor() / theirs.median_by_processor(), ours.best(), theirs.best(),
              unpacked.median_by_processor() / theirs.median_by_processor());
}

// Three lines of the report. True when the goal is met.
bool measure(const Shape& shape, ThreadPool& pool, int rounds) {
  const auto a = on_pages(ramp(shape.m * shape.k)), b = on_pages(ramp(shape.k * shape.n));
  const auto c = on_pages(std::vector<float>(static_cast<size_t>(shape.m * shape.n)));
  const PackedMatrix packed = PackedMatrix::pack(b.get(), shape.n, Trans::kNo, shape.k, shape.n);
  const ComputeContext portable{&pool, Policy::kPortable};
  const ComputeContext vendor{&pool, Policy::kVendor};
  const bool has_vendor = modnet::vendor_blas().ok();
  const OneDnn& dnn = modnet::bench::one_dnn();
  if (dnn.there()) dnn.set_threads(pool.size());
  const double operations = 2.0 * static_cast<double>(shape.m * shape.k * shape.n);
  const int64_t repeats = std::max<int64_t>(1, static_cast<int64_t>(8e9 / operations));  // tenths of a second: processor time of other threads comes in ticks
  Series peak;
  Series ours;
  Series unpacked;
  Series theirs;
  Series one_dnn;
  Series right_behind;  // the peak at the clock that the product leaves: a core that also loads draws more power, and some slow down for a while
  const auto timed = [&](Series& series, double done, int64_t times, const std::function<void()>& body) {
    const double start = seconds();
    const double processor_start = processor_seconds();
    for (int64_t i = 0; i < times; ++i) body();
    series.gflops.push_back(done * 1e-9 / (seconds() - start));
    series.processor_gflops.push_back(done * 1e-9 / (processor_seconds() - processor_start));
  };
  const int64_t loops = 400'000;
  const double spun = spin_multipliers(1) * static_cast<double>(loops * 4 * pool.size());
  const double work = operations * static_cast<double>(repeats);
  for (int round = 0; round < rounds; ++round) {
    timed(peak, spun, 1,
          [&] { pool.parallel_for(pool.size() * 4, [&](int64_t, int) { (void)spin_multipliers(loops); }); });
    timed(ours, work, repeats,
          [&] { matmul_packed(portable, a.get(), shape.k, shape.m, packed, nullptr, nullptr, c.get(), shape.n); });
    timed(right_behind, spun / 16, 1, [&] { pool.parallel_for(pool.size(), [&](int64_t, int) { (void)spin_multipliers(loops / 4); }); });
    timed(unpacked, work, repeats, [&] {
      modnet::matmul<float>(portable, shape.m, shape.n, shape.k, a.get(), shape.k, Trans::kNo, b.get(), shape.n,
                            Trans::kNo, c.get(), shape.n);
    });
    if (has_vendor) {
      timed(theirs, work, repeats, [&] {
        modnet::matmul<float>(vendor, shape.m, shape.n, shape.k, a.get(), shape.k, Trans::kNo, b.get(), shape.n,
                              Trans::kNo, c.get(), shape.n);
      });
    }
    if (dnn.there()) {
      const OnFirstCore there;
      timed(one_dnn, work, repeats, [&] {
        if (dnn.product('N', 'N', shape.m, shape.n, shape.k, 1.0F, a.get(), shape.k, b.get(), shape.n, 0.0F, c.get(), shape.n) != 0)
          std::abort();
      });
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  const double share = ours.median_by_processor() / peak.median_by_processor();
  const double goal = goal_of(shape);
  const bool met = share >= goal;
  print_what(shape, pool.size(), "");
  std::printf("\"peer\": \"FMA peak\", \"ratio\": %.3f, ", share);
  if (goal > 0) {
    std::printf("\"goal\": \">= %.2f\", \"ok\": %s", goal, met ? "true" : "false");
  } else {
    std::printf("\"goal\": \"-\", \"ok\": null");
  }
  std::printf(", \"unit\": \"GF/s\", \"best\": %.1f, \"peak\": %.1f, \"median\": %.1f, \"median_peak\": %.1f, \"unpacked_best\": %.1f",
              ours.best(), peak.best(), ours.median(), peak.median(), unpacked.best());
  if (has_vendor) {
    std::printf(", \"openblas_best\": %.1f, \"to_openblas_by_processor_time\": %.2f", theirs.best(),
                ours.median_by_processor() / theirs.median_by_processor());
  }
  std::printf("}\n");
  print_what(shape, pool.size(), ", at the clock it leaves");
  std::printf("\"peer\": \"FMA peak right behind\", \"ratio\": %.3f, \"goal\": \"-\", \"ok\": null, \"unit\": \"GF/s\", \"peak_there\": %.1f}\n",
              ours.median() / right_behind.median(), right_behind.median());
  print_one_dnn(shape, pool.size(), ours, unpacked, one_dnn);
  std::fflush(stdout);
  return met;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 8;
  if (argc > 2 && !modnet::select_cpu_target(argv[2]).ok()) {
    std::fprintf(stderr, "instruction set %s is not available\n", argv[2]);
    return 5;
  }
  (void)modnet::bench::one_dnn();
  bool met = true;
  const int most_threads = argc > 3 ? std::max(1, std::atoi(argv[3])) : 2;
  for (int threads = 1; threads <= most_threads; ++threads) {
    ThreadPool pool(threads);
    for (const Shape& shape : {Shape{2064, 384, 1536}, Shape{2064, 384, 384}, Shape{2064, 1536, 384}, Shape{2064, 1536, 1536},
                               Shape{128, 384, 1536}, Shape{16, 384, 1536}, Shape{1, 1536, 384}}) {
      met = measure(shape, pool, rounds) && met;
    }
  }
  return met ? 0 : 1;
}
