// Characters as the tokenizers library sees them. Tested by tests/unit/prepare/unicode_test.cc.
#include "libmod/prepare/text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <map>

#include "libmod/prepare/text/unicode_tables.h"

namespace modnet::text {
namespace {

constexpr uint32_t kCodePoints = 0x110000;

// Cuts `all` into pages of 256 and keeps each different page once.
template <typename T>
void share_pages(const std::vector<T>& all, std::array<uint16_t, 0x1100>& page, std::vector<T>& out) {
  std::map<std::vector<T>, uint16_t> seen;
  for (size_t p = 0; p < page.size(); ++p) {
    std::vector<T> one(all.begin() + static_cast<int64_t>(p * 256), all.begin() + static_cast<int64_t>(p * 256 + 256));
    const auto [it, fresh] = seen.emplace(std::move(one), static_cast<uint16_t>(seen.size()));
    if (fresh) out.insert(out.end(), it->first.begin(), it->first.end());
    page[p] = it->second;
  }
}

bool composes(NormalForm form) { return form == NormalForm::kNfc || form == NormalForm::kNfkc; }

utf8proc_option_t options(NormalForm form) {
  int out = UTF8PROC_STABLE | (composes(form) ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE);
  if (form == NormalForm::kNfkc || form == NormalForm::kNfkd) out |= UTF8PROC_COMPAT;
  return static_cast<utf8proc_option_t>(out);
}

// One run of code points that utf8proc may touch: decompose, put marks in order, compose.
Status normalize_run(NormalForm form, const uint32_t* first, const uint32_t* last, std::vector<uint32_t>& out) {
  const utf8proc_option_t opt = options(form);
  const size_t base = out.size();
  int boundary = 0;
  for (const uint32_t* c = first; c != last; ++c) {
    utf8proc_int32_t parts[32];  // the longest compatibility decomposition has 18
    const utf8proc_ssize_t n =
        utf8proc_decompose_char(static_cast<utf8proc_int32_t>(*c), parts, std::size(parts), opt, &boundary);
    if (n < 0 || n > static_cast<utf8proc_ssize_t>(std::size(parts)))
      return internal("decomposition of a code point failed");
    for (utf8proc_ssize_t i = 0; i < n; ++i) out.push_back(static_cast<uint32_t>(parts[i]));
  }
  // stable sort of each stretch of marks by combining class; a stretch may be long, so no insertion sort
  const auto mark_class = [](uint32_t c) {
    return utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class;
  };
  for (size_t i = base; i < out.size();) {
    size_t end = i;
    while (end < out.size() && mark_class(out[end]) != 0) ++end;
    if (end > i + 1)
      std::stable_sort(out.begin() + static_cast<int64_t>(i), out.begin() + static_cast<int64_t>(end),
                       [&](uint32_t a, uint32_t b) { return mark_class(a) < mark_class(b); });
    i = end + 1;
  }
  if (composes(form) && out.size() > base) {
    std::vector<utf8proc_int32_t> buffer(out.begin() + static_cast<int64_t>(base), out.end());
    const utf8proc_ssize_t n =
        utf8proc_normalize_utf32(buffer.data(), static_cast<utf8proc_ssize_t>(buffer.size()), opt);
    if (n < 0) return internal("composition of a text failed");
    out.resize(base);
    for (utf8proc_ssize_t i = 0; i < n; ++i) out.push_back(static_cast<uint32_t>(buffer[static_cast<size_t>(i)]));
  }
  return ok();
}

}  // namespace

CharTable::CharTable() {
  std::vector<uint16_t> all(kCodePoints);
  uint32_t at = 0;
  for (int64_t i = 0; i < kFlagEdgeCount; ++i) {
    at += kFlagEdges[i] >> 10;
    const uint32_t end = i + 1 < kFlagEdgeCount ? at + (kFlagEdges[i + 1] >> 10) : kCodePoints;
    std::fill(all.begin() + at, all.begin() + end, static_cast<uint16_t>(kFlagEdges[i] & 1023));
  }
  share_pages(all, page_, flags_);
  std::vector<int32_t> lower(kCodePoints);
  for (int64_t i = 0; i < kLowerRunCount; ++i)
    for (uint32_t c = kLowerRuns[i].first; c <= kLowerRuns[i].last; c += kLowerRuns[i].step)
      lower[c] = kLowerRuns[i].delta;
  share_pages(lower, lower_page_, lower_);
}

const CharTable& CharTable::get() {
  static const CharTable table;
  return table;
}

void append_utf8(uint32_t c, std::string& out) {
  const auto put = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6);
    put(0x80 | (c & 63));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12);
    put(0x80 | (c >> 6 & 63));
    put(0x80 | (c & 63));
  } else {
    put(0xf0 | c >> 18);
    put(0x80 | (c >> 12 & 63));
    put(0x80 | (c >> 6 & 63));
    put(0x80 | (c & 63));
  }
}

int64_t count_chars(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; });
}

Status normalize_chars(NormalForm form, std::vector<uint32_t>& chars) {
  const CharTable& table = CharTable::get();
  const uint16_t active = form == NormalForm::kNfd ? kDecomposes : kNormalizes;
  if (std::none_of(chars.begin(), chars.end(), [&](uint32_t c) { return (table.flags(c) & active) != 0; }))
    return ok();
  std::vector<uint32_t> out;
  out.reserve(chars.size() + chars.size() / 2);
  // A code point that takes no part is a starter that nothing combines with: normal forms end and begin there.
  for (size_t i = 0; i < chars.size();) {
    size_t end = i;
    while (end < chars.size() && (table.flags(chars[end]) & active) != 0) ++end;
    if (end == i) {
      out.push_back(chars[i++]);
    } else {
      MODNET_TRY(normalize_run(form, chars.data() + i, chars.data() + end, out));
      i = end;
    }
  }
  chars = std::move(out);
  return ok();
}

}  // namespace modnet::text
