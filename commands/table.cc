#include "commands/table.h"

#include "commands/attach_head.h"
#include "commands/capabilities.h"
#include "commands/card.h"
#include "commands/check.h"
#include "commands/compose.h"
#include "commands/convert.h"
#include "commands/embed.h"
#include "commands/encode.h"
#include "commands/eval.h"
#include "commands/extract.h"
#include "commands/import.h"
#include "commands/inspect.h"
#include "commands/predict.h"
#include "commands/rules.h"
#include "commands/sign.h"
#include "commands/train_head.h"
#include "commands/verify.h"

namespace modnet {

std::vector<CommandSpec> command_table() {
  return {
      import_command(),
      compose_command(),
      train_head_command(),
      attach_head_command(),
      convert_command(),
      extract_command(),
      encode_command(),
      embed_command(),
      predict_command(),
      eval_command(),
      inspect_command(),
      card_command(),
      verify_command(),
      check_command(),
      sign_command(),
      rules_command(),
      capabilities_command(),
  };
}

}  // namespace modnet
