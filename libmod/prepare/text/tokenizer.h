// Text → token ids, exactly as the Hugging Face `tokenizers` library (0.23) does from the same tokenizer.json:
// WordPiece with BERT's splitting, and byte-level BPE (GPT-2, RoBERTa). What a file says and modnet does not do is an
// error that names the JSON path; nothing is guessed.
// Tested by tests/unit/prepare/tokenizer_test.cc, tests/parity/tokenizer_parity.cc and tests/parity/tokenizer_parity.py.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/base/result.h"

namespace modnet {

enum class TruncationSide : uint8_t { kRight, kLeft };  // which end of a long text is dropped
enum class SpecialTokens : uint8_t { kAdd, kNone };

struct EncodeOptions {
  int64_t max_length = std::numeric_limits<int64_t>::max();  // in tokens, special tokens included
  TruncationSide side = TruncationSide::kRight;
  SpecialTokens special = SpecialTokens::kAdd;
};

/// One text as tokens. Reused by encode: the vectors keep their memory.
struct Encoding {
  std::vector<int32_t> ids;
  std::vector<int32_t> type_ids;  // as many as ids
  bool truncated = false;         // tokens of the text were dropped
};

/// Special tokens by role; empty where the tokenizer has none.
struct SpecialIds {
  std::optional<int32_t> cls, sep;  // what the post-processor puts first and last
  std::optional<int32_t> pad, unk, mask, bos, eos;
};

/// Immutable, cheap to copy (shared), and safe to use from many threads at once.
class Tokenizer {
 public:
  /// Scratch memory and word cache of one thread, about 1 MiB once used. May serve any tokenizer, one at a time;
  /// results never depend on what it served before.
  class Workspace {
   public:
    Workspace();
    ~Workspace();
    Workspace(Workspace&&) noexcept;
    Workspace& operator=(Workspace&&) noexcept;

   private:
    friend class Tokenizer;
    struct Scratch;
    std::unique_ptr<Scratch> scratch_;
  };

  /// Reads a tokenizer.json (UTF-8, up to 1 GiB). Errors: kMalformed, or kInvalid with id UNSUPPORTED for what is
  /// beyond this library; `where` is the JSON path. Sections `truncation` and `padding` have no effect on encode.
  [[nodiscard]] static Result<Tokenizer> from_json(std::string_view tokenizer_json);

  /// Encodes one text into `out`. kInvalid when `utf8` is not UTF-8 (names the offset), kUsage when max_length does not
  /// even hold the special tokens.
  [[nodiscard]] Status encode(std::string_view utf8, const EncodeOptions& options, Workspace& workspace,
                              Encoding& out) const;
  /// The same with a workspace of its own: for a few texts.
  [[nodiscard]] Result<Encoding> encode(std::string_view utf8, const EncodeOptions& options = {}) const;

  /// Largest id + 1, added tokens included: how many rows an embedding table must have.
  [[nodiscard]] int64_t vocab_size() const;
  /// The id of a token as the vocabulary writes it ("##ing", "Ġthe", "[CLS]").
  [[nodiscard]] std::optional<int32_t> id_of(std::string_view token) const;
  /// The token of an id, empty where there is none. Lives as long as the tokenizer.
  [[nodiscard]] std::string_view token_of(int32_t id) const;
  [[nodiscard]] const SpecialIds& special_ids() const;
  /// How many special tokens encode puts around a text.
  [[nodiscard]] int64_t special_count() const;

  /// "wordpiece" or "byte-bpe": the method of a preparation record.
  [[nodiscard]] std::string_view method() const;
  /// Normalisation in one line: "bert(clean_text,handle_chinese_chars,strip_accents,lowercase)", "NFC", "none".
  [[nodiscard]] std::string unicode_norm() const;
  /// The longest text (in tokens, special ones included) that the file's own `truncation` section allowed, if any.
  [[nodiscard]] std::optional<int64_t> file_max_length() const;
  /// The same tokenizer in canonical form: sorted keys, no white space, defaults written out, no truncation or padding.
  /// from_json takes it, and gives the same canonical form again. Computed at each call.
  [[nodiscard]] std::string canonical_json() const;

 private:
  struct Impl;
  explicit Tokenizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace modnet
