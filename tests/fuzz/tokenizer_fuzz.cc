// tokenizer.json and texts from untrusted hands: the first byte says which part of the input is the JSON, the rest is the
// text. Whatever is read must encode, truncate and be written back to the same form.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "libmod/prepare/text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t json_size = all.size() * (size_t{data[0]} + 1) / 256;
  const std::string_view json = all.substr(0, json_size), text = all.substr(json_size);
  modnet::Result<modnet::Tokenizer> tokenizer = modnet::Tokenizer::from_json(json);
  if (!tokenizer.ok()) {
    if (tokenizer.error().what.empty()) std::abort();
    return 0;
  }
  modnet::Tokenizer::Workspace workspace;
  modnet::Encoding whole, cut;
  const modnet::Status done = tokenizer->encode(text, {}, workspace, whole);
  if (done.ok()) {
    for (const int32_t id : whole.ids)
      if (id < 0 || id >= tokenizer->vocab_size()) std::abort();
    modnet::EncodeOptions options;
    options.max_length = tokenizer->special_count() + 3;
    if (!tokenizer->encode(text, options, workspace, cut).ok()) std::abort();
    if (cut.truncated != (whole.ids.size() > cut.ids.size())) std::abort();
  }
  const std::string form = tokenizer->canonical_json();
  const modnet::Result<modnet::Tokenizer> again = modnet::Tokenizer::from_json(form);
  if (!again.ok() || again->canonical_json() != form) std::abort();
  modnet::Encoding second;
  if (done.ok() && (!again->encode(text, {}, workspace, second).ok() || second.ids != whole.ids)) std::abort();
  return 0;
}
