#include "commands/command.h"

#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace modnet {
namespace {

// The number of CPUs that this process may run on (taskset, cpusets), at least 1.
int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::clamp(CPU_COUNT(&set), 1, 1024);
}

// Bytes of memory that this process may use: the machine's, or the control group's limit where it is lower.
int64_t available_memory() {
  int64_t bytes = static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGE_SIZE);
  std::ifstream limit("/sys/fs/cgroup/memory.max");
  int64_t group = 0;
  if (limit >> group && group > 0) bytes = std::min(bytes, group);
  return std::max<int64_t>(bytes, int64_t{256} << 20);
}

}  // namespace

std::vector<OptionSpec> all_options(const CommandSpec& spec) {
  std::vector<OptionSpec> out = spec.options;
  if (spec.writes != Writes::kNothing) {
    const bool folder = spec.writes == Writes::kModuleFolder;
    const bool stream = spec.writes == Writes::kStream || spec.writes == Writes::kText;
    const bool edit = spec.writes == Writes::kEdit;
    out.push_back({.name = "output", .short_name = 'o', .type = OptionType::kPath, .metavar = folder ? "DIR" : "FILE",
                   .help = stream ? "where to write; - is standard output"
                                  : (folder ? "folder to write into; made where it is missing" : "where to write"),
                   .default_text = stream ? "-" : "", .required = !stream && !edit});
    out.push_back({.name = "force", .short_name = 'f',
                   .help = edit ? "overwrite what exists; without -o: the file itself" : "overwrite what exists"});
    out.push_back({.name = "dry-run", .help = "check everything, say what would be written, write nothing"});
    out.push_back({.name = "depfile", .type = OptionType::kPath, .metavar = "FILE", .help = "also write what the output was made from, as a rule for make or ninja"});
    if (!stream && !edit)
      out.push_back({.name = "compress", .type = OptionType::kText, .metavar = "zstd[:LEVEL]",
                     .help = "compress tensors in chunks; level 1 to 19, 3 where none is given"});
  }
  if (spec.computes == Computes::kPolicy)
    out.push_back({.name = "policy", .type = OptionType::kChoice,
                   .help = "portable: the same bits on every machine; vendor: OpenBLAS, bits bound to this machine",
                   .default_text = "portable", .choices = {"portable", "vendor"}});
  out.push_back({.name = "threads", .type = OptionType::kInteger, .metavar = "N",
                 .help = "threads to use, 1 to 1024 (default: all cores)", .minimum = 1, .maximum = 1024});
  out.push_back({.name = "max-memory", .type = OptionType::kSize, .metavar = "SIZE",
                 .help = "memory to stay below, as 512M or 2G (default: half of what there is)", .minimum = 1 << 20});
  out.push_back({.name = "json", .help = "print one JSON document, on failure too"});
  out.push_back({.name = "quiet", .short_name = 'q', .help = "say nothing but errors"});
  out.push_back({.name = "verbose", .short_name = 'v', .help = "say more on stderr"});
  out.push_back({.name = "help", .short_name = 'h', .help = "show this help"});
  return out;
}

int Invocation::threads() const {
  return args.has("threads") ? static_cast<int>(args.integer("threads")) : available_cores();
}

int64_t Invocation::max_memory() const {
  return args.has("max-memory") ? args.bytes("max-memory") : available_memory() / 2;
}

bool Invocation::dry_run() const { return spec.writes != Writes::kNothing && args.flag("dry-run"); }

Overwrite Invocation::overwrite() const {
  return spec.writes != Writes::kNothing && args.flag("force") ? Overwrite::kYes : Overwrite::kNo;
}

std::string Invocation::output() const {
  if (spec.writes == Writes::kEdit && !args.has("output"))
    return args.flag("force") ? args.word(spec.positionals.front().name) : std::string();
  return spec.writes == Writes::kNothing ? std::string() : args.text("output");
}

int Invocation::zstd_level() const {
  if (spec.writes != Writes::kModule && spec.writes != Writes::kModuleFolder) return 0;
  return args.has("compress") ? parse_compression(args.text("compress")).value_or(0) : 0;
}

bool Invocation::vendor() const { return spec.computes == Computes::kPolicy && args.text("policy") == "vendor"; }

Status Invocation::check_output(Content content) const {
  const std::string path = output();
  if (path.empty()) return usage("nothing says where to write", "use -o FILE, or -f alone to change the file itself");
  if (path == "-") {
    if (json()) return usage("--json and data would both go to standard output", "write the data to a file with -o FILE");
    if (content == Content::kBinary && console.stdout_is_terminal())
      return usage("binary data is not written to a terminal", "use -o FILE, or send it through a pipe");
    return ok();
  }
  struct stat status {};
  if (overwrite() == Overwrite::kNo && ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode))
    return Error{Code::kUsage, "OUTPUT_EXISTS", "the output exists already", {}, path, "use -f to replace it"};
  return ok();
}

Result<std::unique_ptr<Output>> Invocation::open_output(Content content) const {
  MODNET_TRY(check_output(content));
  return open_target(output());
}

Result<std::unique_ptr<Output>> Invocation::open_target(const std::string& path) const {
  MODNET_ASSIGN(std::unique_ptr<Output> out, Output::open(path, overwrite()));
  if (args.has("depfile")) {
    depfile_->add_target(path);
    out->before_rename([depfile = depfile_, file = args.text("depfile"), overwrite = overwrite()] { return depfile->write(file, overwrite); });
  }
  return out;
}

Status Invocation::check_depfile() const {
  if (spec.writes == Writes::kNothing || !args.has("depfile")) return ok();
  const std::string path = args.text("depfile");
  if (output() == "-") return usage("--depfile is about a file, and the output is standard output", "use -o FILE");
  if (spec.writes == Writes::kEdit && !args.has("output")) return usage("--depfile is about a file made from another", "use -o FILE");
  if (path == "-") return usage("--depfile needs the name of a file");
  struct stat status {};
  if (overwrite() == Overwrite::kNo && ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode))
    return usage("the dependency file exists", "use -f to overwrite it").in_file(path);
  return ok();
}

}  // namespace modnet
