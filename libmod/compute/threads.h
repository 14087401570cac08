// Long-lived worker threads for the kernels. Work is a list of independent tasks, so that which thread runs a task, and
// how many there are, never shows in a result. Tested by tests/unit/compute/threads_test.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace modnet {

/// A fixed team: the calling thread is worker 0, `threads - 1` more wait for work (a short spin, then asleep).
///
/// Where the process may use at least `threads` cores, every worker is pinned to a core of its own: two threads that
/// share a core take twice the time. The thread that makes the pool is pinned too while the pool lives (its mask comes
/// back in the destructor), and threads that it starts meanwhile inherit its one core: start them before, or use the
/// pool. A pool of one thread starts and pins nothing.
class ThreadPool {
 public:
  /// threads < 1 means 1.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int size() const;

  /// Workers that a parallel_for() from here would use: size(), and 1 from inside a body, where calls run inline. What work is cut by.
  [[nodiscard]] int width() const;

  /// True when every worker was seen on a core that no other worker has.
  [[nodiscard]] bool pinned() const;

  /// Runs body(task, worker) once for every task in [0, tasks), worker in [0, size()); returns when all are done.
  /// Tasks may run in any order: they must not depend on one another. A call from inside a body runs inline, as that
  /// worker. Calls from several threads take turns. What a body throws is thrown here once no worker is in a body; tasks that had not
  /// begun are left out then, and the pool can be used again.
  void parallel_for(int64_t tasks, const std::function<void(int64_t task, int worker)>& body);

  /// Scratch space of one worker, 64-byte aligned, kept between calls; the next call for that worker may move it.
  /// Used by the matrix products: its contents do not survive one.
  [[nodiscard]] void* scratch(int worker, int64_t bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// parallel_for() on a pool that may be null: then in the calling thread, one task after the other.
void run_tasks(ThreadPool* pool, int64_t tasks, const std::function<void(int64_t task, int worker)>& body);
/// The same, with `bytes` of scratch space for each task while it runs: that of its worker.
void run_tasks(ThreadPool* pool, int64_t tasks, int64_t bytes, const std::function<void(int64_t task, int worker, void* scratch)>& body);

/// Cores that this thread may run on (its affinity mask before any pool pinned it), at least 1: the default number of
/// threads.
[[nodiscard]] int usable_cores();

}  // namespace modnet
