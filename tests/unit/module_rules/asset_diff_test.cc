// What is different between two assets: entries of vocabularies and merges, fields of JSON, lines of text, or nothing to show.
#include "libmod/module/asset_diff.h"

#include <doctest/doctest.h>

namespace modnet {
namespace {

using Entries = std::vector<EntryChange>;

TEST_CASE("a vocabulary shows entries that were added, removed and moved") {
  const AssetDetail detail = diff_asset_bytes(R"({"model": {"type": "WordPiece", "vocab": {"a": 0, "b": 1, "c": 2, "d": 3}}})",
                                              R"({"model": {"type": "WordPiece", "vocab": {"a": 0, "c": 1, "d": 3, "e": 2}}})");
  CHECK(detail.form == AssetForm::kTokenizer);
  CHECK(detail.vocabulary ==
        Entries{{Change::kRemoved, "b", 1, std::nullopt}, {Change::kMoved, "c", 2, 1}, {Change::kAdded, "e", std::nullopt, 2}});
  CHECK(detail.fields.empty());
  CHECK(detail.merges.empty());
}

TEST_CASE("a merge that is put first moves no other") {
  const AssetDetail detail = diff_asset_bytes(R"({"model": {"vocab": {"a": 0}, "merges": ["a b", "b c", "c d"]}})",
                                              R"({"model": {"vocab": {"a": 0}, "merges": ["x y", "b c", ["a", "b"], "c d"]}})");
  CHECK(detail.form == AssetForm::kTokenizer);
  CHECK(detail.vocabulary.empty());
  REQUIRE(detail.merges.size() == 2);
  CHECK(detail.merges[0] == EntryChange{Change::kAdded, "x y", std::nullopt, 0});
  CHECK(detail.merges[1].change == Change::kMoved);
}

TEST_CASE("added tokens are compared by their text, other fields of a tokenizer by path") {
  const AssetDetail detail =
      diff_asset_bytes(R"({"model": {"vocab": {"a": 0}}, "added_tokens": [{"content": "A", "id": 1}, {"content": "B", "id": 2}]})",
                       R"({"model": {"vocab": {"a": 0}}, "added_tokens": [{"content": "B", "id": 3}, {"content": "A", "id": 1}]})");
  CHECK(detail.fields == std::vector<FieldChange>{{"added_tokens.B.id", "2", "3"}});
}

TEST_CASE("other JSON is compared by fields, JSON that says the same by lines, other text by lines, the rest not at all") {
  CHECK(diff_asset_bytes(R"({"a": 1})", R"({"a": 2})").form == AssetForm::kJson);
  const AssetDetail spaces = diff_asset_bytes("{\"a\": 1}\n", "{ \"a\": 1}\n");
  CHECK(spaces.form == AssetForm::kText);
  CHECK(spaces.fields.empty());
  CHECK(spaces.lines.size() == 2);
  CHECK(diff_asset_bytes("one\ntwo\n", "one\n").lines == std::vector<LineChange>{{Change::kRemoved, 2, "two"}});
  const AssetDetail binary = diff_asset_bytes("\xff\x01", "\xff\x02");
  CHECK(binary.form == AssetForm::kBinary);
  CHECK(binary.lines.empty());
  CHECK(diff_asset_bytes("line", "line\n").form == AssetForm::kBinary);  // the last line break shows in no line
}

TEST_CASE("what looks like a tokenizer and is none is compared as JSON") {
  CHECK(diff_asset_bytes(R"({"model": {"vocab": {"a": "x"}}})", R"({"model": {"vocab": {"a": "y"}}})").fields ==
        std::vector<FieldChange>{{"model.vocab.a", "\"x\"", "\"y\""}});
  CHECK(diff_asset_bytes(R"({"model": {"vocab": {"a": 0}, "merges": [3]}})", R"({"model": {"vocab": {"a": 0}, "merges": [4]}})").form ==
        AssetForm::kJson);
  CHECK(diff_asset_bytes(R"({"model": {"vocab": {"a": 0, "a": 1}}})", R"({"model": {"vocab": {"a": 1}}})").form == AssetForm::kText);
}

}  // namespace
}  // namespace modnet
