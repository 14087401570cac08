// Writes a tokenizer's canonical JSON: what is stored in a module, and what its preparation digest covers.
// Tested by tests/unit/prepare/tokenizer_json_test.cc.
#include <algorithm>
#include <string>

#include "libmod/prepare/text/json_read.h"
#include "libmod/prepare/text/spec.h"

namespace modnet::text {
namespace {

// Keys are given in sorted order by the callers.
class Writer {
 public:
  Writer& open(char bracket) { return separate(), raw(bracket), fresh_ = true, *this; }
  Writer& close(char bracket) { return raw(bracket), fresh_ = false, *this; }
  Writer& key(std::string_view name) {
    separate();
    append_json_string(name, out_);
    raw(':');
    fresh_ = true;
    return *this;
  }
  Writer& text(std::string_view value) { return separate(), append_json_string(value, out_), *this; }
  Writer& number(int64_t value) { return plain(std::to_string(value)); }
  Writer& flag(bool value) { return plain(value ? "true" : "false"); }
  Writer& plain(std::string_view value) { return separate(), out_.append(value), *this; }
  std::string take() { return std::move(out_); }

 private:
  void separate() {
    if (!fresh_) out_.push_back(',');
    fresh_ = false;
  }
  Writer& raw(char c) { return out_.push_back(c), *this; }
  std::string out_;
  bool fresh_ = true;
};

void write_step(Writer& w, const NormalizerStep& step) {
  static constexpr const char* kForms[] = {"NFC", "NFD", "NFKC", "NFKD"};
  w.open('{');
  switch (step.kind) {
    case NormalizerKind::kBert:
      w.key("clean_text").flag(step.clean_text).key("handle_chinese_chars").flag(step.handle_chinese_chars);
      w.key("lowercase").flag(step.lowercase).key("strip_accents").flag(step.strips_accents());
      w.key("type").text("BertNormalizer");
      break;
    case NormalizerKind::kForm: w.key("type").text(kForms[static_cast<size_t>(step.form)]); break;
    case NormalizerKind::kLowercase: w.key("type").text("Lowercase"); break;
    case NormalizerKind::kStripAccents: w.key("type").text("StripAccents"); break;
    case NormalizerKind::kReplace:
      w.key("content").text(step.content).key("pattern").open('{').key("String").text(step.pattern).close('}');
      w.key("type").text("Replace");
      break;
    case NormalizerKind::kPrepend: w.key("prepend").text(step.content).key("type").text("Prepend"); break;
    case NormalizerKind::kStrip:
      w.key("strip_left").flag(step.strip_left).key("strip_right").flag(step.strip_right).key("type").text("Strip");
      break;
  }
  w.close('}');
}

void write_byte_level(Writer& w, const ByteLevel& bytes) {
  w.open('{').key("add_prefix_space").flag(bytes.add_prefix_space).key("trim_offsets").flag(bytes.trim_offsets);
  w.key("type").text("ByteLevel").key("use_regex").flag(bytes.use_regex).close('}');
}

void write_pieces(Writer& w, const std::vector<TemplatePiece>& pieces) {
  w.open('[');
  for (const TemplatePiece& piece : pieces) {
    const bool special = piece.what == TemplatePiece::What::kSpecial;
    const std::string_view id = special ? std::string_view(piece.name)
                                : piece.what == TemplatePiece::What::kText ? "A" : "B";
    w.open('{').key(special ? "SpecialToken" : "Sequence").open('{').key("id").text(id);
    w.key("type_id").number(piece.type_id).close('}').close('}');
  }
  w.close(']');
}

void write_post(Writer& w, const PostStep& step) {
  const auto named = [&](const char* key, const std::pair<std::string, int32_t>& value) {
    w.key(key).open('[').text(value.first).number(value.second).close(']');
  };
  switch (step.kind) {
    case PostKind::kByteLevel: return write_byte_level(w, step.bytes);
    case PostKind::kBert:
      w.open('{');
      named("cls", step.cls);
      named("sep", step.sep);
      w.key("type").text("BertProcessing").close('}');
      return;
    case PostKind::kRoberta:
      w.open('{').key("add_prefix_space").flag(step.bytes.add_prefix_space);
      named("cls", step.cls);
      named("sep", step.sep);
      w.key("trim_offsets").flag(step.bytes.trim_offsets).key("type").text("RobertaProcessing").close('}');
      return;
    case PostKind::kTemplate: break;
  }
  w.open('{').key("pair");
  write_pieces(w, step.pair);
  w.key("single");
  write_pieces(w, step.single);
  w.key("special_tokens").open('{');
  for (const TemplateSpecial& special : step.specials) {
    w.key(special.name).open('{').key("id").text(special.name).key("ids").open('[');
    for (const int32_t id : special.ids) w.number(id);
    w.close(']').key("tokens").open('[');
    for (const std::string& token : special.tokens) w.text(token);
    w.close(']').close('}');
  }
  w.close('}').key("type").text("TemplateProcessing").close('}');
}

void write_model(Writer& w, const Spec& spec) {
  const auto unk = [&] {
    w.key("unk_token");
    spec.unk_token.has_value() ? w.text(*spec.unk_token) : w.plain("null");
  };
  w.open('{');
  if (spec.kind == Spec::Kind::kByteBpe) {
    w.key("byte_fallback").flag(false).key("continuing_subword_prefix").plain("null").key("dropout").plain("null");
    w.key("end_of_word_suffix").plain("null").key("fuse_unk").flag(spec.fuse_unk);
    w.key("ignore_merges").flag(spec.ignore_merges).key("merges").open('[');
    for (const auto& [left, right] : spec.merges)
      w.open('[').text(spec.vocab.text_of(left)).text(spec.vocab.text_of(right)).close(']');
    w.close(']').key("type").text("BPE");
    unk();
  } else {
    w.key("continuing_subword_prefix").text(spec.continuing_prefix);
    w.key("max_input_chars_per_word").number(spec.max_chars_per_word).key("type").text("WordPiece");
    unk();
  }
  std::vector<StringTable::Entry> entries;
  for (int64_t i = 0; i < spec.vocab.size(); ++i) entries.push_back(spec.vocab.entry(i));
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.text < b.text; });
  w.key("vocab").open('{');
  for (const StringTable::Entry& entry : entries) w.key(entry.text).number(entry.id);
  w.close('}').close('}');
}

// null for none, the step itself for one, a Sequence for more.
template <typename Step, typename Write>
void write_steps(Writer& w, const std::vector<Step>& steps, const char* key, Write&& write) {
  if (steps.empty()) {
    w.plain("null");
  } else if (steps.size() == 1) {
    write(w, steps[0]);
  } else {
    w.open('{').key(key).open('[');
    for (const Step& step : steps) write(w, step);
    w.close(']').key("type").text("Sequence").close('}');
  }
}

}  // namespace

std::string canonical_json(const Spec& spec) {
  Writer w;
  w.open('{').key("added_tokens").open('[');
  for (const AddedToken& token : spec.added) {
    w.open('{').key("content").text(token.content).key("id").number(token.id).key("lstrip").flag(token.lstrip);
    w.key("normalized").flag(token.normalized).key("rstrip").flag(token.rstrip);
    w.key("single_word").flag(token.single_word).key("special").flag(token.special).close('}');
  }
  w.close(']').key("decoder").plain(spec.decoder_json).key("model");
  write_model(w, spec);
  // A list of several steps is keyed before "type"; "normalizers" and "processors" both are.
  w.key("normalizer");
  write_steps(w, spec.normalizers, "normalizers", write_step);
  w.key("post_processor");
  write_steps(w, spec.post, "processors", write_post);
  w.key("pre_tokenizer");
  spec.kind == Spec::Kind::kByteBpe ? write_byte_level(w, spec.byte_level)
                                    : void(w.open('{').key("type").text("BertPreTokenizer").close('}'));
  w.key("version").text("1.0").close('}');
  return w.take();
}

}  // namespace modnet::text
