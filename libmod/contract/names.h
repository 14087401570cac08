// The words of a contract: one table an enum, used by JSON, inspect and messages alike.
// Tested by tests/unit/contract/json_test.cc (every name goes there and back).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/module/records.h"

namespace modnet {

template <typename E>
struct NameRow {
  E value;
  std::string_view name;
};

/// All names of an enum, in order of their numbers; specialised for every enum of records.h that a contract uses.
template <typename E>
[[nodiscard]] std::span<const NameRow<E>> names_of();
template <> std::span<const NameRow<Direction>> names_of<Direction>();
template <> std::span<const NameRow<Layout>> names_of<Layout>();
template <> std::span<const NameRow<Semantic>> names_of<Semantic>();
template <> std::span<const NameRow<Side>> names_of<Side>();
template <> std::span<const NameRow<MaskPolarity>> names_of<MaskPolarity>();
template <> std::span<const NameRow<NormKind>> names_of<NormKind>();
template <> std::span<const NameRow<NonFinite>> names_of<NonFinite>();
template <> std::span<const NameRow<Metric>> names_of<Metric>();
template <> std::span<const NameRow<Pooling>> names_of<Pooling>();
template <> std::span<const NameRow<Determinism>> names_of<Determinism>();
template <> std::span<const NameRow<Kind>> names_of<Kind>();

/// The name of a value, or "unknown" for a number that this build does not know.
template <typename E>
[[nodiscard]] std::string_view name_of(E value) {
  for (const NameRow<E>& row : names_of<E>())
    if (row.value == value) return row.name;
  return "unknown";
}
template <typename E>
[[nodiscard]] std::optional<E> from_name(std::string_view name) {
  for (const NameRow<E>& row : names_of<E>())
    if (row.name == name) return row.value;
  return std::nullopt;
}

/// "384", "T ≤ 256", "T" …
[[nodiscard]] std::string dim_text(const Dim& dim);
/// "f32[B,384]"
[[nodiscard]] std::string type_text(const Port& port);
/// "minilm/mean-l2@1"
[[nodiscard]] std::string space_text(const SpaceRecord& space);
/// The first 12 hex digits of a digest, for people.
[[nodiscard]] std::string short_digest(const Digest& digest);

}  // namespace modnet
