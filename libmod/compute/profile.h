// Where a run's time goes: wall time, calls and floating-point operations by what ran. Work that all threads share counts with the time
// it takes, work that one of several workers does for itself with its part of that, so that the times of a run add up to the clock's.
// Tested by tests/unit/compute/plan_test.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace modnet {

class Profile {
 public:
  struct Row {
    std::string what;
    int64_t calls = 0;
    double seconds = 0;
    double operations = 0;  // multiplications and additions of products; 0 where nobody counts them
  };

  /// May be called from any thread.
  void add(std::string_view what, double seconds, double operations);
  /// What took longest comes first. Not while somebody adds.
  [[nodiscard]] std::vector<Row> rows() const;

 private:
  std::mutex turn_;
  std::vector<Row> rows_;
};

/// Adds the time from its making to its end to a profile, if there is one. `share`: the part of the threads that it holds up.
class ProfiledSpan {
 public:
  ProfiledSpan(Profile* profile, std::string_view what, double operations = 0, double share = 1) : profile_(profile), what_(what), operations_(operations), share_(share) {
    if (profile_ != nullptr) begin_ = std::chrono::steady_clock::now();
  }
  ~ProfiledSpan() {
    if (profile_ != nullptr)
      profile_->add(what_, share_ * std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(), operations_);
  }
  ProfiledSpan(const ProfiledSpan&) = delete;
  ProfiledSpan& operator=(const ProfiledSpan&) = delete;

 private:
  Profile* profile_;
  std::string_view what_;
  double operations_, share_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace modnet
