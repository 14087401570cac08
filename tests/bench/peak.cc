// The peaks of some cores, on request, so that a benchmark in another language can measure them in its own rounds: for every
// line on standard input, each thread multiplies for a while on a core of its own. Used by embed.py.
//   bench_peak_program [threads]
// Answers a line: {"fma": GF/s by the clock, "fma_cpu": GF/s by processor time times threads, "vnni": …, "vnni_cpu": …},
// 0 for what the CPU lacks.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/peak.h"

namespace {

constexpr int64_t kSlice = 20'000;   // loops between two looks at the clock
constexpr double kSeconds = 0.15;    // long enough for the clock rate to settle

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The cores that this process may use.
std::vector<int> allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  return cores;
}

struct Rate {
  double by_clock = 0.0;
  double by_processor = 0.0;  // a core
};

Rate rate_of(double (*spin)(int64_t)) {
  const double start = seconds(CLOCK_MONOTONIC);
  const double processor_start = seconds(CLOCK_THREAD_CPUTIME_ID);
  double done = 0.0;
  double now = start;
  while (now - start < kSeconds) {
    const double more = spin(kSlice);
    if (more == 0.0) return {};
    done += more;
    now = seconds(CLOCK_MONOTONIC);
  }
  return {done * 1e-9 / (now - start), done * 1e-9 / (seconds(CLOCK_THREAD_CPUTIME_ID) - processor_start)};
}

// The sum over the threads, all of them at work at the same time.
Rate rate_of_all(int threads, const std::vector<int>& cores, double (*spin)(int64_t)) {
  std::vector<Rate> rates(static_cast<size_t>(threads));
  std::vector<std::thread> workers;
  std::barrier start(threads);
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back([&, i] {
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(cores[static_cast<size_t>(i) % cores.size()], &set);
      pthread_setaffinity_np(pthread_self(), sizeof set, &set);
      start.arrive_and_wait();
      rates[static_cast<size_t>(i)] = rate_of(spin);
    });
  }
  for (std::thread& worker : workers) worker.join();
  Rate sum;
  for (const Rate& rate : rates) {
    sum.by_clock += rate.by_clock;
    sum.by_processor += rate.by_processor;
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : 2;
  const std::vector<int> cores = allowed_cores();
  if (cores.empty()) return 5;
  std::string line;
  while (std::getline(std::cin, line)) {
    const Rate fma = rate_of_all(threads, cores, modnet::bench::spin_multipliers);
    const Rate vnni = rate_of_all(threads, cores, modnet::bench::spin_byte_multipliers);
    std::printf("{\"fma\": %.2f, \"fma_cpu\": %.2f, \"vnni\": %.2f, \"vnni_cpu\": %.2f}\n", fma.by_clock, fma.by_processor,
                vnni.by_clock, vnni.by_processor);
    std::fflush(stdout);
  }
  return 0;
}
