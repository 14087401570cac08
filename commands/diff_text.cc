#include "commands/diff_text.h"

#include <algorithm>
#include <cstdio>

#include "commands/diff.h"
#include "commands/inspect.h"
#include "commands/label.h"
#include "formats/base/text.h"
#include "libmod/contract/names.h"

namespace modnet {
namespace {

constexpr size_t kValueShown = 60;   // bytes of a value
constexpr size_t kWhatColumn = 56;   // widest left column

/// `text` without what lies behind `bytes`, never within a character.
std::string cut(const std::string& text, size_t bytes) {
  if (text.size() <= bytes) return text;
  size_t end = bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0u) == 0x80u) --end;
  return text.substr(0, end) + "…";
}

std::string number(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.3g", value);
  return buffer;
}

size_t cells(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u; }));
}

DiffLine field_line(const FieldChange& field) {
  const std::string path = escape_text(field.path);
  if (!field.before) return {'+', path, value_text(*field.after)};
  if (!field.after) return {'-', path, value_text(*field.before)};
  return {'~', path, value_text(*field.before) + " → " + value_text(*field.after)};
}

void add_fields(const std::vector<FieldChange>& fields, std::vector<DiffLine>& out) {
  for (const FieldChange& field : fields) out.push_back(field_line(field));
}

char mark_of(Change change) {
  switch (change) {
    case Change::kAdded: return '+';
    case Change::kRemoved: return '-';
    case Change::kChanged: return '~';
    case Change::kRenamed:
    case Change::kMoved: break;
  }
  return '>';
}

std::string type_of(const TensorSide& tensor) { return std::string(dtype_name(tensor.dtype)) + shape_text(tensor.shape); }

std::string stats_text(const TensorStats& stats) {
  std::string out = ", relative L2 " + number(stats.relative_l2) + ", max |Δ| " + number(stats.largest) + ", cosine " + number(stats.cosine);
  if (stats.nan_before + stats.nan_after > 0) out += ", NaN " + std::to_string(stats.nan_before) + " → " + std::to_string(stats.nan_after);
  if (stats.inf_before + stats.inf_after > 0) out += ", Inf " + std::to_string(stats.inf_before) + " → " + std::to_string(stats.inf_after);
  return out;
}

std::string prefix_text(const std::string& prefix) { return prefix.empty() ? "*" : escape_text(prefix) + ".*"; }

std::vector<DiffLine> tensor_lines(const TensorDiff& diff) {
  std::vector<DiffLine> out;
  for (const PrefixRename& prefix : diff.prefixes)
    out.push_back({'>', prefix_text(prefix.before), "→ " + prefix_text(prefix.after) + ", " + std::to_string(prefix.tensors) + " tensors"});
  for (const TensorChange& change : diff.changes) {
    const std::string name = escape_text((change.before ? change.before : change.after)->name);
    if (change.change == Change::kChanged) {
      const std::string a = type_of(*change.before), b = type_of(*change.after);
      out.push_back({'~', name, (a == b ? a : a + " → " + b) + (change.stats ? stats_text(*change.stats) : "")});
    } else if (change.change == Change::kRenamed) {
      const std::pair<std::string, std::string> prefixes = differing_prefixes(change.before->name, change.after->name);
      const bool gathered = std::any_of(diff.prefixes.begin(), diff.prefixes.end(), [&](const PrefixRename& prefix) {
        return prefix.before == prefixes.first && prefix.after == prefixes.second;
      });
      if (!gathered) out.push_back({'>', name, "→ " + escape_text(change.after->name)});
    } else {
      out.push_back({mark_of(change.change), name, type_of(*(change.before ? change.before : change.after))});
    }
  }
  return out;
}

std::vector<DiffLine> graph_lines(const GraphDiff& graph) {
  std::vector<DiffLine> out;
  for (const NodeChange& node : graph.nodes) {
    const int64_t place = node.after ? *node.after : *node.before;
    const std::string what = escape_text(node.op) + " #" + std::to_string(place) + " " + escape_text(node.value);
    if (node.change != Change::kChanged) out.push_back({mark_of(node.change), what, ""});
    for (const FieldChange& field : node.fields) {
      const DiffLine line = field_line(field);
      out.push_back({'~', what, line.what + (line.mark == '+' ? " added " : line.mark == '-' ? " removed " : " ") + line.how});
    }
  }
  add_fields(graph.fields, out);
  if (graph.renamed_values > 0) out.push_back({'>', "names of values", std::to_string(graph.renamed_values) + " renamed"});
  return out;
}

std::string counts_of(const std::vector<EntryChange>& entries) {
  std::string out;
  for (const Change change : {Change::kAdded, Change::kRemoved, Change::kMoved}) {
    const auto count = std::count_if(entries.begin(), entries.end(), [&](const EntryChange& entry) { return entry.change == change; });
    if (count > 0) out += (out.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(change_name(change));
  }
  return out;
}

std::vector<DiffLine> entry_lines(const std::vector<EntryChange>& entries) {
  std::vector<DiffLine> out;
  for (const EntryChange& entry : entries) {
    std::string how = std::to_string(entry.before ? *entry.before : *entry.after);
    if (entry.before && entry.after) how += " → " + std::to_string(*entry.after);
    out.push_back({mark_of(entry.change), "'" + cut(escape_text(entry.text), kValueShown) + "'", how});
  }
  return out;
}

std::vector<DiffLine> line_lines(const std::vector<LineChange>& lines) {
  std::vector<DiffLine> out;
  for (const LineChange& line : lines)
    out.push_back({mark_of(line.change), "line " + std::to_string(line.line), cut(escape_text(line.text), 2 * kValueShown)});
  return out;
}

std::string bytes_of(uint64_t bytes) { return bytes_text(static_cast<int64_t>(bytes)); }

class Printer {
 public:
  Printer(const Console& console, int64_t most) : console_(console), most_(most) {}

  /// `evolution` comes behind the contract; null inside of composites, whose check looks inside.
  void module(const ModuleDiff& diff, const CheckedPair* evolution, const std::string& indent) {
    std::vector<DiffLine> lines;
    add_fields(diff.contract, lines);
    section(indent, "contract", lines);
    if (evolution != nullptr) section(indent, "as a new version, " + std::string(verdict_name(evolution->report.verdict)), evolution_lines(*evolution));
    section(indent, "tensors, " + std::to_string(diff.tensors.equal) + " equal", tensor_lines(diff.tensors));
    section(indent, "graph, " + std::to_string(diff.graph.nodes_before) + " → " + std::to_string(diff.graph.nodes_after) + " nodes",
            graph_lines(diff.graph));
    assets(diff.assets, indent);
    components(diff, indent);
    lines.clear();
    add_fields(diff.identity, lines);
    section(indent, "identity", lines);
    lines.clear();
    add_fields(diff.card, lines);
    const std::vector<DiffLine> card = line_lines(diff.card_lines);
    lines.insert(lines.end(), card.begin(), card.end());
    section(indent, "card", lines);
    trailers(diff, indent);
    lines.clear();
    for (const Recoding& recoding : diff.recodings)
      lines.push_back({'~', std::to_string(recoding.segments) + (recoding.segments == 1 ? " segment" : " segments"),
                       std::string(codec_name(recoding.before)) + " → " + std::string(codec_name(recoding.after)) + ", " +
                           bytes_of(recoding.bytes_before) + " → " + bytes_of(recoding.bytes_after)});
    add_fields(diff.layout, lines);
    section(indent, "layout", lines);
  }
  std::string take() { return std::move(out_); }

 private:
  void section(const std::string& indent, const std::string& title, const std::vector<DiffLine>& lines) {
    out_ += diff_section(console_, indent, title, lines, most_);
  }

  void assets(const std::vector<AssetChange>& assets, const std::string& indent) {
    std::vector<DiffLine> lines;
    for (const AssetChange& asset : assets) {
      const AssetSide& side = asset.before ? *asset.before : *asset.after;
      std::string how = bytes_of(side.bytes);
      if (asset.change == Change::kRenamed) how = "→ " + escape_text(asset.after->name);
      if (asset.change == Change::kChanged) {
        how += " → " + bytes_of(asset.after->bytes);
        if (asset.detail.form == AssetForm::kBinary)
          how += ", sha256 " + short_digest(side.digest) + "… → " + short_digest(asset.after->digest) + "…";
        if (const std::string counts = counts_of(asset.detail.vocabulary); !counts.empty()) how += ", vocabulary: " + counts;
        if (const std::string counts = counts_of(asset.detail.merges); !counts.empty()) how += ", merges: " + counts;
      }
      lines.push_back({mark_of(asset.change), escape_text(side.name), how});
    }
    section(indent, "assets", lines);
    for (const AssetChange& asset : assets) {
      const AssetDetail& detail = asset.detail;
      const std::string name = escape_text((asset.before ? asset.before : asset.after)->name);
      section(indent, name + ", vocabulary", entry_lines(detail.vocabulary));
      section(indent, name + ", merges", entry_lines(detail.merges));
      lines.clear();
      add_fields(detail.fields, lines);
      section(indent, name + ", fields", lines);
      section(indent, name + ", lines", line_lines(detail.lines));
    }
  }

  void components(const ModuleDiff& diff, const std::string& indent) {
    std::vector<DiffLine> lines;
    for (const ComponentChange& component : diff.components) {
      const ComponentRecord& side = component.before ? *component.before : *component.after;
      std::string how = "content " + short_digest(side.content) + "…";
      if (component.change == Change::kRenamed) how = "→ " + escape_text(component.after->slot);
      if (component.change == Change::kChanged)
        how = side.content == component.after->content ? "same content, another file" : how + " → " + short_digest(component.after->content) + "…";
      if (!component.shown_at.empty()) how += ", as component " + escape_text(component.shown_at);
      lines.push_back({mark_of(component.change), escape_text(side.slot), how});
    }
    section(indent, "components, " + std::to_string(diff.equal_components) + " equal", lines);
    for (const ComponentChange& component : diff.components) {
      if (component.inside == nullptr) continue;
      out_ += indent + console_.bold("component " + escape_text(component.before->slot)) + "\n";
      module(*component.inside, nullptr, indent + "  ");
    }
  }

  void trailers(const ModuleDiff& diff, const std::string& indent) {
    std::vector<DiffLine> lines;
    const auto side = [](const TrailerEntry& entry) { return bytes_of(entry.length) + " " + short_digest(entry.digest) + "…"; };
    for (const TrailerChange& trailer : diff.trailers) {
      const std::string name(trailer_name(trailer.kind));
      if (!trailer.before) lines.push_back({'+', name, side(*trailer.after)});
      else if (!trailer.after) lines.push_back({'-', name, side(*trailer.before)});
      else lines.push_back({'~', name, side(*trailer.before) + " → " + side(*trailer.after)});
    }
    section(indent, "trailers", lines);
  }

  const Console& console_;
  int64_t most_;
  std::string out_;
};

/// What differs beside the content, in a few words.
std::string beside_content(const ModuleDiff& diff) {
  std::string out;
  const auto add = [&](bool differs, const std::string& word) {
    if (differs) out += (out.empty() ? "" : ", ") + word;
  };
  add(!diff.components.empty(), "files of components");
  add(!diff.identity.empty(), "identity");
  for (const TrailerChange& trailer : diff.trailers) add(true, std::string(trailer_name(trailer.kind)));
  add(!diff.layout.empty() || !diff.recodings.empty(), "layout");
  return out;
}

std::string verdict_line(const ModuleDiff& diff) {
  if (diff.same_file()) return "the same file";
  if (!diff.same_content()) return "different content";
  const std::string beside = beside_content(diff);
  return beside == "layout" ? "same content, other encoding" : "same content; other " + (beside.empty() ? "encoding" : beside);
}

}  // namespace

std::string_view asset_form_name(AssetForm form) {
  switch (form) {
    case AssetForm::kText: return "text";
    case AssetForm::kJson: return "json";
    case AssetForm::kTokenizer: return "tokenizer";
    case AssetForm::kBinary: break;
  }
  return "binary";
}

std::string value_text(const std::string& json) {
  const bool digest = json.size() == 66 && json.front() == '"' && digest_from_hex(std::string_view(json).substr(1, 64)).has_value();
  return digest ? json.substr(1, 12) + "…" : cut(escape_text(json), kValueShown);
}

std::string diff_section(const Console& console, std::string_view indent, std::string_view title, const std::vector<DiffLine>& lines,
                         int64_t most) {
  if (lines.empty()) return "";
  const size_t shown = most > 0 ? std::min(lines.size(), static_cast<size_t>(most)) : lines.size();
  size_t widest = 0;
  for (size_t i = 0; i < shown; ++i)
    if (const size_t width = cells(lines[i].what); width <= kWhatColumn && !lines[i].how.empty()) widest = std::max(widest, width);
  std::string out = std::string(indent) + console.bold(title) + "\n";
  for (size_t i = 0; i < shown; ++i) {
    const DiffLine& line = lines[i];
    out += std::string(indent) + "  " + line.mark + " " + line.what;
    const size_t width = cells(line.what);
    if (!line.how.empty()) out += std::string(width < widest ? widest - width : 0, ' ') + "  " + line.how;
    out += "\n";
  }
  if (shown < lines.size())
    out += std::string(indent) + "  … and " + std::to_string(lines.size() - shown) + " more (use --json or -v for all)\n";
  return out;
}

std::string diff_text(const DiffResult& result, const Console& console, int64_t lines) {
  const ModuleDiff& diff = result.diff;
  const auto name = [](const DiffSide& side) { return escape_text(side.file); };
  std::string out = console.bold(name(result.before) + " → " + name(result.after)) + ": " + verdict_line(diff) + "\n";
  if ((diff.kind_before == Kind::kComposite) != (diff.kind_after == Kind::kComposite)) {
    const bool first = diff.kind_before == Kind::kComposite;
    const DiffSide &composite = first ? result.before : result.after, &bare = first ? result.after : result.before;
    const std::string kind(name_of(first ? diff.kind_after : diff.kind_before)), slot = held_slot(result);
    out += slot.empty() ? name(composite) + " is a composite and " + name(bare) + " one " + kind + ": compare it with a component, taken out\n"
                        : name(composite) + " is a composite and holds " + name(bare) + " unchanged as its component '" + escape_text(slot) + "'\n";
  }
  Printer printer(console, lines);
  printer.module(diff, result.evolution ? &*result.evolution : nullptr, "");
  return out + printer.take();
}

}  // namespace modnet
