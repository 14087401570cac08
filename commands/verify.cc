#include "commands/verify.h"

#include <nlohmann/json.hpp>

#include "commands/label.h"
#include "commands/module_file.h"
#include "commands/parents.h"
#include "formats/base/text.h"
#include "formats/module/verify.h"

namespace modnet {
namespace {

/// One file: its report, or the error that kept it from being opened as the only failure.
VerifyReport verify_file(const Invocation& invocation, const std::string& path) {
  const int64_t limit = invocation.args.has("max-memory") ? invocation.max_memory() : 0;
  VerifyReport out;
  Result<ModuleFile> module = ModuleFile::open(path, limit);
  if (!module.ok()) {
    out.failures.push_back(std::move(module).error());
    return out;
  }
  out = verify_module(module->view, invocation.threads());
  if (Status status = module->file.unchanged(); !status.ok()) out.failures.push_back(std::move(status).error());
  for (Error& failure : out.failures) failure = std::move(failure).in_file(input_name(path));
  return out;
}

Json report_json(const std::string& path, const VerifyReport& report) {
  Json out{{"file", input_name(path)}, {"passed", report.passed()}, {"bytes", report.bytes}};
  out["checks"] = Json::array();
  for (const VerifyCheck& check : report.checks)
    out["checks"].push_back({{"name", check.name}, {"count", check.count}, {"failed", check.failed}});
  out["failures"] = Json::array();
  for (const Error& failure : report.failures)
    out["failures"].push_back({{"id", failure.id}, {"where", failure.where}, {"what", failure.what}});
  return out;
}

std::string report_text(const std::string& path, const VerifyReport& report) {
  std::string out = escape_text(input_name(path)) + ": ok, " + bytes_text(report.bytes) + " read";
  for (const VerifyCheck& check : report.checks)
    if (check.count > 0) out += ", " + check.name + " " + std::to_string(check.count);
  return out + "\n";
}

Result<int> run(Invocation& invocation) {
  Console& console = invocation.console;
  Json files = Json::array();
  std::vector<Error> failures;
  for (const std::string& path : invocation.args.words("FILE")) {
    const VerifyReport report = verify_file(invocation, path);
    failures.insert(failures.end(), report.failures.begin(), report.failures.end());
    files.push_back(report_json(path, report));
    if (report.passed()) console.print(report_text(path, report));
  }
  Json document{{"passed", false}, {"files", files}};
  if (invocation.args.has("parent")) {
    const ParentReport lineage = verify_parents(invocation, invocation.args.words("FILE"), invocation.args.list("parent"));
    failures.insert(failures.end(), lineage.failures.begin(), lineage.failures.end());
    document["lineage"] = parents_json(lineage);
    console.print(parents_text(lineage));
  }
  document["passed"] = failures.empty();
  console.emit_json(document);
  for (const Error& failure : failures) console.fail(failure);
  return failures.empty() ? kExitOk : exit_code(failures.front());
}

}  // namespace

CommandSpec verify_command() {
  return {
      .name = "verify",
      .group = "look at things",
      .summary = "read every byte of modules and recompute every digest",
      .description =
          "Checks modules to the last byte: structure, checksums and SHA-256 of every tensor, asset and trailer, the "
          "digests of components, zero padding, and the fingerprints of embedding spaces. With --parent also whether the modules "
          "given are those that the lineage names by digest.\n\n"
          "Exit 0: all files are whole. 1: a parent is not the one. 4: a digest does not match. 3: a file cannot be read or is no module. Every "
          "failure is one line on stderr; the first decides the exit.",
      .positionals = {{.name = "FILE", .help = "modules; - is standard input", .maximum = PositionalSpec::kMany}},
      .options = {{.name = "parent", .type = OptionType::kTextList, .metavar = "FILE", .help = "a module that one of them was made from, or a folder of such; several times"}},
      .examples = "modnet verify sections-model.mnet\nmodnet verify *.mnet --json\nmodnet verify sections-model.mnet --parent minilm/ --parent sections.mnet",
      .run = run,
  };
}

}  // namespace modnet
