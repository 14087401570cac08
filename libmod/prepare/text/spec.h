// What a tokenizer.json says, as plain records: every field that has meaning, defaults filled in.
// Read by spec_*.cc, written back by canonical.cc. Tested by tests/unit/prepare/tokenizer_json_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/base/result.h"
#include "libmod/prepare/text/string_table.h"
#include "libmod/prepare/text/unicode.h"

namespace modnet::text {

/// Ids at or above this are refused: no real vocabulary comes near, and tables are sized by the largest id.
inline constexpr int64_t kMaxTokenId = int64_t{1} << 24;

enum class NormalizerKind : uint8_t { kBert, kForm, kLowercase, kStripAccents, kReplace, kPrepend, kStrip };

/// One step of text normalisation; the fields that its kind does not use stay at their defaults.
struct NormalizerStep {
  NormalizerKind kind = NormalizerKind::kLowercase;
  NormalForm form = NormalForm::kNfc;                                  // kForm
  bool clean_text = false, handle_chinese_chars = false, lowercase = false;  // kBert
  std::optional<bool> strip_accents;                                   // kBert; empty: as lowercase
  std::string pattern, content;                                        // kReplace; kPrepend uses content
  bool strip_left = false, strip_right = false;                        // kStrip

  [[nodiscard]] bool strips_accents() const { return strip_accents.value_or(lowercase); }
};

/// Options of GPT-2's byte-level splitting.
struct ByteLevel {
  bool add_prefix_space = true, trim_offsets = true, use_regex = true;
};

/// One piece of a post-processor's template.
struct TemplatePiece {
  enum class What : uint8_t { kText, kSecondText, kSpecial };
  What what = What::kText;
  int32_t type_id = 0;
  std::string name;  // kSpecial: key into Template::specials
};

struct TemplateSpecial {
  std::string name;
  std::vector<int32_t> ids;
  std::vector<std::string> tokens;
};

enum class PostKind : uint8_t { kByteLevel, kBert, kRoberta, kTemplate };

struct PostStep {
  PostKind kind = PostKind::kByteLevel;
  ByteLevel bytes;                                    // kByteLevel; kRoberta uses the first two
  std::pair<std::string, int32_t> cls, sep;           // kBert, kRoberta
  std::vector<TemplatePiece> single, pair;            // kTemplate
  std::vector<TemplateSpecial> specials;              // kTemplate, sorted by name
};

struct AddedToken {
  std::string content;
  int32_t id = 0;
  bool single_word = false, lstrip = false, rstrip = false, normalized = false, special = false;
};

struct TruncationRecord {
  int64_t max_length = 0;
  bool left = false;
};

struct Spec {
  enum class Kind : uint8_t { kWordPiece, kByteBpe };
  Kind kind = Kind::kWordPiece;
  StringTable vocab;  // the model's own, without added tokens that it lacks
  std::optional<std::string> unk_token;
  std::string continuing_prefix;    // WordPiece
  int64_t max_chars_per_word = 0;   // WordPiece
  std::vector<std::pair<int32_t, int32_t>> merges;  // BPE: ids, best first
  bool fuse_unk = false, ignore_merges = false;     // BPE

  std::vector<NormalizerStep> normalizers;
  ByteLevel byte_level;  // BPE: the pre-tokenizer
  std::vector<PostStep> post;
  std::vector<AddedToken> added;
  std::string decoder_json = "null";  // canonical; has no part in encoding
  std::optional<TruncationRecord> truncation;
};

/// Reads a tokenizer.json. kMalformed or kInvalid (not supported), `where` names the JSON path.
[[nodiscard]] Result<Spec> parse_spec(std::string_view json);
/// The canonical form: sorted keys, no white space, defaults written out, no truncation, no padding.
[[nodiscard]] std::string canonical_json(const Spec& spec);

}  // namespace modnet::text
