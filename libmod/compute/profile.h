// Where a run's time goes: wall time, calls and floating-point operations by what ran. Kept by the thread that starts the
// work, so that a step's time is the time of all threads together. Tested by tests/unit/compute/plan_test.cc.
#pragma once

#include <chrono>
#include <cstdint>
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

  void add(std::string_view what, double seconds, double operations);
  /// What took longest comes first.
  [[nodiscard]] std::vector<Row> rows() const;

 private:
  std::vector<Row> rows_;
};

/// Adds the time from its making to its end to a profile, if there is one.
class ProfiledSpan {
 public:
  ProfiledSpan(Profile* profile, std::string_view what, double operations = 0) : profile_(profile), what_(what), operations_(operations) {
    if (profile_ != nullptr) begin_ = std::chrono::steady_clock::now();
  }
  ~ProfiledSpan() {
    if (profile_ != nullptr)
      profile_->add(what_, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(), operations_);
  }
  ProfiledSpan(const ProfiledSpan&) = delete;
  ProfiledSpan& operator=(const ProfiledSpan&) = delete;

 private:
  Profile* profile_;
  std::string_view what_;
  double operations_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace modnet
