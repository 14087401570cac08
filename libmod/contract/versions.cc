#include "libmod/contract/versions.h"

#include <algorithm>
#include <charconv>

namespace modnet {
namespace {

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Error bad_version(std::string_view text) {
  return invalid("'" + std::string(text) + "' is not a semantic version; expected MAJOR.MINOR.PATCH, as in 1.4.2");
}

/// A number without leading zeros that fits.
bool parse_number(std::string_view text, uint64_t* out) {
  if (!is_digits(text) || (text.size() > 1 && text[0] == '0')) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t at = text.find(by);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

bool is_identifier(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

}  // namespace

Result<Version> parse_version(std::string_view text) {
  std::string_view rest = text;
  if (const size_t plus = rest.find('+'); plus != std::string_view::npos) {
    for (const std::string_view part : split(rest.substr(plus + 1), '.'))
      if (!is_identifier(part)) return bad_version(text);
    rest = rest.substr(0, plus);
  }
  Version version;
  if (const size_t dash = rest.find('-'); dash != std::string_view::npos) {
    for (const std::string_view part : split(rest.substr(dash + 1), '.')) {
      if (!is_identifier(part) || (is_digits(part) && part.size() > 1 && part[0] == '0')) return bad_version(text);
      version.prerelease.emplace_back(part);
    }
    rest = rest.substr(0, dash);
  }
  const std::vector<std::string_view> parts = split(rest, '.');
  if (parts.size() != 3 || !parse_number(parts[0], &version.major) || !parse_number(parts[1], &version.minor) ||
      !parse_number(parts[2], &version.patch))
    return bad_version(text);
  return version;
}

std::strong_ordering compare(const Version& a, const Version& b) {
  if (const auto c = a.major <=> b.major; c != 0) return c;
  if (const auto c = a.minor <=> b.minor; c != 0) return c;
  if (const auto c = a.patch <=> b.patch; c != 0) return c;
  if (a.prerelease.empty() || b.prerelease.empty())  // a release comes after its prereleases
    return static_cast<int>(a.prerelease.empty()) <=> static_cast<int>(b.prerelease.empty());
  for (size_t i = 0; i < std::min(a.prerelease.size(), b.prerelease.size()); ++i) {
    const std::string &x = a.prerelease[i], &y = b.prerelease[i];
    const bool xn = is_digits(x), yn = is_digits(y);
    if (xn != yn) return xn ? std::strong_ordering::less : std::strong_ordering::greater;
    if (xn && x.size() != y.size()) return x.size() <=> y.size();  // no leading zeros: longer is larger
    if (const int c = x.compare(y); c != 0) return c <=> 0;
  }
  return a.prerelease.size() <=> b.prerelease.size();
}

Result<bool> in_range(const Version& version, std::string_view range) {
  bool all = true;  // every comparator is read, so that a bad range is bad for every version
  for (std::string_view part : split(range, ' ')) {
    if (part.empty() || part == "*") continue;
    std::string_view op = "=";
    for (const std::string_view candidate : {">=", "<=", ">", "<", "="})
      if (part.starts_with(candidate)) {
        op = candidate;
        part.remove_prefix(candidate.size());
        break;
      }
    std::string full(part);
    const size_t core = full.find_first_of("-+");
    for (auto dots = std::count(full.begin(), full.begin() + static_cast<int64_t>(std::min(core, full.size())), '.');
         core == std::string::npos && dots < 2; ++dots)
      full += ".0";
    const Result<Version> bound = parse_version(full);
    if (!bound.ok())
      return invalid("'" + std::string(range) + "' is not a version range; expected comparators as in '>=1.2 <2'");
    const auto order = compare(version, *bound);
    const bool holds = op == ">=" ? order >= 0 : op == "<=" ? order <= 0 : op == ">" ? order > 0 : op == "<" ? order < 0 : order == 0;
    all = all && holds;
  }
  return all;
}

}  // namespace modnet
