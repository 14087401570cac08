#include "commands/sign.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include <nlohmann/json.hpp>

#include "commands/label.h"
#include "commands/module_file.h"
#include "formats/base/text.h"
#include "formats/module/edit.h"
#include "formats/module/signatures.h"
#include "formats/module/verify.h"
#include "libmod/module/trust.h"

namespace modnet {
namespace {

constexpr int64_t kMaxPassphraseFile = 4096;

/// From the environment or a file, never from the command line, which everybody on the machine can read.
Result<std::optional<std::string>> passphrase_of(const Arguments& args) {
  if (args.has("passphrase-env") && args.has("passphrase-file"))
    return usage("--passphrase-env and --passphrase-file are both given; expected one");
  if (args.has("passphrase-env")) {
    const char* value = std::getenv(args.text("passphrase-env").c_str());
    if (value == nullptr) return usage("the environment has no variable '" + escape_text(args.text("passphrase-env")) + "'");
    return std::optional<std::string>(value);
  }
  if (!args.has("passphrase-file")) return std::optional<std::string>();
  const std::string path = args.text("passphrase-file");
  Result<std::string> text = read_file(path, kMaxPassphraseFile);
  if (!text.ok()) return std::move(text).error().in_file(input_name(path));
  return std::optional<std::string>(text->substr(0, text->find_first_of("\r\n")));
}

/// Everything but signatures that go is right: the payload too, because a signature vouches for it.
Status check_module_bytes(const Invocation& invocation, const ModuleFile& module, const std::set<PublicKey>& leaving) {
  const VerifyReport report = verify_module(module.view, invocation.threads());
  for (const Error& failure : report.failures)
    if (failure.id != "SIGNATURE") return failure;
  if (report.passed()) return ok();
  MODNET_ASSIGN(const TrustReport trust, check_trust(module.view, nullptr));
  for (const Signer& signer : trust.signers)
    if (!signer.holds && !(signer.path.empty() && leaving.contains(signer.key))) return report.failures.front();
  return ok();
}

/// The keys that --drop names, each of which must be there.
Result<std::set<PublicKey>> dropped_keys(const std::vector<std::string>& ids, const std::vector<SignatureRecord>& signatures) {
  std::set<PublicKey> out;
  for (const std::string& id : ids) {
    const auto found = std::find_if(signatures.begin(), signatures.end(), [&](const SignatureRecord& one) {
      return id == key_id(one.key) || id == hex(key_digest(one.key));
    });
    if (found == signatures.end()) {
      std::string known;
      for (const SignatureRecord& one : signatures) known += (known.empty() ? "" : ", ") + key_id(one.key);
      return invalid("no signature of key '" + escape_text(id) + "'; " + (known.empty() ? "the module is unsigned" : "there are those of " + known));
    }
    out.insert(found->key);
  }
  return out;
}

struct Change {
  std::vector<SignatureRecord> signatures;  // all of them, afterwards
  std::vector<std::string> dropped;         // key ids
  bool replaced = false;                    // the key had signed before
};

Result<Change> change_of(const Invocation& invocation, const ModuleFile& module, const std::optional<SigningKey>& key) {
  MODNET_ASSIGN(const std::vector<SignatureRecord> before, signatures_of(module.view));
  MODNET_ASSIGN(std::set<PublicKey> leaving, dropped_keys(invocation.args.list("drop"), before));
  Change out;
  for (const PublicKey& one : leaving) out.dropped.push_back(key_id(one));
  if (key) out.replaced = std::any_of(before.begin(), before.end(), [&](const SignatureRecord& one) { return one.key == key->public_key(); });
  if (key) leaving.insert(key->public_key());
  MODNET_TRY(check_module_bytes(invocation, module, leaving));
  for (const SignatureRecord& one : before)
    if (!leaving.contains(one.key)) out.signatures.push_back(one);
  if (key) {
    MODNET_ASSIGN(SignatureRecord fresh, make_signature(module.view, *key));
    out.signatures.push_back(fresh);
  }
  return out;
}

void tell(Invocation& invocation, const std::string& path, const ModuleFile& module, const Change& change, const std::optional<SigningKey>& key, const ModuleDigests& digests) {
  const std::string statement = hex(statement_digest(module.view));
  if (invocation.output() != "-") {
    std::string text = escape_text(path) + ": ";
    for (const std::string& id : change.dropped) text += "dropped the signature of " + id + (key ? ", " : "");
    if (key) text += (change.replaced ? "signed again by " : "signed by ") + key_id(key->public_key());
    text += "  statement sha256:" + statement.substr(0, 12) + "…\n";
    if (!invocation.dry_run()) text += escape_text(invocation.output()) + "  signatures " + std::to_string(change.signatures.size()) + "\n";
    invocation.console.print(text);
  }
  Json document{{"file", path}, {"output", invocation.output()}, {"dry_run", invocation.dry_run()}, {"statement", "sha256:" + statement}};
  document["signed_by"] = key ? Json(key_id(key->public_key())) : Json(nullptr);
  document["dropped"] = change.dropped;
  document["signatures"] = Json::array();
  for (const SignatureRecord& one : change.signatures)
    document["signatures"].push_back({{"key_id", key_id(one.key)}, {"key", "sha256:" + hex(key_digest(one.key))}});
  if (!invocation.dry_run()) {
    document["content"] = "sha256:" + hex(digests.content);
    document["file_digest"] = "sha256:" + hex(digests.file);
  }
  invocation.console.emit_json(document);
}

Result<int> sign_file(Invocation& invocation, const std::string& path, const std::optional<SigningKey>& key) {
  MODNET_ASSIGN(const ModuleFile module, ModuleFile::open(path, invocation));
  MODNET_ASSIGN(const Change change, change_of(invocation, module, key));
  MODNET_ASSIGN(std::string trailer, encode_signatures(change.signatures));
  ModuleDigests digests;
  if (!invocation.dry_run()) {
    MODNET_ASSIGN(const std::unique_ptr<Output> output, invocation.open_output(Invocation::Content::kBinary));
    MODNET_ASSIGN(digests, rewrite_trailers(module.view, module.file, {{TrailerKind::kSignatures, std::move(trailer)}},
                                            std::nullopt, *output));
    MODNET_TRY(output->commit({&module.file}));
  }
  tell(invocation, input_name(path), module, change, key, digests);
  return kExitOk;
}

Result<int> run(Invocation& invocation) {
  const Arguments& args = invocation.args;
  if (!args.has("key") && !args.has("drop")) return usage("nothing to do", "use --key KEY.pem to sign, --drop KEYID to take a signature away");
  MODNET_TRY(invocation.check_output(Invocation::Content::kBinary));
  std::optional<SigningKey> key;
  if (args.has("key")) {
    MODNET_ASSIGN(const std::optional<std::string> passphrase, passphrase_of(args));
    MODNET_ASSIGN(key, read_signing_key(args.text("key"), passphrase));
  }
  const std::string path = args.word("FILE");
  Result<int> result = sign_file(invocation, path, key);
  if (!result.ok()) return std::move(result).error().in_file(input_name(path));
  return result;
}

}  // namespace

CommandSpec sign_command() {
  return {
      .name = "sign",
      .group = "look at things",
      .summary = "vouch for a module with an Ed25519 key",
      .description =
          "Adds a signature to a module, in a file of its own (-o) or in the file itself (-f). It covers all that somebody may rely "
          "on: name, version, licence, lineage, contract, content, card, probes, evidence and every component as it is. Several "
          "keys can sign, in any order; a key that signed before is replaced. Nothing but the signatures changes.\n\n"
          "Every byte is verified first, as 'modnet verify' does, and a module that is not whole is not signed. Keys are PEM files "
          "as OpenSSL makes them: openssl genpkey -algorithm ed25519.",
      .positionals = {{.name = "FILE", .help = "a module; - is standard input"}},
      .options = {{.name = "key", .type = OptionType::kPath, .metavar = "KEY.pem", .help = "private key to sign with"},
                  {.name = "passphrase-env", .type = OptionType::kText, .metavar = "NAME", .help = "environment variable that holds the key's passphrase"},
                  {.name = "passphrase-file", .type = OptionType::kPath, .metavar = "FILE", .help = "file whose first line is the key's passphrase"},
                  {.name = "drop", .type = OptionType::kTextList, .metavar = "KEYID", .help = "take the signature of this key away"}},
      .writes = Writes::kEdit,
      .examples = "modnet sign head.mnet --key release.pem -f\nmodnet sign head.mnet --key release.pem -o head-signed.mnet\n"
                  "modnet sign head.mnet --drop 02f156fb013d7f95 -f",
      .run = run,
  };
}

}  // namespace modnet
