// A tokenizer.json as a whole: its sections, its added tokens, and that all of them agree on ids.
// Tested by tests/unit/prepare/tokenizer_json_test.cc.
#include "libmod/prepare/text/spec.h"

#include <algorithm>
#include <limits>
#include <map>
#include <new>

#include "formats/base/text.h"
#include "libmod/prepare/text/spec_parts.h"

namespace modnet::text {
namespace {

Status parse_added_token(JsonValue item, const std::string& path, std::vector<AddedToken>& out) {
  MODNET_ASSIGN(const JsonObject object, JsonObject::of(item, path));
  MODNET_TRY(object.only({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"}));
  AddedToken token;
  MODNET_ASSIGN(const int64_t id, object.number("id", 0, kMaxTokenId - 1));
  token.id = static_cast<int32_t>(id);
  MODNET_ASSIGN(token.content, object.text("content"));
  MODNET_ASSIGN(token.single_word, object.flag("single_word"));
  MODNET_ASSIGN(token.lstrip, object.flag("lstrip"));
  MODNET_ASSIGN(token.rstrip, object.flag("rstrip"));
  MODNET_ASSIGN(token.normalized, object.flag("normalized"));
  MODNET_ASSIGN(token.special, object.flag("special"));
  if (token.content.empty()) return malformed("the token is empty", object.path_of("content"));
  out.push_back(std::move(token));
  return ok();
}

// The library numbers added tokens itself: the vocabulary's id, else the next free one above everything so far.
// A file that says another id would silently be read differently from what it says.
Status check_added_ids(const Spec& spec) {
  std::map<std::string_view, int32_t> seen;
  int64_t highest = -1;
  for (size_t i = 0; i < spec.added.size(); ++i) {
    const AddedToken& token = spec.added[i];
    const std::string path = "added_tokens[" + std::to_string(i) + "]";
    if (!seen.emplace(token.content, token.id).second)
      return malformed("token \"" + escape_text(token.content) + "\" appears twice", path + ".content");
    const int32_t own = spec.vocab.find(token.content);
    const int64_t expected = own >= 0 ? own : highest >= spec.vocab.size() ? highest + 1 : spec.vocab.size();
    if (token.id != expected)
      return malformed("id " + std::to_string(token.id) + " of token \"" + escape_text(token.content) +
                           "\" is wrong; expected " + std::to_string(expected),
                       path + ".id");
    if (own < 0 && !spec.vocab.text_of(token.id).empty())
      return malformed("id " + std::to_string(token.id) + " is that of another token", path + ".id");
    highest = std::max(highest, expected);
  }
  return ok();
}

Status check_special(const Spec& spec, std::string_view token, int32_t id, const std::string& path) {
  int32_t expected = spec.vocab.find(token);
  for (const AddedToken& added : spec.added)
    if (added.content == token) expected = added.id;
  if (expected == id) return ok();
  return malformed("id " + std::to_string(id) + " of token \"" + escape_text(token) + "\" is wrong; expected " +
                       (expected < 0 ? "a token of the vocabulary" : std::to_string(expected)),
                   path);
}

Status check_post_ids(const Spec& spec) {
  for (const PostStep& step : spec.post) {
    if (step.kind == PostKind::kBert || step.kind == PostKind::kRoberta) {
      MODNET_TRY(check_special(spec, step.cls.first, step.cls.second, "post_processor.cls"));
      MODNET_TRY(check_special(spec, step.sep.first, step.sep.second, "post_processor.sep"));
    }
    for (const TemplateSpecial& special : step.specials)
      for (size_t i = 0; i < special.ids.size(); ++i)
        MODNET_TRY(check_special(spec, special.tokens[i], special.ids[i],
                                 "post_processor.special_tokens." + escape_text(special.name)));
  }
  return ok();
}

Result<TruncationRecord> parse_truncation(JsonValue value) {
  MODNET_ASSIGN(const JsonObject object, JsonObject::of(value, "truncation"));
  MODNET_TRY(object.only({"direction", "max_length", "strategy", "stride"}));
  TruncationRecord out;
  MODNET_ASSIGN(out.max_length, object.number("max_length", 0, int64_t{1} << 40));
  MODNET_TRY(object.number("stride", 0, int64_t{1} << 40));
  MODNET_ASSIGN(const std::string strategy, object.text("strategy"));
  if (strategy != "LongestFirst" && strategy != "OnlyFirst")
    return unsupported_json("truncation.strategy", *object.find("strategy"), "LongestFirst or OnlyFirst");
  if (const auto direction = object.find("direction")) {
    MODNET_ASSIGN(const std::string text, object.text("direction"));
    if (text != "Right" && text != "Left") return unsupported_json("truncation.direction", *direction, "Right or Left");
    out.left = text == "Left";
  }
  return out;
}

Result<Spec> parse_root(JsonValue root) {
  Spec spec;
  MODNET_ASSIGN(const JsonObject object, JsonObject::of(root, ""));
  MODNET_TRY(object.only({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
                          "post_processor", "decoder", "model"}));
  MODNET_ASSIGN(const std::string version, object.text("version"));
  if (version != "1.0") return unsupported_json("version", *object.find("version"), "\"1.0\"");
  const auto section = [&](std::string_view key) { return object.find(key); };
  if (const auto padding = section("padding"); padding && !padding->is_object())
    return wrong_json("padding", *padding, "an object or null");  // how to pad has no effect here
  if (const auto truncation = section("truncation")) {
    MODNET_ASSIGN(spec.truncation, parse_truncation(*truncation));
  }
  MODNET_ASSIGN(const JsonValue model, object.need("model"));
  MODNET_TRY(parse_model(model, spec));
  if (const auto value = section("normalizer")) MODNET_TRY(parse_normalizer(*value, "normalizer", spec.normalizers));
  MODNET_ASSIGN(const JsonValue pre_tokenizer, object.need("pre_tokenizer"));
  MODNET_TRY(parse_pre_tokenizer(pre_tokenizer, "pre_tokenizer", spec));
  if (const auto value = section("post_processor"))
    MODNET_TRY(parse_post_processor(*value, "post_processor", spec.post));
  if (const auto value = section("decoder")) {
    MODNET_ASSIGN(spec.decoder_json, parse_decoder(*value));
  }
  if (const auto value = section("added_tokens")) {
    MODNET_TRY(each_json(*value, "added_tokens",
                         [&](JsonValue v, const std::string& at) { return parse_added_token(v, at, spec.added); }));
  }
  MODNET_TRY(check_added_ids(spec));
  MODNET_TRY(check_post_ids(spec));
  return spec;
}

}  // namespace

Result<Spec> parse_spec(std::string_view json) {
  constexpr size_t kMaxBytes = size_t{1} << 30;
  if (json.size() > kMaxBytes) return malformed("the tokenizer is larger than 1 GiB");
  try {
    simdjson::dom::parser parser;
    JsonValue root;
    const simdjson::error_code code = parser.parse(json.data(), json.size()).get(root);
    if (code != simdjson::SUCCESS) return malformed(std::string("not JSON: ") + simdjson::error_message(code));
    return parse_root(root);
  } catch (const std::bad_alloc&) {
    return Error{Code::kUnavailable, "MEMORY", "not enough memory to read the tokenizer", {}, {}, {}};
  } catch (const simdjson::simdjson_error& e) {
    return malformed(std::string("not JSON: ") + e.what());
  }
}

}  // namespace modnet::text
