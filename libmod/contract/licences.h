// Licences as contracts state them: SPDX expressions, of which alternatives ("MIT OR Apache-2.0") are understood.
// Tested by tests/unit/contract/licences_test.cc.
#pragma once

#include <string_view>

namespace modnet {

/// May a module under `stated` be used where `wanted` is demanded? One of the stated alternatives must be among the wanted ones.
/// Anything but alternatives is compared as a whole. An empty demand takes everything, an unstated licence meets no demand.
[[nodiscard]] bool licence_allows(std::string_view wanted, std::string_view stated);

/// Does `now` still give every right that `before` gave: are all of before's alternatives among now's? An unstated licence
/// gave none.
[[nodiscard]] bool licence_keeps(std::string_view before, std::string_view now);

}  // namespace modnet
