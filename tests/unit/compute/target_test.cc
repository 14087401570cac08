// Which instruction set the kernels run on can be asked for, and only what is there is given.
#include "libmod/compute/target.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace modnet::test {
namespace {

TEST_CASE("the best instruction set is chosen when none is asked for") {
  const std::vector<std::string> targets = cpu_targets();
  REQUIRE_FALSE(targets.empty());
  REQUIRE(select_cpu_target("").ok());
  CHECK(cpu_target_name() == targets.front());
}

TEST_CASE("every listed instruction set can be selected, and the list does not change by selecting") {
  const std::vector<std::string> targets = cpu_targets();
  for (const std::string& name : targets) {
    REQUIRE(select_cpu_target(name).ok());
    CHECK(cpu_target_name() == name);
    CHECK(cpu_targets() == targets);
    CHECK(cpu_target_name() == name);
  }
  REQUIRE(select_cpu_target("").ok());
}

TEST_CASE("an instruction set that this machine lacks is unavailable, and the message names those it has") {
  const std::vector<std::string> targets = cpu_targets();
  int64_t lacking = 0;
  for (const std::string name : {"avx512amx", "avx512vnni", "avx512", "avx2", "sse4", "ssse3", "neon", "scalar"}) {
    if (std::find(targets.begin(), targets.end(), name) != targets.end()) continue;
    ++lacking;
    const Status status = select_cpu_target(name);
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == Code::kUnavailable);
    CHECK(status.error().what.find(targets.front()) != std::string::npos);
    CHECK(cpu_target_name() == targets.front());
  }
  CHECK(lacking > 0);  // no machine has NEON and SSE4
}

TEST_CASE("an unknown instruction set is a usage error") {
  const Status status = select_cpu_target("mmx");
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == Code::kUsage);
}

}  // namespace
}  // namespace modnet::test
