#include "libmod/contract/symbols.h"

#include <algorithm>

namespace modnet {
namespace {

/// May `to`, a symbol, take `size`?
bool takes(const Dim& to, uint64_t size) {
  if (to.symbol.empty()) return size == to.size;
  return size >= to.min && (to.max == 0 || size <= to.max) && (to.multiple_of <= 1 || size % to.multiple_of == 0);
}

}  // namespace

Dim settled(const Dim& dim) {
  if (dim.symbol.empty() || dim.max == 0) return dim;
  const uint64_t step = dim.multiple_of < 1 ? 1 : dim.multiple_of;
  const uint64_t least = (std::max<uint64_t>(dim.min, 1) + step - 1) / step * step, greatest = dim.max / step * step;
  return least == greatest ? Dim{"", least, 1, 0, 1} : dim;
}

uint64_t counterexample(const Dim& from, const Dim& to) {
  if (from.symbol.empty()) return takes(to, from.size) ? 0 : from.size;
  const uint64_t step = from.multiple_of < 1 ? 1 : from.multiple_of;
  const uint64_t least = (from.min + step - 1) / step * step;
  const auto allowed = [&](uint64_t n) { return n >= from.min && n > 0 && (from.max == 0 || n <= from.max) && n % step == 0; };
  // The ends of the range, then the first values beyond the consumer's bounds and off its grid.
  for (const uint64_t n : {least, least + step, from.max / step * step})
    if (allowed(n) && !takes(to, n)) return n;
  if (!to.symbol.empty() && to.max > 0) {
    const uint64_t beyond = (to.max / step + 1) * step;
    if (allowed(beyond) && !takes(to, beyond)) return beyond;
  }
  return 0;
}

Fit Symbols::unify(const Dim& from, const Dim& to) {
  if (to.symbol.empty()) {
    if (!from.symbol.empty()) return counterexample(from, to) != 0 ? Fit::kNotFixed : Fit::kFits;
    return from.size == to.size ? Fit::kFits : Fit::kSizeDiffers;
  }
  const bool fits = from.symbol.empty() ? takes(to, from.size) : counterexample(from, to) == 0;
  if (!fits) return Fit::kOutOfBounds;
  const auto [it, fresh] = bound_.try_emplace(to.symbol, from);
  if (fresh) return Fit::kFits;
  const bool same = from.symbol.empty() == it->second.symbol.empty() &&
                    (from.symbol.empty() ? from.size == it->second.size : from.symbol == it->second.symbol);
  return same ? Fit::kFits : Fit::kSymbolClashes;
}

void Symbols::bind(const std::string& symbol, const Dim& dim) { bound_.insert_or_assign(symbol, settled(dim)); }

const Dim* Symbols::bound(std::string_view symbol) const {
  const auto it = bound_.find(symbol);
  return it == bound_.end() ? nullptr : &it->second;
}

}  // namespace modnet
