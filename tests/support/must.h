// For unit tests: a value that must be there.
#pragma once

#include <doctest/doctest.h>

#include <utility>

#include "formats/base/result.h"

namespace modnet::test {

/// The value; where there is none the test ends, saying the error.
template <typename T>
T must(Result<T> result) {
  if (!result.ok()) FAIL(result.error().where, ": ", result.error().what);
  return std::move(result).value();
}

}  // namespace modnet::test
