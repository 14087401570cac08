// Module files. Mutations hardly ever hit a right SHA-256, so each input is also taken as an index, as a probes and as
// an evidence trailer, and once more as a file whose preamble and digests are made right. The corpus holds golden files,
// their index bytes, a probes and an evidence trailer.
#include <cstddef>
#include <cstdint>
#include <string>

#include "formats/module/evidence.h"
#include "formats/module/index.h"
#include "formats/module/layout.h"
#include "formats/module/probes.h"
#include "formats/module/read.h"
#include "formats/module/verify.h"

namespace {
using namespace modnet;

void use(Bytes bytes) {
  const Result<ModuleView> view = ModuleView::open(bytes, {.memory_limit = int64_t{16} << 20});
  if (!view.ok()) return;
  for (size_t i = 0; i < view->index().tensors.size(); ++i) (void)view->tensor_bytes(i).ok();
  for (const AssetRecord& r : view->index().assets) (void)view->asset(r.name).ok();
  for (const ComponentRecord& r : view->index().components) (void)view->component(r.slot).ok();
  (void)view->probes().ok();
  (void)view->evidence().ok();
  (void)verify_module(*view, 1).passed();
}

/// The same file with checksums that fit, as far as its numbers allow.
std::string sealed(Bytes bytes) {
  std::string out(as_text(bytes));
  if (out.size() < static_cast<size_t>(kPreambleBytes)) return out;
  Preamble preamble;
  const auto number = [&](size_t at) {
    uint64_t value = 0;
    for (size_t i = 8; i-- > 0;) value = value << 8 | static_cast<uint8_t>(out[at + i]);
    return value;
  };
  const auto part = [&](uint64_t offset, uint64_t length) {
    if (offset > bytes.size() || length > bytes.size() - offset) return Bytes{};
    return bytes.subspan(offset, length);
  };
  preamble.index_offset = number(16);
  preamble.index_length = number(24);
  preamble.file_length = bytes.size();
  preamble.directory_offset = number(72);
  preamble.directory_length = number(80);
  preamble.index_digest = sha256(part(preamble.index_offset, preamble.index_length));
  preamble.directory_digest = sha256(part(preamble.directory_offset, preamble.directory_length));
  return encode_preamble(preamble) + out.substr(static_cast<size_t>(kPreambleBytes));
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  use(bytes);
  use(as_bytes(sealed(bytes)));
  (void)decode_index(bytes, int64_t{16} << 20).ok();
  (void)decode_probes(bytes).ok();
  // Evidence has one form: what is read is written again, and read as the same.
  if (const auto records = decode_evidence(bytes); records.ok()) {
    const auto again = encode_evidence(*records);
    if (!again.ok() || !(*decode_evidence(as_bytes(*again)) == *records)) __builtin_trap();
  }
  return 0;
}
