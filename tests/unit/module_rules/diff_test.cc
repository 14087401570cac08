// Whole modules compared: each kind of change is one entry, nothing differs from itself, both directions say the same, and what
// is equal is not read.
#include "libmod/module/diff.h"

#include <doctest/doctest.h>

#include <functional>

#include "formats/module/write.h"
#include "libmod/contract/json.h"
#include "tests/support/module_damage.h"
#include "tests/support/module_samples.h"

namespace modnet {
namespace {

using test::backbone_bytes;
using test::composite_bytes;

ModuleView view_of(const std::string& bytes) {
  Result<ModuleView> view = ModuleView::open(as_bytes(bytes));
  if (!view.ok()) FAIL(view.error().what);
  return std::move(view).value();
}
ModuleDiff diff_of(const std::string& before, const std::string& after, Statistics statistics = Statistics::kNo) {
  const ModuleView a = view_of(before), b = view_of(after);
  Result<ModuleDiff> diff = diff_modules(a, b, statistics);
  if (!diff.ok()) FAIL(diff.error().what);
  return std::move(diff).value();
}

/// Entries of each section, so that a test can say what changed and that nothing else did.
struct Counts {
  size_t contract = 0, tensors = 0, graph = 0, assets = 0, components = 0, identity = 0, card = 0, trailers = 0, layout = 0;
  bool operator==(const Counts&) const = default;
};
Counts counts(const ModuleDiff& diff) {
  return {diff.contract.size(), diff.tensors.changes.size(), diff.graph.nodes.size() + diff.graph.fields.size(),
          diff.assets.size(),   diff.components.size(),      diff.identity.size(),
          diff.card.size() + diff.card_lines.size(), diff.trailers.size(), diff.layout.size() + diff.recodings.size()};
}

/// A module of every part, in which one thing can be another.
struct Parts {
  Identity identity{"sample", Kind::kHead, "1.0.0", "Apache-2.0", {{"trained-on", "base", sha256(as_bytes("base"))}}};
  Contract contract = test::full_contract();
  Graph graph = test::full_graph();
  std::map<std::string, std::string> tensors{{"table", std::string(96, '\0')}, {"weight", std::string(48, '\1')}};
  std::map<std::string, std::string> assets{{"notes.txt", "one\ntwo\n"}, {"tokenizer.json", R"({"model": {"vocab": {"a": 0, "b": 1}}})"}};
  std::string mediatype = "text/plain";
  std::string card = R"({"title": "Sample", "metrics": [1]})", signatures;
  Compression compression;

  [[nodiscard]] std::string bytes() const {
    ModuleWriter writer(compression);
    writer.set_identity(identity);
    writer.set_contract(contract);
    writer.set_graph(graph);
    for (const auto& [name, data] : tensors) REQUIRE(writer.add_tensor(name, DType::kF32, {data.size() / 4}, as_bytes(data)).ok());
    for (const auto& [name, data] : assets) REQUIRE(writer.add_asset(name, mediatype, as_bytes(data)).ok());
    writer.set_trailer(TrailerKind::kCard, card);
    if (!signatures.empty()) writer.set_trailer(TrailerKind::kSignatures, signatures);
    Result<std::string> out = writer.to_memory();
    REQUIRE(out.ok());
    return std::move(out).value();
  }
};

enum class Content : uint8_t { kSame, kOther };
struct Case {
  const char* what;
  std::function<void(Parts&)> change;
  Counts expected;
  Content content;
};

TEST_CASE("each kind of change is exactly one entry in its section, in both directions") {
  const std::vector<Case> cases = {
      {"a contract field", [](Parts& p) { p.contract.ports[0].dims[1].max = 256; }, {.contract = 1}, Content::kOther},
      {"a requirement", [](Parts& p) { p.contract.requirements.batch_limit = 7; }, {.contract = 1}, Content::kOther},
      {"a port's name", [](Parts& p) { p.contract.ports[0].name = "other"; }, {.contract = 1}, Content::kOther},
      {"a port more", [](Parts& p) { p.contract.ports.push_back(p.contract.ports[1]), p.contract.ports[2].number = 10, p.contract.ports[2].name = "more"; },
       {.contract = 1}, Content::kOther},
      {"the sign of a zero", [](Parts& p) { p.contract.ports[0].values->std[1] = 0.0; }, {.contract = 1}, Content::kOther},
      {"a tensor's bytes", [](Parts& p) { p.tensors["weight"][3] = '\2'; }, {.tensors = 1}, Content::kOther},
      {"a tensor's shape", [](Parts& p) { p.tensors["weight"] += std::string(4, '\1'); }, {.tensors = 1}, Content::kOther},
      {"a tensor more", [](Parts& p) { p.tensors["extra"] = "1234"; }, {.tensors = 1}, Content::kOther},
      {"a tensor's name", [](Parts& p) { p.tensors["w"] = p.tensors["weight"], p.tensors.erase("weight"); }, {.tensors = 1}, Content::kOther},
      {"an attribute", [](Parts& p) { p.graph.nodes[0].attributes[0].value = int64_t{0}; }, {.graph = 1}, Content::kOther},
      {"a tap", [](Parts& p) { p.graph.taps.pop_back(); }, {.graph = 1}, Content::kOther},
      {"an asset's bytes", [](Parts& p) { p.assets["notes.txt"] += "three\n"; }, {.assets = 1}, Content::kOther},
      {"an asset more", [](Parts& p) { p.assets["x"] = "x"; }, {.assets = 1}, Content::kOther},
      {"an asset's name", [](Parts& p) { p.assets["n"] = p.assets["notes.txt"], p.assets.erase("notes.txt"); }, {.assets = 1}, Content::kOther},
      {"the name", [](Parts& p) { p.identity.name = "other"; }, {.identity = 1}, Content::kSame},
      {"the version", [](Parts& p) { p.identity.version = "1.0.1"; }, {.identity = 1}, Content::kSame},
      {"the lineage", [](Parts& p) { p.identity.lineage[0].content = sha256(as_bytes("x")); }, {.identity = 1}, Content::kSame},
      {"a card's field", [](Parts& p) { p.card = R"({"title": "Sample", "metrics": [2]})"; }, {.card = 1, .trailers = 1}, Content::kSame},
      {"a card's blanks", [](Parts& p) { p.card = R"({"title":"Sample", "metrics": [1]})"; }, {.card = 2, .trailers = 1}, Content::kSame},
      {"a signature", [](Parts& p) { p.signatures = "s"; }, {.trailers = 1}, Content::kSame},
      {"the codec", [](Parts& p) { p.compression = {Codec::kZstd, 3}; }, {.layout = 1}, Content::kSame},
      {"a node's name", [](Parts& p) { p.graph.nodes[0].name = "other"; }, {.layout = 1}, Content::kSame},
  };
  const std::string before = Parts{}.bytes();
  for (const Case& each : cases) {
    CAPTURE(each.what);
    Parts parts;
    each.change(parts);
    const std::string after = parts.bytes();
    for (const bool forward : {true, false}) {
      const ModuleDiff diff = forward ? diff_of(before, after) : diff_of(after, before);
      CHECK(counts(diff) == each.expected);
      CHECK(diff.same_content() == (each.content == Content::kSame));
      CHECK_FALSE(diff.same_file());
    }
    CHECK(counts(diff_of(after, after)) == Counts{});
  }
}

TEST_CASE("a renamed port is compared with itself, an index in other bytes is layout") {
  Parts parts;
  parts.contract.ports[0].name = "other";
  CHECK(diff_of(Parts{}.bytes(), parts.bytes()).contract ==
        std::vector<FieldChange>{{"inputs.features.name", "\"features\"", "\"other\""}});
  parts = Parts{};
  parts.mediatype = "text/other";
  const std::vector<FieldChange> layout = diff_of(Parts{}.bytes(), parts.bytes()).layout;
  REQUIRE(layout.size() == 2);
  CHECK(layout[0] == FieldChange{"assets.notes.txt.mediatype", "\"text/plain\"", "\"text/other\""});
}

TEST_CASE("no sample differs from itself, and a swap turns every entry round") {
  std::vector<std::string> all;
  for (const test::Golden& golden : test::golden_modules()) all.push_back(golden.bytes);
  for (const std::string& a : all) {
    CHECK(counts(diff_of(a, a)) == Counts{});
    for (const std::string& b : all) {
      const ModuleDiff forward = diff_of(a, b), back = diff_of(b, a);
      CHECK(forward.same_content() == back.same_content());
      CHECK(counts(forward) == counts(back));
      REQUIRE(forward.contract.size() == back.contract.size());
      for (size_t i = 0; i < forward.contract.size(); ++i) {
        CHECK(forward.contract[i].before == back.contract[i].after);
        CHECK(forward.contract[i].after == back.contract[i].before);
      }
    }
  }
}

TEST_CASE("the payload of equal tensors is not read, that of changed ones only for statistics") {
  Parts parts;
  std::string before = parts.bytes();
  parts.tensors["weight"][0] = '\3';
  std::string after = parts.bytes();
  const auto damage = [](std::string& bytes, const std::string& name) {
    const ModuleView view = view_of(bytes);
    const uint64_t at = view.index().tensors[*view.find_tensor(name)].offset;
    bytes = test::with_flip(bytes, at);
  };
  damage(before, "table");
  damage(after, "table");
  CHECK(counts(diff_of(before, after, Statistics::kYes)) == Counts{.tensors = 1});
  damage(after, "weight");
  CHECK(counts(diff_of(before, after)) == Counts{.tensors = 1});
  const ModuleView a = view_of(before), b = view_of(after);
  const Result<ModuleDiff> read = diff_modules(a, b, Statistics::kYes, {"a.mnet", "b.mnet"});
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().code == Code::kDigest);
  CHECK(read.error().file == "b.mnet");
}

TEST_CASE("statistics are taken of changed tensors with equal shapes") {
  Parts parts;
  parts.tensors["weight"][0] = '\3';
  parts.tensors["table"] += std::string(4, '\0');
  const ModuleDiff diff = diff_of(Parts{}.bytes(), parts.bytes(), Statistics::kYes);
  REQUIRE(diff.tensors.changes.size() == 2);
  CHECK_FALSE(diff.tensors.changes[0].stats.has_value());
  REQUIRE(diff.tensors.changes[1].stats.has_value());
  CHECK(diff.tensors.changes[1].stats->differing == 1);
}

std::string composite_of(const std::map<std::string, std::string>& components) {
  ModuleWriter writer;
  writer.set_identity({"c", Kind::kComposite, "1.0.0", "", {}});
  for (const auto& [slot, bytes] : components) REQUIRE(writer.add_component(slot, as_bytes(bytes)).ok());
  Result<std::string> out = writer.to_memory();
  REQUIRE(out.ok());
  return std::move(out).value();
}

TEST_CASE("components are matched by slot and looked into, equal ones are not opened") {
  Parts changed, recoded;
  changed.tensors["weight"][0] = '\3';
  recoded.compression = {Codec::kZstd, 3};
  const std::string plain = Parts{}.bytes(), encoder = test::encoder_bytes();
  const ModuleDiff diff = diff_of(composite_of({{"a", plain}, {"b", plain}, {"c", encoder}, {"d", encoder}}),
                                  composite_of({{"a", changed.bytes()}, {"b", recoded.bytes()}, {"c", encoder}, {"e", encoder}}));
  CHECK(diff.equal_components == 1);
  REQUIRE(diff.components.size() == 3);
  REQUIRE(diff.components[0].inside != nullptr);
  CHECK(counts(*diff.components[0].inside) == Counts{.tensors = 1});
  REQUIRE(diff.components[1].inside != nullptr);
  CHECK(diff.components[1].inside->same_content());
  CHECK(counts(*diff.components[1].inside) == Counts{.layout = 1});
  CHECK(diff.components[2].change == Change::kRenamed);
  CHECK(diff.components[2].after->slot == "e");

  // A component that is damaged but equal on both sides is never opened.
  std::string broken = composite_of({{"a", plain}, {"c", encoder}}), other = composite_of({{"a", changed.bytes()}, {"c", encoder}});
  for (std::string* each : {&broken, &other})
    *each = test::with_flip(*each, view_of(*each).find_component("c")->offset + 3);
  CHECK(counts(diff_of(broken, other)) == Counts{.components = 1});
}

TEST_CASE("shared components nested many deep are compared once a pair") {
  Parts changed;
  changed.tensors["weight"][0] = '\3';
  std::string before = Parts{}.bytes(), after = changed.bytes();
  for (int depth = 0; depth < 30; ++depth) {  // 2^30 ways lead to the innermost module
    before = composite_of({{"a", before}, {"b", before}});
    after = composite_of({{"a", after}, {"b", after}});
  }
  const ModuleDiff diff = diff_of(before, after);
  REQUIRE(diff.components.size() == 2);
  CHECK(diff.components[0].inside != nullptr);
  CHECK(diff.components[1].inside == nullptr);
  CHECK(diff.components[1].shown_at == "a");
}

}  // namespace
}  // namespace modnet
