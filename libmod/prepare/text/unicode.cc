// Characters as the tokenizers library sees them. Tested by tests/unit/prepare/unicode_test.cc.
#include "libmod/prepare/text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <map>

#include "libmod/prepare/text/unicode_tables.h"

namespace modnet::text {
namespace {

// Hands out pages of 256 values, each different page once. Neighbours are alike most of the time, so the last one is
// looked at first.
template <typename T>
class PageStore {
 public:
  PageStore(std::array<uint16_t, 0x1100>& page, std::vector<T>& out) : page_(page), out_(out) {}
  void add(const std::array<T, 256>& values) {
    if (at_ == 0 || values != *last_) {
      const auto [it, fresh] = seen_.emplace(values, static_cast<uint16_t>(seen_.size()));
      if (fresh) out_.insert(out_.end(), values.begin(), values.end());
      last_ = &it->first;
      number_ = it->second;
    }
    page_[at_++] = number_;
  }

 private:
  std::array<uint16_t, 0x1100>& page_;
  std::vector<T>& out_;
  std::map<std::array<T, 256>, uint16_t> seen_;
  const std::array<T, 256>* last_ = nullptr;
  size_t at_ = 0;
  uint16_t number_ = 0;
};

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
  PageStore<uint16_t> flags(page_, flags_);
  PageStore<int32_t> lower(lower_page_, lower_);
  int64_t edge = 0, run = 0;
  uint32_t next_edge = kFlagEdges[0] >> 10;
  uint16_t value = 0;
  for (uint32_t page = 0; page < 0x1100; ++page) {
    std::array<uint16_t, 256> values{};
    std::array<int32_t, 256> deltas{};
    const uint32_t first = page << 8, last = first | 255;
    while (run < kLowerRunCount && kLowerRuns[run].last < first) ++run;
    if ((edge == kFlagEdgeCount || next_edge > last) && (run == kLowerRunCount || kLowerRuns[run].first > last)) {  // most pages
      values.fill(value);
      flags.add(values);
      lower.add(deltas);
      continue;
    }
    for (uint32_t i = 0; i < 256; ++i) {
      const uint32_t c = first | i;
      if (c == next_edge && edge < kFlagEdgeCount) {
        value = static_cast<uint16_t>(kFlagEdges[edge++] & 1023);
        if (edge < kFlagEdgeCount) next_edge += kFlagEdges[edge] >> 10;
      }
      values[i] = value;
      while (run < kLowerRunCount && kLowerRuns[run].last < c) ++run;
      const bool inside = run < kLowerRunCount && kLowerRuns[run].first <= c;
      if (inside && (c - kLowerRuns[run].first) % kLowerRuns[run].step == 0) deltas[i] = kLowerRuns[run].delta;
    }
    flags.add(values);
    lower.add(deltas);
  }
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
