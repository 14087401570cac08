// Signatures: a strict trailer, and a statement that nothing which people rely on can slip out of.
#include "formats/module/signatures.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "formats/module/edit.h"
#include "formats/module/verify.h"
#include "tests/support/module_damage.h"
#include "tests/support/module_samples.h"
#include "tests/support/signing_keys.h"

using namespace modnet;

namespace {
ModuleView opened(const std::string& file) {
  Result<ModuleView> view = ModuleView::open(as_bytes(file));
  REQUIRE(view.ok());
  return std::move(view).value();
}
Digest statement_of(const std::string& file) { return statement_digest(opened(file)); }

std::string signatures_bytes(const std::string& file) {
  return std::string(as_text(*opened(file).trailer(TrailerKind::kSignatures)));
}
std::string with_trailers(const std::string& file, const TrailerChanges& changes,
                          const std::optional<Identity>& identity = std::nullopt) {
  Result<std::string> out = rewrite_trailers_to_memory(opened(file), changes, identity);
  REQUIRE(out.ok());
  return *out;
}
/// Changed records, and all trailers back in their places.
std::string with_records(const std::string& file, const std::function<void(ModuleIndex&)>& change) {
  TrailerChanges trailers;
  const ModuleView view = opened(file);
  for (const TrailerEntry& entry : view.trailers()) trailers[entry.kind] = as_text(*view.trailer(entry.kind));
  return with_trailers(test::with_index(file, change), trailers);
}
/// The only thing that is wrong is the signature.
bool only_the_signature_fails(const std::string& file) {
  const ModuleView view = opened(file);
  const VerifyReport report = verify_module(view);
  for (const Error& error : report.failures) CAPTURE(error.what);
  return !report.failures.empty() &&
         std::all_of(report.failures.begin(), report.failures.end(),
                     [](const Error& error) { return error.code == Code::kDigest && error.id == "SIGNATURE"; });
}
}  // namespace

TEST_CASE("a signed module verifies, and lists its keys in order") {
  const std::string file = test::signed_by(test::head_bytes(), {3, 1, 2});
  const ModuleView view = opened(file);
  const VerifyReport report = verify_module(view);
  CHECK(report.passed());
  CHECK(report.checks.back().name == "signatures");
  CHECK(report.checks.back().count == 3);
  const Result<std::vector<SignatureRecord>> signatures = signatures_of(view);
  REQUIRE(signatures.ok());
  REQUIRE(signatures->size() == 3);
  CHECK(std::is_sorted(signatures->begin(), signatures->end(),
                       [](const auto& a, const auto& b) { return a.key < b.key; }));
  for (const SignatureRecord& one : *signatures) CHECK(*signature_holds(one, statement_digest(view)));
  CHECK(test::signed_by(test::head_bytes(), {2, 3, 1}) == file);
  CHECK(with_trailers(file, {{TrailerKind::kSignatures, ""}}) == test::head_bytes());
}

TEST_CASE("the signed line is text that others can make: a word and the statement's digest") {
  const std::string text = statement_text(statement_of(test::head_bytes()));
  CHECK(text == "modnet.statement.v1 sha256:" + hex(statement_of(test::head_bytes())) + "\n");
}

TEST_CASE("signatures do not count for the statement, so several people can sign one after another") {
  const std::string bare = test::head_bytes();
  CHECK(statement_of(test::signed_by(bare, {1})) == statement_of(bare));
  const std::string both = test::signed_by(test::signed_by(bare, {1}), {1, 2});
  CHECK(both == test::signed_by(bare, {2, 1}));
}

TEST_CASE("compression and the encoding of the index do not count for the statement") {
  CHECK(statement_of(test::backbone_bytes({Codec::kZstd, 3})) == statement_of(test::backbone_bytes()));
}

TEST_CASE("nothing that people rely on changes under a signature") {
  const std::string good = test::signed_by(test::composite_bytes(), {1, 2});
  REQUIRE(verify_module(opened(good)).passed());
  const std::string signatures = signatures_bytes(good);
  const Identity identity = opened(good).index().identity;
  const auto with_identity = [&](const std::function<void(Identity&)>& change) {
    Identity other = identity;
    change(other);
    return with_trailers(good, {{TrailerKind::kSignatures, signatures}}, other);
  };
  const auto with_trailer = [&](TrailerKind kind, const std::string& bytes) {
    return with_trailers(good, {{kind, bytes}, {TrailerKind::kSignatures, signatures}});
  };
  CHECK(only_the_signature_fails(with_identity([](Identity& i) { i.name = "other"; })));
  CHECK(only_the_signature_fails(with_identity([](Identity& i) { i.version = "1.0.1"; })));
  CHECK(only_the_signature_fails(with_identity([](Identity& i) { i.licence = "MIT"; })));
  CHECK(only_the_signature_fails(with_identity([](Identity& i) { i.lineage.push_back({"component", "x", {}}); })));
  CHECK(only_the_signature_fails(with_trailer(TrailerKind::kCard, "{}")));
  CHECK(only_the_signature_fails(with_trailer(TrailerKind::kCard, "")));
  CHECK(only_the_signature_fails(with_trailer(TrailerKind::kEvidence, "better")));
  CHECK(only_the_signature_fails(with_trailer(TrailerKind::kProbes, "")));
  CHECK(only_the_signature_fails(with_trailer(static_cast<TrailerKind>(99), "unknown kinds, too")));
  CHECK(only_the_signature_fails(with_records(good, [](ModuleIndex& m) { m.optional_features = {"swift"}; })));
  CHECK(only_the_signature_fails(with_records(good, [](ModuleIndex& m) { m.contract.requirements.batch_limit = 7; })));
  const std::string backbone = test::signed_by(test::backbone_bytes(), {1});
  CHECK(only_the_signature_fails(with_records(backbone, [](ModuleIndex& m) { m.assets[0].mediatype = "text/html"; })));
  CHECK(only_the_signature_fails(with_records(backbone, [](ModuleIndex& m) { m.graph.nodes[0].name = "other"; })));
}

TEST_CASE("a component of the same content but another file is noticed by the signature of what is around it") {
  const auto around = [](const std::string& component) {
    ModuleWriter writer;
    writer.set_identity({"around", Kind::kComposite, "1.0.0", "", {}});
    REQUIRE(writer.add_component("head", as_bytes(component)).ok());
    return *writer.to_memory();
  };
  const std::string head = test::head_bytes();
  const std::string other = with_trailers(head, {{TrailerKind::kCard, "of great accuracy"}});
  REQUIRE(opened(head).digests().content == opened(other).digests().content);
  const std::string good = test::signed_by(around(head), {1});
  CHECK(verify_module(opened(good)).passed());
  CHECK(only_the_signature_fails(with_trailers(around(other), {{TrailerKind::kSignatures, signatures_bytes(good)}})));
}

TEST_CASE("a signature of a component is verified, too, and named by its place") {
  const std::string bad_head =
      with_trailers(test::signed_by(test::head_bytes(), {1}),
                    {{TrailerKind::kCard, "x"},
                     {TrailerKind::kSignatures, signatures_bytes(test::signed_by(test::head_bytes(), {1}))}});
  ModuleWriter writer;
  writer.set_identity({"around", Kind::kComposite, "1.0.0", "", {}});
  REQUIRE(writer.add_component("head", as_bytes(bad_head)).ok());
  const std::string file = *writer.to_memory();
  const VerifyReport report = verify_module(opened(file));
  REQUIRE(report.failures.size() == 1);
  CHECK(report.failures[0].id == "SIGNATURE");
  CHECK(report.failures[0].what.starts_with("in component 'head/': "));
}

TEST_CASE("the trailer's encoding is strict both ways") {
  const ModuleView view = opened(test::head_bytes());
  std::vector<SignatureRecord> records = {*make_signature(view, test::signing_key(1)),
                                          *make_signature(view, test::signing_key(2))};
  const std::string good = *encode_signatures(records);
  CHECK(good.size() == 8 + 2 * 104);
  CHECK(decode_signatures(as_bytes(good)).ok());
  CHECK(*encode_signatures(*decode_signatures(as_bytes(good))) == good);
  CHECK(encode_signatures({})->empty());
  const auto refused = [&](std::string bytes, Code code = Code::kMalformed) {
    const Result<std::vector<SignatureRecord>> out = decode_signatures(as_bytes(bytes));
    return !out.ok() && out.error().code == code;
  };
  const auto changed = [&](size_t at, char byte) {
    std::string out = good;
    out[at] = byte;
    return out;
  };
  for (size_t size = 0; size < good.size(); ++size) CHECK(refused(good.substr(0, size)));
  CHECK(refused(good + '\0'));
  CHECK(refused(changed(0, 'X')));
  CHECK(refused(changed(4, 0)));
  CHECK(refused(changed(4, 1)));
  CHECK(refused(changed(4, 3)));
  CHECK(refused(changed(7, '\x7f')));
  CHECK(refused(changed(8, 0)));
  CHECK(refused(changed(8, 2), Code::kUnavailable));
  CHECK(refused(changed(12, 1)));
  CHECK(refused(good.substr(0, 8) + good.substr(112, 104) + good.substr(8, 104)));  // descending
  CHECK(refused(good.substr(0, 8) + good.substr(8, 104) + good.substr(8, 104)));    // one key twice
  CHECK(!encode_signatures({records[0], records[0]}).ok());
  CHECK(!encode_signatures(std::vector<SignatureRecord>(kMaxSignatures + 1)).ok());
}

TEST_CASE("a signatures trailer that is none is a failure of verify, not of opening") {
  const std::string file = with_trailers(test::head_bytes(), {{TrailerKind::kSignatures, "I vouch for it"}});
  const VerifyReport report = verify_module(opened(file));
  REQUIRE(report.failures.size() == 1);
  CHECK(report.failures[0].code == Code::kMalformed);
}

TEST_CASE("one flipped bit anywhere in a signed module is found") {
  const std::string good = test::signed_by(test::encoder_bytes(), {1});
  for (size_t at = 0; at < good.size(); ++at) {
    const std::string bad = test::with_flip(good, at, static_cast<int>(at % 8));
    const Result<ModuleView> view = ModuleView::open(as_bytes(bad));
    const bool found = !view.ok() || !verify_module(*view).passed();
    if (!found) FAIL("not found at " << at);
  }
}
