#include "commands/parents.h"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "commands/label.h"
#include "commands/module_file.h"
#include "formats/base/text.h"
#include "formats/module/verify.h"
#include "libmod/contract/names.h"
#include "libmod/module/lineage.h"

namespace modnet {
namespace {

struct Parent {
  ModuleFile module;
  bool named = false;  // by the command line itself, not found in a folder
  bool used = false;
};

/// The modules of a folder, by name.
std::vector<std::string> modules_in(const std::string& folder) {
  std::vector<std::string> out;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed))
    if (entry.path().extension() == ".mnet") out.push_back(entry.path().string());
  std::sort(out.begin(), out.end());
  return out;
}

Error missing(std::string what, std::string where, const std::string& file, std::string fix) {
  return Error{Code::kNo, "PARENT_DIGEST_MISSING", std::move(what), std::move(where), file, std::move(fix)};
}

}  // namespace

ParentReport verify_parents(const Invocation& invocation, const std::vector<std::string>& files, const std::vector<std::string>& parents) {
  ParentReport report;
  std::vector<Parent> given;
  const auto add = [&](const std::string& path, bool named) {
    Result<ModuleFile> module = ModuleFile::open(path, invocation);
    if (module.ok()) given.push_back({std::move(module).value(), named});
    else report.failures.push_back(std::move(module).error());
  };
  for (const std::string& path : parents) {
    std::error_code failed;
    if (!std::filesystem::is_directory(path, failed)) add(path, true);
    else
      for (const std::string& file : modules_in(path)) add(file, false);
  }
  std::vector<Digest> contents;
  for (const Parent& parent : given) contents.push_back(parent.module.view.digests().content);
  for (const std::string& path : files) {
    const Result<ModuleFile> module = ModuleFile::open(path, invocation);
    if (!module.ok()) continue;
    Result<std::vector<Ancestor>> ancestors = ancestors_of(module->view);
    if (!ancestors.ok()) {
      report.failures.push_back(std::move(ancestors).error().in_file(path));
      continue;
    }
    const std::vector<std::optional<size_t>> matches = match_ancestors(*ancestors, contents);
    for (size_t i = 0; i < matches.size(); ++i) {
      const Ancestor& one = (*ancestors)[i];
      if (is_zero(one.entry.content))
        report.failures.push_back(missing("the lineage names '" + one.entry.name + "' without its digest", "lineage" + (one.slot.empty() ? "" : " of '" + one.slot + "'"), path,
                                          "make the module again from that parent"));
      if (matches[i]) given[*matches[i]].used = true;
      report.rows.push_back({path, one.slot, one.entry, matches[i] ? given[*matches[i]].module.file.path() : ""});
    }
  }
  for (const Parent& parent : given) {
    const std::string& path = parent.module.file.path();
    if (parent.used) {
      for (Error& failure : verify_module(parent.module.view, invocation.threads()).failures) report.failures.push_back(std::move(failure).in_file(path));
    } else if (parent.named) {
      const Identity& identity = parent.module.view.index().identity;
      report.failures.push_back(missing("'" + identity.name + " " + identity.version + "' is in no lineage; got content sha256:" + short_digest(parent.module.view.digests().content),
                                        "", path, "give the file that the module was made from"));
    }
  }
  return report;
}

std::string parents_text(const ParentReport& report) {
  std::string out, file;
  for (const ParentReport::Row& row : report.rows) {
    if (row.file != file) out += escape_text(input_name(row.file)) + ": made from\n";
    file = row.file;
    out += "  " + padded(escape_text(row.entry.relation), 16) + padded(escape_text(row.entry.name + (row.slot.empty() ? "" : " (of " + row.slot + ")")), 32) + " " + (is_zero(row.entry.content) ? "no digest" : "sha256:" + short_digest(row.entry.content)) + "  " +
           (row.parent.empty() ? "not given" : escape_text(row.parent)) + "\n";
  }
  return out;
}

Json parents_json(const ParentReport& report) {
  Json out = Json::array();
  for (const ParentReport::Row& row : report.rows) {
    Json one{{"file", input_name(row.file)}, {"component", row.slot}, {"relation", row.entry.relation}, {"name", row.entry.name}, {"content", hex(row.entry.content)}};
    one["parent"] = row.parent.empty() ? Json(nullptr) : Json(row.parent);
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace modnet
