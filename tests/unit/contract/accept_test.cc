// Acceptances: which finding an entry takes, that it takes no other, and that entries which do nothing are errors.
#include "libmod/contract/accept.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/report_samples.h"

namespace modnet {
namespace {

using test::finding;
using test::pair;

constexpr std::string_view kToday = "2026-11-25";

Finding cut() { return finding("MAXLEN_REDUCED", "tokens.sequence.max_length", "256", "128"); }
Acceptance by_key(const Finding& of) { return {finding_key(of), {}, {}, {}, {}, "unused", "ann", "2026-11-25", "1:1"}; }
Acceptance by_parts() { return {"", "MAXLEN_REDUCED", "tokens.sequence.max_length", "256", "128", "unused", "ann", "2026-11-25", "1:1"}; }

std::vector<Error> apply(std::vector<Acceptance> entries, CheckReport& report, std::string_view today = kToday) {
  CheckReport* reports[] = {&report};
  return apply_acceptances(entries, today, reports);
}

}  // namespace

TEST_CASE("days are days of the calendar") {
  for (const std::string_view good : {"2026-11-25", "2024-02-29", "2000-02-29", "2026-12-31"}) CHECK(is_day(good));
  for (const std::string_view bad : {"", "2026-11-5", "2026-13-01", "2026-00-10", "2026-02-29", "2100-02-29", "2026-04-31", "2026-11-00",
                                     "0000-01-01", "2026/11/25", "2026-11-25T", "+026-11-25", "20261125  "})
    CHECK_MESSAGE(!is_day(bad), bad);
}

TEST_CASE("an entry takes the finding that it names by key or by its parts, and no other") {
  for (const Acceptance& entry : {by_key(cut()), by_parts()}) {
    CHECK(matches(entry, cut()));
    CHECK(!matches(entry, finding("MAXLEN_REDUCED", "tokens.sequence.max_length", "256", "64")));
    CHECK(!matches(entry, finding("MAXLEN_REDUCED", "tokens.sequence.max_length", "512", "128")));
    CHECK(!matches(entry, finding("MAXLEN_REDUCED", "other.sequence.max_length", "256", "128")));
    CHECK(!matches(entry, finding("PAD_ID_CHANGED", "tokens.sequence.max_length", "256", "128")));
  }
  Acceptance both = by_parts();
  both.key = finding_key(finding("PAD_ID_CHANGED", "p", "0", "1"));
  CHECK(!matches(both, cut()));
  CHECK(!matches(Acceptance{}, cut()));
}

TEST_CASE("an accepted break neither denies nor asks for a bump, and stays in the report") {
  CheckReport report = pair(CheckKind::kEvolution, {cut()}).report;
  REQUIRE(report.verdict == Verdict::kIncompatible);
  REQUIRE(report.required == Bump::kMajor);
  CHECK(apply({by_key(cut())}, report).empty());
  CHECK(report.verdict == Verdict::kCompatible);
  CHECK(report.required == Bump::kPatch);  // other weights remain
  REQUIRE(report.findings.size() == 1);    // no BUMP_INSUFFICIENT any more
  CHECK(report.findings[0].accepted);
}

TEST_CASE("a break beside an accepted one still denies and still needs its bump") {
  CheckReport report = pair(CheckKind::kEvolution, {cut(), finding("PAD_ID_CHANGED", "p", "0", "1")}).report;
  CHECK(apply({by_key(cut())}, report).empty());
  CHECK(report.verdict == Verdict::kIncompatible);
  CHECK(report.required == Bump::kMajor);
  CHECK(report.findings.size() == 3);
}

TEST_CASE("an entry holds on its last day and not on the next") {
  CheckReport report = pair(CheckKind::kEvolution, {cut()}).report;
  const std::vector<Error> errors = apply({by_key(cut())}, report, "2026-11-26");
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].id == "ACCEPTANCE_EXPIRED");
  CHECK(errors[0].where == "1:1");
  CHECK(!report.findings[0].accepted);
  CHECK(apply({by_key(cut())}, report, "2026-11-25").empty());
}

TEST_CASE("an entry that matches nothing is an error, and nothing is accepted beside it") {
  CheckReport report = pair(CheckKind::kEvolution, {cut()}).report;
  Acceptance stray = by_parts();
  stray.new_text = "64";
  stray.place = "7:3";
  const std::vector<Error> errors = apply({by_key(cut()), stray}, report);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].id == "ACCEPTANCE_UNUSED");
  CHECK(errors[0].where == "7:3");
  CHECK(!report.findings[0].accepted);
  CHECK(report.verdict == Verdict::kIncompatible);
}

TEST_CASE("an entry must say which finding, why, who and until when") {
  CHECK(check_acceptance(by_key(cut())).ok());
  CHECK(check_acceptance(by_parts()).ok());
  const auto refused = [](auto change) {
    Acceptance entry = by_parts();
    change(entry);
    const Status status = check_acceptance(entry);
    return !status.ok() && status.error().code == Code::kMalformed && status.error().where == "1:1";
  };
  CHECK(refused([](Acceptance& entry) { entry.reason.clear(); }));
  CHECK(refused([](Acceptance& entry) { entry.owner.clear(); }));
  CHECK(refused([](Acceptance& entry) { entry.expires = "soon"; }));
  CHECK(refused([](Acceptance& entry) { entry.expires.clear(); }));
  CHECK(refused([](Acceptance& entry) { entry.path.reset(); }));
  CHECK(refused([](Acceptance& entry) { entry.rule = "NO_SUCH_RULE"; }));
  CHECK(refused([](Acceptance& entry) { entry.key = "abc"; }));
  CHECK(refused([](Acceptance& entry) { entry.key = "0123456789ABCDEF"; }));
  CHECK(refused([](Acceptance& entry) { entry.rule.reset(), entry.path.reset(), entry.old_text.reset(), entry.new_text.reset(); }));
}

TEST_CASE("the suggested entry names the finding on lines of its own and is not complete") {
  const Finding one = finding("MAXLEN_REDUCED", test::kHostile, "256", "128");
  const std::string text = suggested_acceptance(one);
  CHECK(text.starts_with("[[accept]]\nkey = \"" + finding_key(one) + "\"  # MAXLEN_REDUCED a\\x1b[31m"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 5);
}

}  // namespace modnet
