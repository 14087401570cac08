#include "formats/base/some_threads.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace modnet {

void run_on_threads(size_t tasks, int threads, const std::function<void(size_t)>& body) {
  if (tasks == 0) return;
  std::atomic<size_t> next{0};
  std::mutex one;
  std::exception_ptr failure;  // what the first task threw that did
  const auto work = [&] {
    try {
      for (size_t at = next++; at < tasks; at = next++) body(at);
    } catch (...) {
      next = tasks;
      const std::lock_guard<std::mutex> lock(one);
      if (failure == nullptr) failure = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  const size_t most = std::min(static_cast<size_t>(std::max(threads, 1)), tasks) - 1;
  others.reserve(most);
  try {
    while (others.size() < most) others.emplace_back(work);
  } catch (const std::exception&) {  // no more threads, or no memory for one: these do it
  }
  work();
  for (std::thread& thread : others) thread.join();
  if (failure != nullptr) std::rethrow_exception(failure);
}

}  // namespace modnet
