// Checks that look inside composites. A composite is what its components are: a new version of it is checked slot by slot as
// well, and the seams between its components are checked as they are wired, not as they could be.
// Tested by tests/unit/graph/inside_test.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "formats/base/result.h"
#include "formats/module/read.h"
#include "formats/module/records.h"
#include "libmod/contract/check.h"

namespace modnet {

/// What checks read of a module and, at any depth, of its components: contracts, identities, evidence. No payload is read.
class CheckedModule {
 public:
  /// Components are opened in place. `view` must outlive the object. Errors name the slot.
  [[nodiscard]] static Result<CheckedModule> open(const ModuleView& view);

  /// Borrows from this object, which must stay where it is meanwhile.
  [[nodiscard]] Subject subject() const;
  [[nodiscard]] const ModuleView& view() const { return *view_; }

  struct Component;
  [[nodiscard]] const std::vector<std::unique_ptr<Component>>& components() const { return components_; }

 private:
  static void add_evidence(CheckedModule& module, const std::vector<EvidenceRecord>& outer);
  const ModuleView* view_ = nullptr;
  std::vector<EvidenceRecord> evidence_;  // the module's own, then what it is part of says about it
  std::vector<Digest> parts_;             // contents of all components within
  std::vector<std::unique_ptr<Component>> components_;  // by slot
};

struct CheckedModule::Component {
  std::string slot;
  ModuleView view;
  CheckedModule module;
};

/// check_edge(), and the seams inside both modules. Paths of findings inside begin with "SLOT/".
[[nodiscard]] CheckReport check_edge(const CheckedModule& from, const CheckedModule& to, const CheckContext& context = {});
/// check_evolution(), the same for every slot that both have, and the seams inside the new module.
[[nodiscard]] CheckReport check_evolution(const CheckedModule& before, const CheckedModule& now, const CheckContext& context = {});

/// Findings on the seams inside a composite, at any depth; none for other modules. kMalformed for a graph that cannot be read.
[[nodiscard]] std::vector<Finding> check_seams(const CheckedModule& module, const CheckContext& context = {});

}  // namespace modnet
