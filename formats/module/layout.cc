#include "formats/module/layout.h"

#include <cstring>

namespace modnet {
namespace {

template <typename T>
void put(std::string* out, T value) {
  out->append(reinterpret_cast<const char*>(&value), sizeof value);
}
void put_digest(std::string* out, const Digest& digest) {
  out->append(reinterpret_cast<const char*>(digest.data()), digest.size());
}
template <typename T>
T get(Bytes bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}
Digest get_digest(Bytes bytes, size_t offset) {
  Digest digest{};
  std::memcpy(digest.data(), bytes.data() + offset, digest.size());
  return digest;
}

std::string at(uint64_t offset) { return "offset " + std::to_string(offset); }

/// offset + length must not pass `end`; offset a multiple of 64.
Status check_range(uint64_t offset, uint64_t length, uint64_t begin, uint64_t end, const std::string& what,
                   uint64_t where) {
  if (offset % kAlignment != 0)
    return malformed(what + " offset " + std::to_string(offset) + " is not a multiple of 64", at(where));
  if (offset < begin || offset > end || length > end - offset)
    return malformed(what + " lies outside the file; expected a range in " + std::to_string(begin) + " to " +
                         std::to_string(end) + ", got offset " + std::to_string(offset) + " length " +
                         std::to_string(length),
                     at(where));
  return ok();
}

}  // namespace

bool has_module_magic(Bytes bytes) {
  return bytes.size() >= kModuleMagic.size() &&
         std::memcmp(bytes.data(), kModuleMagic.data(), kModuleMagic.size()) == 0;
}

std::string encode_preamble(const Preamble& preamble) {
  std::string out(reinterpret_cast<const char*>(kModuleMagic.data()), kModuleMagic.size());
  put(&out, preamble.major);
  put(&out, preamble.minor);
  put(&out, static_cast<uint32_t>(kPreambleBytes));
  put(&out, preamble.index_offset);
  put(&out, preamble.index_length);
  put(&out, preamble.file_length);
  put_digest(&out, preamble.index_digest);
  put(&out, preamble.directory_offset);
  put(&out, preamble.directory_length);
  put_digest(&out, preamble.directory_digest);
  put(&out, xxh3_64(as_bytes(out)));
  return out;
}

Result<Preamble> decode_preamble(Bytes mapped) {
  if (!has_module_magic(mapped)) return malformed("not a module file (bad magic number)", at(0));
  const uint64_t size = mapped.size();
  if (size < static_cast<uint64_t>(kPreambleBytes))
    return malformed("the preamble is cut off; expected 128 bytes, got " + std::to_string(size), at(size));
  // A copy: a file that changes while it is mapped must not change between a check and a use.
  std::string copy(as_text(mapped.first(kPreambleBytes)));
  const auto length = get<uint32_t>(as_bytes(copy), 12);
  if (length < kPreambleBytes || length > 4096 || length % 64 != 0 || length > size)
    return malformed("preamble length " + std::to_string(length) + " is impossible", at(12));
  copy.append(as_text(mapped.subspan(kPreambleBytes, length - kPreambleBytes)));
  const Bytes file = as_bytes(copy);
  // In every version the last 8 bytes of the preamble are the XXH3 of those before.
  if (xxh3_64(file.first(length - 8)) != get<uint64_t>(file, length - 8))
    return Error{Code::kDigest, "DIGEST", "the preamble does not match its checksum", at(length - 8), {}, {}};
  Preamble out;
  out.major = get<uint16_t>(file, 8);
  out.minor = get<uint16_t>(file, 10);
  if (out.major != kFormatMajor)
    return Error{Code::kUnavailable,
                 "FORMAT_VERSION",
                 "module format " + std::to_string(out.major) + "." + std::to_string(out.minor) +
                     " is not readable by this build, which reads 1.x",
                 at(8),
                 {},
                 "use a newer modnet"};
  if (length != kPreambleBytes)
    return malformed("preamble length " + std::to_string(length) + "; expected 128", at(12));
  out.index_offset = get<uint64_t>(file, 16);
  out.index_length = get<uint64_t>(file, 24);
  out.file_length = get<uint64_t>(file, 32);
  out.index_digest = get_digest(file, 40);
  out.directory_offset = get<uint64_t>(file, 72);
  out.directory_length = get<uint64_t>(file, 80);
  out.directory_digest = get_digest(file, 88);
  if (out.file_length != size)
    return malformed((out.file_length > size ? "the file is cut off; expected " : "bytes after the end; expected ") +
                         std::to_string(out.file_length) + " bytes, got " + std::to_string(size),
                     at(32));
  MODNET_TRY(check_range(out.index_offset, out.index_length, kPreambleBytes, size, "index", 16));
  if (out.index_length > static_cast<uint64_t>(kMaxIndexBytes))
    return malformed("index of " + std::to_string(out.index_length) + " bytes is above the limit of 256 MiB", at(24));
  MODNET_TRY(check_range(out.directory_offset, out.directory_length, out.index_offset + out.index_length, size,
                         "trailer directory", 72));
  if (out.directory_length % kTrailerEntryBytes != 0 || out.directory_length > kMaxTrailers * kTrailerEntryBytes)
    return malformed("trailer directory length " + std::to_string(out.directory_length) +
                         " is not a possible number of 56-byte entries",
                     at(80));
  if (out.directory_offset + out.directory_length != size)
    return malformed("bytes after the trailer directory", at(out.directory_offset + out.directory_length));
  return out;
}

std::string encode_directory(const std::vector<TrailerEntry>& entries) {
  std::string out;
  for (const TrailerEntry& entry : entries) {
    put(&out, static_cast<uint32_t>(entry.kind));
    put(&out, uint32_t{0});
    put(&out, entry.offset);
    put(&out, entry.length);
    put_digest(&out, entry.digest);
  }
  return out;
}

Result<std::vector<TrailerEntry>> decode_directory(Bytes file, const Preamble& preamble) {
  const std::string copy(as_text(file.subspan(preamble.directory_offset, preamble.directory_length)));
  const Bytes bytes = as_bytes(copy);
  if (sha256(bytes) != preamble.directory_digest)
    return Error{Code::kDigest,
                 "DIGEST",
                 "the trailer directory does not match its SHA-256",
                 at(preamble.directory_offset),
                 {},
                 {}};
  std::vector<TrailerEntry> out;
  uint64_t cursor = preamble.index_offset + preamble.index_length;
  for (size_t i = 0; i * kTrailerEntryBytes < bytes.size(); ++i) {
    const size_t start = i * kTrailerEntryBytes;
    const uint64_t where = preamble.directory_offset + start;
    TrailerEntry entry;
    entry.kind = static_cast<TrailerKind>(get<uint32_t>(bytes, start));
    entry.offset = get<uint64_t>(bytes, start + 8);
    entry.length = get<uint64_t>(bytes, start + 16);
    entry.digest = get_digest(bytes, start + 24);
    if (entry.kind == TrailerKind::kInvalid || get<uint32_t>(bytes, start + 4) != 0)
      return malformed("trailer entry with kind 0 or reserved bits set", at(where));
    if (!out.empty() && entry.kind <= out.back().kind)
      return malformed("trailers are not sorted by kind, or one kind occurs twice", at(where));
    // cursor ≤ directory offset < 2^63 here, so rounding up cannot overflow.
    const uint64_t expected = (cursor + 63) & ~uint64_t{63};
    if (entry.offset != expected)
      return malformed("trailer at offset " + std::to_string(entry.offset) + "; expected " + std::to_string(expected) +
                           " (a hole or an overlap)",
                       at(where + 8));
    MODNET_TRY(check_range(entry.offset, entry.length, cursor, preamble.directory_offset, "trailer", where + 8));
    cursor = entry.offset + entry.length;
    out.push_back(entry);
  }
  const uint64_t expected = (cursor + 63) & ~uint64_t{63};
  if (preamble.directory_offset != expected)
    return malformed("trailer directory at offset " + std::to_string(preamble.directory_offset) + "; expected " +
                         std::to_string(expected) + " (a hole or an overlap)",
                     at(72));
  return out;
}

}  // namespace modnet
