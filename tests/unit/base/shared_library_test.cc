// Libraries opened by name: what is found, and how what is missing is told.
#include <doctest/doctest.h>

#include "formats/base/shared_library.h"

using namespace modnet;

TEST_CASE("a function of a library that is there can be called") {
  SharedLibrary math("libm.so.6");
  double (*root)(double) = nullptr;
  math.find("sqrt", root);
  CHECK(math.missing().empty());
  REQUIRE((root != nullptr));
  CHECK(root(2.25) == 1.5);
}

TEST_CASE("the first thing that is missing is named") {
  SharedLibrary math("libm.so.6");
  double (*none)(double) = nullptr;
  double (*root)(double) = nullptr;
  math.find("no_such_function", none);
  math.find("sqrt", root);
  CHECK((none == nullptr));
  CHECK((root != nullptr));
  CHECK(math.missing() == "libm.so.6 has no function no_such_function");

  SharedLibrary absent("libno-such-library.so.1");
  absent.find("sqrt", root);
  CHECK((root == nullptr));
  CHECK(absent.missing() == "libno-such-library.so.1 cannot be opened");
}
