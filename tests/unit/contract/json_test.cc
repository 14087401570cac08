// Contracts as JSON: there and back with every field set, one text for equal contracts, and errors that name the path.
#include "libmod/contract/json.h"

#include <doctest/doctest.h>

#include "libmod/contract/names.h"

namespace modnet {
namespace {

Digest digest_of(std::string_view text) { return sha256(as_bytes(text)); }

/// Every field of every record differs from its default.
Contract full() {
  Port port;
  port.number = 7;
  port.direction = Direction::kOutput;
  port.name = "features";
  port.value = "x \"quoted\" ü";
  port.dtype = DType::kBF16;
  port.layout = Layout::kRagged;
  port.dims = {{"B", 0, 2, 64, 4}, {"", 384, 1, 0, 1}};
  port.semantic = Semantic::kTokenEmbedding;
  port.optional = true;
  port.sequence = SequenceRecord{2, 512, -100, Side::kLeft, MaskPolarity::kOneIsPad, true, 160, 16000.5, "state"};
  port.values = ValuesRecord{-1.5, 0.1, {0.485, 1e-300}, {0.229, 3.0}, NormKind::kL2, NonFinite::kReject, 1e-6};
  port.preparation = PreparationRecord{"wordpiece", digest_of("vocabulary"), {{"cls", 101}, {"none", -1}}, "nfc", "bilinear", {"query: ", ""}};
  port.space = SpaceRecord{"minilm/mean-l2", "2",           digest_of("fingerprint"), digest_of("root"),   Metric::kDot,
                           Pooling::kCls,    true,          {1, 64, 18446744073709551615u}, digest_of("probes")};
  port.labels = LabelsRecord{{"admin", "débug", ""}, false, {0.5, 0.25, 0.125}};
  port.quantisation = QuantisationRecord{"symmetric-i8", "channel"};
  Port plain;
  plain.number = 9;
  plain.direction = Direction::kInput;
  plain.name = "tokens";
  plain.dtype = DType::kI32;
  plain.semantic = Semantic::kTokens;
  Contract contract;
  contract.ports = {port, plain};
  Requirements& needs = contract.requirements;
  needs.min_reader_major = 2;
  needs.min_reader_minor = 3;
  needs.ops = {{"", "Gemm", 13}, {"modnet", "Attention", 2}};
  needs.batch_limit = 1024;
  needs.memory = uint64_t{1} << 40;
  needs.determinism = Determinism::kMachine;
  needs.licence = "GPL-3.0-or-later";
  needs.base_content = digest_of("base");
  needs.composes = {{"backbone", ">=1.2 <2"}, {"encoder", "*"}};
  return contract;
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

Error error_of(const std::string& text) {
  const Result<Contract> got = contract_from_json(text);
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().code == Code::kMalformed);
  return got.error();
}

template <typename E>
void there_and_back(int64_t names) {
  CHECK(static_cast<int64_t>(names_of<E>().size()) == names);
  int number = 0;
  for (const NameRow<E>& row : names_of<E>()) {
    CAPTURE(row.name);
    CHECK(static_cast<int>(row.value) == ++number);  // no number is left out
    CHECK(name_of(row.value) == row.name);
    CHECK(from_name<E>(row.name) == row.value);
  }
  CHECK(name_of(static_cast<E>(0)) == "unknown");
  CHECK(name_of(static_cast<E>(200)) == "unknown");
  CHECK_FALSE(from_name<E>("unknown"));
  CHECK_FALSE(from_name<E>(""));
}

TEST_CASE("every name of an enum goes there and back, and none is missing") {
  there_and_back<Direction>(static_cast<int>(Direction::kOutput));
  there_and_back<Layout>(static_cast<int>(Layout::kChannelsLast));
  there_and_back<Semantic>(static_cast<int>(Semantic::kScores));
  there_and_back<Side>(static_cast<int>(Side::kNone));
  there_and_back<MaskPolarity>(static_cast<int>(MaskPolarity::kAdditive));
  there_and_back<NormKind>(static_cast<int>(NormKind::kSoftmax));
  there_and_back<NonFinite>(static_cast<int>(NonFinite::kNever));
  there_and_back<Metric>(static_cast<int>(Metric::kL2));
  there_and_back<Pooling>(static_cast<int>(Pooling::kMax));
  there_and_back<Determinism>(static_cast<int>(Determinism::kNone));
  there_and_back<Kind>(static_cast<int>(Kind::kComposite));
}

TEST_CASE("a contract with every field set comes back as it was") {
  const Contract contract = full();
  const std::string text = contract_to_json(contract);
  const Result<Contract> back = contract_from_json(text);
  if (!back.ok()) FAIL(back.error().where, ": ", back.error().what);
  CHECK(*back == contract);
  CHECK(contract_to_json(*back) == text);
  CHECK(text.find('\n') == std::string::npos);
}

TEST_CASE("a contract of defaults comes back as it was") {
  for (const Contract& contract : {Contract{}, [] {
         Contract one;
         Port port;
         port.dtype = DType::kF32;
         port.sequence.emplace();
         port.values.emplace();
         port.preparation.emplace();
         port.space.emplace();
         port.labels.emplace();
         port.quantisation.emplace();
         one.ports = {port};
         return one;
       }()}) {
    const Result<Contract> back = contract_from_json(contract_to_json(contract));
    if (!back.ok()) FAIL(back.error().where, ": ", back.error().what);
    CHECK(*back == contract);
  }
}

TEST_CASE("text that is not UTF-8 is written with replacement characters") {
  Contract contract = full();
  contract.ports[0].labels->names[0] = "a\xff";
  const Result<Contract> back = contract_from_json(contract_to_json(contract));
  REQUIRE(back.ok());
  CHECK(back->ports[0].labels->names[0] == "a\xef\xbf\xbd");
}

TEST_CASE("changing any one value changes the text") {
  const std::string text = contract_to_json(full());
  Contract other = full();
  other.ports[0].values->tolerance = 2e-6;
  CHECK(contract_to_json(other) != text);
  other = full();
  other.ports[0].sequence->pad_id = 100;
  CHECK(contract_to_json(other) != text);
  other = full();
  other.requirements.composes[1].range = "<3";
  CHECK(contract_to_json(other) != text);
}

TEST_CASE("an unknown key is an error at its path") {
  const std::string text = contract_to_json(full());
  Error error = error_of(with(text, "\"causal\":true", "\"causal\":true,\"colour\":1"));
  CHECK(error.where == "contract.ports[0].sequence");
  CHECK(error.what.find("'colour'") != std::string::npos);
  error = error_of(with(text, "{\"ports\":[", "{\"porst\":[],\"ports\":["));
  CHECK(error.where == "contract");
  CHECK(error.what.find("'porst'") != std::string::npos);
  error = error_of(with(text, "\"role\":\"none\"", "\"role\":\"none\",\"x\":null"));
  CHECK(error.where == "contract.ports[0].preparation.special_ids[1]");
}

TEST_CASE("a wrong type is an error at its path") {
  const std::string text = contract_to_json(full());
  const auto at = [&](const std::string& from, const std::string& to) { return error_of(with(text, from, to)).where; };
  CHECK(at("\"number\":7", "\"number\":\"7\"") == "contract.ports[0].number");
  CHECK(at("\"number\":7", "\"number\":-7") == "contract.ports[0].number");
  CHECK(at("\"number\":7", "\"number\":4294967296") == "contract.ports[0].number");
  CHECK(at("\"number\":7", "\"number\":7.5") == "contract.ports[0].number");
  CHECK(at("\"optional\":true", "\"optional\":1") == "contract.ports[0].optional");
  CHECK(at("\"pad_id\":-100", "\"pad_id\":9223372036854775808") == "contract.ports[0].sequence.pad_id");
  CHECK(at("\"low\":-1.5", "\"low\":null") == "contract.ports[0].values.low");
  CHECK(at("\"names\":[\"admin\",", "\"names\":[3,") == "contract.ports[0].labels.names");
  CHECK(at("\"ops\":[{", "\"ops\":[3,{") == "contract.requirements.ops[0]");
  CHECK(at("\"max\":64", "\"max\":[]") == "contract.ports[0].dims[0].max");
  CHECK(error_of("{\"ports\":{}}").where == "contract.ports");
  CHECK(error_of("[]").where == "contract");
  CHECK(error_of("{\"requirements\":[]}").where == "contract.requirements");
}

TEST_CASE("a word that no enum knows, a bad digest and a bad dtype are errors at their path") {
  const std::string text = contract_to_json(full());
  const auto at = [&](const std::string& from, const std::string& to) { return error_of(with(text, from, to)).where; };
  CHECK(at("\"metric\":\"dot\"", "\"metric\":\"hamming\"") == "contract.ports[0].space.metric");
  CHECK(at("\"metric\":\"dot\"", "\"metric\":2") == "contract.ports[0].space.metric");
  CHECK(at("\"layout\":\"ragged\"", "\"layout\":\"unknown\"") == "contract.ports[0].layout");
  CHECK(at("\"determinism\":\"machine\"", "\"determinism\":\"\"") == "contract.requirements.determinism");
  CHECK(at("\"dtype\":\"bf16\"", "\"dtype\":\"f12\"") == "contract.ports[0].dtype");
  CHECK(at("\"dtype\":\"bf16\",", "") == "contract.ports[0].dtype");
  CHECK(at(hex(digest_of("root")), hex(digest_of("root")).substr(1)) == "contract.ports[0].space.root");
  CHECK(at(hex(digest_of("base")), "x" + hex(digest_of("base")).substr(1)) == "contract.requirements.base_content");
}

TEST_CASE("what is not JSON is refused") {
  for (const char* text : {"", "{", "{\"ports\":[]", "nonsense", "{\"ports\":[]} trailing", "{\"a\":\"\xff\"}"}) {
    CAPTURE(text);
    const Result<Contract> got = contract_from_json(text);
    REQUIRE_FALSE(got.ok());
    CHECK(got.error().code == Code::kMalformed);
    CHECK(got.error().what.find("not JSON") != std::string::npos);
  }
}

}  // namespace
}  // namespace modnet
