// modnet predict. Tested by tests/cli/predict-*.
#pragma once

#include "commands/command.h"

namespace modnet {

[[nodiscard]] CommandSpec predict_command();

}  // namespace modnet
