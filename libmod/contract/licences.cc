#include "libmod/contract/licences.h"

#include <algorithm>
#include <vector>

namespace modnet {
namespace {

std::vector<std::string_view> alternatives(std::string_view text) {
  std::vector<std::string_view> out;
  constexpr std::string_view kOr = " OR ";
  for (;;) {
    const size_t at = text.find(kOr);
    std::string_view one = text.substr(0, at);
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    if (!one.empty()) out.push_back(one);
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + kOr.size());
  }
}

}  // namespace

bool licence_allows(std::string_view wanted, std::string_view stated) {
  if (wanted.empty()) return true;
  const std::vector<std::string_view> a = alternatives(wanted), b = alternatives(stated);
  return std::any_of(b.begin(), b.end(), [&](std::string_view one) { return std::find(a.begin(), a.end(), one) != a.end(); });
}

bool licence_keeps(std::string_view before, std::string_view now) {
  const std::vector<std::string_view> a = alternatives(before), b = alternatives(now);
  return std::all_of(a.begin(), a.end(), [&](std::string_view one) { return std::find(b.begin(), b.end(), one) != b.end(); });
}

}  // namespace modnet
