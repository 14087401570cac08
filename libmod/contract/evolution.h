// The evolution check: may the new version replace the old one for everyone who depends on it, and which version bump does
// the change need? Inputs must take all that they took (contravariant), outputs may give only what they gave (covariant).
// Tested by tests/unit/contract/evolution_test.cc and laws_test.cc.
#pragma once

#include "libmod/contract/check.h"
#include "libmod/contract/versions.h"

namespace modnet {

/// Ports meet by direction and name; what is left over meets by its number and was renamed. Any change needs at least a patch.
/// Versions are compared where both sides have an identity.
[[nodiscard]] CheckReport check_evolution(const Subject& before, const Subject& now, const CheckContext& context = {});

/// The bump that two version numbers declare: kNone unless `now` comes after `before`. Before 1.0.0 the minor number counts as
/// the major and the patch as the minor, as cargo and npm read it. A release after its own pre-release declares what its number
/// says (2.0.0 a major, 1.3.0 a minor, 1.3.1 a patch).
[[nodiscard]] Bump declared_bump(const Version& before, const Version& now);

}  // namespace modnet
