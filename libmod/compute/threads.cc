#include "libmod/compute/threads.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "libmod/compute/aligned.h"

namespace modnet {

namespace {

// How long a thread spins before it goes to sleep: longer than what one thread alone does between two products of a plan, and than
// a virtual machine takes to wake one (some 50 microseconds), which single texts would otherwise pay at every step.
constexpr std::chrono::microseconds kSpin{150};
constexpr int kTurnsAClock = 64;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// True as soon as `done` is; false when the time is up.
template <class Done>
bool spin_until(Done done) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int turn = 0; turn < kTurnsAClock; ++turn) {
      if (done()) return true;
      relax();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

// Which worker of which pool this thread is while it runs a body: a nested call must stay inside that worker.
struct Place {
  const void* pool = nullptr;
  int worker = 0;
};
thread_local Place place;

// The cores that this thread might use before its pools pinned it, and how many of them did.
struct Freedom {
  int pools = 0;
  cpu_set_t cores;
};
thread_local Freedom freedom;

bool allowed_cores(cpu_set_t& set) {
  if (freedom.pools > 0) {
    set = freedom.cores;
    return true;
  }
  return sched_getaffinity(0, sizeof set, &set) == 0;
}

bool pin_to(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(core), &set);
  return sched_setaffinity(0, sizeof set, &set) == 0 && sched_getcpu() == core;
}

// The allowed cores, starting with the one that the caller is on.
std::vector<int> cores_from_here(const cpu_set_t& allowed) {
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(static_cast<size_t>(core), &allowed)) cores.push_back(core);
  }
  const std::vector<int>::iterator here = std::find(cores.begin(), cores.end(), sched_getcpu());
  if (here != cores.end()) std::rotate(cores.begin(), here, cores.end());
  return cores;
}

struct Scratch {
  AlignedBlock<char> block;
  int64_t bytes = 0;
};

}  // namespace

struct ThreadPool::State {
  int size = 1;
  std::vector<std::thread> threads;
  std::vector<Scratch> scratch;

  // One job at a time. A new value of `epoch` publishes the fields below it.
  std::mutex turn;
  std::mutex sleep;
  std::condition_variable wake;
  std::condition_variable finished;
  alignas(kCacheLine) std::atomic<uint32_t> epoch{0};
  const std::function<void(int64_t, int)>* body = nullptr;
  int64_t tasks = 0;
  bool stop = false;
  alignas(kCacheLine) std::atomic<int64_t> next{0};
  alignas(kCacheLine) std::atomic<int> busy{0};
  std::exception_ptr failure;  // what the first task threw that did; written under `sleep`

  // Affinity.
  bool caller_pinned = false;
  std::thread::id caller;
  cpu_set_t allowed = {};
  std::atomic<int> pinned{0};

  void work(int worker) {
    const Place before = place;
    place = Place{this, worker};
    try {
      for (int64_t task = next.fetch_add(1); task < tasks; task = next.fetch_add(1)) (*body)(task, worker);
    } catch (...) {
      next.store(tasks);
      const std::lock_guard<std::mutex> lock(sleep);
      if (failure == nullptr) failure = std::current_exception();
    }
    place = before;
  }

  void wait_for_epoch(uint32_t seen) {
    if (spin_until([&] { return epoch.load(std::memory_order_acquire) != seen; })) return;
    std::unique_lock<std::mutex> lock(sleep);
    wake.wait(lock, [&] { return epoch.load(std::memory_order_acquire) != seen; });
  }

  void publish() {
    busy.store(size - 1, std::memory_order_relaxed);
    {
      const std::lock_guard<std::mutex> lock(sleep);
      epoch.fetch_add(1, std::memory_order_release);
    }
    wake.notify_all();
  }

  void wait_until_idle() {
    if (spin_until([&] { return busy.load(std::memory_order_acquire) == 0; })) return;
    std::unique_lock<std::mutex> lock(sleep);
    finished.wait(lock, [&] { return busy.load(std::memory_order_acquire) == 0; });
  }

  void leave() {
    if (busy.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::lock_guard<std::mutex> lock(sleep);
    finished.notify_one();
  }

  void run_worker(int worker, int core) {
    if (core >= 0) {
      if (pin_to(core)) pinned.fetch_add(1);
    } else {
      sched_setaffinity(0, sizeof allowed, &allowed);  // not the one core of a caller that another pool pinned
    }
    uint32_t seen = 0;
    leave();  // the constructor waits for this
    while (true) {
      wait_for_epoch(seen);
      seen = epoch.load(std::memory_order_acquire);
      if (stop) return;
      work(worker);
      leave();
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.size = std::max(threads, 1);
  state.scratch.resize(static_cast<size_t>(state.size));
  if (state.size == 1) return;

  state.caller = std::this_thread::get_id();
  std::vector<int> cores;
  if (allowed_cores(state.allowed)) cores = cores_from_here(state.allowed);
  const bool pin = static_cast<int>(cores.size()) >= state.size;
  if (pin && pin_to(cores[0])) {
    state.caller_pinned = true;
    state.pinned.fetch_add(1);
    if (freedom.pools++ == 0) freedom.cores = state.allowed;
  }
  state.busy.store(state.size - 1);
  state.threads.reserve(static_cast<size_t>(state.size - 1));
  for (int worker = 1; worker < state.size; ++worker) {
    const int core = pin ? cores[static_cast<size_t>(worker)] : -1;
    try {
      state.threads.emplace_back([&state, worker, core] { state.run_worker(worker, core); });
    } catch (const std::exception&) {  // the system gives no more threads or memory: a smaller team, the same results
      state.busy.fetch_sub(state.size - worker);
      state.size = worker;
      break;
    }
  }
  state.wait_until_idle();
}

ThreadPool::~ThreadPool() {
  State& state = *state_;
  if (state.size > 1) {
    state.stop = true;
    state.publish();
    for (std::thread& thread : state.threads) thread.join();
    if (state.caller_pinned && state.caller == std::this_thread::get_id() && --freedom.pools == 0) {
      sched_setaffinity(0, sizeof freedom.cores, &freedom.cores);
    }
  }
}

int ThreadPool::size() const { return state_->size; }

int ThreadPool::width() const { return place.pool == state_.get() ? 1 : state_->size; }

bool ThreadPool::pinned() const { return state_->pinned.load() == state_->size; }

void ThreadPool::parallel_for(int64_t tasks, const std::function<void(int64_t task, int worker)>& body) {
  if (tasks <= 0) return;
  State& state = *state_;
  if (place.pool == &state) {  // nested: stay in this worker
    for (int64_t task = 0; task < tasks; ++task) body(task, place.worker);
    return;
  }
  const std::lock_guard<std::mutex> lock(state.turn);
  state.body = &body;
  state.tasks = tasks;
  state.next.store(0, std::memory_order_relaxed);
  if (state.size == 1 || tasks == 1) {
    state.work(0);
  } else {
    state.publish();
    state.work(0);
    state.wait_until_idle();
  }
  if (state.failure != nullptr) std::rethrow_exception(std::exchange(state.failure, nullptr));
}

void* ThreadPool::scratch(int worker, int64_t bytes) {
  Scratch& scratch = state_->scratch[static_cast<size_t>(worker)];
  if (scratch.bytes < bytes) {
    scratch.block.reset();
    scratch.block = lasting_block<char>(bytes);
    scratch.bytes = bytes;
  }
  return scratch.block.get();
}

void run_tasks(ThreadPool* pool, int64_t tasks, const std::function<void(int64_t, int)>& body) {
  if (pool != nullptr) return pool->parallel_for(tasks, body);
  for (int64_t task = 0; task < tasks; ++task) body(task, 0);
}

void run_tasks(ThreadPool* pool, int64_t tasks, int64_t bytes, const std::function<void(int64_t, int, void*)>& body) {
  AlignedBlock<char> own;
  if (pool == nullptr) own = aligned_block<char>(bytes);
  run_tasks(pool, tasks, [&](int64_t task, int worker) { body(task, worker, pool == nullptr ? own.get() : pool->scratch(worker, bytes)); });
}

int usable_cores() {
  cpu_set_t set;
  if (!allowed_cores(set)) return 1;
  return std::max(CPU_COUNT(&set), 1);
}

}  // namespace modnet
