#include "commands/verify.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "commands/label.h"
#include "commands/module_file.h"
#include "commands/parents.h"
#include "commands/trust_policy.h"
#include "formats/base/text.h"
#include "formats/module/signatures.h"
#include "formats/module/verify.h"
#include "libmod/module/trust.h"

namespace modnet {
namespace {

struct Checked {
  VerifyReport report;
  std::vector<Signer> signers;
  std::optional<Digest> statement;  // where the file could be opened
};

/// --key: each of these keys must have signed every file; they are called by their paths.
Result<TrustPolicy> policy_of_keys(const std::vector<std::string>& paths) {
  TrustPolicy out;
  out.others.emplace();
  for (const std::string& path : paths) {
    MODNET_ASSIGN(const PublicKey key, read_public_key(path));
    out.keys.push_back({path, key});
    out.others->all.push_back(path);
  }
  return out;
}

Result<std::vector<TrustPolicy>> policies_of(const Invocation& invocation) {
  std::vector<TrustPolicy> out;
  if (invocation.args.has("policy")) {
    MODNET_ASSIGN(TrustPolicy policy, load_trust_policy(invocation, invocation.args.text("policy")));
    out.push_back(std::move(policy));
  }
  if (invocation.args.has("key")) {
    MODNET_ASSIGN(TrustPolicy policy, policy_of_keys(invocation.args.list("key")));
    out.push_back(std::move(policy));
  }
  return out;
}

/// Who signed, and what policies find missing. That a signature does not hold verify_module() has said already.
Status check_signers(const ModuleView& view, const std::vector<TrustPolicy>& policies, Checked& out) {
  MODNET_ASSIGN(TrustReport bare, check_trust(view, nullptr));
  out.signers = std::move(bare.signers);
  for (const TrustPolicy& policy : policies) {
    MODNET_ASSIGN(const TrustReport report, check_trust(view, &policy));
    for (size_t i = 0; i < out.signers.size(); ++i)
      if (out.signers[i].name.empty()) out.signers[i].name = report.signers[i].name;
    for (const Error& finding : report.findings)
      if (finding.code == Code::kNo) out.report.failures.push_back(finding);
  }
  return ok();
}

/// One file: its report, or the error that kept it from being opened as the only failure.
Checked verify_file(const Invocation& invocation, const std::string& path, const std::vector<TrustPolicy>& policies) {
  Checked out;
  Result<ModuleFile> module = ModuleFile::open(path, invocation);
  if (!module.ok()) {
    out.report.failures.push_back(std::move(module).error());
    return out;
  }
  out.report = verify_module(module->view, invocation.threads());
  out.statement = statement_digest(module->view);
  const bool whole = out.report.passed();
  Status signers = check_signers(module->view, policies, out);
  if (whole && !signers.ok()) out.report.failures.push_back(std::move(signers).error());
  if (Status status = module->file.unchanged(); !status.ok()) out.report.failures.push_back(std::move(status).error());
  for (Error& failure : out.report.failures) failure = std::move(failure).in_file(input_name(path));
  return out;
}

Json signers_json(const std::vector<Signer>& signers) {
  Json out = Json::array();
  for (const Signer& signer : signers)
    out.push_back({{"component", signer.path},
                   {"key_id", key_id(signer.key)},
                   {"key", "sha256:" + hex(key_digest(signer.key))},
                   {"public_key", hex(signer.key)},
                   {"signature", hex(signer.signature)},
                   {"holds", signer.holds},
                   {"name", signer.name.empty() ? Json(nullptr) : Json(signer.name)}});
  return out;
}

Json checked_json(const std::string& path, const Checked& checked) {
  const VerifyReport& report = checked.report;
  Json out{{"file", input_name(path)}, {"passed", report.passed()}, {"bytes", report.bytes}};
  out["checks"] = Json::array();
  for (const VerifyCheck& check : report.checks)
    out["checks"].push_back({{"name", check.name}, {"count", check.count}, {"failed", check.failed}});
  out["statement"] = checked.statement ? Json("sha256:" + hex(*checked.statement)) : Json(nullptr);
  out["signatures"] = signers_json(checked.signers);
  out["failures"] = Json::array();
  for (const Error& failure : report.failures)
    out["failures"].push_back({{"id", failure.id}, {"where", failure.where}, {"what", failure.what}});
  return out;
}

std::string checked_text(const std::string& path, const Checked& checked) {
  std::string out = escape_text(input_name(path)) + ": ok, " + bytes_text(checked.report.bytes) + " read";
  for (const VerifyCheck& check : checked.report.checks)
    if (check.count > 0) out += ", " + check.name + " " + std::to_string(check.count);
  out += "\n";
  for (const Signer& signer : checked.signers) {
    out += "  signed by " + key_id(signer.key);
    if (!signer.name.empty()) out += "  " + escape_text(signer.name);
    if (!signer.path.empty()) out += "  in component " + escape_text(signer.path);
    out += "\n";
  }
  return out;
}

/// The gravest failure decides: damage, then what could not be looked at, then an answer that is no.
int exit_of(const std::vector<Error>& failures) {
  constexpr int kGravestFirst[] = {kExitBug, kExitDigest, kExitUnavailable, kExitInput, kExitNo};
  for (const int code : kGravestFirst)
    if (std::any_of(failures.begin(), failures.end(), [&](const Error& one) { return exit_code(one) == code; })) return code;
  return failures.empty() ? kExitOk : exit_code(failures.front());
}

Result<int> run(Invocation& invocation) {
  Console& console = invocation.console;
  const std::vector<std::string>& paths = invocation.args.words("FILE");
  const bool statement = invocation.args.flag("statement");
  if (statement && paths.size() != 1) return usage("--statement prints the statement of one file; got " + std::to_string(paths.size()));
  if (statement && invocation.args.has("parent")) return usage("--statement prints nothing else, and --parent asks for more");
  MODNET_ASSIGN(const std::vector<TrustPolicy> policies, policies_of(invocation));
  Json files = Json::array();
  std::vector<Error> failures;
  for (const std::string& path : paths) {
    const Checked checked = verify_file(invocation, path, policies);
    failures.insert(failures.end(), checked.report.failures.begin(), checked.report.failures.end());
    files.push_back(checked_json(path, checked));
    if (checked.report.passed()) console.print(statement ? statement_text(*checked.statement) : checked_text(path, checked));
  }
  Json document{{"passed", false}, {"files", files}};
  if (invocation.args.has("parent")) {
    const ParentReport lineage = verify_parents(invocation, paths, invocation.args.list("parent"));
    failures.insert(failures.end(), lineage.failures.begin(), lineage.failures.end());
    document["lineage"] = parents_json(lineage);
    console.print(parents_text(lineage));
  }
  document["passed"] = failures.empty();
  console.emit_json(document);
  for (const Error& failure : failures) console.fail(failure);
  return exit_of(failures);
}

}  // namespace

CommandSpec verify_command() {
  return {
      .name = "verify",
      .group = "look at things",
      .summary = "read every byte of modules and recompute every digest",
      .description =
          "Checks modules to the last byte: structure, checksums and SHA-256 of every tensor, asset and trailer, the "
          "digests of components, zero padding, the fingerprints of embedding spaces, and every signature against its own key. "
          "It lists who signed.\n\n"
          "A right signature says whose key it is, not that the key is worth anything: with --key or --policy it is exit 1 when "
          "keys that were asked for have not signed. With --parent also whether the modules given are those that the lineage names "
          "by digest.\n\n"
          "Exit 0: all files are whole. 1: a signature that was asked for is missing, or a parent is not the one. 4: a digest or a "
          "signature does not match. 3: a file cannot be read or is no module. Every failure is one line on stderr; the "
          "gravest decides the exit: 4, then 5, 3 and 1.",
      .positionals = {{.name = "FILE", .help = "modules; - is standard input", .maximum = PositionalSpec::kMany}},
      .options = {{.name = "parent", .type = OptionType::kTextList, .metavar = "FILE", .help = "a module that one of them was made from, or a folder of such; several times"},
                  {.name = "key", .type = OptionType::kTextList, .metavar = "PUB.pem", .help = "public key that must have signed every file"},
                  {.name = "policy", .type = OptionType::kPath, .metavar = "FILE", .help = "TOML file that says which keys must have signed which kinds"},
                  {.name = "statement", .help = "print the line that the module's signatures are made over, and nothing else"}},
      .examples = "modnet verify sections-model.mnet\nmodnet verify *.mnet --json\nmodnet verify sections-model.mnet --parent minilm/ --parent sections.mnet\n"
                  "modnet verify *.mnet --policy release.toml",
      .run = run,
  };
}

}  // namespace modnet
