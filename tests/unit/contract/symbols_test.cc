// Named dimensions across a seam: what fits, what does not, and a size that shows it.
#include "libmod/contract/symbols.h"

#include <doctest/doctest.h>

namespace modnet {
namespace {

Dim fixed(uint64_t size) { return {"", size, 1, 0, 1}; }
Dim symbol(std::string name, uint64_t min = 1, uint64_t max = 0, uint64_t multiple = 1) { return {std::move(name), 0, min, max, multiple}; }
Fit once(const Dim& from, const Dim& to) {
  Symbols symbols;
  return symbols.unify(from, to);
}
bool takes(const Dim& dim, uint64_t n) {
  if (dim.symbol.empty()) return n == dim.size;
  return n >= dim.min && (dim.max == 0 || n <= dim.max) && n % dim.multiple_of == 0;
}

TEST_CASE("fixed sizes fit when they are equal") {
  CHECK(once(fixed(384), fixed(384)) == Fit::kFits);
  CHECK(once(fixed(384), fixed(768)) == Fit::kSizeDiffers);
}

TEST_CASE("a fixed size fits a symbol whose bounds allow it") {
  CHECK(once(fixed(16), symbol("T", 1, 16, 8)) == Fit::kFits);
  CHECK(once(fixed(17), symbol("T", 1, 16)) == Fit::kOutOfBounds);
  CHECK(once(fixed(3), symbol("T", 4)) == Fit::kOutOfBounds);
  CHECK(once(fixed(12), symbol("T", 1, 0, 8)) == Fit::kOutOfBounds);
  CHECK(once(fixed(0), symbol("T", 1)) == Fit::kOutOfBounds);
}

TEST_CASE("a symbol fits a fixed size only when it can be nothing else") {
  CHECK(once(symbol("T"), fixed(128)) == Fit::kNotFixed);
  CHECK(once(symbol("T", 128, 128), fixed(128)) == Fit::kFits);
  CHECK(once(symbol("T", 1, 128), fixed(128)) == Fit::kNotFixed);
}

TEST_CASE("a symbol fits a symbol exactly when each of its values does, and the counterexample is one that does not") {
  // Against all sizes up to 80: bounds of both sides stay below 40, so a difference shows up there.
  int fitting = 0, failing = 0;
  for (const uint64_t a_min : {1, 3, 8})
    for (const uint64_t a_max : {0, 8, 24, 30})
      for (const uint64_t a_step : {1, 2, 6})
        for (const uint64_t b_min : {1, 4, 9})
          for (const uint64_t b_max : {0, 24, 29})
            for (const uint64_t b_step : {1, 3, 4}) {
              const Dim a = symbol("A", a_min, a_max, a_step), b = symbol("B", b_min, b_max, b_step);
              bool all = true;
              for (uint64_t n = 1; n <= 80; ++n) all = all && (!takes(a, n) || takes(b, n));
              CAPTURE(a_min);
              CAPTURE(a_max);
              CAPTURE(a_step);
              CAPTURE(b_min);
              CAPTURE(b_max);
              CAPTURE(b_step);
              CHECK(once(a, b) == (all ? Fit::kFits : Fit::kOutOfBounds));
              const uint64_t n = counterexample(a, b);
              if (all) {
                CHECK(n == 0);
              } else {
                CHECK(n > 0);
                CHECK(takes(a, n));
                CHECK_FALSE(takes(b, n));
              }
              ++(all ? fitting : failing);
            }
  CHECK(fitting > 50);
  CHECK(failing > 50);
}

TEST_CASE("one symbol of the consumer stands for one thing only") {
  Symbols symbols;
  CHECK(symbols.unify(symbol("B"), symbol("N")) == Fit::kFits);
  CHECK(symbols.unify(symbol("B"), symbol("N")) == Fit::kFits);
  CHECK(symbols.unify(symbol("C"), symbol("N")) == Fit::kSymbolClashes);
  CHECK(symbols.unify(fixed(4), symbol("N")) == Fit::kSymbolClashes);
  CHECK(symbols.unify(fixed(4), symbol("D")) == Fit::kFits);
  CHECK(symbols.unify(fixed(4), symbol("D")) == Fit::kFits);
  CHECK(symbols.unify(fixed(5), symbol("D")) == Fit::kSymbolClashes);
  CHECK(symbols.unify(symbol("B"), symbol("D")) == Fit::kSymbolClashes);
}

TEST_CASE("what did not fit binds nothing") {
  Symbols symbols;
  CHECK(symbols.unify(fixed(9), symbol("T", 1, 8)) == Fit::kOutOfBounds);
  CHECK(symbols.unify(fixed(8), symbol("T", 1, 8)) == Fit::kFits);
}

}  // namespace
}  // namespace modnet
