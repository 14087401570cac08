#include "formats/cache/segment.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace modnet {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kSegmentMagic("\x89MNC\r\n\x1a\n", 8), kBlockMagic("\xb7MNblock", 8);
// Offsets of fields; do not change.
constexpr size_t kHeadVersion = 8, kHeadFunction = 16, kHeadCheck = 56;
constexpr size_t kBlockHead = 64, kBlockCount = 8, kBlockLength = 16, kBlockTableCheck = 24, kBlockCheck = 56;
constexpr size_t kEntry = 16, kEntryOffset = 8, kEntryLength = 12;
constexpr size_t kRecordKey = 8, kRecordTokens = 40, kRecordFlags = 44, kRecordRows = 48, kRecordWidth = 52, kRecordValues = 56;
constexpr uint32_t kFlagCut = 1, kFlagRagged = 2;
constexpr int64_t kWindow = 32 << 10, kMaxBlockBytes = int64_t{256} << 20;

template <typename T>
T get(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
template <typename T>
void put(char* at, T value) {
  std::memcpy(at, &value, sizeof value);
}
int64_t aligned(int64_t bytes, int64_t to) { return (bytes + to - 1) / to * to; }

/// Reads forward through a window, so that looking at every 64th byte of a file costs few system calls.
class Window {
 public:
  Window(const ReadAt& read, int64_t size) : read_(read), size_(size) {}
  /// `length` bytes (at most the window's size) from `offset`; empty when they cannot be had.
  Bytes at(int64_t offset, int64_t length) {
    if (offset < begin_ || offset + length > begin_ + held_) {
      const int64_t wanted = std::min(static_cast<int64_t>(bytes_.size()), size_ - offset);
      begin_ = offset;
      held_ = std::clamp<int64_t>(read_(offset, std::span(bytes_).first(static_cast<size_t>(wanted))), 0, wanted);
      if (held_ < length) return {};
    }
    return Bytes(bytes_).subspan(static_cast<size_t>(offset - begin_), static_cast<size_t>(length));
  }

 private:
  const ReadAt& read_;
  int64_t size_, begin_ = 0, held_ = 0;
  std::vector<std::byte> bytes_ = std::vector<std::byte>(kWindow);
};

/// The entries of a block's table; empty unless each lies within the block, behind the table.
std::vector<RecordPlace> read_table(Bytes table, int64_t block, int64_t length) {
  std::vector<RecordPlace> places;
  const int64_t first = static_cast<int64_t>(kBlockHead + table.size());
  for (size_t i = 0; i < table.size(); i += kEntry) {
    const std::byte* entry = table.data() + i;
    const int64_t offset = get<uint32_t>(entry + kEntryOffset), bytes = get<uint32_t>(entry + kEntryLength);
    if (offset < first || bytes < static_cast<int64_t>(kRecordValues) || bytes > kMaxRecordBytes || offset + bytes > length) return {};
    places.push_back({get<uint64_t>(entry), block + offset, bytes});
  }
  return places;
}

}  // namespace

uint64_t key_prefix(const Digest& key) {
  uint64_t prefix;
  std::memcpy(&prefix, key.data(), sizeof prefix);
  return prefix;
}

std::string segment_head(const Digest& function) {
  std::string head(kSegmentHeadBytes, '\0');
  head.replace(0, kSegmentMagic.size(), kSegmentMagic);
  put(head.data() + kHeadVersion, kCacheVersion);
  std::memcpy(head.data() + kHeadFunction, function.data(), function.size());
  put(head.data() + kHeadCheck, xxh3_64(as_bytes(std::string_view(head).substr(0, kHeadCheck))));
  return head;
}

Status check_segment_head(Bytes head, const Digest& function) {
  if (head.size() < kSegmentHeadBytes || as_text(head.first(kSegmentMagic.size())) != kSegmentMagic) return malformed("is no cache segment");
  const uint32_t version = get<uint32_t>(head.data() + kHeadVersion);
  if (version != kCacheVersion) return Error{Code::kUnavailable, "UNAVAILABLE", "cache format " + std::to_string(version) + " is not known to this build", {}, {}, {}};
  if (get<uint64_t>(head.data() + kHeadCheck) != xxh3_64(head.first(kHeadCheck))) return Error{Code::kDigest, "DIGEST", "the head of the cache segment is damaged", {}, {}, {}};
  if (std::memcmp(head.data() + kHeadFunction, function.data(), function.size()) != 0)
    return Error{Code::kDigest, "DIGEST", "the cache segment holds values of something else", {}, {}, {}};
  return ok();
}

bool BlockBuilder::add(const Digest& key, const CachedValue& value) {
  const size_t length = kRecordValues + value.values.size() * sizeof(float);
  if (length > static_cast<size_t>(kMaxRecordBytes) || records() >= kMaxBlockRecords || bytes() > kMaxBlockBytes ||
      value.values.size() != static_cast<size_t>(value.rows) * value.width)
    return false;
  const size_t at = body_.size();
  body_.resize(at + length);
  char* record = body_.data() + at;
  std::memcpy(record + kRecordKey, key.data(), key.size());
  put(record + kRecordTokens, value.tokens);
  put(record + kRecordFlags, (value.cut ? kFlagCut : 0U) | (value.ragged ? kFlagRagged : 0U));
  put(record + kRecordRows, value.rows);
  put(record + kRecordWidth, value.width);
  if (!value.values.empty()) std::memcpy(record + kRecordValues, value.values.data(), value.values.size() * sizeof(float));
  put(record, xxh3_64(as_bytes(std::string_view(record, length).substr(kRecordKey))));
  table_.push_back({key_prefix(key), static_cast<int64_t>(at), static_cast<int64_t>(length)});
  return true;
}

std::string BlockBuilder::finish(int64_t offset, std::vector<RecordPlace>* places) {
  const int64_t first = static_cast<int64_t>(kBlockHead + table_.size() * kEntry);
  std::string block(static_cast<size_t>(aligned(first + bytes(), kBlockAlignment)), '\0');
  block.replace(0, kBlockMagic.size(), kBlockMagic);
  put(block.data() + kBlockCount, static_cast<uint32_t>(table_.size()));
  put(block.data() + kBlockLength, static_cast<uint64_t>(block.size()));
  for (size_t i = 0; i < table_.size(); ++i) {
    char* entry = block.data() + kBlockHead + i * kEntry;
    put(entry, table_[i].prefix);
    put(entry + kEntryOffset, static_cast<uint32_t>(first + table_[i].offset));
    put(entry + kEntryLength, static_cast<uint32_t>(table_[i].length));
    places->push_back({table_[i].prefix, offset + first + table_[i].offset, table_[i].length});
  }
  put(block.data() + kBlockTableCheck, xxh3_64(as_bytes(std::string_view(block).substr(kBlockHead, table_.size() * kEntry))));
  put(block.data() + kBlockCheck, xxh3_64(as_bytes(std::string_view(block).substr(0, kBlockCheck))));
  block.replace(static_cast<size_t>(first), body_.size(), body_);
  table_.clear();
  body_.clear();
  return block;
}

int64_t scan_segment(const ReadAt& read, int64_t from, int64_t size, const std::function<void(const RecordPlace&)>& found) {
  Window window(read, size);
  std::vector<std::byte> table;
  int64_t end = from, budget = 4 * size;  // bytes of tables that may be looked at: whoever wrote the file does not set the time
  for (int64_t at = from; at + static_cast<int64_t>(kBlockHead) <= size;) {
    const Bytes head = window.at(at, kBlockHead);
    if (head.empty()) break;
    const int64_t count = get<uint32_t>(head.data() + kBlockCount);
    const uint64_t length = get<uint64_t>(head.data() + kBlockLength);
    const int64_t table_bytes = count * static_cast<int64_t>(kEntry);
    if (as_text(head.first(kBlockMagic.size())) != kBlockMagic || get<uint64_t>(head.data() + kBlockCheck) != xxh3_64(head.first(kBlockCheck)) ||
        count < 1 || count > kMaxBlockRecords || length % kBlockAlignment != 0 || length < kBlockHead + static_cast<uint64_t>(table_bytes) ||
        length > static_cast<uint64_t>(size - at) || table_bytes > budget) {
      at += kBlockAlignment;
      continue;
    }
    const uint64_t check = get<uint64_t>(head.data() + kBlockTableCheck);
    budget -= table_bytes;
    Bytes entries = window.at(at + static_cast<int64_t>(kBlockHead), std::min(table_bytes, kWindow));
    if (table_bytes > kWindow) {
      table.resize(static_cast<size_t>(table_bytes));
      entries = read(at + static_cast<int64_t>(kBlockHead), table) == table_bytes ? Bytes(table) : Bytes();
    }
    std::vector<RecordPlace> places;
    if (!entries.empty() && xxh3_64(entries) == check) places = read_table(entries, at, static_cast<int64_t>(length));
    if (places.empty()) {
      at += kBlockAlignment;
      continue;
    }
    for (const RecordPlace& place : places) found(place);
    at += static_cast<int64_t>(length);
    end = at;
  }
  return end;
}

std::optional<CachedValue> decode_record(Bytes record, const Digest& key) {
  if (record.size() < kRecordValues || record.size() > static_cast<size_t>(kMaxRecordBytes) ||
      std::memcmp(record.data() + kRecordKey, key.data(), key.size()) != 0 || get<uint64_t>(record.data()) != xxh3_64(record.subspan(kRecordKey)))
    return std::nullopt;
  CachedValue value;
  value.tokens = get<uint32_t>(record.data() + kRecordTokens);
  const uint32_t flags = get<uint32_t>(record.data() + kRecordFlags);
  value.cut = (flags & kFlagCut) != 0;
  value.ragged = (flags & kFlagRagged) != 0;
  value.rows = get<uint32_t>(record.data() + kRecordRows);
  value.width = get<uint32_t>(record.data() + kRecordWidth);
  const size_t bytes = record.size() - kRecordValues;
  if (bytes % sizeof(float) != 0 || flags > (kFlagCut | kFlagRagged) || (!value.ragged && value.rows != 1) || static_cast<uint64_t>(value.rows) * value.width != bytes / sizeof(float)) return std::nullopt;
  value.values.resize(bytes / sizeof(float));
  if (bytes > 0) std::memcpy(value.values.data(), record.data() + kRecordValues, bytes);
  return value;
}

}  // namespace modnet
