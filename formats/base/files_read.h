// Which files this process has read: what a dependency file lists (commands/depfile.h). Kept here because whoever opens a file
// is many layers away from who asks. Tested by tests/unit/base/file_test.cc.
#pragma once

#include <string>
#include <vector>

namespace modnet {

/// Every regular file that was opened through formats/base/file.h, as it was named, each name once, in that order. Thread-safe.
[[nodiscard]] std::vector<std::string> files_read();

}  // namespace modnet
