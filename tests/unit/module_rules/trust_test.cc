// Policies on signatures: what fulfils them, and what looks as if it did.
#include "libmod/module/trust.h"

#include <doctest/doctest.h>

#include "formats/module/edit.h"
#include "formats/module/signatures.h"
#include "formats/module/write.h"
#include "tests/support/module_samples.h"
#include "tests/support/signing_keys.h"

using namespace modnet;

namespace {
PublicKey key(uint8_t number) { return test::signing_key(number).public_key(); }

TrustPolicy policy_for(Kind kind, TrustDemand demand) {
  TrustPolicy out;
  out.keys = {{"release", key(1)}, {"ci", key(2)}};
  out.kinds[kind] = std::move(demand);
  return out;
}
TrustReport report_on(const std::string& file, const TrustPolicy* policy) {
  const Result<ModuleView> view = ModuleView::open(as_bytes(file));
  REQUIRE(view.ok());
  Result<TrustReport> out = check_trust(*view, policy);
  REQUIRE(out.ok());
  return std::move(out).value();
}
TrustReport report_on(const std::string& file, const TrustPolicy& policy) { return report_on(file, &policy); }

/// The only finding says this.
bool refused(const TrustReport& report, std::string_view words) {
  REQUIRE(report.findings.size() == 1);
  const Error& only = report.findings.front();
  CAPTURE(only.what);
  return only.code == Code::kNo && only.id == "SIGNATURE_REQUIRED" && only.what.find(words) != std::string::npos;
}

std::string head(const std::vector<uint8_t>& keys) { return test::signed_by(test::head_bytes(), keys); }
std::string around(const std::string& component, const std::vector<uint8_t>& keys) {
  ModuleWriter writer;
  writer.set_identity({"around", Kind::kComposite, "1.0.0", "", {}});
  REQUIRE(writer.add_component("head", as_bytes(component)).ok());
  const std::string file = *writer.to_memory();
  return keys.empty() ? file : test::signed_by(file, keys);
}
/// Another card under the old signatures.
std::string forged(const std::string& file) {
  const Result<ModuleView> view = ModuleView::open(as_bytes(file));
  REQUIRE(view.ok());
  const std::string signatures(as_text(*view->trailer(TrailerKind::kSignatures)));
  return *rewrite_trailers_to_memory(*view, {{TrailerKind::kCard, "forged"}, {TrailerKind::kSignatures, signatures}});
}
std::string with_evidence(const std::string& file) {
  const Result<ModuleView> view = ModuleView::open(as_bytes(file));
  REQUIRE(view.ok());
  return *rewrite_trailers_to_memory(*view, {{TrailerKind::kEvidence, "evidence"}});
}
}  // namespace

TEST_CASE("without a policy signatures are listed and checked, nothing is demanded") {
  CHECK(report_on(test::head_bytes(), nullptr).passed());
  const TrustReport report = report_on(head({1}), nullptr);
  CHECK(report.passed());
  REQUIRE(report.signers.size() == 1);
  CHECK(report.signers[0].key == key(1));
  CHECK(report.signers[0].holds);
  CHECK(report.signers[0].name.empty());
}

TEST_CASE("every key of 'all' must have signed") {
  const TrustPolicy policy = policy_for(Kind::kHead, {.all = {"release", "ci"}});
  CHECK(report_on(head({1, 2}), policy).passed());
  CHECK(report_on(head({1, 2, 3}), policy).passed());
  CHECK(refused(report_on(head({1}), policy), "not signed by 'ci'"));
  CHECK(report_on(test::head_bytes(), policy).findings.size() == 2);
}

TEST_CASE("one key of 'any' is enough, a key that the policy does not name is not") {
  const TrustPolicy policy = policy_for(Kind::kHead, {.any = {"release", "ci"}});
  CHECK(report_on(head({2}), policy).passed());
  CHECK(report_on(head({2}), policy).signers[0].name == "ci");
  CHECK(refused(report_on(head({3}), policy), "signed by none of 'release', 'ci'"));
  CHECK(report_on(head({3}), policy).signers[0].name.empty());
}

TEST_CASE("a signature that does not hold counts for nothing and is a failure of its own") {
  const TrustPolicy policy = policy_for(Kind::kHead, {.any = {"release"}});
  const TrustReport report = report_on(forged(head({1})), policy);
  REQUIRE(report.findings.size() == 2);
  CHECK(report.findings[0].code == Code::kDigest);
  CHECK(report.findings[0].id == "SIGNATURE");
  CHECK(report.findings[1].id == "SIGNATURE_REQUIRED");
  CHECK(!report.signers[0].holds);
}

TEST_CASE("a kind that the policy does not mention is refused; [any] and an empty table say otherwise") {
  TrustPolicy policy = policy_for(Kind::kBackbone, {.any = {"release"}});
  CHECK(refused(report_on(head({1}), policy), "says nothing about modules of kind head"));
  policy.others = TrustDemand{.any = {"ci"}};
  CHECK(refused(report_on(head({1}), policy), "signed by none of 'ci'"));
  policy.kinds[Kind::kHead] = TrustDemand{};
  CHECK(report_on(test::head_bytes(), policy).passed());
}

TEST_CASE("components are asked for their own signatures where the policy says so") {
  TrustPolicy policy = policy_for(Kind::kHead, {.all = {"ci"}});
  policy.kinds[Kind::kComposite] = {.all = {"release"}};
  CHECK(report_on(around(test::head_bytes(), {1}), policy).passed());
  policy.kinds[Kind::kComposite].components = true;
  CHECK(refused(report_on(around(test::head_bytes(), {1}), policy), "in component 'head': not signed by 'ci'"));
  const TrustReport both = report_on(around(head({2}), {1}), policy);
  CHECK(both.passed());
  REQUIRE(both.signers.size() == 2);
  CHECK(both.signers[1].path == "head");
  policy.kinds.erase(Kind::kHead);
  CHECK(refused(report_on(around(head({2}), {1}), policy), "in component 'head': the policy says nothing"));
}

TEST_CASE("evidence counts under a signature of a named key only, its own or one around it") {
  TrustPolicy policy = policy_for(Kind::kHead, {.signed_evidence = true});
  policy.kinds[Kind::kComposite] = {.signed_evidence = true};
  const std::string plain = with_evidence(test::head_bytes());
  CHECK(report_on(test::head_bytes(), policy).passed());
  CHECK(refused(report_on(plain, policy), "recorded evidence that no key of the policy has signed"));
  CHECK(refused(report_on(test::signed_by(plain, {3}), policy), "recorded evidence"));
  const TrustReport good = report_on(test::signed_by(plain, {2}), policy);
  CHECK(good.passed());
  CHECK(good.evidence_signed);
  CHECK(!report_on(plain, policy).evidence_signed);
  CHECK(refused(report_on(around(plain, {}), policy), "in component 'head': recorded evidence"));
  CHECK(report_on(around(plain, {1}), policy).passed());
  CHECK(refused(report_on(around(plain, {3}), policy), "in component 'head': recorded evidence"));
}

TEST_CASE("slots that share one component list its signatures once") {
  ModuleWriter writer;
  writer.set_identity({"around", Kind::kComposite, "1.0.0", "", {}});
  const std::string component = head({1});
  REQUIRE(writer.add_component("one", as_bytes(component)).ok());
  REQUIRE(writer.add_component("two", as_bytes(component)).ok());
  const TrustReport report = report_on(*writer.to_memory(), nullptr);
  REQUIRE(report.signers.size() == 1);
  CHECK(report.signers[0].path == "one");
}
