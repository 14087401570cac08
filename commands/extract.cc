#include "commands/extract.h"

#include <nlohmann/json.hpp>

#include "commands/chain.h"
#include "commands/label.h"
#include "commands/module_file.h"
#include "formats/base/text.h"
#include "libmod/contract/names.h"

namespace modnet {
namespace {

/// "encoder, backbone, sections", for the error that says what there is.
std::string slots_text(const ModuleView& view) {
  std::string out;
  for (const ComponentRecord& one : view.index().components) out += (out.empty() ? "'" : ", '") + one.slot + "'";
  return out.empty() ? "it has no components" : "there are " + out;
}

/// The component at the path "a/b", of which slots have no slash. Its digests are checked at every step.
Result<ModuleView> find(const ModuleView& view, std::string_view path, const std::string& walked) {
  const size_t slash = path.find('/');
  const std::string_view slot = path.substr(0, slash);
  if (view.find_component(slot) == nullptr)
    return Error{Code::kUsage, "NO_COMPONENT", "there is no component '" + std::string(slot) + "'" + (walked.empty() ? "" : " in '" + walked + "'"), {}, {}, slots_text(view)};
  MODNET_ASSIGN(ModuleView part, view.component(slot));
  if (slash == std::string_view::npos) return part;
  return find(part, path.substr(slash + 1), walked.empty() ? std::string(slot) : walked + "/" + std::string(slot));
}

Result<int> extract(Invocation& invocation, const std::string& path) {
  const std::string name = invocation.args.word("COMPONENT");
  MODNET_ASSIGN(const ModuleFile module, ModuleFile::open(path, invocation));
  MODNET_ASSIGN(const ModuleView part, find(module.view, name, ""));
  const auto offset = static_cast<int64_t>(part.bytes().data() - module.file.bytes().data());
  const auto length = static_cast<int64_t>(part.bytes().size());
  if (!invocation.dry_run()) {
    MODNET_ASSIGN(const std::unique_ptr<Output> output, invocation.open_output(Invocation::Content::kBinary));
    MODNET_TRY(output->copy_range(module.file, offset, length));
    MODNET_TRY(output->commit({&module.file}));
  }
  const Identity& identity = part.index().identity;
  if (invocation.output() != "-")
    invocation.console.print(escape_text(name) + ": " + std::string(name_of(identity.kind)) + " " + escape_text(identity.name) + " " + escape_text(identity.version) + "\n" +
                             escape_text(invocation.output()) + "  " + bytes_text(length) + "  content sha256:" + short_digest(part.digests().content) + "\n");
  Json document{{"file", input_name(path)}, {"component", name}, {"kind", name_of(identity.kind)}, {"name", identity.name}, {"version", identity.version},
                {"offset", offset}, {"bytes", length}, {"dry_run", invocation.dry_run()}};
  add_written(document, invocation.output(), part.digests());
  invocation.console.emit_json(document);
  return kExitOk;
}

Result<int> run(Invocation& invocation) {
  MODNET_TRY(invocation.check_output(Invocation::Content::kBinary));
  const std::string path = invocation.args.word("FILE");
  Result<int> result = extract(invocation, path);
  if (!result.ok()) return std::move(result).error().in_file(input_name(path));
  return result;
}

}  // namespace

CommandSpec extract_command() {
  return {
      .name = "extract",
      .group = "make modules",
      .summary = "take a component out of a composite, byte for byte",
      .description =
          "Writes the component in a slot of a composite as the module file that was attached: the same bytes, with its card, "
          "probes and signatures. A component of a component is named by the slots that lead to it: 'chain/backbone'.\n\n"
          "The component's preamble, index and content digest are checked against what the composite says of it before anything is "
          "written; its payload is copied unread.",
      .positionals = {{.name = "FILE", .help = "a composite; - is standard input"}, {.name = "COMPONENT", .help = "a slot, or slots joined by /"}},
      .writes = Writes::kStream,
      .examples = "modnet extract sections-model.mnet backbone -o backbone.mnet\nmodnet extract robot.mnet eyes/encoder -o - | modnet inspect -",
      .run = run,
  };
}

}  // namespace modnet
