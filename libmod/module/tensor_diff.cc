#include "libmod/module/tensor_diff.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace modnet {
namespace {

using Prefixes = std::pair<std::string, std::string>;
using Key = std::tuple<DType, std::vector<uint64_t>, Digest>;

TensorSide side_of(const TensorRecord& record) { return {record.name, record.dtype, record.shape, record.digest}; }

struct Leftover {
  std::vector<const TensorRecord*> before, after;
};

/// Pairs equal leftovers: those that are alone first, then by prefixes that were seen, then in the order of names.
class Renames {
 public:
  explicit Renames(std::map<Key, Leftover>& groups) : groups_(groups) {}

  void run() {
    for (auto& [key, group] : groups_)
      if (group.before.size() == 1 && group.after.size() == 1) pair(group, 0, 0);
    const std::map<Prefixes, int64_t> known = prefixes_;
    for (auto& [key, group] : groups_)
      if (!group.before.empty() && !group.after.empty()) pair_by_prefix(group, known);
    for (auto& [key, group] : groups_)
      while (!group.before.empty() && !group.after.empty()) pair(group, 0, 0);
  }
  std::vector<std::pair<const TensorRecord*, const TensorRecord*>> pairs;

 private:
  void pair(Leftover& group, size_t i, size_t j) {
    pairs.emplace_back(group.before[i], group.after[j]);
    ++prefixes_[differing_prefixes(group.before[i]->name, group.after[j]->name)];
    group.before.erase(group.before.begin() + static_cast<std::ptrdiff_t>(i));
    group.after.erase(group.after.begin() + static_cast<std::ptrdiff_t>(j));
  }

  /// The few most frequent prefixes are tried on every name.
  void pair_by_prefix(Leftover& group, const std::map<Prefixes, int64_t>& known) {
    std::vector<std::pair<int64_t, Prefixes>> frequent;
    for (const auto& [prefixes, count] : known) frequent.emplace_back(-count, prefixes);
    std::sort(frequent.begin(), frequent.end());
    if (frequent.size() > 16) frequent.resize(16);
    std::set<std::string> wanted;
    for (const TensorRecord* record : group.after) wanted.insert(record->name);
    std::map<std::string, const TensorRecord*> found;  // new name → old
    std::set<const TensorRecord*> used;
    for (const auto& [count, prefixes] : frequent)
      for (const TensorRecord* record : group.before) {
        const auto& [old_prefix, new_prefix] = prefixes;
        if (used.contains(record) || !record->name.starts_with(old_prefix)) continue;
        std::string name = new_prefix + record->name.substr(old_prefix.size());
        if (old_prefix.empty() && !new_prefix.empty()) name = new_prefix + "." + record->name;
        if (new_prefix.empty() && !old_prefix.empty()) name = record->name.substr(std::min(old_prefix.size() + 1, record->name.size()));
        if (wanted.contains(name) && found.try_emplace(name, record).second) used.insert(record);
      }
    for (const TensorRecord* record : group.after)
      if (const auto match = found.find(record->name); match != found.end()) {
        pairs.emplace_back(match->second, record);
        ++prefixes_[differing_prefixes(match->second->name, record->name)];
      }
    std::erase_if(group.before, [&](const TensorRecord* record) { return used.contains(record); });
    std::erase_if(group.after, [&](const TensorRecord* record) { return found.contains(record->name); });
  }

  std::map<Key, Leftover>& groups_;
  std::map<Prefixes, int64_t> prefixes_;
};

}  // namespace

std::pair<std::string, std::string> differing_prefixes(const std::string& before, const std::string& after) {
  size_t same = 0;
  while (same < std::min(before.size(), after.size()) && before[before.size() - 1 - same] == after[after.size() - 1 - same]) ++same;
  // Back to where a part of the name begins on both sides.
  const auto begins_part = [&](const std::string& name, size_t tail) {
    return tail == name.size() || name[name.size() - tail - 1] == '.' || name[name.size() - tail - 1] == '/';
  };
  while (same > 0 && !(begins_part(before, same) && begins_part(after, same))) --same;
  const auto prefix = [&](const std::string& name) {
    const size_t size = name.size() - same;
    return name.substr(0, size == 0 || same == 0 ? size : size - 1);
  };
  return {prefix(before), prefix(after)};
}

TensorDiff diff_tensors(const std::vector<TensorRecord>& before, const std::vector<TensorRecord>& after) {
  TensorDiff out;
  std::map<Key, Leftover> groups;
  size_t i = 0, j = 0;
  while (i < before.size() || j < after.size()) {
    if (j == after.size() || (i < before.size() && before[i].name < after[j].name)) {
      const TensorRecord& record = before[i++];
      groups[{record.dtype, record.shape, record.digest}].before.push_back(&record);
    } else if (i == before.size() || after[j].name < before[i].name) {
      const TensorRecord& record = after[j++];
      groups[{record.dtype, record.shape, record.digest}].after.push_back(&record);
    } else {
      const TensorRecord &a = before[i++], &b = after[j++];
      if (a.dtype == b.dtype && a.shape == b.shape && a.digest == b.digest) ++out.equal;
      else out.changes.push_back({Change::kChanged, side_of(a), side_of(b), std::nullopt});
    }
  }
  Renames renames(groups);
  renames.run();
  std::map<Prefixes, int64_t> prefixes;
  for (const auto& [from, to] : renames.pairs) {
    out.changes.push_back({Change::kRenamed, side_of(*from), side_of(*to), std::nullopt});
    ++prefixes[differing_prefixes(from->name, to->name)];
  }
  for (const auto& [names, count] : prefixes)
    if (count > 1) out.prefixes.push_back({names.first, names.second, count});
  for (const auto& [key, group] : groups) {
    for (const TensorRecord* record : group.before) out.changes.push_back({Change::kRemoved, side_of(*record), std::nullopt, std::nullopt});
    for (const TensorRecord* record : group.after) out.changes.push_back({Change::kAdded, std::nullopt, side_of(*record), std::nullopt});
  }
  std::stable_sort(out.changes.begin(), out.changes.end(), [](const TensorChange& a, const TensorChange& b) {
    const std::string &x = a.before ? a.before->name : a.after->name, &y = b.before ? b.before->name : b.after->name;
    return x != y ? x < y : a.before && !b.before;
  });
  return out;
}

}  // namespace modnet
