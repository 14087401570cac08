// Semantic versions and ranges: the order of SemVer section 11, and what is no version or range at all.
#include "libmod/contract/versions.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace modnet {
namespace {

Version version(const std::string& text) {
  Result<Version> got = parse_version(text);
  if (!got.ok()) FAIL(text, ": ", got.error().what);
  return std::move(got).value();
}

bool holds(const std::string& text, const std::string& range) {
  const Result<bool> got = in_range(version(text), range);
  if (!got.ok()) FAIL(range, ": ", got.error().what);
  return *got;
}

TEST_CASE("versions order as in the example of SemVer section 11") {
  const std::vector<std::string> ascending = {"1.0.0-alpha",  "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta",
                                              "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",       "1.0.0",
                                              "1.0.1",        "1.2.0",         "1.10.0",           "2.0.0",
                                              "2.1.0",        "2.1.1"};
  for (size_t i = 0; i < ascending.size(); ++i)
    for (size_t j = 0; j < ascending.size(); ++j) {
      CAPTURE(ascending[i]);
      CAPTURE(ascending[j]);
      CHECK((compare(version(ascending[i]), version(ascending[j])) == (i <=> j)));
    }
}

TEST_CASE("numbers of a prerelease compare as numbers of any length, and come before words") {
  CHECK((compare(version("1.0.0-9"), version("1.0.0-10")) < 0));
  CHECK((compare(version("1.0.0-99999999999999999999998"), version("1.0.0-99999999999999999999999")) < 0));
  CHECK((compare(version("1.0.0-99999999999999999999999"), version("1.0.0-a")) < 0));
  CHECK((compare(version("1.0.0-0"), version("1.0.0-0")) == 0));
}

TEST_CASE("build metadata is checked and does not order") {
  CHECK((compare(version("1.2.3+build.7"), version("1.2.3")) == 0));
  CHECK((compare(version("1.2.3-rc.1+a-b"), version("1.2.3-rc.1+c")) == 0));
  CHECK(version("1.2.3-x-y.z+m-n").prerelease == std::vector<std::string>{"x-y", "z"});
  CHECK_FALSE(parse_version("1.2.3+").ok());
  CHECK_FALSE(parse_version("1.2.3+a..b").ok());
}

TEST_CASE("what SemVer does not allow is refused and shown") {
  for (const char* text : {"", "1", "1.2", "1.2.3.4", "01.2.3", "1.02.3", "1.2.03", "v1.2.3", "1.2.x", "-1.2.3", "1.2.3-", "1.2.3-a..b",
                           "1.2.3-01", "1.2.3-a_b", " 1.2.3", "1.2.3 ", "1..3", "18446744073709551616.0.0", "1.2.3-é"}) {
    CAPTURE(text);
    const Result<Version> got = parse_version(text);
    REQUIRE_FALSE(got.ok());
    CHECK(got.error().code == Code::kInvalid);
    CHECK(got.error().what.find("'" + std::string(text) + "'") != std::string::npos);
  }
  CHECK(version("18446744073709551615.0.0").major == 18446744073709551615u);
  CHECK(version("1.2.3-0a").prerelease == std::vector<std::string>{"0a"});
}

TEST_CASE("all comparators of a range must hold; parts left out count as 0") {
  CHECK(holds("1.2.0", ">=1.2 <2"));
  CHECK(holds("1.99.99", ">=1.2 <2"));
  CHECK_FALSE(holds("2.0.0", ">=1.2 <2"));
  CHECK_FALSE(holds("1.1.9", ">=1.2 <2"));
  CHECK(holds("1.0.3", "=1.0.3"));
  CHECK(holds("1.0.3", "1.0.3"));
  CHECK_FALSE(holds("1.0.4", "1.0.3"));
  CHECK(holds("1.0.1", ">1"));
  CHECK_FALSE(holds("1.0.0", ">1"));
  CHECK(holds("2.1.0", "<=2.1"));
  CHECK_FALSE(holds("2.1.1", "<=2.1"));
  CHECK(holds("1.0.0-rc.2", ">=1.0.0-rc.1"));
}

TEST_CASE("an empty range and a star take every version") {
  for (const char* text : {"0.0.0", "1.0.0-alpha", "99.0.0"}) {
    CHECK(holds(text, ""));
    CHECK(holds(text, "*"));
    CHECK(holds(text, "  *  "));
  }
}

TEST_CASE("a range that cannot be read is an error for every version") {
  for (const char* range : {">=", "^1.2", "~1", "1.x", ">=1.2 <", "<1 rubbish", ">=1.2.3.4", "==1.0.0", "1.2-rc", "> 1"}) {
    for (const char* text : {"0.1.0", "5.0.0"}) {
      CAPTURE(range);
      CAPTURE(text);
      const Result<bool> got = in_range(version(text), range);
      REQUIRE_FALSE(got.ok());
      CHECK(got.error().code == Code::kInvalid);
      CHECK(got.error().what.find(range) != std::string::npos);
    }
  }
}

}  // namespace
}  // namespace modnet
