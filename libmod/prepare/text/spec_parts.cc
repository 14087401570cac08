// Normaliser, pre-tokenizer and decoder sections of a tokenizer.json.
// Tested by tests/unit/prepare/tokenizer_json_test.cc.
#include "libmod/prepare/text/spec_parts.h"

#include <algorithm>

namespace modnet::text {
namespace {

constexpr size_t kMaxSteps = 64;  // of one section, Sequences flattened

// Visits the members of a {"type": "Sequence", `key`: […]} in order.
template <typename F>
Status each_step(const JsonObject& sequence, std::string_view key, F&& visit) {
  MODNET_TRY(sequence.only({"type", key}));
  MODNET_ASSIGN(const JsonValue list, sequence.need(key));
  return each_json(list, sequence.path_of(key), visit);
}

Status parse_bert(const JsonObject& object, NormalizerStep& step) {
  MODNET_TRY(object.only({"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"}));
  step.kind = NormalizerKind::kBert;
  MODNET_ASSIGN(step.clean_text, object.flag("clean_text"));
  MODNET_ASSIGN(step.handle_chinese_chars, object.flag("handle_chinese_chars"));
  MODNET_ASSIGN(step.lowercase, object.flag("lowercase"));
  if (object.find("strip_accents")) {
    MODNET_ASSIGN(step.strip_accents, object.flag("strip_accents"));
  }
  return ok();
}

Status parse_replace(const JsonObject& object, NormalizerStep& step) {
  MODNET_TRY(object.only({"type", "pattern", "content"}));
  step.kind = NormalizerKind::kReplace;
  MODNET_ASSIGN(const JsonValue value, object.need("pattern"));
  MODNET_ASSIGN(const JsonObject pattern, JsonObject::of(value, object.path_of("pattern")));
  MODNET_TRY(pattern.only({"String"}));
  MODNET_ASSIGN(step.pattern, pattern.text("String"));
  MODNET_ASSIGN(step.content, object.text("content"));
  if (step.pattern.empty()) return malformed("the pattern is empty", pattern.path_of("String"));
  return ok();
}

}  // namespace

Status parse_normalizer(JsonValue value, const std::string& path, std::vector<NormalizerStep>& steps) {
  if (value.is_null()) return ok();
  if (steps.size() >= kMaxSteps) return malformed("more than " + std::to_string(kMaxSteps) + " steps", path);
  MODNET_ASSIGN(const JsonObject object, JsonObject::of(value, path));
  MODNET_ASSIGN(const std::string type, object.text("type"));
  if (type == "Sequence")
    return each_step(object, "normalizers", [&](JsonValue item, const std::string& at) {
      return parse_normalizer(item, at, steps);
    });
  NormalizerStep step;
  if (type == "BertNormalizer") {
    MODNET_TRY(parse_bert(object, step));
  } else if (type == "NFC" || type == "NFD" || type == "NFKC" || type == "NFKD") {
    MODNET_TRY(object.only({"type"}));
    step.kind = NormalizerKind::kForm;
    step.form = type == "NFC" ? NormalForm::kNfc : type == "NFD" ? NormalForm::kNfd
                            : type == "NFKC" ? NormalForm::kNfkc : NormalForm::kNfkd;
  } else if (type == "Lowercase" || type == "StripAccents") {
    MODNET_TRY(object.only({"type"}));
    step.kind = type == "Lowercase" ? NormalizerKind::kLowercase : NormalizerKind::kStripAccents;
  } else if (type == "Replace") {
    MODNET_TRY(parse_replace(object, step));
  } else if (type == "Prepend") {
    MODNET_TRY(object.only({"type", "prepend"}));
    step.kind = NormalizerKind::kPrepend;
    MODNET_ASSIGN(step.content, object.text("prepend"));
    if (step.content.empty()) return wrong_json(object.path_of("prepend"), *object.find("prepend"), "some text");
  } else if (type == "Strip") {
    MODNET_TRY(object.only({"type", "strip_left", "strip_right"}));
    step.kind = NormalizerKind::kStrip;
    MODNET_ASSIGN(step.strip_left, object.flag("strip_left"));
    MODNET_ASSIGN(step.strip_right, object.flag("strip_right"));
  } else {
    MODNET_ASSIGN(const JsonValue shown, object.need("type"));
    return unsupported_json(object.path_of("type"), shown,
                            "BertNormalizer, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Replace, Prepend, Strip or "
                            "Sequence");
  }
  steps.push_back(std::move(step));
  return ok();
}

Result<ByteLevel> parse_byte_level(const JsonObject& object) {
  MODNET_TRY(object.only({"type", "add_prefix_space", "trim_offsets", "use_regex"}));
  ByteLevel out;
  MODNET_ASSIGN(out.add_prefix_space, object.flag("add_prefix_space"));
  MODNET_ASSIGN(out.trim_offsets, object.flag("trim_offsets"));
  MODNET_ASSIGN(out.use_regex, object.flag_or("use_regex", true));  // files from before the key existed lack it
  return out;
}

Status parse_pre_tokenizer(JsonValue value, const std::string& path, Spec& spec) {
  const bool bpe = spec.kind == Spec::Kind::kByteBpe;
  const char* const expected = bpe ? "ByteLevel for a BPE model" : "BertPreTokenizer for a WordPiece model";
  if (value.is_null()) return unsupported_json(path, value, expected);
  MODNET_ASSIGN(const JsonObject object, JsonObject::of(value, path));
  MODNET_ASSIGN(const std::string type, object.text("type"));
  if (type == "Sequence") {
    int64_t members = 0;
    MODNET_TRY(each_step(object, "pretokenizers", [&](JsonValue item, const std::string& at) -> Status {
      if (++members > 1) return unsupported_json(at, item, "one pre-tokenizer");
      return parse_pre_tokenizer(item, at, spec);
    }));
    if (members == 0) return unsupported_json(path, value, expected);
    return ok();
  }
  MODNET_ASSIGN(const JsonValue shown, object.need("type"));
  if (type != (bpe ? "ByteLevel" : "BertPreTokenizer"))
    return unsupported_json(object.path_of("type"), shown, expected);
  if (!bpe) return object.only({"type"});
  MODNET_ASSIGN(spec.byte_level, parse_byte_level(object));
  return ok();
}

Result<std::string> parse_decoder(JsonValue value) {
  if (value.is_null()) return std::string("null");
  MODNET_ASSIGN(const JsonObject object, JsonObject::of(value, "decoder"));
  MODNET_ASSIGN(const std::string type, object.text("type"));
  if (type == "WordPiece") {
    MODNET_TRY(object.only({"type", "prefix", "cleanup"}));
    MODNET_TRY(object.text("prefix"));
    MODNET_TRY(object.flag("cleanup"));
  } else if (type == "ByteLevel") {
    MODNET_TRY(object.only({"type", "add_prefix_space", "trim_offsets", "use_regex"}));
    for (const std::string_view key : {"add_prefix_space", "trim_offsets", "use_regex"})
      MODNET_TRY(object.flag_or(key, true));
  } else {
    MODNET_ASSIGN(const JsonValue shown, object.need("type"));
    return unsupported_json(object.path_of("type"), shown, "WordPiece or ByteLevel");
  }
  std::string out;
  append_sorted_json(value, out);
  return out;
}

}  // namespace modnet::text
