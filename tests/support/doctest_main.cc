// Runs the cases of one test program. Unlike doctest's own main, a run that executed no case fails, and a program whose
// every case called skip_case() exits 77 so that ctest reports it as skipped, never as passed.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include "tests/support/skip.h"

namespace modnet::test {
namespace {
int skipped_cases = 0;
int executed_cases = 0;

struct Counter : doctest::IReporter {
  explicit Counter(const doctest::ContextOptions&) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats& stats) override {
    executed_cases = static_cast<int>(stats.numTestCasesPassingFilters);
  }
  void test_case_start(const doctest::TestCaseData&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};
REGISTER_LISTENER("counter", 1, Counter);
}  // namespace

void skip_case(const char* why) {
  ++skipped_cases;
  std::printf("skipped: %s\n", why);
}
}  // namespace modnet::test

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  const int rc = context.run();
  if (rc != 0 || context.shouldExit()) return rc;
  if (modnet::test::executed_cases == 0) {
    std::fputs("no test case ran\n", stderr);
    return 1;
  }
  return modnet::test::skipped_cases == modnet::test::executed_cases ? 77 : 0;
}
