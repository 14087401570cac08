// The fixed parts of a module file: the preamble and the trailer directory (modnet-module.5, PREAMBLE and TRAILERS).
// Everything in them is read with bounds checks before anything that they point to is looked at.
// Tested by tests/unit/module/layout_test.cc.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/base/digest.h"
#include "formats/base/limits.h"
#include "formats/base/reader.h"
#include "formats/base/result.h"
#include "formats/module/records.h"

namespace modnet {

inline constexpr int64_t kPreambleBytes = 128;
inline constexpr int64_t kTrailerEntryBytes = 56;
inline constexpr int64_t kMaxTrailers = 4096;
inline constexpr uint16_t kFormatMajor = 1;
inline constexpr uint16_t kFormatMinor = 0;
inline constexpr std::array<uint8_t, 8> kModuleMagic = {0x89, 0x4D, 0x4E, 0x45, 0x54, 0x0D, 0x0A, 0x1A};

struct Preamble {
  uint16_t major = kFormatMajor, minor = kFormatMinor;
  uint64_t index_offset = 0, index_length = 0;
  uint64_t file_length = 0;
  Digest index_digest{};
  uint64_t directory_offset = 0, directory_length = 0;
  Digest directory_digest{};
};

/// One trailer: offset in the module file, length, SHA-256 of its bytes. Kinds that this build does not know are kept.
struct TrailerEntry {
  TrailerKind kind = TrailerKind::kInvalid;
  uint64_t offset = 0, length = 0;
  Digest digest{};
};

/// True when `bytes` begin like a module file; says nothing about the rest.
[[nodiscard]] bool has_module_magic(Bytes bytes);

/// The 128 bytes, checksum included.
[[nodiscard]] std::string encode_preamble(const Preamble& preamble);
/// Checks magic, checksum, version, and that index and directory lie inside the file, aligned and in order.
/// kMalformed: not a module, cut off, or impossible numbers; kDigest: checksum; kUnavailable: another major version.
[[nodiscard]] Result<Preamble> decode_preamble(Bytes mapped);

[[nodiscard]] std::string encode_directory(const std::vector<TrailerEntry>& entries);
/// Checks the directory's SHA-256, then that trailers are sorted by kind and follow the index without gaps.
[[nodiscard]] Result<std::vector<TrailerEntry>> decode_directory(Bytes file, const Preamble& preamble);

}  // namespace modnet
