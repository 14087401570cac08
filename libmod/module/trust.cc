#include "libmod/module/trust.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "formats/base/text.h"
#include "formats/module/signatures.h"
#include "libmod/contract/names.h"

namespace modnet {
namespace {

class Checker {
 public:
  explicit Checker(const TrustPolicy* policy) : policy_(policy) {}

  Result<TrustReport> run(const ModuleView& view) {
    MODNET_TRY(visit(view, "", Enclosing{true, false}));
    std::stable_sort(out_.findings.begin(), out_.findings.end(),
                     [](const Error& a, const Error& b) { return a.code == Code::kDigest && b.code != Code::kDigest; });
    return std::move(out_);
  }

 private:
  /// What modules around a component say about it.
  struct Enclosing {
    bool demanded = false;  // the policy is to be fulfilled here
    bool vouched = false;   // a named key signed one of them, and so this component's file digest
  };

  Status visit(const ModuleView& view, const std::string& path, Enclosing around) {
    if (!seen_.insert({view.digests().file, around.demanded, around.vouched}).second) return ok();
    const bool listed = !listed_.insert(view.digests().file).second;
    MODNET_ASSIGN(const std::vector<SignatureRecord> records, signatures_of(view));
    const Digest statement = records.empty() ? Digest{} : statement_digest(view);
    std::set<std::string> names;  // of named keys that really signed
    for (const SignatureRecord& record : records) {
      MODNET_ASSIGN(const bool holds, signature_holds(record, statement));
      const std::vector<std::string> known = names_of(record.key);
      if (holds) names.insert(known.begin(), known.end());
      if (listed) continue;
      out_.signers.push_back({path, record.key, record.signature, known.empty() ? "" : known.front(), holds});
      if (!holds)
        add(Code::kDigest, "SIGNATURE", path,
            "the signature of key " + key_id(record.key) + " is not one over what the module says", {});
    }
    const TrustDemand* demand = demand_for(view.index().identity.kind);
    around.vouched = around.vouched || !names.empty();
    if (path.empty()) out_.evidence_signed = around.vouched && view.find_trailer(TrailerKind::kEvidence) != nullptr;
    if (policy_ != nullptr && around.demanded) fulfil(view, path, demand, names);
    if (demand != nullptr && demand->signed_evidence && !around.vouched &&
        view.find_trailer(TrailerKind::kEvidence) != nullptr)
      add(Code::kNo, "SIGNATURE_REQUIRED", path, "recorded evidence that no key of the policy has signed",
          "sign the module, or drop its evidence");
    around.demanded = around.demanded && demand != nullptr && demand->components;
    for (const ComponentRecord& record : view.index().components) {
      MODNET_ASSIGN(const ModuleView part, view.component(record.slot));
      MODNET_TRY(visit(part, path.empty() ? record.slot : path + "/" + record.slot, around));
    }
    return ok();
  }

  void fulfil(const ModuleView& view, const std::string& path, const TrustDemand* demand,
              const std::set<std::string>& names) {
    const std::string kind(name_of(view.index().identity.kind));
    if (demand == nullptr) {
      add(Code::kNo, "SIGNATURE_REQUIRED", path, "the policy says nothing about modules of kind " + kind,
          "add [" + kind + "] or [any] to it");
      return;
    }
    for (const std::string& name : demand->all)
      if (!names.contains(name))
        add(Code::kNo, "SIGNATURE_REQUIRED", path,
            "not signed by '" + escape_text(name) + "' (" + ids_of(name) + "); expected of every " + kind, fix());
    const bool met = std::any_of(demand->any.begin(), demand->any.end(),
                                 [&](const std::string& name) { return names.contains(name); });
    if (demand->any.empty() || met) return;
    std::string list;
    for (const std::string& name : demand->any) list += (list.empty() ? "'" : ", '") + escape_text(name) + "'";
    add(Code::kNo, "SIGNATURE_REQUIRED", path, "signed by none of " + list + "; expected one of them of every " + kind,
        fix());
  }

  static std::string fix() { return "have it signed: modnet sign FILE --key KEY.pem -f"; }

  void add(Code code, std::string_view id, const std::string& path, std::string what, std::string fix) {
    if (!path.empty()) what = "in component '" + escape_text(path) + "': " + what;
    out_.findings.push_back({code, std::string(id), std::move(what), {}, {}, std::move(fix)});
  }

  const TrustDemand* demand_for(Kind kind) const {
    if (policy_ == nullptr) return nullptr;
    const auto found = policy_->kinds.find(kind);
    if (found != policy_->kinds.end()) return &found->second;
    return policy_->others ? &*policy_->others : nullptr;
  }
  /// One key may have several names.
  std::vector<std::string> names_of(const PublicKey& key) const {
    std::vector<std::string> out;
    if (policy_ == nullptr) return out;
    for (const TrustedKey& known : policy_->keys)
      if (known.key == key) out.push_back(known.name);
    return out;
  }
  std::string ids_of(const std::string& name) const {
    for (const TrustedKey& known : policy_->keys)
      if (known.name == name) return "key " + key_id(known.key);
    return "no such key";
  }

  const TrustPolicy* policy_;
  TrustReport out_;
  std::set<std::tuple<Digest, bool, bool>> seen_;  // file digests, with what the modules around say
  std::set<Digest> listed_;
};

}  // namespace

Result<TrustReport> check_trust(const ModuleView& view, const TrustPolicy* policy) { return Checker(policy).run(view); }

}  // namespace modnet
