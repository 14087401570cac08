// Edits: trailers and identity change, content and payload do not change by one byte.
#include "formats/module/edit.h"

#include <doctest/doctest.h>

#include "formats/module/verify.h"
#include "tests/support/module_damage.h"
#include "tests/support/module_samples.h"
#include "tests/support/temp_dir.h"

using namespace modnet;

namespace {
const TrailerChanges kUnsigned = {{TrailerKind::kSignatures, ""}};

std::string edited(const std::string& file, const TrailerChanges& changes,
                   const std::optional<Identity>& identity = std::nullopt) {
  const Result<ModuleView> view = ModuleView::open(as_bytes(file));
  REQUIRE(view.ok());
  Result<std::string> out = rewrite_trailers_to_memory(*view, changes, identity);
  REQUIRE(out.ok());
  return *out;
}
std::string segments(const std::string& file) { return file.substr(128, test::preamble_of(file).index_offset - 128); }
}  // namespace

TEST_CASE("an edit of nothing gives the same bytes") {
  for (const std::string& file : {test::composite_bytes(), test::head_bytes(), test::encoder_bytes()})
    CHECK(edited(file, {}) == file);
}

TEST_CASE("a trailer is added, replaced and taken away; all else stays byte for byte") {
  const std::string file = test::head_bytes();
  const std::string with_card = edited(file, {{TrailerKind::kCard, "a card"}});
  const Result<ModuleView> before = ModuleView::open(as_bytes(file));
  const Result<ModuleView> after = ModuleView::open(as_bytes(with_card));
  REQUIRE(before.ok());
  REQUIRE(after.ok());
  CHECK(verify_module(*after).passed());
  CHECK(as_text(*after->trailer(TrailerKind::kCard)) == "a card");
  CHECK(as_text(*after->trailer(TrailerKind::kProbes)) == as_text(*before->trailer(TrailerKind::kProbes)));
  CHECK(after->digests().content == before->digests().content);
  CHECK(after->digests().file != before->digests().file);
  CHECK(segments(with_card) == segments(file));
  CHECK(after->preamble().index_digest == before->preamble().index_digest);
  const std::string other = edited(
      with_card, {{TrailerKind::kCard, "another card, somewhat longer than sixty-four bytes, so that all moves"}});
  CHECK(verify_module(*ModuleView::open(as_bytes(other))).passed());
  CHECK(edited(other, {{TrailerKind::kCard, "a card"}}) == with_card);
  CHECK(edited(other, {{TrailerKind::kCard, ""}}) == file);
}

TEST_CASE("another identity is written into the index and leaves content alone") {
  const std::string file = test::backbone_bytes();
  const Result<ModuleView> before = ModuleView::open(as_bytes(file));
  REQUIRE(before.ok());
  Identity identity = before->index().identity;
  identity.version = "2.0.0-rc.1";
  identity.licence = "MIT";
  identity.lineage = {{"converted-from", "older", before->digests().content}};
  const std::string changed = edited(file, {}, identity);
  const Result<ModuleView> after = ModuleView::open(as_bytes(changed));
  REQUIRE(after.ok());
  CHECK(verify_module(*after).passed());
  CHECK(after->index().identity == identity);
  CHECK(after->digests().content == before->digests().content);
  CHECK(segments(changed) == segments(file));
  CHECK(edited(changed, {}, before->index().identity) == file);
}

TEST_CASE("trailers of kinds that this build does not know stay") {
  const auto strange = static_cast<TrailerKind>(4711);
  const std::string file = edited(test::head_bytes(), {{strange, "kept"}});
  const std::string changed = edited(file, {{TrailerKind::kCard, "card"}, {TrailerKind::kProbes, ""}});
  const Result<ModuleView> view = ModuleView::open(as_bytes(changed));
  REQUIRE(view.ok());
  REQUIRE(view->trailers().size() == 2);
  CHECK(as_text(*view->trailer(strange)) == "kept");
}

TEST_CASE("an edit that signatures cover is refused unless it says what becomes of them") {
  const std::string file = test::composite_bytes();
  const Result<ModuleView> view = ModuleView::open(as_bytes(file));
  REQUIRE(view.ok());
  for (const TrailerChanges& changes : {TrailerChanges{{TrailerKind::kCard, "x"}}, TrailerChanges{}}) {
    const Result<std::string> refused = rewrite_trailers_to_memory(*view, changes, Identity(view->index().identity));
    REQUIRE(!refused.ok());
    CHECK(refused.error().id == "SIGNED");
  }
  CHECK(!rewrite_trailers_to_memory(*view, {{TrailerKind::kCard, "x"}}).ok());
  CHECK(rewrite_trailers_to_memory(*view, {{TrailerKind::kCard, "x"}, {TrailerKind::kSignatures, ""}}).ok());
  CHECK(rewrite_trailers_to_memory(*view, kUnsigned).ok());
}

TEST_CASE("what readers would refuse is not written") {
  const std::string file = test::head_bytes();
  const Result<ModuleView> view = ModuleView::open(as_bytes(file));
  REQUIRE(view.ok());
  const auto refused = [&](const TrailerChanges& changes, const auto& change) {
    Identity identity = view->index().identity;
    change(identity);
    const Result<std::string> out = rewrite_trailers_to_memory(*view, changes, identity);
    return !out.ok() && out.error().code == Code::kInvalid;
  };
  CHECK(refused({}, [](Identity& i) { i.kind = Kind::kBackbone; }));
  CHECK(refused({}, [](Identity& i) { i.name.clear(); }));
  CHECK(refused({{TrailerKind::kInvalid, "x"}}, [](Identity&) {}));
}

TEST_CASE("ranges of the mapped file reach the output, also of a component in it") {
  const test::TempDir dir;
  const std::string outer = test::composite_bytes();
  const Result<MappedFile> file = MappedFile::open(dir.write("m.mnet", outer));
  REQUIRE(file.ok());
  const Result<ModuleView> view = ModuleView::open(file->bytes());
  REQUIRE(view.ok());
  const Result<ModuleView> head = view->component("section");
  REQUIRE(head.ok());
  const TrailerChanges changes = {{TrailerKind::kCard, "card of the head"}};
  const Result<std::unique_ptr<Output>> output = Output::open(dir / "head.mnet", Overwrite::kNo);
  REQUIRE(output.ok());
  const Result<ModuleDigests> digests = rewrite_trailers(*head, *file, changes, std::nullopt, **output);
  REQUIRE(digests.ok());
  REQUIRE((*output)->commit({&*file}).ok());
  CHECK(dir.read("head.mnet") == edited(test::head_bytes(), changes));
  const std::string written = dir.read("head.mnet");
  CHECK(ModuleView::open(as_bytes(written))->digests().file == digests->file);
}
