// Named dimensions and how they unify across a seam (DESIGN section 5). A producer's dim must fit into the consumer's: a
// fixed size fits a symbol whose bounds allow it, a symbol fits where all of its values do, and one symbol of the consumer
// can stand for one thing only.
// Tested by tests/unit/contract/symbols_test.cc.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "formats/module/records.h"

namespace modnet {

enum class Fit : uint8_t {
  kFits,
  kSizeDiffers,    // two fixed sizes that are not equal
  kOutOfBounds,    // values that the consumer's bounds do not allow
  kNotFixed,       // a symbol where the consumer wants one fixed size
  kSymbolClashes,  // the consumer's symbol already stands for something else
};

/// A symbol that can take one value only, as that value: both ways to say it must unify alike.
[[nodiscard]] Dim settled(const Dim& dim);

/// What the consumer's symbols stand for so far.
class Symbols {
 public:
  /// Tries `from` (producer) at the place of `to` (consumer), and remembers the binding when it fits.
  [[nodiscard]] Fit unify(const Dim& from, const Dim& to);
  /// What a consumer's symbol stands for; null before it was met.
  [[nodiscard]] const Dim* bound(std::string_view symbol) const;
  /// Says beforehand what a consumer's symbol stands for.
  void bind(const std::string& symbol, const Dim& dim);

 private:
  std::map<std::string, Dim, std::less<>> bound_;
};

/// Some size that `from` can take and `to` cannot, for messages; 0 when there is none.
[[nodiscard]] uint64_t counterexample(const Dim& from, const Dim& to);

}  // namespace modnet
