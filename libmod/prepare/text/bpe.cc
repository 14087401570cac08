// Byte-level BPE. Tested by tests/unit/prepare/bpe_test.cc.
#include "libmod/prepare/text/bpe.h"

#include <algorithm>
#include <bit>

namespace modnet::text {

uint32_t byte_symbol(uint8_t byte) {
  // Bytes that print stand for themselves; the 68 others take the code points from 256 on, in order.
  if (byte >= 0x21 && byte <= 0x7e) return byte;
  if (byte >= 0xa1 && byte != 0xad) return byte;
  if (byte <= 0x20) return 256u + byte;
  if (byte <= 0xa0) return 256u + 33u + (byte - 0x7fu);
  return 256u + 67u;
}

void MergeTable::build(const std::vector<std::pair<int32_t, int32_t>>& merges, const std::vector<int32_t>& ids) {
  slots_.assign(std::bit_ceil(merges.size() * 2 + 2), Slot{});
  mask_ = slots_.size() - 1;
  for (size_t i = 0; i < merges.size(); ++i) {
    const uint64_t key = static_cast<uint64_t>(static_cast<uint32_t>(merges[i].first)) << 32 |
                         static_cast<uint32_t>(merges[i].second);
    uint64_t at = place(key);
    while (slots_[at].key != kFree && slots_[at].key != key) at = (at + 1) & mask_;
    slots_[at] = {key, {static_cast<uint32_t>(i), ids[i]}};  // of two equal merges the later counts
  }
}

ByteBpe::ByteBpe(const Spec& spec) : spec_(&spec) {
  std::string symbol;
  for (int byte = 0; byte < 256; ++byte) {
    symbol.clear();
    append_utf8(byte_symbol(static_cast<uint8_t>(byte)), symbol);
    byte_ids_[static_cast<size_t>(byte)] = spec.vocab.find(symbol);
  }
  std::vector<int32_t> merged;
  merged.reserve(spec.merges.size());
  for (const auto& [left, right] : spec.merges) {
    symbol.assign(spec.vocab.text_of(left)).append(spec.vocab.text_of(right));
    merged.push_back(spec.vocab.find(symbol));
  }
  merges_.build(spec.merges, merged);
  if (spec.unk_token.has_value()) unk_ = spec.vocab.find(*spec.unk_token);
}

// One symbol a byte. A byte without a symbol becomes the unknown token, or, where there is none, nothing.
void ByteBpe::start(std::string_view word, std::vector<int32_t>& ids) const {
  bool after_unk = false;
  for (const char c : word) {
    const int32_t id = byte_ids_[static_cast<uint8_t>(c)];
    if (id >= 0) {
      ids.push_back(id);
    } else if (unk_ >= 0 && !(after_unk && spec_->fuse_unk)) {
      ids.push_back(unk_);
    }
    after_unk = id < 0 && unk_ >= 0;
  }
}

void ByteBpe::encode(std::string_view word, BpeScratch& scratch, std::vector<int32_t>& ids) const {
  if (spec_->ignore_merges) {
    scratch.mapped.clear();
    for (const char c : word) append_utf8(byte_symbol(static_cast<uint8_t>(c)), scratch.mapped);
    if (const int32_t whole = spec_->vocab.find(scratch.mapped); whole >= 0) {
      ids.push_back(whole);
      return;
    }
  }
  scratch.ids.clear();
  start(word, scratch.ids);
  if (scratch.ids.size() <= kScanned) {
    merge_scanning(scratch);
  } else {
    merge_heap(scratch);
  }
  ids.insert(ids.end(), scratch.ids.begin(), scratch.ids.end());
}

void ByteBpe::merge_scanning(BpeScratch& scratch) const {
  std::vector<int32_t>& ids = scratch.ids;
  std::vector<uint32_t>& ranks = scratch.ranks;  // of the pair that begins here
  const auto rank_at = [&](size_t i) { return merges_.find(ids[i], ids[i + 1]).rank; };
  ranks.clear();
  for (size_t i = 0; i + 1 < ids.size(); ++i) ranks.push_back(rank_at(i));
  while (!ranks.empty()) {
    const auto best = std::min_element(ranks.begin(), ranks.end());
    if (*best == UINT32_MAX) return;
    const auto at = static_cast<size_t>(best - ranks.begin());
    ids[at] = merges_.find(ids[at], ids[at + 1]).id;
    ids.erase(ids.begin() + static_cast<int64_t>(at) + 1);
    ranks.erase(best);
    if (at > 0) ranks[at - 1] = rank_at(at - 1);
    if (at < ranks.size()) ranks[at] = rank_at(at);
  }
}

void ByteBpe::merge_heap(BpeScratch& scratch) const {
  auto& symbols = scratch.symbols;
  auto& heap = scratch.heap;
  const auto n = static_cast<int32_t>(scratch.ids.size());
  symbols.clear();
  heap.clear();
  for (int32_t i = 0; i < n; ++i)
    symbols.push_back({scratch.ids[static_cast<size_t>(i)], i - 1, i + 1 < n ? i + 1 : -1});
  const auto symbol = [&](int32_t i) -> BpeScratch::Symbol& { return symbols[static_cast<size_t>(i)]; };
  const auto later = [](const BpeScratch::Candidate& a, const BpeScratch::Candidate& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.at > b.at;
  };
  const auto offer = [&](int32_t at) {
    if (at < 0 || symbol(at).next < 0) return;
    const MergeTable::Merge merge = merges_.find(symbol(at).id, symbol(symbol(at).next).id);
    if (merge.rank == UINT32_MAX) return;
    heap.push_back({merge.rank, at, merge.id});
    std::push_heap(heap.begin(), heap.end(), later);
  };
  for (int32_t i = 0; i < n; ++i) offer(i);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    const BpeScratch::Candidate top = heap.back();
    heap.pop_back();
    BpeScratch::Symbol& left = symbol(top.at);
    if (left.next < 0) continue;  // the last one, or merged away
    BpeScratch::Symbol& right = symbol(left.next);
    if (merges_.find(left.id, right.id).id != top.id) continue;  // the pair is another one by now
    left.id = top.id;
    left.next = right.next;
    right.next = -2;
    if (left.next >= 0) symbol(left.next).previous = top.at;
    offer(left.previous);
    offer(top.at);
  }
  scratch.ids.clear();
  for (int32_t i = 0; i >= 0; i = symbol(i).next) scratch.ids.push_back(symbol(i).id);
}

}  // namespace modnet::text
