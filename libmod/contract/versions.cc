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

namespace {

struct Comparator {
  std::string_view op;
  Version bound;
};

Result<std::vector<Comparator>> parse_range(std::string_view range) {
  std::vector<Comparator> out;
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
    Result<Version> bound = parse_version(full);
    if (!bound.ok())
      return invalid("'" + std::string(range) + "' is not a version range; expected comparators as in '>=1.2 <2'");
    out.push_back({op, std::move(*bound)});
  }
  return out;
}

bool holds(const Version& version, const Comparator& one) {
  const auto order = compare(version, one.bound);
  return one.op == ">=" ? order >= 0 : one.op == "<=" ? order <= 0 : one.op == ">" ? order > 0 : one.op == "<" ? order < 0 : order == 0;
}

/// One end of an interval: no bound, or a version that belongs to it or not.
struct End {
  const Version* bound = nullptr;
  bool closed = true;
};
struct Interval {
  End low, high;
  bool empty = false;
};

Interval interval_of(const std::vector<Comparator>& comparators) {
  Interval out;
  const auto raise = [&](const Version& bound, bool closed) {
    if (out.low.bound == nullptr || compare(bound, *out.low.bound) > 0) out.low = {&bound, closed};
    else if (compare(bound, *out.low.bound) == 0) out.low.closed = out.low.closed && closed;
  };
  const auto lower = [&](const Version& bound, bool closed) {
    if (out.high.bound == nullptr || compare(bound, *out.high.bound) < 0) out.high = {&bound, closed};
    else if (compare(bound, *out.high.bound) == 0) out.high.closed = out.high.closed && closed;
  };
  for (const Comparator& one : comparators) {
    if (one.op == ">=" || one.op == ">" || one.op == "=") raise(one.bound, one.op != ">");
    if (one.op == "<=" || one.op == "<" || one.op == "=") lower(one.bound, one.op != "<");
  }
  if (out.low.bound != nullptr && out.high.bound != nullptr) {
    const auto order = compare(*out.low.bound, *out.high.bound);
    out.empty = order > 0 || (order == 0 && !(out.low.closed && out.high.closed));
  }
  return out;
}

}  // namespace

Result<bool> in_range(const Version& version, std::string_view range) {
  MODNET_ASSIGN(const std::vector<Comparator> comparators, parse_range(range));
  return std::all_of(comparators.begin(), comparators.end(), [&](const Comparator& one) { return holds(version, one); });
}

Result<bool> range_within(std::string_view inner, std::string_view outer) {
  MODNET_ASSIGN(const std::vector<Comparator> in, parse_range(inner));
  MODNET_ASSIGN(const std::vector<Comparator> out, parse_range(outer));
  const Interval a = interval_of(in), b = interval_of(out);
  if (a.empty) return true;
  if (b.low.bound != nullptr) {
    if (a.low.bound == nullptr) return false;
    const auto order = compare(*a.low.bound, *b.low.bound);
    if (order < 0 || (order == 0 && a.low.closed && !b.low.closed)) return false;
  }
  if (b.high.bound != nullptr) {
    if (a.high.bound == nullptr) return false;
    const auto order = compare(*a.high.bound, *b.high.bound);
    if (order > 0 || (order == 0 && a.high.closed && !b.high.closed)) return false;
  }
  return true;
}

}  // namespace modnet
