#include "formats/module/edit.h"

#include <utility>
#include <vector>

#include "formats/base/limits.h"
#include "formats/module/check.h"
#include "formats/module/index.h"
#include "formats/module/layout.h"

namespace modnet {
namespace {

/// A run of the new file: a range of the old one, or bytes of its own.
struct Piece {
  uint64_t offset = 0, length = 0;
  std::optional<std::string> bytes;
};

struct Plan {
  std::vector<Piece> pieces;
  ModuleDigests digests;
};

class Planner {
 public:
  explicit Planner(const ModuleView& view) : view_(view) {}

  Result<Plan> run(const TrailerChanges& changes, const std::optional<Identity>& identity) {
    MODNET_TRY(check(changes, identity));
    const Preamble& old = view_.preamble();
    Preamble preamble = old;
    own({});  // the preamble, which needs to know everything else
    cursor_ = static_cast<uint64_t>(kPreambleBytes);
    range(cursor_, old.index_offset - cursor_);
    if (identity) {
      ModuleIndex index = view_.index();
      index.identity = *identity;
      if (Status good = check_records(index); !good.ok()) return invalid(good.error().what);
      MODNET_ASSIGN(std::string bytes, encode_index(index));
      preamble.index_length = bytes.size();
      preamble.index_digest = sha256(as_bytes(bytes));
      own(std::move(bytes));
    } else {
      range(old.index_offset, old.index_length);
    }
    const std::vector<TrailerEntry> entries = trailers(changes);
    if (static_cast<int64_t>(entries.size()) > kMaxTrailers) return invalid("more than 4096 trailers");
    std::string directory = encode_directory(entries);
    pad();
    preamble.directory_offset = cursor_;
    preamble.directory_length = directory.size();
    preamble.directory_digest = sha256(as_bytes(directory));
    own(std::move(directory));
    preamble.file_length = cursor_;
    out_.pieces.front().bytes = encode_preamble(preamble);
    out_.digests = view_.digests();
    out_.digests.file = sha256(as_bytes(*out_.pieces.front().bytes));
    return std::move(out_);
  }

 private:
  Status check(const TrailerChanges& changes, const std::optional<Identity>& identity) const {
    if (changes.contains(TrailerKind::kInvalid)) return invalid("a trailer of kind 0 cannot be written");
    if (identity && identity->kind != view_.index().identity.kind)
      return invalid("the kind of a module is content; an edit cannot change it");
    if (view_.find_trailer(TrailerKind::kSignatures) != nullptr && !changes.contains(TrailerKind::kSignatures) &&
        (identity || !changes.empty()))
      return Error{Code::kInvalid,
                   "SIGNED",
                   "the module is signed, and the signatures cover what would change",
                   {},
                   {},
                   "drop them, and sign again"};
    return ok();
  }

  /// Old and new trailers by kind, each placed where it comes.
  std::vector<TrailerEntry> trailers(const TrailerChanges& changes) {
    std::map<TrailerKind, const TrailerEntry*> kept;
    for (const TrailerEntry& entry : view_.trailers()) kept.emplace(entry.kind, &entry);
    for (const auto& [kind, bytes] : changes) kept.insert_or_assign(kind, nullptr);
    std::vector<TrailerEntry> out;
    for (const auto& [kind, entry] : kept) {
      if (entry == nullptr && changes.at(kind).empty()) continue;
      pad();
      if (entry != nullptr) {
        out.push_back({kind, cursor_, entry->length, entry->digest});
        range(entry->offset, entry->length);
      } else {
        const std::string& bytes = changes.at(kind);
        out.push_back({kind, cursor_, bytes.size(), sha256(as_bytes(bytes))});
        own(bytes);
      }
    }
    return out;
  }

  void range(uint64_t offset, uint64_t length) {
    out_.pieces.push_back({offset, length, std::nullopt});
    cursor_ += length;
  }
  void own(std::string bytes) {
    cursor_ += bytes.size();
    out_.pieces.push_back({0, 0, std::move(bytes)});
  }
  void pad() {
    if (const uint64_t past = cursor_ % kAlignment; past != 0) own(std::string(kAlignment - past, '\0'));
  }

  const ModuleView& view_;
  Plan out_;
  uint64_t cursor_ = 0;
};

}  // namespace

Result<ModuleDigests> rewrite_trailers(const ModuleView& view, const MappedFile& file, const TrailerChanges& changes,
                                       const std::optional<Identity>& identity, Output& output) {
  const auto start = static_cast<int64_t>(view.bytes().data() - file.bytes().data());
  MODNET_ASSIGN(const Plan plan, Planner(view).run(changes, identity));
  for (const Piece& piece : plan.pieces) {
    if (piece.bytes) {
      MODNET_TRY(output.write(as_bytes(*piece.bytes)));
    } else {
      MODNET_TRY(
          output.copy_range(file, start + static_cast<int64_t>(piece.offset), static_cast<int64_t>(piece.length)));
    }
  }
  return plan.digests;
}

Result<std::string> rewrite_trailers_to_memory(const ModuleView& view, const TrailerChanges& changes,
                                               const std::optional<Identity>& identity) {
  MODNET_ASSIGN(const Plan plan, Planner(view).run(changes, identity));
  std::string out;
  for (const Piece& piece : plan.pieces)
    out += piece.bytes ? std::string_view(*piece.bytes) : as_text(view.bytes().subspan(piece.offset, piece.length));
  return out;
}

}  // namespace modnet
