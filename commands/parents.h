// verify --parent: are these the modules that others were made from? Tested by tests/cli/verify-parents.
#pragma once

#include <string>
#include <vector>

#include "commands/command.h"
#include "formats/module/records.h"

namespace modnet {

/// What the lineage of some modules says, and which of it the given parents bear out.
struct ParentReport {
  struct Row {
    std::string file, slot;  // whose lineage; the component's slot, or empty
    Lineage entry;
    std::string parent;      // the given file that is it; empty: none was given
  };
  std::vector<Row> rows;
  std::vector<Error> failures;
};

/// `parents` are modules, or folders whose *.mnet files may be parents. Each parent that counts is read to the last byte. A named
/// file that is nobody's parent, and an entry without a digest, are PARENT_DIGEST_MISSING (Code::kNo). `files` that cannot
/// be opened are left out: verify has said so.
[[nodiscard]] ParentReport verify_parents(const Invocation& invocation, const std::vector<std::string>& files, const std::vector<std::string>& parents);

[[nodiscard]] std::string parents_text(const ParentReport& report);
[[nodiscard]] Json parents_json(const ParentReport& report);

}  // namespace modnet
