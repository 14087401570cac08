// Commands are data: a specification (name, arguments, options, help) and a function. cli/ turns specifications into a
// parser and into help, tests compare them with the man pages, commands/table.cc lists them.
// Tested by tests/unit/commands and tests/cli.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/arguments.h"
#include "commands/console.h"
#include "commands/depfile.h"
#include "commands/exit.h"
#include "commands/recipe.h"
#include "formats/base/output.h"
#include "formats/base/result.h"

namespace modnet {

enum class OptionType : uint8_t {
  kFlag, kText, kInteger, kReal, kPath, kChoice,
  kTextList,  // may be given several times, each time with one value
  kPathList,  // takes every word up to the next option, as a shell's *.mnet gives them; may be given several times
  kSize,      // bytes with k, M, G, T
};

/// Texts are literals. `--no-NAME` forms are options of their own.
struct OptionSpec {
  std::string_view name = {};  // "batch-size", without the dashes; also the key in a recipe
  char short_name = 0;         // 'o' for -o; 0: none
  OptionType type = OptionType::kFlag;
  std::string_view metavar = {};                // "N", "FILE", "NAME"; empty for flags and choices
  std::string_view help = {};                   // one line, lower case, no full stop
  std::string_view default_text = {};           // shown in help and used by the getters
  std::vector<std::string_view> choices = {};   // kChoice
  double minimum = -std::numeric_limits<double>::infinity();  // kInteger, kReal, kSize: inclusive
  double maximum = std::numeric_limits<double>::infinity();
  bool required = false;
};

struct PositionalSpec {
  std::string_view name = {};  // "BACKBONE", in capitals
  std::string_view help = {};
  int64_t minimum = 1;
  int64_t maximum = 1;         // kMany: any number (only on the last one)
  static constexpr int64_t kMany = 1 << 30;
};

/// What a command writes decides which common options it has.
enum class Writes : uint8_t {
  kNothing,
  kModule,        // -o FILE required; -f, --dry-run, --depfile, --compress
  kModuleFolder,  // -o DIR required; -f, --dry-run, --depfile, --compress
  kStream,        // -o FILE, default "-": Arrow; -f, --dry-run, --depfile. Binary: refused on a terminal
  kEdit,          // -o FILE, or -f alone: the first argument itself; --dry-run, --depfile with -o
  kText,          // -o FILE, default "-": JSONL, CSV or Arrow as the command decides; -f, --dry-run, --depfile
};
/// What it computes with: kPolicy adds --policy portable|vendor.
enum class Computes : uint8_t { kNothing, kPolicy };
/// How it uses a recipe (the first positional argument, when it is given).
enum class RecipeUse : uint8_t {
  kNone,
  kOptions,  // its keys are the command's options; Arguments are filled from it before run
  kTree,     // it is loaded into Invocation::recipe; the command reads it with RecipeReader
};

class Invocation;

struct CommandSpec {
  std::string_view name = {};
  std::string_view group = {};        // heading in `modnet --help`; groups appear in table order
  std::string_view summary = {};      // one line, lower case, no full stop
  std::string_view description = {};  // paragraphs separated by blank lines; wrapped when printed
  std::vector<PositionalSpec> positionals = {};
  std::vector<OptionSpec> options = {};  // the command's own; all_options() adds the common ones
  Writes writes = Writes::kNothing;
  Computes computes = Computes::kNothing;
  RecipeUse recipe = RecipeUse::kNone;
  std::string_view examples = {};     // lines as typed, without a prompt
  Result<int> (*run)(Invocation& invocation) = nullptr;  // an exit code, or an error that decides it
};

/// The command's own options, then the common ones: -o -f --dry-run --depfile --compress (by `writes`), --policy (by `computes`),
/// --threads --max-memory --json -q -v -h on all.
[[nodiscard]] std::vector<OptionSpec> all_options(const CommandSpec& spec);

/// Everything that a command gets to see.
class Invocation {
 public:
  Invocation(const CommandSpec& command, Console& out) : spec(command), console(out), args(command) {}

  const CommandSpec& spec;
  Console& console;
  Arguments args;
  std::optional<RecipeValue> recipe;   // RecipeUse::kTree, where it was given
  RecipeLoader load_recipe = nullptr;  // for recipes that name further recipes

  // The common options, read from args (so a recipe may set them too).
  [[nodiscard]] bool json() const { return args.flag("json"); }
  [[nodiscard]] int threads() const;          // --threads; default: all cores this process may use
  [[nodiscard]] int64_t max_memory() const;   // --max-memory in bytes; default: half of what the machine (or cgroup) has
  [[nodiscard]] bool dry_run() const;         // false where the command writes nothing
  [[nodiscard]] Overwrite overwrite() const;  // -f
  [[nodiscard]] std::string output() const;   // -o, or its default; of an edit with -f alone the file that is edited
  [[nodiscard]] int zstd_level() const;       // --compress; 0: raw
  [[nodiscard]] bool vendor() const;          // --policy vendor

  /// Opens -o. "-" is standard output: kUsage together with --json, and for binary data when it is a terminal.
  enum class Content : uint8_t { kBinary, kText };
  /// --depfile is written together with it: its name stays free until the dependencies are safe.
  [[nodiscard]] Result<std::unique_ptr<Output>> open_output(Content content) const;
  /// One file of a command that writes several (into the folder -o); open all of them before the first is committed.
  [[nodiscard]] Result<std::unique_ptr<Output>> open_target(const std::string& path) const;
  /// The same refusals without opening anything; for --dry-run and before long work. Also refuses an existing file without -f.
  [[nodiscard]] Status check_output(Content content) const;
  /// --depfile names a file that may be written, and -o a file to depend on: asked before the command runs.
  [[nodiscard]] Status check_depfile() const;

 private:
  std::shared_ptr<Depfile> depfile_ = std::make_shared<Depfile>();
};

}  // namespace modnet
