#include "commands/inspect.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "commands/diff.h"
#include "commands/evidence.h"
#include "commands/label.h"
#include "commands/module_file.h"
#include "formats/base/text.h"
#include "formats/module/signatures.h"
#include "libmod/contract/json.h"
#include "libmod/contract/names.h"
#include "libmod/module/card_text.h"

namespace modnet {

std::string_view codec_name(Codec codec) {
  switch (codec) {
    case Codec::kRaw: return "raw";
    case Codec::kZstd: return "zstd";
    case Codec::kInvalid: break;
  }
  return "unknown";
}

std::string_view trailer_name(TrailerKind kind) {
  switch (kind) {
    case TrailerKind::kCard: return "card";
    case TrailerKind::kProbes: return "probes";
    case TrailerKind::kEvidence: return "evidence";
    case TrailerKind::kSignatures: return "signatures";
    case TrailerKind::kInvalid: break;
  }
  return "unknown";
}

std::string sha256_text(const Digest& digest) { return is_zero(digest) ? "" : "sha256:" + hex(digest); }

std::string shape_text(const std::vector<uint64_t>& shape) {
  std::string out;
  for (const uint64_t dim : shape) out += (out.empty() ? "" : ",") + std::to_string(dim);
  return "[" + out + "]";
}

namespace {

/// A tensor with the slots that lead to it in its name.
struct NamedTensor {
  std::string name;
  TensorRecord record;
};

Status collect_tensors(const ModuleView& view, const std::string& prefix, std::vector<NamedTensor>& out) {
  for (const TensorRecord& tensor : view.index().tensors) out.push_back({prefix + tensor.name, tensor});
  for (const ComponentRecord& record : view.index().components) {
    MODNET_ASSIGN(const ModuleView part, view.component(record.slot));
    MODNET_TRY(collect_tensors(part, prefix + record.slot + "/", out));
  }
  return ok();
}

struct Segment {
  uint64_t offset = 0, length = 0;
  std::string_view kind;
  std::string name;
};

std::vector<Segment> layout_of(const ModuleView& view) {
  const Preamble& preamble = view.preamble();
  std::vector<Segment> out{{0, static_cast<uint64_t>(kPreambleBytes), "preamble", ""},
                           {preamble.index_offset, preamble.index_length, "index", ""}};
  for (const TensorRecord& tensor : view.index().tensors)
    out.push_back({tensor.offset, tensor.stored_length, "tensor", tensor.name});
  for (const AssetRecord& asset : view.index().assets) out.push_back({asset.offset, asset.stored_length, "asset", asset.name});
  for (const ComponentRecord& component : view.index().components)
    out.push_back({component.offset, component.length, "component", component.slot});
  for (const TrailerEntry& trailer : view.trailers())
    out.push_back({trailer.offset, trailer.length, "trailer", std::string(trailer_name(trailer.kind))});
  if (preamble.directory_length > 0)
    out.push_back({preamble.directory_offset, preamble.directory_length, "directory", ""});
  std::stable_sort(out.begin(), out.end(), [](const Segment& a, const Segment& b) { return a.offset < b.offset; });
  return out;
}

std::string tensors_text(const std::vector<NamedTensor>& tensors) {
  int64_t widest = 4;
  for (const NamedTensor& tensor : tensors)
    widest = std::max(widest, static_cast<int64_t>(escape_text(tensor.name).size()));
  std::string out = padded("name", widest + 2) + "dtype  shape             codec  raw         sha256\n";
  for (const NamedTensor& tensor : tensors) {
    const TensorRecord& record = tensor.record;
    out += padded(escape_text(tensor.name), widest + 2) + padded(std::string(dtype_name(record.dtype)), 7) +
           padded(shape_text(record.shape), 18) + padded(std::string(codec_name(record.codec)), 7) +
           padded(bytes_text(static_cast<int64_t>(record.raw_length)), 12) + short_digest(record.digest) + "…\n";
  }
  return out;
}

std::string layout_text(const ModuleView& view) {
  std::string out = padded("offset", 14) + padded("length", 14) + padded("part", 11) + "name\n";
  for (const Segment& segment : layout_of(view))
    out += padded(std::to_string(segment.offset), 14) + padded(std::to_string(segment.length), 14) +
           (segment.name.empty() ? std::string(segment.kind) : padded(std::string(segment.kind), 11) + escape_text(segment.name)) +
           "\n";
  return out + padded(std::to_string(view.preamble().file_length), 28) + "end\n";
}

/// The card as 'modnet card' shows it. What is no card of this schema is shown as the text it is, with a note: line breaks stay,
/// everything that could drive a terminal is escaped.
std::string shown_card(const ModuleView& view, std::string_view bytes, const std::string& name, Console& console) {
  if (bytes.empty()) return {};
  const Result<Card> card = card_from_json(bytes);
  if (card.ok()) return card_text(*card, view.index().identity);
  console.note(escape_text(name) + ": the card is shown as text, because it is none of schema " + std::string(kCardSchema) + ": " + escape_text(card.error().what));
  std::string out;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    out += escape_text(rest.substr(0, end)) + "\n";
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

Json space_json(const LabelSpace& space) {
  return {{"id", space.record.id},
          {"version", space.record.version},
          {"fingerprint", sha256_text(space.record.fingerprint)},
          {"root", sha256_text(space.record.root)},
          {"metric", name_of(space.record.metric)},
          {"pooling", name_of(space.record.pooling)},
          {"normalized", space.record.normalized},
          {"dims", space.dims}};
}

Json tensor_json(const NamedTensor& tensor) {
  const TensorRecord& record = tensor.record;
  return {{"name", tensor.name},           {"dtype", dtype_name(record.dtype)}, {"shape", record.shape},
          {"codec", codec_name(record.codec)}, {"raw_bytes", record.raw_length},
          {"stored_bytes", record.stored_length}, {"digest", sha256_text(record.digest)}};
}

/// Who signed, unchecked; empty where the trailer cannot be read, which 'modnet verify' says.
Json signatures_json(const ModuleView& view) {
  Json out = Json::array();
  if (const Result<std::vector<SignatureRecord>> signatures = signatures_of(view); signatures.ok())
    for (const SignatureRecord& one : *signatures)
      out.push_back({{"key_id", key_id(one.key)}, {"key", sha256_text(key_digest(one.key))}, {"checked", false}});
  return out;
}

/// What was measured of its spaces, and of its components'; empty where a trailer cannot be read.
Json evidence_json(const ModuleView& view) {
  Json out = Json::array();
  if (const Result<std::vector<EvidenceRecord>> records = collect_evidence(view); records.ok())
    for (const EvidenceRecord& one : *records) out.push_back(record_json(one));
  return out;
}

Json document_of(const ModuleView& view, const ModuleSummary& summary, const std::string& path) {
  const ModuleIndex& index = view.index();
  Json out;
  out["file"] = path;
  out["bytes"] = view.preamble().file_length;
  out["name"] = index.identity.name;
  out["kind"] = name_of(index.identity.kind);
  out["format"] = std::to_string(view.preamble().major) + "." + std::to_string(view.preamble().minor);
  out["version"] = index.identity.version;
  out["licence"] = index.identity.licence;
  out["content"] = sha256_text(view.digests().content);
  out["body"] = sha256_text(view.digests().body);
  out["contract_digest"] = sha256_text(view.digests().contract);
  out["file_digest"] = sha256_text(view.digests().file);
  out["signed"] = view.find_trailer(TrailerKind::kSignatures) != nullptr;
  out["signatures"] = signatures_json(view);
  out["statement"] = sha256_text(statement_digest(view));
  out["contract"] = Json::parse(contract_to_json(index.contract), nullptr, false);
  out["spaces"] = Json::array();
  for (const LabelSpace& space : summary.spaces) out["spaces"].push_back(space_json(space));
  out["components"] = Json::array();
  for (const ComponentRecord& component : index.components)
    out["components"].push_back({{"slot", component.slot},
                                 {"offset", component.offset},
                                 {"bytes", component.length},
                                 {"content", sha256_text(component.content)},
                                 {"file_digest", sha256_text(component.file)}});
  out["tensors"] = {{"count", summary.tensors},
                    {"parameters", summary.parameters},
                    {"raw_bytes", summary.raw_bytes},
                    {"stored_bytes", summary.stored_bytes},
                    {"dtypes", summary.dtypes}};
  out["assets"] = Json::array();
  for (const AssetRecord& asset : index.assets)
    out["assets"].push_back({{"name", asset.name},
                             {"mediatype", asset.mediatype},
                             {"raw_bytes", asset.raw_length},
                             {"digest", sha256_text(asset.digest)}});
  out["lineage"] = Json::array();
  for (const Lineage& parent : index.identity.lineage)
    out["lineage"].push_back(
        {{"relation", parent.relation}, {"name", parent.name}, {"content", sha256_text(parent.content)}});
  out["required_features"] = index.required_features;
  out["optional_features"] = index.optional_features;
  out["trailers"] = Json::array();
  for (const TrailerEntry& trailer : view.trailers())
    out["trailers"].push_back(
        {{"kind", trailer_name(trailer.kind)}, {"bytes", trailer.length}, {"digest", sha256_text(trailer.digest)}});
  out["evidence"] = evidence_json(view);
  out["checks"] = {{"structure", "ok"}, {"bounds", "ok"}, {"payload", "not read"}};
  return out;
}

Result<int> inspect_view(Invocation& invocation, const ModuleView& view, const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  Console& console = invocation.console;
  const Arguments& args = invocation.args;
  MODNET_ASSIGN(const ModuleSummary summary, summarize(view));
  std::vector<NamedTensor> tensors;
  std::string card;
  if (args.flag("tensors")) MODNET_TRY(collect_tensors(view, "", tensors));
  if (args.flag("card")) {
    MODNET_ASSIGN(const Bytes bytes, view.trailer(TrailerKind::kCard));
    card = as_text(bytes);
    if (card.empty()) console.note(escape_text(name) + ": no card");
  }
  for (const std::string& feature : view.unknown_features())
    console.warn(escape_text(name) + ": optional feature '" + escape_text(feature) + "' is not known to this build");
  if (console.json()) {
    Json document = document_of(view, summary, path);
    if (args.flag("tensors"))
      for (const NamedTensor& tensor : tensors) document["tensor_list"].push_back(tensor_json(tensor));
    if (args.flag("layout"))
      for (const Segment& segment : layout_of(view))
        document["layout"].push_back(
            {{"offset", segment.offset}, {"bytes", segment.length}, {"part", segment.kind}, {"name", segment.name}});
    if (args.flag("card")) document["card"] = card;
    console.emit_json(document);
    return kExitOk;
  }
  if (args.flag("tensors")) console.print(tensors_text(tensors));
  if (args.flag("layout")) console.print(layout_text(view));
  if (args.flag("card")) console.print(shown_card(view, card, name, console));
  if (!args.flag("tensors") && !args.flag("layout") && !args.flag("card")) console.print(label_text(view, summary, name));
  return kExitOk;
}

Result<int> run(Invocation& invocation) {
  const Arguments& args = invocation.args;
  const std::vector<std::string>& files = args.words("FILE");
  if (args.flag("diff")) {
    if (files.size() != 2) return usage("--diff compares two files; expected FILE FILE, got one");
    if (files[0] == "-" && files[1] == "-") return usage("standard input is one file; expected '-' once, got it twice");
    for (const std::string_view option : {"tensors", "layout", "card"})
      if (args.flag(option)) return usage("--" + std::string(option) + " shows one file; expected it without --diff");
    return run_diff(invocation, files[0], files[1]);
  }
  if (args.flag("stats")) return usage("--stats is about two files; expected it with --diff");
  if (files.size() != 1) return usage("expected one FILE, got two", "add --diff to compare them");
  const std::string path = files[0];
  MODNET_ASSIGN(const ModuleFile module, ModuleFile::open(path, invocation));
  Result<int> result = inspect_view(invocation, module.view, input_name(path));
  if (!result.ok()) return std::move(result).error().in_file(input_name(path));
  return result;
}

}  // namespace

CommandSpec inspect_command() {
  return {
      .name = "inspect",
      .group = "look at things",
      .summary = "show a module's label: ports, spaces, tensors, digests",
      .description =
          "Prints what a module is: its kind and digests, the ports that it takes and gives, the embedding spaces that it "
          "knows, what was measured of them, and how many parameters it has. Components of a composite are counted in.\n\n"
          "Reads the preamble, the index, the trailer directory and small trailers, never the payload, so it takes milliseconds on any "
          "size; 'modnet verify' reads every byte. With --tensors, --layout or --card it prints that instead of the label.\n\n"
          "With --diff it compares two modules: the contract field by field with the version bump that it needs, then "
          "tensors, graph, assets and components by their digests, then what is not content: identity, card, other trailers and "
          "the way in which the same content is stored. Only what differs is read. Exit 0: the same content. 1: another.",
      .positionals = {{.name = "FILE", .help = "a module, two with --diff; - is standard input", .maximum = 2}},
      .options = {{.name = "tensors", .help = "list every tensor, those of components as SLOT/NAME"},
                  {.name = "layout", .help = "list every part of the file with offset and length"},
                  {.name = "card", .help = "print the model card"},
                  {.name = "diff", .help = "compare two modules; exit 1 when their content differs"},
                  {.name = "stats", .help = "with --diff: read changed tensors of equal shape and say how far they lie apart"}},
      .examples = "modnet inspect sections-model.mnet\nmodnet inspect minilm/backbone.mnet --tensors\n"
                  "modnet inspect sections-model.mnet --json | jq .spaces\n"
                  "modnet inspect --diff v1/backbone.mnet v2/backbone.mnet --stats",
      .run = run,
  };
}

}  // namespace modnet
