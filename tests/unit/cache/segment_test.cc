// Segments of the cache: what is written is found, and nothing that was cut, changed or put there by others is.
#include "formats/cache/segment.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

namespace modnet {
namespace {

Digest digest_of(std::string_view text) { return sha256(as_bytes(text)); }
const Digest kFunction = digest_of("function");

CachedValue value_of(float first, uint32_t width = 5) {
  CachedValue value;
  value.tokens = static_cast<uint32_t>(first) + 3;
  value.width = width;
  for (uint32_t i = 0; i < width; ++i) value.values.push_back(first + 0.5F * static_cast<float>(i));
  return value;
}

ReadAt reader_of(const std::string& file) {
  return [&file](int64_t offset, std::span<std::byte> out) -> int64_t {
    if (offset >= static_cast<int64_t>(file.size())) return 0;
    const size_t bytes = std::min(out.size(), file.size() - static_cast<size_t>(offset));
    std::copy_n(as_bytes(file).begin() + offset, bytes, out.begin());
    return static_cast<int64_t>(bytes);
  };
}
std::vector<RecordPlace> places_in(const std::string& file, int64_t* end = nullptr) {
  std::vector<RecordPlace> places;
  const int64_t stop = scan_segment(reader_of(file), kSegmentHeadBytes, static_cast<int64_t>(file.size()), [&](const RecordPlace& place) { places.push_back(place); });
  if (end != nullptr) *end = stop;
  return places;
}
/// What a key leads to, as the store does it.
std::optional<CachedValue> find(const std::string& file, const Digest& key) {
  for (const RecordPlace& place : places_in(file))
    if (place.prefix == key_prefix(key))
      if (std::optional<CachedValue> value = decode_record(as_bytes(file).subspan(static_cast<size_t>(place.offset), static_cast<size_t>(place.length)), key)) return value;
  return std::nullopt;
}

struct Sample {
  std::string file;
  std::map<std::string, CachedValue> values;
  std::vector<size_t> blocks;  // where each begins
};
/// Blocks of 1, 3 and 2 records.
Sample sample() {
  Sample made;
  made.file = segment_head(kFunction);
  int number = 0;
  for (const int records : {1, 3, 2}) {
    BlockBuilder builder;
    for (int i = 0; i < records; ++i, ++number) {
      const std::string key = "item " + std::to_string(number);
      made.values[key] = value_of(static_cast<float>(number), number == 4 ? 0 : 5);
      REQUIRE(builder.add(digest_of(key), made.values[key]));
    }
    made.blocks.push_back(made.file.size());
    std::vector<RecordPlace> places;
    made.file += builder.finish(static_cast<int64_t>(made.file.size()), &places);
    CHECK(places.size() == static_cast<size_t>(records));
    CHECK(builder.records() == 0);
  }
  return made;
}
int64_t found_in(const std::string& file, const Sample& sample) {
  int64_t found = 0;
  for (const auto& [key, value] : sample.values)
    if (const std::optional<CachedValue> got = find(file, digest_of(key))) {
      CHECK(*got == value);
      ++found;
    }
  return found;
}

TEST_CASE("what is written is found again, with every field") {
  const Sample made = sample();
  REQUIRE(check_segment_head(as_bytes(made.file).first(kSegmentHeadBytes), kFunction).ok());
  int64_t end = 0;
  CHECK(places_in(made.file, &end).size() == 6);
  CHECK(end == static_cast<int64_t>(made.file.size()));
  CHECK(made.file.size() % 64 == 0);
  CHECK(found_in(made.file, made) == 6);
  CHECK_FALSE(find(made.file, digest_of("item 6")).has_value());

  CachedValue ragged = value_of(1.5F, 6);
  ragged.ragged = true;
  ragged.cut = true;
  ragged.rows = 2;
  ragged.width = 3;
  BlockBuilder builder;
  REQUIRE(builder.add(digest_of("r"), ragged));
  std::vector<RecordPlace> places;
  const std::string file = segment_head(kFunction) + builder.finish(kSegmentHeadBytes, &places);
  CHECK(*find(file, digest_of("r")) == ragged);
  CHECK(places.at(0).offset == places_in(file).at(0).offset);
}

TEST_CASE("a value whose numbers do not fill its rows, or that is too large, is not written") {
  BlockBuilder builder;
  CachedValue wrong = value_of(1);
  wrong.width = 4;
  CHECK_FALSE(builder.add(kFunction, wrong));
  CHECK_FALSE(builder.add(kFunction, value_of(1, 1 << 22)));
  CHECK(builder.records() == 0);
}

TEST_CASE("a segment that was cut at any byte gives the whole blocks before the cut") {
  const Sample made = sample();
  const std::vector<int64_t> records = {1, 3, 2};
  for (size_t length = kSegmentHeadBytes; length <= made.file.size(); ++length) {
    int64_t whole = 0;
    for (size_t b = 0; b < made.blocks.size(); ++b)
      if (length >= (b + 1 < made.blocks.size() ? made.blocks[b + 1] : made.file.size())) whole += records[b];
    CHECK(found_in(made.file.substr(0, length), made) == whole);
  }
}

TEST_CASE("a flipped bit costs its record or its block, and never gives another value") {
  const Sample made = sample();
  for (size_t at = kSegmentHeadBytes; at < made.file.size(); ++at)
    for (const int bit : {0, 3, 7}) {
      std::string file = made.file;
      file[at] = static_cast<char>(file[at] ^ (1 << bit));
      const int64_t found = found_in(file, made);  // compares values
      CHECK(found >= 3);
    }
}

TEST_CASE("a damaged head, another function, another version and another file are told apart") {
  const std::string head = segment_head(kFunction);
  const auto code = [](const std::string& bytes) { return check_segment_head(as_bytes(bytes), kFunction).ok() ? Code::kNo : check_segment_head(as_bytes(bytes), kFunction).error().code; };
  CHECK(code(head) == Code::kNo);
  CHECK(code(segment_head(digest_of("another"))) == Code::kDigest);
  CHECK(code(head.substr(0, 63)) == Code::kMalformed);
  CHECK(code(std::string(64, 'x')) == Code::kMalformed);
  std::string other = head;
  other[8] = 2;
  CHECK(code(other) == Code::kUnavailable);
  for (size_t at = 12; at < head.size(); ++at) {
    std::string damaged = head;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    CHECK(code(damaged) == Code::kDigest);
  }
}

TEST_CASE("bytes of others between blocks are passed over") {
  const Sample made = sample();
  std::string file = made.file.substr(0, made.blocks[1]) + std::string(100 * 64, '\xb7') + made.file.substr(made.blocks[1]);
  CHECK(found_in(file, made) == 6);
  // A block that another segment begins with is no reason to stop, either.
  file = made.file + segment_head(kFunction) + made.file.substr(made.blocks[0]);
  CHECK(places_in(file).size() == 12);
}

TEST_CASE("a record under another key is not served") {
  const Sample made = sample();
  const RecordPlace place = places_in(made.file).front();
  const Bytes record = as_bytes(made.file).subspan(static_cast<size_t>(place.offset), static_cast<size_t>(place.length));
  CHECK(decode_record(record, digest_of("item 0")).has_value());
  Digest near = digest_of("item 0");
  near[31] ^= 1;  // the same prefix
  CHECK_FALSE(decode_record(record, near).has_value());
  CHECK_FALSE(decode_record(record.first(record.size() - 1), digest_of("item 0")).has_value());
  CHECK_FALSE(decode_record(record.first(20), digest_of("item 0")).has_value());
}

TEST_CASE("a block with as many records as fit is read through more than one window") {
  BlockBuilder builder;
  for (int i = 0; i < 5000; ++i) REQUIRE(builder.add(digest_of(std::to_string(i)), value_of(static_cast<float>(i), 1)));
  std::vector<RecordPlace> places;
  const std::string file = segment_head(kFunction) + builder.finish(kSegmentHeadBytes, &places);
  CHECK(places_in(file).size() == 5000);
  CHECK(find(file, digest_of("4999"))->values == std::vector<float>{4999});
}

}  // namespace
}  // namespace modnet
