// The post-processor section of a tokenizer.json: which special tokens go around a text.
// Tested by tests/unit/prepare/tokenizer_json_test.cc.
#include <algorithm>

#include "formats/base/text.h"
#include "libmod/prepare/text/spec_parts.h"

namespace modnet::text {
namespace {

constexpr int64_t kMaxTypeId = 1 << 20;
constexpr size_t kMaxPieces = 1024;

// ["</s>", 2]
Result<std::pair<std::string, int32_t>> parse_named_id(const JsonObject& object, std::string_view key) {
  MODNET_ASSIGN(const JsonValue value, object.need(key));
  simdjson::dom::array pair;
  std::string_view name;
  int64_t id = 0;
  if (value.get_array().get(pair) != simdjson::SUCCESS || pair.size() != 2 ||
      pair.at(0).get_string().get(name) != simdjson::SUCCESS || pair.at(1).get_int64().get(id) != simdjson::SUCCESS ||
      id < 0 || id >= kMaxTokenId)
    return wrong_json(object.path_of(key), value, "a token and its id");
  return std::pair<std::string, int32_t>(name, static_cast<int32_t>(id));
}

Status parse_piece(JsonValue item, const std::string& path, std::vector<TemplatePiece>& out) {
  if (out.size() >= kMaxPieces) return malformed("more than " + std::to_string(kMaxPieces) + " pieces", path);
  MODNET_ASSIGN(const JsonObject object, JsonObject::of(item, path));
  MODNET_TRY(object.only({"SpecialToken", "Sequence"}));
  const bool special = object.find("SpecialToken").has_value();
  if (special == object.find("Sequence").has_value()) return wrong_json(path, item, "one of SpecialToken and Sequence");
  const char* const key = special ? "SpecialToken" : "Sequence";
  MODNET_ASSIGN(const JsonObject inner, JsonObject::of(*object.find(key), object.path_of(key)));
  MODNET_TRY(inner.only({"id", "type_id"}));
  TemplatePiece piece;
  MODNET_ASSIGN(piece.name, inner.text("id"));
  MODNET_ASSIGN(const int64_t type_id, inner.number("type_id", 0, kMaxTypeId));
  piece.type_id = static_cast<int32_t>(type_id);
  if (special) {
    piece.what = TemplatePiece::What::kSpecial;
  } else {
    if (piece.name != "A" && piece.name != "B") return wrong_json(inner.path_of("id"), *inner.find("id"), "A or B");
    piece.what = piece.name == "A" ? TemplatePiece::What::kText : TemplatePiece::What::kSecondText;
    piece.name.clear();
  }
  out.push_back(std::move(piece));
  return ok();
}

Status parse_special(std::string_view key, JsonValue value, const std::string& path, TemplateSpecial& out) {
  MODNET_ASSIGN(const JsonObject object, JsonObject::of(value, path));
  MODNET_TRY(object.only({"id", "ids", "tokens"}));
  MODNET_ASSIGN(out.name, object.text("id"));
  if (out.name != key) return wrong_json(object.path_of("id"), *object.find("id"), "the same name as the key");
  MODNET_ASSIGN(const JsonValue ids, object.need("ids"));
  MODNET_TRY(each_json(ids, object.path_of("ids"), [&](JsonValue item, const std::string& at) -> Status {
    int64_t id = 0;
    if (item.get_int64().get(id) != simdjson::SUCCESS || id < 0 || id >= kMaxTokenId)
      return wrong_json(at, item, "a token's id");
    out.ids.push_back(static_cast<int32_t>(id));
    return ok();
  }));
  MODNET_ASSIGN(const JsonValue tokens, object.need("tokens"));
  MODNET_TRY(each_json(tokens, object.path_of("tokens"), [&](JsonValue item, const std::string& at) -> Status {
    std::string_view token;
    if (item.get_string().get(token) != simdjson::SUCCESS) return wrong_json(at, item, "a string");
    out.tokens.emplace_back(token);
    return ok();
  }));
  if (out.ids.empty() || out.ids.size() != out.tokens.size())
    return wrong_json(object.path_of("tokens"), tokens, "as many tokens as ids, and at least one");
  return ok();
}

// Every special of the template is declared, and each text stands in it exactly once.
Status check_template(const std::vector<TemplatePiece>& pieces, const std::vector<TemplateSpecial>& specials,
                      int64_t texts, const std::string& path) {
  int64_t first = 0, second = 0;
  for (const TemplatePiece& piece : pieces) {
    first += piece.what == TemplatePiece::What::kText ? 1 : 0;
    second += piece.what == TemplatePiece::What::kSecondText ? 1 : 0;
    if (piece.what == TemplatePiece::What::kSpecial &&
        std::none_of(specials.begin(), specials.end(), [&](const auto& s) { return s.name == piece.name; }))
      return malformed("special token \"" + escape_text(piece.name) + "\" is not in special_tokens", path);
  }
  if (first != 1 || second != texts - 1)
    return malformed(std::string("expected ") + (texts == 1 ? "sequence A once" : "sequences A and B once each"), path);
  return ok();
}

Status parse_template(const JsonObject& object, PostStep& step) {
  MODNET_TRY(object.only({"type", "single", "pair", "special_tokens"}));
  step.kind = PostKind::kTemplate;
  MODNET_ASSIGN(const JsonValue single, object.need("single"));
  MODNET_TRY(each_json(single, object.path_of("single"),
                       [&](JsonValue v, const std::string& at) { return parse_piece(v, at, step.single); }));
  MODNET_ASSIGN(const JsonValue pair, object.need("pair"));
  MODNET_TRY(each_json(pair, object.path_of("pair"),
                       [&](JsonValue v, const std::string& at) { return parse_piece(v, at, step.pair); }));
  MODNET_ASSIGN(const JsonValue value, object.need("special_tokens"));
  MODNET_ASSIGN(const JsonObject specials, JsonObject::of(value, object.path_of("special_tokens")));
  for (const auto field : specials.object()) {
    if (step.specials.size() >= kMaxPieces) return malformed("too many special tokens", specials.path());
    step.specials.emplace_back();
    MODNET_TRY(parse_special(field.key, field.value, specials.path_of(field.key), step.specials.back()));
  }
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(step.specials.begin(), step.specials.end(), by_name);
  for (size_t i = 1; i < step.specials.size(); ++i)
    if (step.specials[i].name == step.specials[i - 1].name)
      return malformed("the key appears twice", specials.path_of(step.specials[i].name));
  MODNET_TRY(check_template(step.single, step.specials, 1, object.path_of("single")));
  return check_template(step.pair, step.specials, 2, object.path_of("pair"));
}

}  // namespace

Status parse_post_processor(JsonValue value, const std::string& path, std::vector<PostStep>& steps) {
  if (value.is_null()) return ok();
  MODNET_ASSIGN(const JsonObject object, JsonObject::of(value, path));
  MODNET_ASSIGN(const std::string type, object.text("type"));
  if (type == "Sequence") {
    MODNET_TRY(object.only({"type", "processors"}));
    MODNET_ASSIGN(const JsonValue list, object.need("processors"));
    return each_json(list, object.path_of("processors"), [&](JsonValue item, const std::string& at) {
      return parse_post_processor(item, at, steps);
    });
  }
  MODNET_ASSIGN(const JsonValue shown, object.need("type"));
  PostStep step;
  if (type == "ByteLevel") {
    MODNET_ASSIGN(step.bytes, parse_byte_level(object));
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    const bool roberta = type == "RobertaProcessing";
    step.kind = roberta ? PostKind::kRoberta : PostKind::kBert;
    if (roberta) {
      MODNET_TRY(object.only({"type", "sep", "cls", "trim_offsets", "add_prefix_space"}));
      MODNET_ASSIGN(step.bytes.trim_offsets, object.flag("trim_offsets"));
      MODNET_ASSIGN(step.bytes.add_prefix_space, object.flag("add_prefix_space"));
    } else {
      MODNET_TRY(object.only({"type", "sep", "cls"}));
    }
    MODNET_ASSIGN(step.sep, parse_named_id(object, "sep"));
    MODNET_ASSIGN(step.cls, parse_named_id(object, "cls"));
  } else if (type == "TemplateProcessing") {
    MODNET_TRY(parse_template(object, step));
  } else {
    return unsupported_json(object.path_of("type"), shown,
                            "TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel or Sequence");
  }
  const auto adds = [](const PostStep& s) { return s.kind != PostKind::kByteLevel; };
  if (steps.size() >= 8 || (adds(step) && std::any_of(steps.begin(), steps.end(), adds)))
    return unsupported_json(path, shown, "one step that adds special tokens");
  steps.push_back(std::move(step));
  return ok();
}

}  // namespace modnet::text
