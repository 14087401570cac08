// Text → token ids: added tokens are cut out, the rest is normalised, split into words, and looked up.
// Tested by tests/unit/prepare/tokenizer_test.cc and tests/parity/tokenizer_parity.cc.
#include "libmod/prepare/text/tokenizer.h"

#include <simdjson.h>

#include <algorithm>
#include <new>

#include "formats/base/digest.h"
#include "formats/base/text.h"
#include "libmod/prepare/text/added_tokens.h"
#include "libmod/prepare/text/bpe.h"
#include "libmod/prepare/text/normalize.h"
#include "libmod/prepare/text/split.h"
#include "libmod/prepare/text/word_cache.h"
#include "libmod/prepare/text/wordpiece.h"

namespace modnet {
namespace {

using namespace text;  // NOLINT: the parts of this very class

// Special tokens that go before and after a text, and the type of each token.
struct Frame {
  std::vector<int32_t> before, after, before_types, after_types;
  int32_t text_type = 0;
};

Frame make_frame(const Spec& spec) {
  Frame frame;
  for (const PostStep& step : spec.post) {
    if (step.kind == PostKind::kBert || step.kind == PostKind::kRoberta) {
      frame.before = {step.cls.second};
      frame.after = {step.sep.second};
      frame.before_types = frame.after_types = {0};
    } else if (step.kind == PostKind::kTemplate) {
      bool past = false;
      for (const TemplatePiece& piece : step.single) {
        if (piece.what == TemplatePiece::What::kText) {
          frame.text_type = piece.type_id;
          past = true;
          continue;
        }
        const auto special = std::find_if(step.specials.begin(), step.specials.end(),
                                          [&](const TemplateSpecial& s) { return s.name == piece.name; });
        for (const int32_t id : special->ids) {
          (past ? frame.after : frame.before).push_back(id);
          (past ? frame.after_types : frame.before_types).push_back(piece.type_id);
        }
      }
    }
  }
  return frame;
}

// The all-off BERT step: only splits.
NormalizerStep split_only() {
  NormalizerStep step;
  step.kind = NormalizerKind::kBert;
  return step;
}

bool fuses(const Spec& spec) {
  if (spec.kind != Spec::Kind::kWordPiece) return false;
  const bool normalized = std::any_of(spec.added.begin(), spec.added.end(), [](const auto& t) { return t.normalized; });
  return spec.normalizers.empty() ||
         (!normalized && spec.normalizers.size() == 1 && spec.normalizers[0].kind == NormalizerKind::kBert);
}

}  // namespace

struct Tokenizer::Workspace::Scratch {
  uint64_t owner_number = 0;
  WordCache cache;
  std::string word, prefixed;
  std::vector<uint32_t> chars;
  std::vector<TextPiece> pieces, inner;
  BpeScratch bpe;
};

Tokenizer::Workspace::Workspace() = default;
Tokenizer::Workspace::~Workspace() = default;
Tokenizer::Workspace::Workspace(Workspace&&) noexcept = default;
Tokenizer::Workspace& Tokenizer::Workspace::operator=(Workspace&&) noexcept = default;

struct Tokenizer::Impl {
  using Scratch = Workspace::Scratch;

  explicit Impl(Spec&& from)
      : spec(std::move(from)),
        fused(fuses(spec)),
        splitter(fused && !spec.normalizers.empty() ? spec.normalizers[0] : split_only()),
        frame(make_frame(spec)) {
    if (spec.kind == Spec::Kind::kByteBpe) {
      bpe.emplace(spec);
    } else {
      word_piece.emplace(spec);
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status match_added();
  void find_roles();
  [[nodiscard]] std::optional<int32_t> id_of(std::string_view token) const;

  // Appends the ids of one word; false once there are more than `limit`.
  bool put_word(std::string_view word, Scratch& scratch, size_t limit, std::vector<int32_t>& ids) const {
    const uint64_t hash = hash_bytes(word.data(), word.size());
    const bool cached = word.size() <= WordCache::kMaxBytes;
    if (cached) {
      if (const auto known = scratch.cache.find(word, hash); !known.empty()) {
        ids.insert(ids.end(), known.begin(), known.end());
        return ids.size() <= limit;
      }
    }
    const size_t before = ids.size();
    if (word_piece.has_value()) {
      word_piece->encode(word, hash, ids);
    } else {
      bpe->encode(word, scratch.bpe, ids);
    }
    if (cached) scratch.cache.put(word, hash, std::span(ids).subspan(before));
    return ids.size() <= limit;
  }

  Status put_text(std::string_view text, Scratch& scratch, size_t limit, std::vector<int32_t>& ids) const;
  Status put_piece(std::string_view text, Scratch& scratch, size_t limit, std::vector<int32_t>& ids) const;
  void put_bytes(std::string_view text, Scratch& scratch, size_t limit, std::vector<int32_t>& ids) const;

  const Spec spec;
  const bool fused;  // BertSplitter normalises on the way
  const BertSplitter splitter;
  const Frame frame;
  std::optional<WordPiece> word_piece;
  std::optional<ByteBpe> bpe;
  AddedTokenMatcher raw_tokens, normalized_tokens;
  StringTable added_ids;
  SpecialIds roles;
  int64_t vocab_size = 0;
  uint64_t number = 0;  // tells whose words a workspace's cache holds
};

// Patterns in the library's order: special tokens first, which only matters where two are the same text.
Status Tokenizer::Impl::match_added() {
  for (const bool special : {true, false})
    for (const AddedToken& token : spec.added) {
      if (token.special != special) continue;
      if (!token.normalized) {
        raw_tokens.add(token.content, token);
        continue;
      }
      MODNET_ASSIGN(const std::string pattern, normalize_text(spec.normalizers, token.content));
      if (pattern.empty())
        return Error{Code::kInvalid, "UNSUPPORTED", "token \"" + escape_text(token.content) + "\" normalises to nothing",
                     "added_tokens", {}, {}};
      normalized_tokens.add(pattern, token);
    }
  int64_t largest = spec.vocab.max_id();
  for (const AddedToken& token : spec.added) {
    added_ids.add(token.content, token.id);
    largest = std::max(largest, static_cast<int64_t>(token.id));
  }
  vocab_size = largest + 1;
  return added_ids.build();
}

std::optional<int32_t> Tokenizer::Impl::id_of(std::string_view token) const {
  int32_t id = added_ids.find(token);
  if (id < 0) id = spec.vocab.find(token);
  return id < 0 ? std::nullopt : std::optional(id);
}

void Tokenizer::Impl::find_roles() {
  if (!frame.before.empty()) roles.cls = frame.before.front();
  if (!frame.after.empty()) roles.sep = frame.after.back();
  const auto first_of = [&](std::initializer_list<std::string_view> names) -> std::optional<int32_t> {
    for (const std::string_view name : names)
      for (const AddedToken& token : spec.added)
        if (token.special && token.content == name) return token.id;
    return std::nullopt;
  };
  roles.pad = first_of({"[PAD]", "<pad>", "<|pad|>"});
  roles.mask = first_of({"[MASK]", "<mask>"});
  roles.unk = spec.unk_token.has_value() ? id_of(*spec.unk_token) : first_of({"[UNK]", "<unk>"});
  roles.bos = first_of({"<s>", "<|startoftext|>", "<|endoftext|>"});
  roles.eos = first_of({"</s>", "<|endoftext|>"});
}

void Tokenizer::Impl::put_bytes(std::string_view text, Scratch& scratch, size_t limit,
                                std::vector<int32_t>& ids) const {
  if (spec.byte_level.add_prefix_space && text[0] != ' ') {
    scratch.prefixed.assign(1, ' ').append(text);
    text = scratch.prefixed;
  }
  if (!spec.byte_level.use_regex) {
    put_word(text, scratch, limit, ids);
    return;
  }
  const CharTable& table = CharTable::get();
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = gpt2_word_end(text, begin, table);
    if (!put_word(text.substr(begin, end - begin), scratch, limit, ids)) return;
    begin = end;
  }
}

// Text without added tokens, normalised unless the splitter does that.
Status Tokenizer::Impl::put_piece(std::string_view text, Scratch& scratch, size_t limit,
                                  std::vector<int32_t>& ids) const {
  if (spec.kind == Spec::Kind::kByteBpe) {
    put_bytes(text, scratch, limit, ids);
    return ok();
  }
  return splitter.split(text, scratch.word, scratch.chars,
                        [&](std::string_view word) { return put_word(word, scratch, limit, ids); });
}

// Text without raw added tokens: normalised, then cut at those added tokens that are looked for in normalised text.
Status Tokenizer::Impl::put_text(std::string_view text, Scratch& scratch, size_t limit,
                                 std::vector<int32_t>& ids) const {
  std::string owned;
  if (!fused && !spec.normalizers.empty()) {
    MODNET_ASSIGN(owned, normalize_text(spec.normalizers, text));
    text = owned;
  }
  if (text.empty()) return ok();
  if (normalized_tokens.empty() || normalized_tokens.absent(text)) return put_piece(text, scratch, limit, ids);
  scratch.inner.clear();
  normalized_tokens.split(text, scratch.inner);
  for (const TextPiece& piece : scratch.inner) {
    if (piece.id >= 0) {
      ids.push_back(piece.id);
    } else {
      MODNET_TRY(put_piece(text.substr(static_cast<size_t>(piece.begin), static_cast<size_t>(piece.end - piece.begin)),
                           scratch, limit, ids));
    }
    if (ids.size() > limit) break;
  }
  return ok();
}

Result<Tokenizer> Tokenizer::from_json(std::string_view tokenizer_json) {
  try {
    MODNET_ASSIGN(Spec spec, parse_spec(tokenizer_json));
    const auto impl = std::make_shared<Impl>(std::move(spec));
    MODNET_TRY(impl->match_added());
    impl->find_roles();
    impl->number = xxh3_64(as_bytes(tokenizer_json)) | 1;  // 0 is a workspace's "none yet"
    return Tokenizer(impl);
  } catch (const std::bad_alloc&) {
    return Error{Code::kUnavailable, "MEMORY", "not enough memory for the tokenizer", {}, {}, {}};
  }
}

Status Tokenizer::encode(std::string_view utf8, const EncodeOptions& options, Workspace& workspace,
                         Encoding& out) const {
  const Impl& t = *impl_;
  out.ids.clear();
  out.type_ids.clear();
  out.truncated = false;
  if (!simdjson::validate_utf8(utf8.data(), utf8.size()))
    return Error{Code::kInvalid, "UTF8", "the text is not UTF-8", "offset " + std::to_string(utf8_error(utf8)), {}, {}};
  if (workspace.scratch_ == nullptr) workspace.scratch_ = std::make_unique<Workspace::Scratch>();
  Workspace::Scratch& scratch = *workspace.scratch_;
  if (scratch.owner_number != t.number) {
    scratch.owner_number = t.number;
    scratch.cache.clear();
  }
  const bool framed = options.special == SpecialTokens::kAdd;
  const int64_t around = framed ? special_count() : 0;
  if (options.max_length < around)
    return usage("max_length " + std::to_string(options.max_length) + " does not hold the " + std::to_string(around) +
                 " special tokens");
  if (framed) out.ids = t.frame.before;
  const size_t base = out.ids.size();
  const auto room = static_cast<size_t>(options.max_length - around);
  const bool right = options.side == TruncationSide::kRight;
  // Right truncation may stop at the first token too many.
  const size_t limit = right && room < SIZE_MAX - base ? base + room : SIZE_MAX;
  if (t.raw_tokens.empty() || t.raw_tokens.absent(utf8)) {
    MODNET_TRY(t.put_text(utf8, scratch, limit, out.ids));
  } else {
    scratch.pieces.clear();
    t.raw_tokens.split(utf8, scratch.pieces);
    for (const TextPiece& piece : scratch.pieces) {
      if (piece.id >= 0) {
        out.ids.push_back(piece.id);
      } else {
        const auto begin = static_cast<size_t>(piece.begin);
        MODNET_TRY(t.put_text(utf8.substr(begin, static_cast<size_t>(piece.end) - begin), scratch, limit, out.ids));
      }
      if (out.ids.size() > limit) break;
    }
  }
  if (const size_t count = out.ids.size() - base; count > room) {
    out.truncated = true;
    const auto first = out.ids.begin() + static_cast<int64_t>(base);
    if (right) {
      out.ids.resize(base + room);
    } else {
      out.ids.erase(first, first + static_cast<int64_t>(count - room));
    }
  }
  out.type_ids.assign(out.ids.size(), t.frame.text_type);
  if (framed) {
    std::copy(t.frame.before_types.begin(), t.frame.before_types.end(), out.type_ids.begin());
    out.ids.insert(out.ids.end(), t.frame.after.begin(), t.frame.after.end());
    out.type_ids.insert(out.type_ids.end(), t.frame.after_types.begin(), t.frame.after_types.end());
  }
  return ok();
}

Result<Encoding> Tokenizer::encode(std::string_view utf8, const EncodeOptions& options) const {
  Workspace workspace;
  Encoding out;
  MODNET_TRY(encode(utf8, options, workspace, out));
  return out;
}

int64_t Tokenizer::vocab_size() const { return impl_->vocab_size; }
std::optional<int32_t> Tokenizer::id_of(std::string_view token) const { return impl_->id_of(token); }

std::string_view Tokenizer::token_of(int32_t id) const {
  const std::string_view added = impl_->added_ids.text_of(id);
  return added.empty() ? impl_->spec.vocab.text_of(id) : added;
}

const SpecialIds& Tokenizer::special_ids() const { return impl_->roles; }

int64_t Tokenizer::special_count() const {
  return static_cast<int64_t>(impl_->frame.before.size() + impl_->frame.after.size());
}

std::string_view Tokenizer::method() const {
  return impl_->spec.kind == Spec::Kind::kByteBpe ? "byte-bpe" : "wordpiece";
}

std::string Tokenizer::unicode_norm() const { return describe_steps(impl_->spec.normalizers); }

std::optional<int64_t> Tokenizer::file_max_length() const {
  if (!impl_->spec.truncation.has_value()) return std::nullopt;
  return impl_->spec.truncation->max_length;
}

std::string Tokenizer::canonical_json() const { return text::canonical_json(impl_->spec); }

}  // namespace modnet
