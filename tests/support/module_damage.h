// Breaks module files in one place at a time: takes one apart, lets a test change its records, and seals it again with
// right checksums, so that a reader gets as far as the damage.
#pragma once

#include <functional>
#include <string>

#include "formats/module/index.h"
#include "formats/module/layout.h"
#include "formats/module/read.h"

namespace modnet::test {

/// The preamble of a good file.
[[nodiscard]] inline Preamble preamble_of(const std::string& file) { return *decode_preamble(as_bytes(file)); }

/// The same file with another preamble, its checksum right.
[[nodiscard]] inline std::string with_preamble(const std::string& file, const std::function<void(Preamble&)>& change) {
  Preamble preamble = preamble_of(file);
  change(preamble);
  return encode_preamble(preamble) + file.substr(static_cast<size_t>(kPreambleBytes));
}

/// The same segments with other index bytes and no trailers.
[[nodiscard]] inline std::string with_index_bytes(const std::string& file, const std::string& index) {
  Preamble preamble = preamble_of(file);
  std::string out = file.substr(0, preamble.index_offset) + index;
  out.resize((out.size() + 63) / 64 * 64, '\0');
  preamble.index_length = index.size();
  preamble.index_digest = sha256(as_bytes(index));
  preamble.directory_offset = out.size();
  preamble.directory_length = 0;
  preamble.directory_digest = sha256(Bytes{});
  preamble.file_length = out.size();
  return encode_preamble(preamble) + out.substr(static_cast<size_t>(kPreambleBytes));
}

/// The same segments with changed records.
[[nodiscard]] inline std::string with_index(const std::string& file, const std::function<void(ModuleIndex&)>& change) {
  const Preamble preamble = preamble_of(file);
  ModuleIndex index =
      *decode_index(as_bytes(file).subspan(preamble.index_offset, preamble.index_length), int64_t{1} << 30);
  change(index);
  return with_index_bytes(file, *encode_index(index));
}

/// One bit turned over.
[[nodiscard]] inline std::string with_flip(std::string file, size_t byte, int bit = 0) {
  file[byte] = static_cast<char>(file[byte] ^ (1 << bit));
  return file;
}

}  // namespace modnet::test
