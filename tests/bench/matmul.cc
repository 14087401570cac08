// How fast the portable products are: GF/s as a share of the multiply-add peak measured in the same round, and against
// oneDNN and OpenBLAS. Prints lines as tests/bench/run wants them. Rounds alternate between the contenders, since other work on the
// machine comes and goes; ratios are of medians, by processor time, but for the peak right behind a product, which is too short for that.
//   bench_matmul_program [rounds [instruction set, or "" [most threads]]]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
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

using modnet::AlignedBlock;
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

// A product with its numbers and its figures so far.
struct Subject {
  Shape shape;
  ThreadPool& pool;
  AlignedBlock<float> a, b, c;
  PackedMatrix packed;
  Series peak, ours, unpacked, theirs, one_dnn;
  Series right_behind;  // the peak at the clock that the product leaves: a core that also loads draws more power, and some slow down for a while

  Subject(const Shape& of, ThreadPool& on)
      : shape(of), pool(on), a(on_pages(ramp(of.m * of.k))), b(on_pages(ramp(of.k * of.n))), c(on_pages(std::vector<float>(static_cast<size_t>(of.m * of.n)))),
        packed(PackedMatrix::pack(b.get(), of.n, Trans::kNo, of.k, of.n)) {}
};

// Every contender once.
void run_round(Subject& subject) {
  const int64_t m = subject.shape.m, k = subject.shape.k, n = subject.shape.n;
  ThreadPool& pool = subject.pool;
  const float *a = subject.a.get(), *b = subject.b.get();
  float* c = subject.c.get();
  const ComputeContext portable{&pool, Policy::kPortable};
  const ComputeContext vendor{&pool, Policy::kVendor};
  const double operations = 2.0 * static_cast<double>(m * k * n);
  const int64_t repeats = std::max<int64_t>(1, static_cast<int64_t>(8e9 / operations));  // tenths of a second: processor time of other threads comes in ticks
  const auto timed = [](Series& series, double done, int64_t times, const std::function<void()>& body) {
    const double start = seconds();
    const double processor_start = processor_seconds();
    for (int64_t i = 0; i < times; ++i) body();
    series.gflops.push_back(done * 1e-9 / (seconds() - start));
    series.processor_gflops.push_back(done * 1e-9 / (processor_seconds() - processor_start));
  };
  const int64_t loops = 400'000;
  const double spun = spin_multipliers(1) * static_cast<double>(loops * 4 * pool.size());
  const double work = operations * static_cast<double>(repeats);
  timed(subject.peak, spun, 1, [&] { pool.parallel_for(pool.size() * 4, [&](int64_t, int) { (void)spin_multipliers(loops); }); });
  timed(subject.ours, work, repeats, [&] { matmul_packed(portable, a, k, m, subject.packed, nullptr, nullptr, c, n); });
  timed(subject.right_behind, spun / 16, 1, [&] { pool.parallel_for(pool.size(), [&](int64_t, int) { (void)spin_multipliers(loops / 4); }); });
  timed(subject.unpacked, work, repeats, [&] { modnet::matmul<float>(portable, m, n, k, a, k, Trans::kNo, b, n, Trans::kNo, c, n); });
  if (modnet::vendor_blas().ok())
    timed(subject.theirs, work, repeats, [&] { modnet::matmul<float>(vendor, m, n, k, a, k, Trans::kNo, b, n, Trans::kNo, c, n); });
  const OneDnn& dnn = modnet::bench::one_dnn();
  if (!dnn.there()) return;
  dnn.set_threads(pool.size());
  const OnFirstCore there;
  timed(subject.one_dnn, work, repeats, [&] {
    if (dnn.product('N', 'N', m, n, k, 1.0F, a, k, b, n, 0.0F, c, n) != 0) std::abort();
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

// Three lines. True when the goal is met.
bool report(const Subject& subject) {
  const double share = subject.ours.median_by_processor() / subject.peak.median_by_processor();
  const double goal = goal_of(subject.shape);
  const bool met = share >= goal;
  const int threads = subject.pool.size();
  print_what(subject.shape, threads, "");
  std::printf("\"peer\": \"FMA peak\", \"ratio\": %.3f, ", share);
  if (goal > 0) {
    std::printf("\"goal\": \">= %.2f\", \"ok\": %s", goal, met ? "true" : "false");
  } else {
    std::printf("\"goal\": \"-\", \"ok\": null");
  }
  std::printf(", \"unit\": \"GF/s\", \"best\": %.1f, \"peak\": %.1f, \"median\": %.1f, \"median_peak\": %.1f, \"unpacked_best\": %.1f",
              subject.ours.best(), subject.peak.best(), subject.ours.median(), subject.peak.median(), subject.unpacked.best());
  if (!subject.theirs.gflops.empty()) {
    std::printf(", \"openblas_best\": %.1f, \"to_openblas_by_processor_time\": %.2f", subject.theirs.best(),
                subject.ours.median_by_processor() / subject.theirs.median_by_processor());
  }
  std::printf("}\n");
  print_what(subject.shape, threads, ", at the clock it leaves");
  std::printf("\"peer\": \"FMA peak right behind\", \"ratio\": %.3f, \"goal\": \"-\", \"ok\": null, \"unit\": \"GF/s\", \"peak_there\": %.1f}\n",
              subject.ours.median() / subject.right_behind.median(), subject.right_behind.median());
  print_one_dnn(subject.shape, threads, subject.ours, subject.unpacked, subject.one_dnn);
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
  const int most_threads = argc > 3 ? std::max(1, std::atoi(argv[3])) : 2;
  std::vector<std::unique_ptr<ThreadPool>> pools;
  std::vector<std::unique_ptr<Subject>> subjects;
  for (int threads = 1; threads <= most_threads; ++threads) {
    pools.push_back(std::make_unique<ThreadPool>(threads));
    for (const Shape& shape : {Shape{2064, 384, 1536}, Shape{2064, 384, 384}, Shape{2064, 1536, 384}, Shape{2064, 1536, 1536},
                               Shape{128, 384, 1536}, Shape{16, 384, 1536}, Shape{1, 1536, 384}})
      subjects.push_back(std::make_unique<Subject>(shape, *pools.back()));
  }
  // All products in every round: what others do on the machine for some seconds falls on a round of each, not on all rounds of one.
  for (int round = 0; round < rounds; ++round) {
    for (const std::unique_ptr<Subject>& subject : subjects) run_round(*subject);
  }
  bool met = true;
  for (const std::unique_ptr<Subject>& subject : subjects) met = report(*subject) && met;
  return met ? 0 : 1;
}
