// The thread pool runs each task once, nests inline, and keeps its threads on cores of their own.
#include "libmod/compute/threads.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <new>
#include <set>
#include <thread>
#include <vector>

#include "libmod/compute/aligned.h"

namespace modnet::test {
namespace {

TEST_CASE("every task runs exactly once, by a worker of the pool") {
  for (const int threads : {1, 2, 3, 5}) {
    ThreadPool pool(threads);
    CHECK(pool.size() == threads);
    for (const int64_t tasks : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<size_t>(tasks));
      std::atomic<int> strangers{0};
      pool.parallel_for(tasks, [&](int64_t task, int worker) {
        runs[static_cast<size_t>(task)].fetch_add(1);
        if (worker < 0 || worker >= threads) strangers.fetch_add(1);
      });
      int wrong = 0;
      for (const std::atomic<int>& count : runs) wrong += count.load() == 1 ? 0 : 1;
      CHECK(wrong == 0);
      CHECK(strangers.load() == 0);
    }
  }
}

#if !defined(__SANITIZE_ADDRESS__)  // which reserves more than any limit
TEST_CASE("a pool is as large as the system lets it be, and works") {
  struct rlimit before {};
  REQUIRE(getrlimit(RLIMIT_AS, &before) == 0);
  std::ifstream statm("/proc/self/statm");
  int64_t pages = 0;
  REQUIRE(static_cast<bool>(statm >> pages));
  struct rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE) + (int64_t{64} << 20));  // some stacks of 8 MiB
  REQUIRE(setrlimit(RLIMIT_AS, &tight) == 0);
  int size = 0;
  std::atomic<int> runs{0};
  {
    ThreadPool pool(64);
    size = pool.size();
    pool.parallel_for(200, [&](int64_t, int) { runs.fetch_add(1); });
  }
  REQUIRE(setrlimit(RLIMIT_AS, &before) == 0);
  CHECK(size >= 1);
  CHECK(size < 64);
  CHECK(runs.load() == 200);
}
#endif

TEST_CASE("thousands of short jobs in a row all finish") {
  ThreadPool pool(2);
  std::atomic<int64_t> sum{0};
  for (int job = 0; job < 5000; ++job) {
    pool.parallel_for(3, [&](int64_t task, int) { sum.fetch_add(task + 1); });
  }
  CHECK(sum.load() == 5000 * 6);
}

TEST_CASE("a call from inside a task runs inline, as the same worker") {
  ThreadPool pool(3);
  ThreadPool other(2);
  CHECK(pool.width() == pool.size());
  std::atomic<int> wrong{0};
  std::atomic<int> inner{0};
  pool.parallel_for(12, [&](int64_t, int worker) {
    const std::thread::id here = std::this_thread::get_id();
    if (pool.width() != 1 || other.width() != 2) wrong.fetch_add(1);
    pool.parallel_for(4, [&](int64_t, int nested) {
      inner.fetch_add(1);
      if (nested != worker || std::this_thread::get_id() != here) wrong.fetch_add(1);
    });
  });
  CHECK(inner.load() == 48);
  CHECK(wrong.load() == 0);
  CHECK(pool.width() == pool.size());
}

// A worker of its own that ran out of memory ended the process; the caller that did left the others with a body that was gone.
TEST_CASE("what a task throws reaches the caller once nobody runs the body, no other task is begun, and the pool works on") {
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    for (int thrower = 0; thrower < threads; ++thrower) {
      std::atomic<int> running{0}, begun{0};
      const auto body = [&](int64_t, int worker) {
        begun.fetch_add(1);
        if (worker == thrower) throw std::bad_alloc();
        running.fetch_add(1);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        running.fetch_sub(1);
      };
      CHECK_THROWS_AS(pool.parallel_for(100'000, body), std::bad_alloc);
      CHECK(running.load() == 0);
      CHECK(begun.load() < 100'000);
      std::atomic<int> runs{0};
      pool.parallel_for(200, [&](int64_t, int) { runs.fetch_add(1); });
      CHECK(runs.load() == 200);
    }
    // from inside a task, where calls run inline
    CHECK_THROWS_AS(pool.parallel_for(3, [&](int64_t, int) { pool.parallel_for(2, [](int64_t, int) { throw std::bad_alloc(); }); }), std::bad_alloc);
    CHECK(pool.width() == threads);
  }
}

TEST_CASE("callers on several threads take turns") {
  ThreadPool pool(2);
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; ++caller) {
    callers.emplace_back([&] {
      for (int job = 0; job < 200; ++job) pool.parallel_for(5, [&](int64_t, int) { sum.fetch_add(1); });
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(sum.load() == 3 * 200 * 5);
}

TEST_CASE("threads sit on cores of their own while there are enough, and the caller's mask comes back") {
  cpu_set_t before;
  REQUIRE(sched_getaffinity(0, sizeof before, &before) == 0);
  const int cores = usable_cores();
  CHECK(cores == CPU_COUNT(&before));
  if (cores >= 2) {
    ThreadPool pool(2);
    CHECK(pool.pinned());
    std::atomic<int> started{0};
    int seen[2] = {-1, -1};
    pool.parallel_for(2, [&](int64_t, int worker) {
      started.fetch_add(1);
      while (started.load() < 2) std::this_thread::yield();  // so that both workers take one
      seen[worker] = sched_getcpu();
    });
    CHECK(seen[0] != seen[1]);
    CHECK(seen[0] >= 0);
    CHECK(seen[1] >= 0);
    CHECK(usable_cores() == cores);
    ThreadPool second(2);  // made by a pinned thread, and yet not squeezed onto its core
    CHECK(second.pinned());
  }
  {
    ThreadPool crowded(cores + 1);
    CHECK_FALSE(crowded.pinned());
  }
  cpu_set_t after;
  REQUIRE(sched_getaffinity(0, sizeof after, &after) == 0);
  CHECK(CPU_EQUAL(&before, &after));
}

TEST_CASE("scratch space is aligned, grows, and is a worker's own") {
  ThreadPool pool(2);
  void* first = pool.scratch(0, 100);
  void* second = pool.scratch(1, 100);
  CHECK(first != second);
  CHECK(reinterpret_cast<uintptr_t>(first) % kCacheLine == 0);
  CHECK(pool.scratch(0, 50) == first);
  CHECK(reinterpret_cast<uintptr_t>(pool.scratch(0, 100'000)) % kCacheLine == 0);
}

TEST_CASE("lasting blocks are aligned, keep apart, and outlive their neighbours, in any order of release and from any thread") {
  std::vector<AlignedBlock<int64_t>> blocks;
  std::vector<int64_t> sizes;
  const auto fill = [&](int64_t count) {
    blocks.push_back(lasting_block<int64_t>(count));
    sizes.push_back(count);
    CHECK(reinterpret_cast<uintptr_t>(blocks.back().get()) % kCacheLine == 0);
    for (int64_t i = 0; i < count; ++i) blocks.back()[static_cast<size_t>(i)] = count * 7 + i;
  };
  const auto whole = [&](size_t at) {
    bool right = true;
    for (int64_t i = 0; i < sizes[at]; ++i) right = right && blocks[at][static_cast<size_t>(i)] == sizes[at] * 7 + i;
    return right;
  };
  for (const int64_t count : {int64_t{0}, int64_t{1}, int64_t{100'000}, int64_t{900'000}, int64_t{3}, int64_t{900'001}, int64_t{900'002}, int64_t{5'000'000}, int64_t{900'003}, int64_t{17}})
    fill(count);
  for (size_t at = 0; at < blocks.size(); at += 2) blocks[at].reset();
  std::thread other([&] { fill(900'004); });
  other.join();
  for (size_t at = 1; at < blocks.size(); at += 2) CHECK(whole(at));
  CHECK(whole(blocks.size() - 1));
  std::thread([&] { blocks.clear(); }).join();
  sizes.clear();
  fill(800'000);
  CHECK(whole(0));
}

TEST_CASE("tasks run once with scratch space of their own, with a pool and without") {
  ThreadPool pool(3);
  for (ThreadPool* team : {static_cast<ThreadPool*>(nullptr), &pool}) {
    for (const int64_t tasks : {0, 1, 40}) {
      std::vector<std::atomic<int>> runs(static_cast<size_t>(tasks));
      std::atomic<int> spoiled{0};
      run_tasks(team, tasks, 4096, [&](int64_t task, int, void* scratch) {
        auto* words = static_cast<int64_t*>(scratch);
        for (int i = 0; i < 512; ++i) words[i] = task;
        for (int i = 0; i < 512; ++i) spoiled.fetch_add(words[i] == task ? 0 : 1);
        runs[static_cast<size_t>(task)].fetch_add(1);
      });
      CHECK(spoiled.load() == 0);
      for (const std::atomic<int>& one : runs) CHECK(one.load() == 1);
    }
  }
}

}  // namespace
}  // namespace modnet::test
