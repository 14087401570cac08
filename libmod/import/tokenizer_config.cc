#include "libmod/import/tokenizer_config.h"

#include <filesystem>

#include "formats/base/file.h"
#include "libmod/import/strict_json.h"

namespace modnet {
namespace {

constexpr int64_t kMaxConfig = int64_t{16} << 20;

/// A member of an object of tokenizer.json whose "type" is `type`; null when there is none.
const nlohmann::json* section_key(const nlohmann::json& tokenizer, const char* section, const char* type,
                                  const char* key) {
  const auto part = tokenizer.find(section);
  if (part == tokenizer.end() || !part->is_object()) return nullptr;
  const auto kind = part->find("type");
  if (kind == part->end() || *kind != type) return nullptr;
  const auto item = part->find(key);
  return item == part->end() ? nullptr : &*item;
}

}  // namespace

Result<std::optional<int64_t>> read_tokenizer_config(const std::string& path, const nlohmann::json& tokenizer) {
  nlohmann::json parsed = nlohmann::json::object();
  std::error_code failed;  // a path that cannot even be looked at is an error of read_file
  if (std::filesystem::exists(path, failed) || failed) {
    MODNET_ASSIGN(const std::string text, read_file(path, kMaxConfig));
    MODNET_ASSIGN(parsed, parse_config(text, path));
    if (!parsed.is_object()) return malformed("expected an object").in_file(path);
  }
  StrictObject config(parsed, path);
  // transformers rebuilds the normaliser and the splitting from these keys when they differ, so a difference must not
  // pass.
  struct Same {
    const char *key, *section, *type, *theirs;
  };
  constexpr Same kSame[] = {{"do_lower_case", "normalizer", "BertNormalizer", "lowercase"},
                            {"strip_accents", "normalizer", "BertNormalizer", "strip_accents"},
                            {"tokenize_chinese_chars", "normalizer", "BertNormalizer", "handle_chinese_chars"},
                            {"add_prefix_space", "pre_tokenizer", "ByteLevel", "add_prefix_space"}};
  for (const Same& same : kSame) {
    const auto ours = parsed.find(same.key);
    const nlohmann::json* theirs = section_key(tokenizer, same.section, same.type, same.theirs);
    if (ours != parsed.end() && theirs != nullptr && *ours != *theirs)
      return Error{
          Code::kMalformed,
          "IMPORT_UNKNOWN",
          "key '" + std::string(same.key) + "' is " + ours->dump() + " while tokenizer.json says " + theirs->dump(),
          same.key,
          path,
          "make the two files agree"};
  }
  MODNET_TRY(config.must_be("split_special_tokens", false));
  // Which end of a long text is cut: here, else in tokenizer.json.
  MODNET_TRY(config.must_be("truncation_side", "right"));
  if (const auto truncation = tokenizer.find("truncation");
      !config.has("truncation_side") && truncation != tokenizer.end() && truncation->is_object()) {
    StrictObject stored(*truncation, path.substr(0, path.rfind('/')) + "/tokenizer.json", "truncation.");
    MODNET_TRY(stored.must_be("direction", "Right"));
  }
  const auto limit = parsed.find("model_max_length");
  if (limit == parsed.end() || !limit->is_number()) return std::optional<int64_t>();
  const double value = limit->get<double>();
  if (!(value >= 1) || value > 1e12) return std::optional<int64_t>();  // transformers writes 1e30 for "no limit"
  return std::optional<int64_t>(static_cast<int64_t>(value));
}

}  // namespace modnet
