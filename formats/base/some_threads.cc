#include "formats/base/some_threads.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace modnet {

void run_on_threads(size_t tasks, int threads, const std::function<void(size_t)>& body) {
  if (tasks == 0) return;
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t at = next++; at < tasks; at = next++) body(at);
  };
  std::vector<std::thread> others;
  const size_t most = std::min(static_cast<size_t>(std::max(threads, 1)), tasks) - 1;
  try {
    while (others.size() < most) others.emplace_back(work);
  } catch (const std::system_error&) {  // no more threads: these do it
  }
  work();
  for (std::thread& thread : others) thread.join();
}

}  // namespace modnet
