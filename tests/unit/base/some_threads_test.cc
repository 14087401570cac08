// Tasks on short-lived threads: each runs once, in any number of threads.
#include "formats/base/some_threads.h"

#include <atomic>
#include <chrono>
#include <new>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace modnet;

TEST_CASE("every task runs once, whatever the number of threads") {
  for (const int threads : {-1, 0, 1, 3, 64}) {
    for (const size_t tasks : {0, 1, 2, 100}) {
      CAPTURE(threads);
      CAPTURE(tasks);
      std::vector<std::atomic<int>> runs(tasks);
      run_on_threads(tasks, threads, [&](size_t i) { runs[i].fetch_add(1); });
      for (const std::atomic<int>& one : runs) CHECK(one == 1);
    }
  }
}

// A thread that ran out of memory ended the process.
TEST_CASE("what a task throws reaches the caller once no thread is in a body") {
  for (const int threads : {1, 2, 4}) {
    std::atomic<int> running{0}, begun{0};
    const auto body = [&](size_t at) {
      ++begun;
      if (at == 3) throw std::bad_alloc();
      ++running;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      --running;
    };
    CHECK_THROWS_AS(run_on_threads(100'000, threads, body), std::bad_alloc);
    CHECK(running == 0);
    CHECK(begun < 100'000);
  }
}
