// Result and its two macros.
#include "formats/base/result.h"

#include <doctest/doctest.h>

#include <memory>

namespace modnet {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return invalid("odd");
  return n / 2;
}
Result<int> quarter(int n) {
  MODNET_ASSIGN(const int once, half(n));
  MODNET_ASSIGN(const int twice, half(once));
  return twice;
}
Status check(int n) {
  MODNET_TRY(quarter(n));
  return ok();
}

TEST_CASE("an error travels up unchanged through both macros") {
  CHECK(quarter(12).value() == 3);
  CHECK(check(12).ok());
  const Result<int> bad = quarter(6);
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().code == Code::kInvalid);
  CHECK(bad.error().what == "odd");
  CHECK(check(6).error().what == "odd");
}

TEST_CASE("a result can own what cannot be copied") {
  Result<std::unique_ptr<int>> owner = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = std::move(owner).value();
  CHECK(*taken == 7);
}

TEST_CASE("the file that was named first stays in the error") {
  const Error error = malformed("bad", "offset 3").in_file("inner").in_file("outer");
  CHECK(error.file == "inner");
  CHECK(error.where == "offset 3");
  CHECK(error.code == Code::kMalformed);
}

}  // namespace
}  // namespace modnet
