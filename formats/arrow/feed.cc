// Bytes in order, from pipes and mapped files. Tested by tests/unit/arrow/reader_test.cc.
#include "formats/arrow/feed.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace modnet {
namespace {

constexpr int64_t kFirstStep = int64_t{1} << 20;
constexpr int64_t kStep = int64_t{32} << 20;

Error no_memory(int64_t n) {
  return Error{Code::kUnavailable, "NO_MEMORY", "no memory for " + std::to_string(n) + " bytes", {}, {},
               "write smaller batches"};
}

}  // namespace

struct ArrowFeed::Memory {
  Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { std::free(data); }
  std::byte* data = nullptr;  // realloc moves pages instead of copying large blocks
  int64_t capacity = 0;

  Status grow(int64_t n) {
    if (n <= capacity) return ok();
    void* moved = std::realloc(data, static_cast<size_t>(n));
    if (moved == nullptr) return no_memory(n);
    data = static_cast<std::byte*>(moved);
    capacity = n;
    return ok();
  }
};

Result<ArrowMemory> arrow_memory(int64_t n) {
  void* data = std::malloc(static_cast<size_t>(std::max<int64_t>(n, 1)));
  if (data == nullptr) return no_memory(n);
  return ArrowMemory{std::shared_ptr<const void>(data, [](const void* p) { std::free(const_cast<void*>(p)); }),
                     static_cast<std::byte*>(data)};
}

ArrowFeed::ArrowFeed(std::unique_ptr<ByteSource> source) : source_(std::move(source)), name_(source_->name()) {}
ArrowFeed::ArrowFeed(std::shared_ptr<const MappedFile> file) : file_(std::move(file)), name_(file_->path()) {}
ArrowFeed::~ArrowFeed() = default;

Error ArrowFeed::cut_off(int64_t expected, int64_t got, std::string_view what) const {
  return Error{Code::kMalformed, "STREAM_CUT",
               "the stream was cut off in " + std::string(what) + "; expected " + std::to_string(expected) +
                   " bytes, got " + std::to_string(got),
               "offset " + std::to_string(offset_), name_, "run its producer again and look at how it ended"};
}

Result<int64_t> ArrowFeed::fill(Memory& memory, int64_t n) {
  int64_t have = 0;
  if (has_ahead_ && n > 0) {
    MODNET_TRY(memory.grow(std::min(n, kFirstStep)));
    memory.data[0] = ahead_;
    has_ahead_ = false;
    have = 1;
  }
  while (have < n) {
    if (have >= memory.capacity)
      MODNET_TRY(memory.grow(std::min(n, std::max(kFirstStep, have + std::min(have * 3, kStep)))));
    const int64_t room = std::min(n, memory.capacity) - have;
    MODNET_ASSIGN(const int64_t got, source_->read({memory.data + have, static_cast<size_t>(room)}));
    if (got == 0) break;
    have += got;
  }
  return have;
}

Result<FeedBytes> ArrowFeed::read_into(std::shared_ptr<Memory> memory, int64_t n, std::string_view what) {
  MODNET_ASSIGN(const int64_t have, fill(*memory, n));
  if (have < n) return cut_off(n, have, what);
  offset_ += n;
  const Bytes bytes(memory->data, static_cast<size_t>(n));
  return FeedBytes{bytes, std::move(memory), true};
}

Result<FeedBytes> ArrowFeed::take_rest(int64_t limit) {
  if (file_ != nullptr) {
    const int64_t left = static_cast<int64_t>(file_->bytes().size()) - offset_;
    if (left > limit)
      return malformed("there are " + std::to_string(left) + " bytes left; expected at most " + std::to_string(limit));
    return take_copy(left, "the end");
  }
  std::shared_ptr<Memory> memory = std::make_shared<Memory>();
  MODNET_ASSIGN(const int64_t have, fill(*memory, limit));
  offset_ += have;
  MODNET_ASSIGN(const bool end, at_end());
  if (!end) return malformed("there are more than " + std::to_string(limit) + " bytes left");
  const Bytes bytes(memory->data, static_cast<size_t>(have));
  return FeedBytes{bytes, std::move(memory), true};
}

Result<FeedBytes> ArrowFeed::take(int64_t n, std::string_view what) {
  if (file_ != nullptr) {
    const int64_t left = static_cast<int64_t>(file_->bytes().size()) - offset_;
    if (n > left) return cut_off(n, left, what);
    const Bytes bytes = file_->bytes().subspan(static_cast<size_t>(offset_), static_cast<size_t>(n));
    offset_ += n;
    return FeedBytes{bytes, file_, false};
  }
  if (spare_ == nullptr || spare_.use_count() != 1) spare_ = std::make_shared<Memory>();
  return read_into(spare_, n, what);
}

Result<FeedBytes> ArrowFeed::take_copy(int64_t n, std::string_view what) {
  if (file_ == nullptr) return read_into(std::make_shared<Memory>(), n, what);
  MODNET_ASSIGN(const FeedBytes mapped, take(n, what));
  MODNET_ASSIGN(const ArrowMemory copy, arrow_memory(n));
  if (n != 0) std::memcpy(copy.data, mapped.bytes.data(), static_cast<size_t>(n));
  return FeedBytes{Bytes(copy.data, static_cast<size_t>(n)), copy.owner, true};
}

Result<bool> ArrowFeed::at_end() {
  if (file_ != nullptr) return offset_ == static_cast<int64_t>(file_->bytes().size());
  if (has_ahead_) return false;
  MODNET_ASSIGN(const int64_t got, source_->read({&ahead_, 1}));
  has_ahead_ = got == 1;
  return !has_ahead_;
}

bool ArrowFeed::ready() { return file_ != nullptr || has_ahead_ || source_->ready(); }

}  // namespace modnet
