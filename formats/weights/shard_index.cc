// model.safetensors.index.json, and the check that shards hold exactly what it says (FAULTS 28, 34).
// Tested by tests/unit/weights/safetensors_test.cc.
#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "formats/base/limits.h"
#include "formats/base/text.h"
#include "formats/weights/safetensors.h"

namespace modnet {
namespace {

constexpr int kMaxDepth = 16;

std::string show(std::string_view name) { return "'" + escape_text(name.substr(0, 512)) + "'"; }

/// Keeps "weight_map" and metadata.total_size; other keys of the document are read over, nested at most 16 deep.
struct IndexSax {
  ShardIndex index;
  std::optional<Error> error;
  int depth = 0;
  bool seen_map = false, root_is_object = false;
  std::string top, name;  // the key at depth 1, the key at depth 2

  bool fail(std::string what) {
    error = malformed(std::move(what));
    return false;
  }
  bool in_map() const { return depth >= 1 && top == "weight_map"; }
  bool scalar() {
    if (depth == 0) return fail("expected an object, got a single value");
    return !in_map() || fail("weight_map: expected file names, got another value for " + show(name));
  }
  bool null() { return scalar(); }
  bool boolean(bool) { return scalar(); }
  bool number_integer(int64_t) { return scalar(); }
  bool number_float(double, const std::string&) { return scalar(); }
  bool binary(nlohmann::json::binary_t&) { return scalar(); }
  bool number_unsigned(uint64_t value) {
    if (depth == 2 && top == "metadata" && name == "total_size" && value <= static_cast<uint64_t>(INT64_MAX))
      index.total_size = static_cast<int64_t>(value);
    return scalar();
  }
  bool string(std::string& value) {
    if (!in_map()) return scalar();
    if (depth != 2) return fail("weight_map: expected an object, got a string");
    if (value.empty() || value == "." || value == ".." || value.find_first_of(std::string_view("/\\\0", 3)) != value.npos ||
        static_cast<int64_t>(value.size()) > kMaxNameBytes)
      return fail("weight_map: " + show(value) + " is not a plain file name beside the index");
    if (!index.weight_map.emplace(name, value).second) return fail("weight_map: tensor " + show(name) + " twice");
    return static_cast<int64_t>(index.weight_map.size()) <= kMaxTensors || fail("weight_map: over 2^20 tensors");
  }
  bool key(std::string& value) {
    if (depth == 1) {
      top = value;
      if (top == "weight_map" && std::exchange(seen_map, true)) return fail("'weight_map' twice");
    } else if (depth == 2) {
      name = value;
    }
    return true;
  }
  bool start_object(size_t) {
    if (depth == 0) root_is_object = true;
    if (depth >= 2 && in_map()) return fail("weight_map: expected a file name for " + show(name));
    return ++depth <= kMaxDepth || fail("nested more than 16 deep");
  }
  bool end_object() {
    --depth;
    return true;
  }
  bool start_array(size_t) {
    if (in_map()) return fail("weight_map: expected an object of file names, got a list");
    return ++depth <= kMaxDepth || fail("nested more than 16 deep");
  }
  bool end_array() {
    --depth;
    return true;
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) {
    error = malformed("the shard index is not valid JSON", "offset " + std::to_string(position));
    return false;
  }
};

}  // namespace

std::vector<std::string> ShardIndex::shards() const {
  std::vector<std::string> out;
  for (const std::pair<const std::string, std::string>& entry : weight_map) out.push_back(entry.second);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Result<ShardIndex> read_shard_index(Bytes json) {
  if (static_cast<int64_t>(json.size()) > kMaxIndexBytes) return malformed("a shard index over 256 MiB");
  IndexSax sax;
  const std::string_view text = as_text(json);
  if (text.find('\0') != text.npos || !nlohmann::json::sax_parse(text.begin(), text.end(), &sax))
    return sax.error ? std::move(*sax.error) : malformed("the shard index is not valid JSON");
  if (!sax.root_is_object || !sax.seen_map || sax.index.weight_map.empty())
    return malformed("the shard index has no weight_map");
  return std::move(sax.index);
}

Result<std::vector<ForeignTensor>> join_shards(const ShardIndex& index, std::span<const Shard> shards) {
  std::map<std::string_view, const Shard*> by_name;
  for (const Shard& shard : shards)
    if (!by_name.emplace(shard.file, &shard).second) return malformed("shard " + show(shard.file) + " given twice");
  for (const auto& [tensor, file] : index.weight_map) {
    const std::map<std::string_view, const Shard*>::const_iterator at = by_name.find(file);
    if (at == by_name.end()) return malformed("shard " + show(file) + " is missing");
    if (at->second->content.find(tensor) == nullptr)
      return malformed("the index says that shard " + show(file) + " holds tensor " + show(tensor) + "; it does not")
          .in_file(file);
  }
  std::vector<ForeignTensor> out;
  for (const Shard& shard : shards) {
    for (const ForeignTensor& tensor : shard.content.tensors) {
      const std::map<std::string, std::string>::const_iterator entry = index.weight_map.find(tensor.name);
      if (entry == index.weight_map.end() || entry->second != shard.file)
        return malformed("tensor " + show(tensor.name) + " is in shard " + show(shard.file) + "; the index says " +
                         (entry == index.weight_map.end() ? "in none" : show(entry->second)))
            .in_file(shard.file);
      out.push_back(tensor);
    }
  }
  std::sort(out.begin(), out.end(), [](const ForeignTensor& a, const ForeignTensor& b) { return a.name < b.name; });
  return out;
}

}  // namespace modnet
