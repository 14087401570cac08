#include "cli/completion.h"

#include <vector>

namespace modnet {
namespace {

std::string options_of(const CommandSpec& spec) {
  std::string out;
  for (const OptionSpec& option : all_options(spec)) out += (out.empty() ? "--" : " --") + std::string(option.name);
  return out;
}

std::string bash_script(std::span<const CommandSpec> table) {
  std::string names = "help completion", cases;
  for (const CommandSpec& spec : table) {
    names += " " + std::string(spec.name);
    cases += "    " + std::string(spec.name) + ") options='" + options_of(spec) + "' ;;\n";
    for (const OptionSpec& option : spec.options) {
      if (option.type != OptionType::kChoice) continue;
      std::string choices;
      for (const std::string_view choice : option.choices) choices += (choices.empty() ? "" : " ") + std::string(choice);
      cases.insert(cases.size() - 4, "; [[ $before == --" + std::string(option.name) + " ]] && options='" + choices + "' ");
    }
  }
  return "# bash completion for modnet: source <(modnet completion bash)\n"
         "_modnet() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} options=\n"
         "  if ((COMP_CWORD == 1)) || { ((COMP_CWORD == 2)) && [[ $before == help ]]; }; then\n"
         "    COMPREPLY=($(compgen -W '" + names + " --help --version' -- \"$word\"))\n"
         "    return\n"
         "  fi\n"
         "  case ${COMP_WORDS[1]} in\n" + cases +
         "    completion) options='bash zsh' ;;\n"
         "  esac\n"
         "  if [[ $word == -* || $options != --* ]]; then COMPREPLY=($(compgen -W \"$options\" -- \"$word\")); fi\n"
         "}\n"
         "complete -o default -F _modnet modnet\n";
}

}  // namespace

Result<std::string> completion_script(std::span<const CommandSpec> table, std::string_view shell) {
  if (shell == "bash") return bash_script(table);
  if (shell == "zsh") return "autoload -U +X bashcompinit && bashcompinit\n" + bash_script(table);
  return usage("unknown shell '" + std::string(shell) + "'; expected bash or zsh");
}

}  // namespace modnet
