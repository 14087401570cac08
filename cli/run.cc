#include "cli/run.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <new>
#include <span>

#include "cli/completion.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/recipe_toml.h"
#include "commands/table.h"
#include "formats/base/output.h"

namespace modnet {
namespace {

extern "C" void on_signal(int number) {
  remove_temporaries();
  ::_exit(number == SIGINT ? kExitInterrupted : kExitTerminated);
}

Error out_of_memory() {
  return Error{Code::kUnavailable, "MEMORY", "out of memory", {}, {}, "raise --max-memory or give the machine more"};
}

// An exception on a thread of its own ends here; everything else is caught in run_modnet.
[[noreturn]] void on_terminate() {
  Console console("modnet");
  int code = kExitBug;
  try {
    if (const std::exception_ptr current = std::current_exception()) std::rethrow_exception(current);
    code = console.fail(internal("terminated"));
  } catch (const std::bad_alloc&) {
    code = console.fail(out_of_memory());
  } catch (const std::exception& error) {
    code = console.fail(internal(error.what()));
  } catch (...) {
    code = console.fail(internal("unknown exception"));
  }
  ::_exit(code);
}

void install_handlers() {
  struct sigaction action {};
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);  // writes then fail with EPIPE: exit 141
  action.sa_handler = on_signal;
  struct sigaction before {};
  for (const int number : {SIGINT, SIGTERM}) {
    if (::sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;  // nohup, background jobs
    ::sigaction(number, &action, nullptr);
  }
  std::set_terminate(on_terminate);
}

// --max-memory as a hard limit of the system on what is allocated (mapped module files do not count). The allowance is for
// thread stacks and the program itself. Sanitized builds reserve terabytes, so there it stays a promise of the commands.
void limit_memory(const Invocation& invocation) {
#if !defined(__SANITIZE_ADDRESS__)
  if (!invocation.args.has("max-memory")) return;
  constexpr int64_t kStack = int64_t{8} << 20, kProgram = int64_t{64} << 20;
  const int64_t bytes = invocation.max_memory() + invocation.threads() * kStack + kProgram;
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_DATA, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, static_cast<rlim_t>(bytes));
  ::setrlimit(RLIMIT_DATA, &limit);
#else
  static_cast<void>(invocation);
#endif
}

Error unknown_command(std::span<const CommandSpec> table, const std::string& word) {
  std::vector<std::string> known{"help", "completion"};
  for (const CommandSpec& spec : table) known.emplace_back(spec.name);
  const std::string near = closest_name(word, known);
  return usage("unknown command '" + word + "'",
               near.empty() ? "see 'modnet --help'" : "did you mean '" + near + "'?");
}

const CommandSpec* find_command(std::span<const CommandSpec> table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(), [&](const CommandSpec& s) { return s.name == name; });
  return found == table.end() ? nullptr : &*found;
}

bool said(const std::vector<std::string>& words, std::string_view option) {
  const auto end = std::find(words.begin(), words.end(), "--");
  return std::find(words.begin(), end, option) != end;
}

Result<int> run_command(const CommandSpec& spec, const std::vector<std::string>& words, Console& console) {
  Invocation invocation(spec, console);
  MODNET_TRY(parse_words(spec, words, invocation.args));
  if (invocation.args.flag("help")) {
    console.configure(Verbosity::kNormal, ResultForm::kPeople);
    console.print(command_text(spec, console));
    return kExitOk;
  }
  invocation.load_recipe = load_toml;
  const std::string recipe = spec.positionals.empty() ? "" : invocation.args.word(spec.positionals.front().name);
  if (spec.recipe != RecipeUse::kNone && !recipe.empty()) {
    MODNET_ASSIGN(RecipeValue tree, load_toml(recipe));
    if (spec.recipe == RecipeUse::kOptions) {
      MODNET_TRY(invocation.args.fill(tree, recipe));
    } else {
      invocation.recipe = std::move(tree);
    }
  }
  MODNET_TRY(invocation.args.check_required());
  const Arguments& args = invocation.args;
  console.configure(args.flag("quiet") ? Verbosity::kQuiet : (args.flag("verbose") ? Verbosity::kVerbose : Verbosity::kNormal),
                    args.flag("json") ? ResultForm::kJson : ResultForm::kPeople);
  limit_memory(invocation);
  MODNET_TRY(invocation.check_depfile());
  return spec.run(invocation);
}

Result<int> run_words(std::span<const CommandSpec> table, const std::vector<std::string>& words, Console& console) {
  if (words.front() == "--version") {
    console.print("modnet " MODNET_VERSION "\n");
    return kExitOk;
  }
  const std::string& first = words.front();
  if (first == "--help" || first == "-h" || first == "help") {
    if (first != "help" || words.size() == 1) {
      console.print(overview_text(table, console));
      return kExitOk;
    }
    const CommandSpec* spec = find_command(table, words[1]);
    if (!spec) return unknown_command(table, words[1]);
    console.print(command_text(*spec, console));
    return kExitOk;
  }
  if (first == "completion") {
    MODNET_ASSIGN(const std::string script, completion_script(table, words.size() > 1 ? words[1] : ""));
    console.print(script);
    return kExitOk;
  }
  const CommandSpec* spec = find_command(table, first);
  if (!spec && first[0] == '-') return usage("unknown option '" + first + "' before the command", "see 'modnet --help'");
  if (!spec) return unknown_command(table, first);
  return run_command(*spec, {words.begin() + 1, words.end()}, console);
}

}  // namespace

int run_modnet(const std::vector<std::string>& words) {
  install_handlers();
  const std::vector<CommandSpec> table = command_table();
  const CommandSpec* named = words.empty() ? nullptr : find_command(table, words.front());
  Console console(named ? std::string(named->name) : "usage");  // names the schema of --json documents
  if (said(words, "--json")) console.configure(Verbosity::kNormal, ResultForm::kJson);
  int code = kExitBug;
  try {
    if (words.empty() || words.front().empty()) {
      code = console.fail(usage("no command was given", "see 'modnet --help'"));
    } else {
      Result<int> result = run_words(table, words, console);
      code = result.ok() ? result.value() : console.fail(result.error());
    }
  } catch (const std::bad_alloc&) {
    code = console.fail(out_of_memory());
  } catch (const std::exception& error) {
    code = console.fail(internal(error.what()));
  } catch (...) {
    code = console.fail(internal("unknown exception"));
  }
  if (Status status = console.finish(); !status.ok() && code == kExitOk) code = console.fail(status.error());
  return code;
}

}  // namespace modnet
