// Token ids against the expected ones of ../shared/parity/tokenizers: every string, truncation, the canonical form.
#include <doctest/doctest.h>
#include <simdjson.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "libmod/prepare/text/tokenizer.h"
#include "tests/support/skip.h"

namespace {

using modnet::EncodeOptions;
using modnet::Encoding;
using modnet::Result;
using modnet::Tokenizer;

const char* const kKinds[] = {"bert",    "bert_cased",     "bert_keepaccents", "gpt2",
                              "roberta", "roberta_prefix", "minilm_full"};

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> read_strings(const std::string& folder) {
  std::vector<std::string> out;
  simdjson::dom::parser parser;
  std::ifstream file(folder + "/strings.jsonl");
  for (std::string line; std::getline(file, line);)
    out.emplace_back(std::string_view(parser.parse(line)["s"].get_string()));
  return out;
}

std::vector<int32_t> numbers(simdjson::dom::element array) {
  std::vector<int32_t> out;
  for (const simdjson::dom::element item : simdjson::dom::array(array))
    out.push_back(static_cast<int32_t>(int64_t(item)));
  return out;
}

// The tokenizer of one kind, nothing when it must be left out; minilm_full's comes from the model folder MODNET_MINILM.
std::string tokenizer_json(const std::string& folder, const std::string& kind) {
  if (kind != "minilm_full") return slurp(folder + "/" + kind + "/tokenizer.json");
  const char* const minilm = std::getenv("MODNET_MINILM");
  if (minilm == nullptr) return {};
  return slurp(std::string(minilm) + "/tokenizer.json");
}

int64_t wrong_ids(const Tokenizer& tokenizer, const std::vector<std::string>& strings, const std::string& expected) {
  int64_t wrong = 0, lines = 0;
  simdjson::dom::parser parser;
  Tokenizer::Workspace workspace;
  Encoding encoding;
  std::ifstream file(expected);
  for (std::string line; std::getline(file, line); ++lines) {
    const simdjson::dom::element want = parser.parse(line);
    const std::string& text = strings[static_cast<size_t>(int64_t(want["i"]))];
    const bool same = tokenizer.encode(text, {}, workspace, encoding).ok() && encoding.ids == numbers(want["ids"]);
    if (!same && wrong++ < 5) MESSAGE("string ", lines, ": ", text);
  }
  return lines == static_cast<int64_t>(strings.size()) ? wrong : -1;
}

// Cases of batch.jsonl that one text alone can have: no pairs. Padding is dropped by the mask.
int64_t wrong_batches(const Tokenizer& tokenizer, const std::vector<std::string>& strings, const std::string& batches,
                      int64_t* checked) {
  int64_t wrong = 0;
  simdjson::dom::parser parser;
  std::ifstream file(batches);
  for (std::string line; std::getline(file, line);) {
    const simdjson::dom::element test = parser.parse(line);
    const simdjson::dom::object options = test["kw"];
    if (options["pair"].error() == simdjson::SUCCESS) continue;
    EncodeOptions how;
    int64_t length = 0;
    std::string_view side;
    if (options["max_length"].get(length) == simdjson::SUCCESS) how.max_length = length;
    if (options["side"].get(side) == simdjson::SUCCESS && side == "left") how.side = modnet::TruncationSide::kLeft;
    size_t item = 0;
    for (const simdjson::dom::element index : simdjson::dom::array(test["items"])) {
      const Result<Encoding> got = tokenizer.encode(strings[static_cast<size_t>(int64_t(index))], how);
      REQUIRE(got.ok());
      std::vector<int32_t> ids, types;
      const std::vector<int32_t> mask = numbers(test["mask"].at(item));
      for (size_t k = 0; k < mask.size(); ++k) {
        if (mask[k] == 0) continue;
        ids.push_back(numbers(test["ids"].at(item))[k]);
        types.push_back(numbers(test["types"].at(item))[k]);
      }
      const bool cut = int64_t(test["overflow"].at(item)) > 0;
      if (got->ids != ids || got->type_ids != types || got->truncated != cut) ++wrong;
      ++*checked;
      ++item;
    }
  }
  return wrong;
}

// Runs `check` for every kind whose reference is there.
template <typename F>
void each_kind(F&& check) {
  const auto shared = modnet::test::shared_dir();
  if (!shared) return modnet::test::skip_case("no reference cases (MODNET_SHARED)");
  const std::string folder = *shared + "/parity/tokenizers";
  const std::vector<std::string> strings = read_strings(folder);
  REQUIRE(strings.size() == 2000);
  for (const std::string kind : kKinds) {
    const std::string json = tokenizer_json(folder, kind);
    if (json.empty()) {
      MESSAGE("left out: ", kind, " (MODNET_MINILM names no model folder)");
      continue;
    }
    CAPTURE(kind);
    const Result<Tokenizer> tokenizer = Tokenizer::from_json(json);
    REQUIRE_MESSAGE(tokenizer.ok(), tokenizer.error().where, ": ", tokenizer.error().what);
    check(*tokenizer, strings, folder + "/" + kind);
  }
}

}  // namespace

TEST_CASE("token ids equal the tokenizers library's on every reference string") {
  each_kind([](const Tokenizer& tokenizer, const std::vector<std::string>& strings, const std::string& folder) {
    CHECK(wrong_ids(tokenizer, strings, folder + "/expected.jsonl") == 0);
  });
}

TEST_CASE("a tokenizer read back from its canonical form gives the same ids and the same form") {
  each_kind([](const Tokenizer& tokenizer, const std::vector<std::string>& strings, const std::string& folder) {
    const std::string form = tokenizer.canonical_json();
    const Result<Tokenizer> again = Tokenizer::from_json(form);
    REQUIRE_MESSAGE(again.ok(), again.error().where, ": ", again.error().what);
    CHECK(again->canonical_json() == form);
    CHECK(wrong_ids(*again, strings, folder + "/expected.jsonl") == 0);
  });
}

TEST_CASE("truncation keeps what the tokenizers library keeps, on either side") {
  each_kind([](const Tokenizer& tokenizer, const std::vector<std::string>& strings, const std::string& folder) {
    int64_t checked = 0;
    CHECK(wrong_batches(tokenizer, strings, folder + "/batch.jsonl", &checked) == 0);
    CHECK(checked > 50);
  });
}

TEST_CASE("kinds that are not done are refused with the JSON path") {
  const auto shared = modnet::test::shared_dir();
  if (!shared) return modnet::test::skip_case("no reference cases (MODNET_SHARED)");
  for (const std::string kind : {"t5", "xlmr", "wordlevel", "llama2", "clip", "llama3", "unigram_bytefb"}) {
    const Result<Tokenizer> got =
        Tokenizer::from_json(slurp(*shared + "/parity/tokenizers/" + kind + "/tokenizer.json"));
    CAPTURE(kind);
    REQUIRE(!got.ok());
    CHECK(got.error().id == "UNSUPPORTED");
    CHECK(!got.error().where.empty());
    MESSAGE(kind, ": ", got.error().where, ": ", got.error().what);
  }
}
