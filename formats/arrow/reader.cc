// Walks through the messages of a stream: schema, dictionaries, batches, closing batch, end marker, footer.
// Tested by tests/unit/arrow/reader_test.cc and hostile_test.cc.
#include "formats/arrow/reader.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "formats/arrow/decode.h"
#include "formats/arrow/feed.h"
#include "formats/arrow/seal.h"
#include "formats/arrow/wire.h"
#include "formats/base/text.h"

namespace modnet {
namespace {

constexpr std::string_view kMagic("ARROW1\0\0", 8);
constexpr std::string_view kTail = "ARROW1";
constexpr uint32_t kContinuation = 0xFFFFFFFF;

struct Message {
  FeedBytes bytes;  // owns what `wire` points to
  const wire::Message* header = nullptr;
};

class StreamReader final : public ArrowReader {
 public:
  StreamReader(std::unique_ptr<ArrowFeed> feed, ArrowReadOptions options) : feed_(std::move(feed)), options_(options) {}

  Status start();
  [[nodiscard]] const ArrowSchema& schema() const override { return wire_.schema; }
  [[nodiscard]] ArrowForm form() const override { return form_; }
  [[nodiscard]] const std::string& name() const override { return feed_->name(); }
  [[nodiscard]] const MappedFile* mapped() const override { return feed_->mapped(); }
  [[nodiscard]] Result<std::optional<ArrowBatch>> next() override;
  [[nodiscard]] bool ready() override { return done_ || error_.has_value() || feed_->ready(); }
  [[nodiscard]] Seal seal() const override { return seal_; }
  [[nodiscard]] int64_t rows() const override { return rows_; }
  [[nodiscard]] const std::string& digest() const override { return digest_; }

 private:
  Status open_schema();
  Status check_tail() const;
  Result<std::optional<Message>> message();
  Result<std::optional<ArrowBatch>> advance();
  Result<FeedBytes> body(const Message& at);
  Status closing(const ArrowMetadata& metadata);
  Status read_footer();
  Status finish();
  [[nodiscard]] Error broken(std::string what);
  [[nodiscard]] Error located(Error error) const;

  std::unique_ptr<ArrowFeed> feed_;
  ArrowReadOptions options_;
  ArrowForm form_ = ArrowForm::kStream;
  WireSchema wire_;
  ArrowDictionaries dictionaries_;
  std::optional<SealHash> hash_;
  bool ours_ = false;    // the schema carries modnet's metadata
  bool closed_ = false;  // the closing batch has been read
  bool done_ = false;
  std::optional<Error> error_;
  int64_t rows_ = 0;
  int64_t batches_ = 0;  // as the footer counts them
  int64_t message_at_ = 0;
  Seal seal_ = Seal::kOpen;
  std::string digest_;
};

Error StreamReader::located(Error error) const {
  if (error.where.empty()) error.where = "offset " + std::to_string(message_at_);
  return std::move(error).in_file(name());
}

Status StreamReader::start() {
  if (Status status = open_schema(); !status.ok()) return located(status.error());
  return ok();
}

Status StreamReader::open_schema() {
  MODNET_ASSIGN(const FeedBytes first, feed_->take_copy(8, "the first message's length"));
  const std::optional<ArrowForm> form = arrow_form(first.bytes);
  if (!form.has_value())
    return Error{Code::kMalformed, "NOT_ARROW", "this is not an Arrow stream or file", {}, {},
                 "expected ARROW1 or the bytes FF FF FF FF at the start"};
  form_ = *form;
  uint32_t length = 0;
  if (form_ == ArrowForm::kFile) {
    if (feed_->mapped() != nullptr) MODNET_TRY(check_tail());
    message_at_ = 8;
    MODNET_ASSIGN(const FeedBytes prefix, feed_->take_copy(8, "the first message's length"));
    uint32_t word = 0;
    std::memcpy(&word, prefix.bytes.data(), 4);
    if (word != kContinuation) return malformed("a message does not begin with FF FF FF FF");
    std::memcpy(&length, prefix.bytes.data() + 4, 4);
  } else {
    std::memcpy(&length, first.bytes.data() + 4, 4);
  }
  if (length == 0) return malformed("the stream ends before its schema");
  if (length > kMaxIndexBytes) return malformed("the schema message claims " + std::to_string(length) + " bytes");
  MODNET_ASSIGN(const FeedBytes bytes, feed_->take_copy(length, "the schema"));
  MODNET_ASSIGN(const wire::Message* header, verify_message(bytes.bytes));
  const wire::Schema* schema = header->header_as_Schema();
  if (schema == nullptr) return malformed("the first message is not a schema");
  if (header->body_length() != 0) return malformed("the schema message has a body");
  MODNET_ASSIGN(wire_, decode_schema(*schema, length));
  for (const auto& [key, value] : wire_.schema.metadata) {
    if (key == kStreamKey && value != "1")
      return Error{
          Code::kUnavailable,
          "STREAM_VERSION",
          "the stream follows version '" + escape_text(value.substr(0, 32)) + "' of modnet's convention; expected 1",
          "metadata " + std::string(kStreamKey),
          {},
          "read it with a newer modnet"};
    ours_ = ours_ || key.starts_with("modnet.");
  }
  if (ours_ && options_.check == SealCheck::kYes) hash_.emplace(wire_.schema);
  return ok();
}

/// A mapped file in file form must end as one, before anything of it is used.
Status StreamReader::check_tail() const {
  const Bytes all = feed_->mapped()->bytes();
  if (all.size() >= 8 + 4 + kTail.size() && as_text(all.last(kTail.size())) == kTail) return ok();
  return Error{Code::kMalformed, "STREAM_CUT", "the Arrow file was cut off; expected ARROW1 at its end",
               "offset " + std::to_string(all.size()), name(), "run its producer again and look at how it ended"};
}

/// The next message's metadata; nothing at the end marker.
Result<std::optional<Message>> StreamReader::message() {
  message_at_ = feed_->offset();
  MODNET_ASSIGN(const FeedBytes prefix, feed_->take_copy(8, "a message's length (no end marker)"));
  uint32_t word = 0, length = 0;
  std::memcpy(&word, prefix.bytes.data(), 4);
  std::memcpy(&length, prefix.bytes.data() + 4, 4);
  if (word != kContinuation) return malformed("a message does not begin with FF FF FF FF");
  if (length == 0) return std::optional<Message>();
  if (length > kMaxIndexBytes) return malformed("a message claims " + std::to_string(length) + " bytes");
  Message out;
  MODNET_ASSIGN(out.bytes, feed_->take_copy(length, "a message"));
  MODNET_ASSIGN(out.header, verify_message(out.bytes.bytes));
  return std::optional<Message>(std::move(out));
}

Result<FeedBytes> StreamReader::body(const Message& at) {
  return feed_->take(at.header->body_length(), "a message's body");
}

Error StreamReader::broken(std::string what) {
  seal_ = Seal::kBroken;
  return Error{Code::kDigest, "STREAM_BROKEN", std::move(what), "closing batch", {}, "make the stream again"};
}

Status StreamReader::closing(const ArrowMetadata& metadata) {
  closed_ = true;
  std::string count, digest;
  for (const auto& [key, value] : metadata) {
    if (key == kSealRowsKey) count = value;
    if (key == kSealDigestKey) digest = value;
  }
  int64_t rows = -1;
  const auto [end, failed] = std::from_chars(count.data(), count.data() + count.size(), rows);
  if (failed != std::errc() || end != count.data() + count.size() || rows < 0)
    return malformed("the closing batch has no row count", std::string(kSealRowsKey));
  if (!digest.starts_with("sha256:") || !digest_from_hex(std::string_view(digest).substr(7)).has_value())
    return malformed("the closing batch has no digest", std::string(kSealDigestKey));
  if (rows != rows_)
    return broken("the stream lost or gained rows; expected " + std::to_string(rows) + ", got " +
                  std::to_string(rows_));
  if (!hash_.has_value()) {
    seal_ = Seal::kUnchecked;
    return ok();
  }
  const std::string got = "sha256:" + hex(hash_->finish());
  hash_.reset();
  if (got != digest) return broken("the stream's values changed on the way; expected " + digest + ", got " + got);
  seal_ = Seal::kSealed;
  digest_ = got;
  return ok();
}

/// The next batch with rows; nothing at the end marker.
Result<std::optional<ArrowBatch>> StreamReader::advance() {
  while (true) {
    MODNET_ASSIGN(std::optional<Message> at, message());
    if (!at.has_value()) {
      MODNET_TRY(finish());
      return std::optional<ArrowBatch>();
    }
    if (closed_) return malformed("there is a message after the closing batch");
    if (const wire::DictionaryBatch* dictionary = at->header->header_as_DictionaryBatch()) {
      MODNET_ASSIGN(const FeedBytes bytes, body(*at));
      MODNET_TRY(decode_dictionary(*dictionary, wire_, bytes, options_.slack, dictionaries_));
      continue;
    }
    const wire::RecordBatch* batch = at->header->header_as_RecordBatch();
    if (batch == nullptr) return malformed("a message is neither a batch nor a dictionary");
    ++batches_;
    int64_t budget = static_cast<int64_t>(at->bytes.bytes.size());
    MODNET_ASSIGN(const ArrowMetadata metadata, decode_metadata(at->header->custom_metadata(), &budget));
    ArrowBatch out;
    {
      MODNET_ASSIGN(const FeedBytes bytes, body(*at));
      MODNET_ASSIGN(
          out, decode_batch(*batch, wire_.schema.fields, wire_.dictionaries, dictionaries_, bytes, options_.slack));
    }
    if (out.rows == 0) {
      const bool closes = ours_ && std::any_of(metadata.begin(), metadata.end(), [](const auto& pair) {
        return pair.first == kSealRowsKey || pair.first == kSealDigestKey;
      });
      if (closes) MODNET_TRY(closing(metadata));
      continue;
    }
    if (hash_.has_value()) hash_->add(out);
    rows_ += out.rows;
    if (feed_->mapped() != nullptr && MappedFile::damaged())
      return malformed("the file was cut off while it was read");
    return std::optional<ArrowBatch>(std::move(out));
  }
}

/// After the end marker: a file's footer, then nothing.
Status StreamReader::finish() {
  if (form_ == ArrowForm::kFile) {
    MODNET_TRY(read_footer());
  }
  if (feed_->mapped() != nullptr && MappedFile::damaged()) return malformed("the file was cut off while it was read");
  message_at_ = feed_->offset();
  MODNET_ASSIGN(const bool end, feed_->at_end());
  if (!end) return malformed("there is data after the end of the stream");
  if (seal_ == Seal::kOpen) seal_ = Seal::kUnsealed;
  done_ = true;
  return ok();
}

Status StreamReader::read_footer() {
  // Its length stands at the end, so a pipe is read to the end first; in steps, and never more than a footer may be.
  message_at_ = feed_->offset();
  MODNET_ASSIGN(const FeedBytes footer, feed_->take_rest(kMaxIndexBytes));
  const int64_t size = static_cast<int64_t>(footer.bytes.size());
  const int64_t tail = 4 + static_cast<int64_t>(kTail.size());
  if (size < tail || as_text(footer.bytes.last(kTail.size())) != kTail)
    return Error{Code::kMalformed,
                 "STREAM_CUT",
                 "the Arrow file was cut off in its footer; expected ARROW1 at its end",
                 {},
                 {},
                 "run its producer again and look at how it ended"};
  int32_t length = 0;
  std::memcpy(&length, footer.bytes.data() + size - tail, 4);
  if (length != size - tail)
    return malformed("the footer claims " + std::to_string(length) + " bytes; expected " + std::to_string(size - tail));
  MODNET_ASSIGN(const wire::Footer* parsed, verify_footer(footer.bytes.first(static_cast<size_t>(length))));
  const int64_t listed = parsed->record_batches() == nullptr ? 0 : parsed->record_batches()->size();
  if (listed != batches_)
    return malformed("the footer lists " + std::to_string(listed) + " batches; expected " + std::to_string(batches_));
  return ok();
}

Result<std::optional<ArrowBatch>> StreamReader::next() {
  if (error_.has_value()) return *error_;
  if (done_) return std::optional<ArrowBatch>();
  Result<std::optional<ArrowBatch>> out = advance();
  if (!out.ok()) {
    error_ = located(out.error());
    if (seal_ != Seal::kBroken) seal_ = Seal::kOpen;  // the closing batch agreed, but what follows it did not
    digest_.clear();
    return *error_;
  }
  return out;
}

}  // namespace

std::optional<ArrowForm> arrow_form(Bytes first) {
  if (first.size() < 8) return std::nullopt;
  if (as_text(first.first(8)) == kMagic) return ArrowForm::kFile;
  uint32_t word = 0;
  std::memcpy(&word, first.data(), 4);
  if (word == kContinuation) return ArrowForm::kStream;
  return std::nullopt;
}

std::string_view seal_name(Seal seal) {
  switch (seal) {
    case Seal::kOpen: return "open";
    case Seal::kSealed: return "sealed";
    case Seal::kUnsealed: return "unsealed";
    case Seal::kUnchecked: return "unchecked";
    case Seal::kBroken: return "broken";
  }
  return "unknown";
}

Result<std::unique_ptr<ArrowReader>> ArrowReader::open(std::unique_ptr<ByteSource> source, ArrowReadOptions options) {
  auto reader = std::make_unique<StreamReader>(std::make_unique<ArrowFeed>(std::move(source)), options);
  MODNET_TRY(reader->start());
  return std::unique_ptr<ArrowReader>(std::move(reader));
}

Result<std::unique_ptr<ArrowReader>> ArrowReader::open_mapped(MappedFile file, ArrowReadOptions options) {
  auto shared = std::make_shared<const MappedFile>(std::move(file));
  auto reader = std::make_unique<StreamReader>(std::make_unique<ArrowFeed>(std::move(shared)), options);
  MODNET_TRY(reader->start());
  return std::unique_ptr<ArrowReader>(std::move(reader));
}

Result<std::unique_ptr<ArrowReader>> ArrowReader::open_path(const std::string& path, ArrowReadOptions options) {
  std::error_code missing;
  if (path == "-" || (std::filesystem::exists(path, missing) && !std::filesystem::is_regular_file(path, missing) &&
                      !std::filesystem::is_directory(path, missing))) {
    MODNET_ASSIGN(std::unique_ptr<ByteSource> source, open_source(path));
    return open(std::move(source), options);
  }
  MODNET_ASSIGN(MappedFile file, MappedFile::open(path));
  return open_mapped(std::move(file), options);
}

}  // namespace modnet
