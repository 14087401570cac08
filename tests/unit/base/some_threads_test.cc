// Tasks on short-lived threads: each runs once, in any number of threads.
#include "formats/base/some_threads.h"

#include <atomic>
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
