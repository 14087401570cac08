#include "libmod/compute/profile.h"

#include <algorithm>

namespace modnet {

void Profile::add(std::string_view what, double seconds, double operations) {
  const std::lock_guard<std::mutex> lock(turn_);
  auto row = std::find_if(rows_.begin(), rows_.end(), [&](const Row& one) { return one.what == what; });
  if (row == rows_.end()) row = rows_.insert(rows_.end(), Row{std::string(what), 0, 0, 0});
  ++row->calls;
  row->seconds += seconds;
  row->operations += operations;
}

std::vector<Profile::Row> Profile::rows() const {
  std::vector<Row> out = rows_;
  std::stable_sort(out.begin(), out.end(), [](const Row& a, const Row& b) { return a.seconds > b.seconds; });
  return out;
}

}  // namespace modnet
