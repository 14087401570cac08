#include "libmod/contract/accept.h"

#include <algorithm>

#include "libmod/contract/report/words.h"

namespace modnet {
namespace {

Error entry_error(const Acceptance& entry, std::string what, std::string fix) {
  return Error{Code::kMalformed, "ACCEPTANCE", std::move(what), entry.place, {}, std::move(fix)};
}

/// What people call an entry.
std::string entry_name(const Acceptance& entry) {
  if (entry.rule) return *entry.rule + " at '" + entry.path.value_or("") + "'";
  return "key " + entry.key;
}

bool is_key(std::string_view text) {
  return text.size() == 16 && std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

bool is_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  const auto number = [&](size_t at, size_t n) {
    int value = 0;
    for (size_t i = at; i < at + n; ++i) {
      if (text[i] < '0' || text[i] > '9') return -1;
      value = value * 10 + (text[i] - '0');
    }
    return value;
  };
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

Status check_acceptance(const Acceptance& entry) {
  const bool any = entry.rule || entry.path || entry.old_text || entry.new_text;
  const bool all = entry.rule && entry.path && entry.old_text && entry.new_text;
  if (entry.key.empty() && !all)
    return entry_error(entry, "the entry does not say which finding it accepts", "give key = \"…\", or all of rule, path, old and new");
  if (any && !all) return entry_error(entry, "only some of rule, path, old and new are given", "give all of them, or only the key");
  if (!entry.key.empty() && !is_key(entry.key))
    return entry_error(entry, "'" + entry.key + "' is no key of a finding; expected 16 hex digits", "copy it from the report of check");
  if (entry.rule && find_rule(*entry.rule) == nullptr)
    return entry_error(entry, "there is no rule '" + *entry.rule + "'", "see 'modnet rules'");
  if (entry.reason.empty()) return entry_error(entry, "the entry gives no reason", "say why the break is fine");
  if (entry.owner.empty()) return entry_error(entry, "the entry has no owner", "say who answers for it");
  if (!is_day(entry.expires))
    return entry_error(entry, "'" + entry.expires + "' is no day; expected YYYY-MM-DD", "say until when it holds");
  return ok();
}

bool matches(const Acceptance& entry, const Finding& finding) {
  if (entry.rule && (*entry.rule != finding.rule->id || *entry.path != finding.path || *entry.old_text != finding.old_text ||
                     *entry.new_text != finding.new_text))
    return false;
  return entry.key.empty() ? entry.rule.has_value() : entry.key == finding_key(finding);
}

const Acceptance* acceptance_of(std::span<const Acceptance> entries, const Finding& finding) {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const Acceptance& entry) { return matches(entry, finding); });
  return found == entries.end() ? nullptr : &*found;
}

std::vector<Error> apply_acceptances(std::span<const Acceptance> entries, std::string_view today,
                                     std::span<CheckReport* const> reports) {
  std::vector<Error> errors;
  std::vector<bool> used(entries.size());
  std::vector<Finding*> taken;
  for (CheckReport* report : reports)
    for (Finding& finding : report->findings) {
      bool hit = false;
      for (size_t i = 0; i < entries.size(); ++i)
        if (matches(entries[i], finding)) used[i] = hit = true;
      if (hit) taken.push_back(&finding);
    }
  for (size_t i = 0; i < entries.size(); ++i) {
    const Acceptance& entry = entries[i];
    if (entry.expires < today)
      errors.push_back(Error{Code::kInvalid, "ACCEPTANCE_EXPIRED",
                             "the acceptance of " + entry_name(entry) + " expired on " + entry.expires + "; today is " + std::string(today),
                             entry.place, {}, "mend the break, or have " + entry.owner + " renew the entry"});
    if (!used[i])
      errors.push_back(Error{Code::kInvalid, "ACCEPTANCE_UNUSED", "the acceptance of " + entry_name(entry) + " matches no finding",
                             entry.place, {}, "remove the entry"});
  }
  if (!errors.empty()) return errors;
  for (Finding* finding : taken) finding->accepted = true;
  for (CheckReport* report : reports) settle(*report);
  return errors;
}

std::string suggested_acceptance(const Finding& finding) {
  return "[[accept]]\nkey = \"" + finding_key(finding) + "\"  # " + std::string(finding.rule->id) + " " + report::plain(finding.path) +
         "\nreason = \"\"\nowner = \"\"\nexpires = \"\"\n";
}

}  // namespace modnet
