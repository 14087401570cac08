// The model section of a tokenizer.json: vocabulary, merges and their options.
// Tested by tests/unit/prepare/tokenizer_json_test.cc.
#include <algorithm>

#include "formats/base/text.h"
#include "libmod/prepare/text/spec_parts.h"

namespace modnet::text {
namespace {

Status parse_vocab(const JsonObject& model, StringTable& vocab) {
  MODNET_ASSIGN(const JsonValue value, model.need("vocab"));
  const std::string path = model.path_of("vocab");
  simdjson::dom::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return wrong_json(path, value, "an object");
  for (const auto field : object) {
    int64_t id = 0;
    if (field.value.get_int64().get(id) != simdjson::SUCCESS || id < 0 || id >= kMaxTokenId)
      return wrong_json(path + "." + escape_text(field.key), field.value,
                        "an id from 0 to " + std::to_string(kMaxTokenId - 1));
    vocab.add(field.key, static_cast<int32_t>(id));
  }
  if (vocab.size() == 0) return malformed("the vocabulary is empty", path);
  Status built = vocab.build();
  if (!built.ok()) return malformed(built.error().what, path);
  return ok();
}

Status parse_word_piece(const JsonObject& model, Spec& spec) {
  MODNET_TRY(model.only({"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"}));
  MODNET_ASSIGN(spec.unk_token, model.text("unk_token"));
  MODNET_ASSIGN(spec.continuing_prefix, model.text("continuing_subword_prefix"));
  MODNET_ASSIGN(spec.max_chars_per_word, model.number("max_input_chars_per_word", 0, int64_t{1} << 40));
  return parse_vocab(model, spec.vocab);
}

// Halves of "a b"; empty views when it is not two words.
std::pair<std::string_view, std::string_view> halves(std::string_view text) {
  const size_t space = text.find(' ');
  if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) return {};
  return {text.substr(0, space), text.substr(space + 1)};
}

Status parse_merge(JsonValue item, const std::string& path, std::string& joined, Spec& spec) {
  std::string_view text, left, right;
  simdjson::dom::array pair;
  if (item.get_string().get(text) == simdjson::SUCCESS) {
    std::tie(left, right) = halves(text);
    if (left.data() == nullptr) return wrong_json(path, item, "two tokens with one space between them");
  } else if (item.get_array().get(pair) != simdjson::SUCCESS || pair.size() != 2 ||
             pair.at(0).get_string().get(left) != simdjson::SUCCESS ||
             pair.at(1).get_string().get(right) != simdjson::SUCCESS) {
    return wrong_json(path, item, "two tokens");
  }
  joined.assign(left).append(right);
  for (const std::string_view token : {left, right, std::string_view(joined)})
    if (spec.vocab.find(token) < 0)
      return malformed("token \"" + escape_text(token.substr(0, 80)) + "\" is not in the vocabulary", path);
  spec.merges.emplace_back(spec.vocab.find(left), spec.vocab.find(right));
  return ok();
}

Status parse_merges(const JsonObject& model, Spec& spec) {
  MODNET_ASSIGN(const JsonValue value, model.need("merges"));
  simdjson::dom::array items;
  if (value.get_array().get(items) != simdjson::SUCCESS) return wrong_json(model.path_of("merges"), value, "an array");
  std::string joined;
  int64_t i = 0;
  for (const JsonValue item : items) {
    std::string_view text;
    // the old text form of merges begins with a line that names its version
    const bool header = i == 0 && item.get_string().get(text) == simdjson::SUCCESS && text.starts_with("#version");
    if (!header) {
      Status read = parse_merge(item, {}, joined, spec);
      if (!read.ok()) return parse_merge(item, model.path_of("merges") + "[" + std::to_string(i) + "]", joined, spec);
    }
    ++i;
  }
  return ok();
}

Status parse_bpe(const JsonObject& model, Spec& spec) {
  MODNET_TRY(model.only({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
                         "byte_fallback", "ignore_merges", "vocab", "merges"}));
  if (const auto dropout = model.find("dropout")) {
    double p = 0;
    if (dropout->get_double().get(p) != simdjson::SUCCESS || p != 0)
      return unsupported_json(model.path_of("dropout"), *dropout, "null");
  }
  for (const std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    MODNET_ASSIGN(const auto affix, model.text_or_none(key));
    if (affix.has_value() && !affix->empty()) return unsupported_json(model.path_of(key), *model.find(key), "null or \"\"");
  }
  MODNET_ASSIGN(const bool byte_fallback, model.flag_or("byte_fallback", false));
  if (byte_fallback) return unsupported_json(model.path_of("byte_fallback"), *model.find("byte_fallback"), "false");
  MODNET_ASSIGN(spec.unk_token, model.text_or_none("unk_token"));
  MODNET_ASSIGN(spec.fuse_unk, model.flag_or("fuse_unk", false));
  MODNET_ASSIGN(spec.ignore_merges, model.flag_or("ignore_merges", false));
  MODNET_TRY(parse_vocab(model, spec.vocab));
  return parse_merges(model, spec);
}

}  // namespace

Status parse_model(JsonValue value, Spec& spec) {
  MODNET_ASSIGN(const JsonObject model, JsonObject::of(value, "model"));
  // Files from before the key existed are known by what only one kind has.
  std::string type = model.find("merges") ? "BPE" : "WordPiece";
  if (model.find("type")) {
    MODNET_ASSIGN(type, model.text("type"));
  }
  if (type == "WordPiece") {
    spec.kind = Spec::Kind::kWordPiece;
    MODNET_TRY(parse_word_piece(model, spec));
  } else if (type == "BPE") {
    spec.kind = Spec::Kind::kByteBpe;
    MODNET_TRY(parse_bpe(model, spec));
  } else {
    return unsupported_json("model.type", *model.find("type"), "WordPiece or BPE");
  }
  if (spec.unk_token.has_value() && spec.vocab.find(*spec.unk_token) < 0)
    return malformed("token \"" + escape_text(*spec.unk_token) + "\" is not in the vocabulary", "model.unk_token");
  return ok();
}

}  // namespace modnet::text
