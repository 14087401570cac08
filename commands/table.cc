#include "commands/table.h"

#include "commands/capabilities.h"
#include "commands/inspect.h"
#include "commands/verify.h"

namespace modnet {

std::vector<CommandSpec> command_table() {
  return {
      inspect_command(),
      verify_command(),
      capabilities_command(),
  };
}

}  // namespace modnet
