// Text normalisation as a list of steps. Tested by tests/unit/prepare/normalize_test.cc.
#include "libmod/prepare/text/normalize.h"

#include <algorithm>

namespace modnet::text {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 31;

using Chars = std::vector<uint32_t>;

Chars decode(std::string_view text) {
  Chars out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) out.push_back(next_char(text, at));
  return out;
}

std::string encode(const Chars& chars) {
  std::string out;
  out.reserve(chars.size());
  for (const uint32_t c : chars) append_utf8(c, out);
  return out;
}

void drop(Chars& chars, uint16_t flag) {
  const CharTable& table = CharTable::get();
  std::erase_if(chars, [&](uint32_t c) { return (table.flags(c) & flag) != 0; });
}

void lowercase(Chars& chars) {
  const CharTable& table = CharTable::get();
  Chars out;
  out.reserve(chars.size());
  for (const uint32_t c : chars) append_lower(c, table, out);
  chars = std::move(out);
}

Status replace(const NormalizerStep& step, std::string& text) {
  std::string out;
  size_t at = 0;
  for (size_t hit = text.find(step.pattern); hit != std::string::npos; hit = text.find(step.pattern, at)) {
    out.append(text, at, hit - at).append(step.content);
    if (out.size() > kMaxBytes) return Error{Code::kUnavailable, "MEMORY", "the normalised text is too long", {}, {}, {}};
    at = hit + step.pattern.size();
  }
  text = out.append(text, at);
  return ok();
}

void strip(const NormalizerStep& step, std::string& text) {
  const CharTable& table = CharTable::get();
  size_t begin = 0, end = text.size();
  if (step.strip_left)
    for (size_t next = 0; begin < end; begin = next)
      if ((table.flags(next_char(text, next)) & kWhite) == 0) break;
  if (step.strip_right)
    while (end > begin && (table.flags(char_before(std::string_view(text).substr(0, end), end)) & kWhite) != 0) {
      do --end;
      while ((static_cast<uint8_t>(text[end]) & 0xc0) == 0x80);
    }
  text = text.substr(begin, end - begin);
}

}  // namespace

Status normalize_bert(const NormalizerStep& step, std::vector<uint32_t>& chars) {
  const CharTable& table = CharTable::get();
  if (step.clean_text) {
    drop(chars, kRemoved);
    for (uint32_t& c : chars)
      if ((table.flags(c) & kWhite) != 0) c = ' ';
  }
  if (step.handle_chinese_chars && std::any_of(chars.begin(), chars.end(), is_cjk)) {
    Chars out;
    out.reserve(chars.size() * 3);
    for (const uint32_t c : chars) {
      if (!is_cjk(c)) {
        out.push_back(c);
        continue;
      }
      for (const uint32_t put : {uint32_t{' '}, c, uint32_t{' '}}) out.push_back(put);
    }
    chars = std::move(out);
  }
  if (step.strips_accents()) {
    MODNET_TRY(normalize_chars(NormalForm::kNfd, chars));
    drop(chars, kNonspacing);
  }
  if (step.lowercase) lowercase(chars);
  return ok();
}

Result<std::string> normalize_text(const std::vector<NormalizerStep>& steps, std::string_view text) {
  std::string out(text);
  for (const NormalizerStep& step : steps) {
    switch (step.kind) {
      case NormalizerKind::kReplace: MODNET_TRY(replace(step, out)); continue;
      case NormalizerKind::kStrip: strip(step, out); continue;
      case NormalizerKind::kPrepend:
        if (!out.empty()) out.insert(0, step.content);
        continue;
      default: break;
    }
    Chars chars = decode(out);
    switch (step.kind) {
      case NormalizerKind::kBert: MODNET_TRY(normalize_bert(step, chars)); break;
      case NormalizerKind::kForm: MODNET_TRY(normalize_chars(step.form, chars)); break;
      case NormalizerKind::kStripAccents: drop(chars, kMark); break;
      default: lowercase(chars); break;
    }
    out = encode(chars);
    if (out.size() > kMaxBytes) return Error{Code::kUnavailable, "MEMORY", "the normalised text is too long", {}, {}, {}};
  }
  return out;
}

std::string describe_steps(const std::vector<NormalizerStep>& steps) {
  static constexpr const char* kForms[] = {"NFC", "NFD", "NFKC", "NFKD"};
  std::string out;
  for (const NormalizerStep& step : steps) {
    if (!out.empty()) out += ", ";
    switch (step.kind) {
      case NormalizerKind::kBert: {
        std::string flags;
        const auto flag = [&](bool on, const char* name) {
          if (on) flags.append(flags.empty() ? "" : ",").append(name);
        };
        flag(step.clean_text, "clean_text");
        flag(step.handle_chinese_chars, "handle_chinese_chars");
        flag(step.strips_accents(), "strip_accents");
        flag(step.lowercase, "lowercase");
        out += "bert(" + flags + ")";
        break;
      }
      case NormalizerKind::kForm: out += kForms[static_cast<size_t>(step.form)]; break;
      case NormalizerKind::kLowercase: out += "lowercase"; break;
      case NormalizerKind::kStripAccents: out += "strip_accents"; break;
      case NormalizerKind::kReplace: out += "replace"; break;
      case NormalizerKind::kPrepend: out += "prepend"; break;
      case NormalizerKind::kStrip: out += "strip"; break;
    }
  }
  return out.empty() ? "none" : out;
}

}  // namespace modnet::text
