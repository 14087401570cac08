// The roofline of every vector kernel that embed runs, but for products (matmul.cc, int8_products.cc): elements a second as a share of
// what the arithmetic units and memory allow, whichever is less, measured in the same rounds on one thread by its processor time; and
// exp, tanh and erf beside glibc's libmvec. Prints lines as tests/bench/run wants them.
//   bench_kernels_program [rounds]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "libmod/compute/attention.h"
#include "libmod/compute/elementwise.h"
#include "libmod/compute/gather.h"
#include "libmod/compute/pool.h"
#include "libmod/compute/rows.h"
#include "libmod/compute/target.h"
#include "libmod/compute/threads.h"
#include "tests/bench/peak.h"
#include "tests/bench/products.h"
#include "tests/bench/streams.h"

namespace {

using modnet::ConstRows;
using modnet::Rows;
using modnet::UnaryOp;
using modnet::bench::on_pages;
using modnet::bench::processor_seconds;
using modnet::bench::ramp;
using modnet::bench::Stream;

// Arithmetic vector instructions an element, counted in the sources (cpu/math-inl.h, rows-inl.h, rows.cc, attention.cc, pool.cc) as they
// stand there: an add, a product, a fused multiply-add, a comparison, a choice by mask, a shift, a bitwise operation is a slot, so is a
// division; Canonical() is two (x == x, choice), AddSign() too. Loads, stores, broadcasts, moves between lanes, loop counters and what
// is done once a row (one square root, one or two divisions, the tree that adds lanes) are not counted. The units can take as many slots
// as multiply-adds; where other instructions have units of their own (adds and shifts on Zen), a kernel may pass its roof.
// Divisions are counted again, since a unit is busy with one for longer: the third limit.
struct Cost {
  double slots = 0;
  double divisions = 0;
};

// Of exp, tanh and softmax it is the way of plain arguments, which all are here.
constexpr double kPlainSlots = 1 + 1 + 1;    // |x|, compared, both vectors' answers joined and asked
constexpr double kExpSlots = 4               // n = round(x / ln 2), the remainder
                             + 7             // polynomial: four steps, r², the last one, + 1
                             + 2;            // n to the exponent: shift, sum
constexpr double kErfRawSlots = 1 + 1 + 6 + 1                        // |x|, x², near: polynomial, last step
                                + 2 + 7 + 1 + kExpSlots + 1 + 2      // min(|x|, 4) - 1, far: polynomial, sign, 1 - exp, sign
                                + 2;                                 // choice
constexpr Cost kExp{kPlainSlots + kExpSlots, 0};
constexpr Cost kTanh{kPlainSlots + 1 + 1 + 6 + 1 + kExpSlots + 3 + 2 + 2, 1};  // |x|, x², near; exp(2|x|) + 1, 1 - 2 / that; choice, sign
constexpr Cost kErf{kErfRawSlots + 2, 0};
constexpr Cost kGelu{1 + kErfRawSlots + 2 + 2, 0};
constexpr double kSoftmaxOneSlots = 1 + 1 + 2 + kExpSlots + 1;      // greatest, minus it, is it plain, exp, sum
constexpr Cost kSoftmax{kSoftmaxOneSlots + 1, 1};                   // divided
constexpr Cost kLayerNorm{1 + 2 + 5, 0};                            // sum; deviation and its square; minus, times, fma, canonical
constexpr Cost kAddLayerNorm{kLayerNorm.slots + 1, 0};
constexpr Cost kGatherLayerNorm{kLayerNorm.slots + 2, 0};           // of three tables
constexpr Cost kL2{1 + 1 + 2, 1};                                   // square sum; divided, canonical
constexpr Cost kPool{1, 0};
// An element of the output: length fma of the scores (keys padded to 16), length of the weighted sum; a score is scaled, and is a softmax.
constexpr Cost attention_cost(int64_t length, int64_t head_dim) {
  const double keys = static_cast<double>((length + 15) / 16 * 16), dim = static_cast<double>(head_dim);
  return {keys + static_cast<double>(length) + keys / dim * (1 + kSoftmaxOneSlots) + 1 + 2, 1};
}

// "At memory or ALU speed" (the least that deserves the name); 0: the line informs.
constexpr double kGoal = 0.70;
constexpr double kLibraryGoal = 0.90;

struct Kernel {
  std::string name;
  Cost cost;
  Stream stream = Stream::kCopy;
  double goal = 0;
  const char* peer = nullptr;  // libmvec's name
  std::function<void()> run;   // over all elements of the Place
};

// Arrays of one size.
struct Place {
  const char* name;
  int64_t rows;
  static constexpr int64_t kColumns = 384;
  modnet::AlignedBlock<float> x, other, y;

  Place(const char* where, int64_t count) : name(where), rows(count) {
    std::vector<float> values = ramp(elements());
    for (float& value : values) value *= 4;
    x = on_pages(values), other = on_pages(values), y = on_pages(values);
  }
  [[nodiscard]] int64_t elements() const { return rows * kColumns; }
  [[nodiscard]] ConstRows in(int64_t columns = kColumns) const { return {x.get(), elements() / columns, columns, columns}; }
  [[nodiscard]] Rows out(int64_t columns = kColumns) { return {y.get(), elements() / columns, columns, columns}; }
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// One contender: so often that a round takes some milliseconds; units of work a second.
class Series {
 public:
  Series(double work, std::function<void()> body) : work_(work), body_(std::move(body)) {
    body_();
    const double begin = processor_seconds();
    body_();
    times_ = std::clamp<int64_t>(static_cast<int64_t>(6e-3 / (processor_seconds() - begin)), 1, 1'000'000);
  }
  void round() {
    const double begin = processor_seconds();
    for (int64_t i = 0; i < times_; ++i) body_();
    rates_.push_back(work_ * static_cast<double>(times_) / (processor_seconds() - begin));
  }
  [[nodiscard]] double rate() const { return median(rates_); }

 private:
  double work_;
  std::function<void()> body_;
  int64_t times_ = 1;
  std::vector<double> rates_;
};

void print_ratio(const std::string& what, const char* peer, double ratio, double goal) {
  std::printf("{\"what\": \"%s\", \"peer\": \"%s\", \"ratio\": %.3f, ", what.c_str(), peer, ratio);
  if (goal > 0) {
    std::printf("\"goal\": \">= %.2f\", \"ok\": %s", goal, ratio >= goal ? "true" : "false");
  } else {
    std::printf("\"goal\": \"-\", \"ok\": null");
  }
}

// A line or two of the report. True when the goals are met.
bool measure(const Kernel& kernel, Place& place, int rounds) {
  constexpr int64_t kLoops = 20'000;
  const double lanes = modnet::bench::spin_lanes();
  const auto elements = static_cast<double>(place.elements());
  Series slots(modnet::bench::spin_multipliers(1) * kLoops / 2, [] { (void)modnet::bench::spin_multipliers(kLoops); });  // counted a lane
  Series divisions(modnet::bench::spin_dividers(1) * (kLoops / 8), [] { (void)modnet::bench::spin_dividers(kLoops / 8); });
  Series stream(elements, [&] { run_stream(kernel.stream, place.x.get(), place.other.get(), place.y.get(), place.elements()); });
  Series ours(elements, kernel.run);
  const modnet::bench::VectorLibrary library(kernel.peer == nullptr ? "" : kernel.peer, static_cast<int>(lanes));
  Series theirs(elements, [&] {
    if (library.there()) library.run(place.x.get(), place.y.get(), place.elements());
  });
  for (int round = 0; round < rounds; ++round) {
    for (Series* series : {&slots, &divisions, &stream, &ours}) series->round();
    if (library.there()) theirs.round();
  }
  struct Limit {
    const char* peer;
    double rate;
  };
  const Limit limits[] = {{"roofline: arithmetic", slots.rate() / kernel.cost.slots},
                          {"roofline: memory", stream.rate()},
                          {"roofline: division", kernel.cost.divisions > 0 ? divisions.rate() / kernel.cost.divisions : 1e30}};
  const Limit& roof = *std::min_element(std::begin(limits), std::end(limits), [](const Limit& a, const Limit& b) { return a.rate < b.rate; });
  const double ratio = ours.rate() / roof.rate;
  const std::string what = "kernel " + kernel.name + ", " + place.name + ", " + std::string(modnet::cpu_target_name());
  print_ratio(what, roof.peer, ratio, kernel.goal);
  std::printf(", \"elements_a_second\": %.4g, \"arithmetic\": %.4g, \"memory\": %.4g, \"slots_an_element\": %.1f, \"bytes_an_element\": %.0f, "
              "\"memory_gb_a_second\": %.2f, \"peak_gflops\": %.1f}\n",
              ours.rate(), limits[0].rate, limits[1].rate, kernel.cost.slots, modnet::bench::stream_bytes(kernel.stream),
              stream.rate() * modnet::bench::stream_bytes(kernel.stream) * 1e-9, slots.rate() * 2e-9);
  bool met = kernel.goal == 0 || ratio >= kernel.goal;
  if (kernel.peer != nullptr) {
    if (library.there()) {
      const double to_library = ours.rate() / theirs.rate();
      print_ratio(what + ", beside libmvec", "glibc libmvec, 4 ulp", to_library, kLibraryGoal);
      std::printf(", \"their_elements_a_second\": %.4g}\n", theirs.rate());
      met = met && to_library >= kLibraryGoal;
    } else {
      std::printf("{\"what\": \"%s, beside libmvec\", \"skipped\": \"libmvec.so.1 with %s is not there\"}\n", what.c_str(), kernel.peer);
    }
  }
  std::fflush(stdout);
  return met;
}

bool measure_elementwise(Place& place, int rounds) {
  const auto unary = [&place](UnaryOp op) { return [&place, op] { modnet::unary(op, place.x.get(), place.y.get(), place.elements()); }; };
  const std::vector<float> gamma = ramp(Place::kColumns), beta = gamma;
  const auto norm = [&] { layer_norm(place.in(), gamma.data(), beta.data(), 1e-12F, place.out()); };
  const auto add_norm = [&] {
    const ConstRows residual{place.other.get(), place.rows, Place::kColumns, Place::kColumns};
    add_layer_norm(place.in(), residual, gamma.data(), beta.data(), 1e-12F, place.out());
  };
  const Kernel kernels[] = {
      {"exp", kExp, Stream::kCopy, kGoal, "expf", unary(UnaryOp::kExp)},
      {"tanh", kTanh, Stream::kCopy, kGoal, "tanhf", unary(UnaryOp::kTanh)},
      {"erf", kErf, Stream::kCopy, kGoal, "erff", unary(UnaryOp::kErf)},
      {"gelu", kGelu, Stream::kCopy, kGoal, nullptr, unary(UnaryOp::kGelu)},
      {"softmax of 128 columns", kSoftmax, Stream::kCopy, kGoal, nullptr, [&place] { softmax(place.in(128), place.out(128)); }},
      {"layer_norm", kLayerNorm, Stream::kCopy, kGoal, nullptr, norm},
      {"add_layer_norm", kAddLayerNorm, Stream::kAdd, kGoal, nullptr, add_norm},
      {"l2_normalize", kL2, Stream::kCopy, kGoal, nullptr, [&place] { l2_normalize(place.in(), modnet::kL2Epsilon, place.out()); }},
  };
  bool met = true;
  for (const Kernel& kernel : kernels) met = measure(kernel, place, rounds) && met;
  return met;
}

// Kernels over ragged sequences and tables; they inform.
void measure_sequences(int64_t length, int rounds) {
  Place place("128 rows", 128);
  const int64_t sequences = place.rows / length, width = Place::kColumns;
  std::vector<int64_t> offsets;
  for (int64_t s = 0; s <= sequences; ++s) offsets.push_back(s * length);
  const std::vector<float> qkv = ramp(place.rows * 3 * width);
  modnet::ThreadPool pool(1);
  modnet::AttentionInput input;
  input.shape = {12, width / 12, 0.17677669F, modnet::AttentionMask::kNone};
  input.q = qkv.data(), input.k = qkv.data() + width, input.v = qkv.data() + 2 * width;
  input.ldq = input.ldk = input.ldv = 3 * width;
  input.offsets = offsets;
  const std::string of = "sequences of " + std::to_string(length) + " tokens";
  measure({"attention, 12 heads of 32" + (", " + of), attention_cost(length, width / 12), Stream::kCopy, 0, nullptr,
           [&] { attention(pool, input, place.y.get(), width); }}, place, rounds);
  measure({"mean pooling, " + of, kPool, Stream::kRead, 0, nullptr,
           [&] { pool_rows(modnet::Pooling::kMean, place.in(), offsets, nullptr, {place.y.get(), sequences, width, width}); }}, place, rounds);
}

void measure_gather(Place& place, int rounds) {
  const int64_t width = Place::kColumns, words = 30'000;
  const std::vector<float> table = ramp(words * width), gamma = ramp(width);
  std::vector<int32_t> ids, positions;
  for (int64_t r = 0; r < place.rows; ++r) {
    ids.push_back(static_cast<int32_t>(r * 7919 % words));
    positions.push_back(static_cast<int32_t>(r % 128));
  }
  const ConstRows rows{table.data(), words, width, width};
  const modnet::Lookup lookups[] = {{rows, ids}, {rows, positions}, {rows, {}}};
  measure({"gather_layer_norm of 46 MB of words", kGatherLayerNorm, Stream::kCopy, 0, nullptr,
           [&] { gather_layer_norm(lookups, gamma.data(), gamma.data(), 1e-12F, place.out()); }}, place, rounds);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 9;
  if (modnet::bench::spin_lanes() == 0 || !modnet::cpu_target_fuses()) {
    std::printf("skipped: the peak of this CPU is not known: it has no AVX2 or AVX-512\n");
    return 77;
  }
  Place cached("arrays of 98 KB", 64);  // three arrays: more than a first-level cache, less than a second-level one
  Place large("arrays of 67 MB", 43'520);
  bool met = measure_elementwise(cached, rounds);
  met = measure_elementwise(large, rounds) && met;
  for (const int64_t length : {16, 128}) measure_sequences(length, rounds);
  measure_gather(large, rounds);
  return met ? 0 : 1;
}
