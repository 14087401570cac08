#include "commands/table.h"

#include "commands/capabilities.h"

namespace modnet {

std::vector<CommandSpec> command_table() {
  return {
      capabilities_command(),
  };
}

}  // namespace modnet
