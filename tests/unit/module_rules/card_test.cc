// The card as a document: what is read is written again in one form, what is wrong is named, edits follow the schema.
#include "libmod/module/card.h"

#include <doctest/doctest.h>

#include "libmod/module/card_text.h"

using namespace modnet;

namespace {
const std::string kDigest(64, 'a');
const std::string kDocument =
    R"({"schema":"modnet.card.v1","intended_use":"news","authors":["A"],"training_data":[{"name":"t.arrow","digest":"sha256:)" + kDigest +
    R"(","rows":3,"labels":[{"label":"x","rows":2},{"label":"y","rows":1}]}],"metrics":[{"answer":"s","name":"accuracy","value":0.9,"low":0.8,"high":0.95,)"
    R"("data":[{"name":"d"}]}],"changes":[{"version":"1.0.0","date":"2026-11-25","text":"first"}],"training":{"z":1,"a":[1.5,2]},"extra":{"k":"v"}})";

Card card_of(const std::string& text) {
  Result<Card> card = card_from_json(text);
  REQUIRE_MESSAGE(card.ok(), (card.ok() ? std::string() : card.error().what));
  return *card;
}
std::string where_of(const std::string& text) {
  const Result<Card> card = card_from_json(text);
  REQUIRE_FALSE(card.ok());
  CHECK(card.error().code == Code::kMalformed);
  return card.error().where;
}
std::string with(const std::string& fields) { return R"({"schema":"modnet.card.v1",)" + fields + "}"; }
}  // namespace

TEST_CASE("a card is written as it was read, the training report with its own order of keys") {
  CHECK(*card_to_json(card_of(kDocument)) == kDocument);
  CHECK(*card_to_json(Card{}) == R"({"schema":"modnet.card.v1"})");
  CHECK(card_of("") == Card{});
}

TEST_CASE("what is wrong in a card is named by its path") {
  CHECK(where_of(with(R"("intended":"x")")) == "intended");
  CHECK(where_of(with(R"("intended_use":1)")) == "intended_use");
  CHECK(where_of(with(R"("authors":["a",2])")) == "authors[1]");
  CHECK(where_of(with(R"("metrics":[{"name":"a","value":"high"}])")) == "metrics[0].value");
  CHECK(where_of(with(R"("metrics":[{"name":"a"}])")) == "metrics[0].value");
  CHECK(where_of(with(R"("metrics":[{"name":"a","value":1,"low":2,"high":1}])")) == "metrics[0].low");
  CHECK(where_of(with(R"("metrics":[{"name":"a","value":1,"low":0}])")) == "metrics[0].high");
  CHECK(where_of(with(R"("training_data":[{"name":"a","digest":"sha256:1"}])")) == "training_data[0].digest");
  CHECK(where_of(with(R"("training_data":[{"name":"a","rows":-1}])")) == "training_data[0].rows");
  CHECK(where_of(with(R"("training_data":[{"name":"a","quantiles":[{"share":2,"value":0}]}])")) == "training_data[0].quantiles[0].share");
  CHECK(where_of(with(R"("changes":[{"version":"1","date":"2026-11-25","text":"x"}])")) == "changes[0].version");
  CHECK(where_of(with(R"("changes":[{"version":"1.0.0","date":"2026-02-29","text":"x"}])")) == "changes[0].date");
  CHECK(where_of(with(R"("training":[])")) == "training");
  CHECK(where_of(R"({"schema":"modnet.card.v2"})") == "schema");
  CHECK(where_of("{}") == "schema");
}

TEST_CASE("bytes that are no JSON document of ours are refused, not guessed at") {
  for (const std::string& bad : {std::string("{"), std::string("[]"), std::string("{\"schema\":\"modnet.card.v1\",\"contact\":\"\xff\"}"),
                                 with(R"("contact":"a","contact":"b")"), with("\"extra\":{\"a\":" + std::string(80, '[') + std::string(80, ']') + "}"),
                                 with(R"("contact":")" + std::string(70000, 'x') + "\""), std::string(1, '\0')})
    CHECK(card_from_json(bad).error().code == Code::kMalformed);
}

TEST_CASE("a field is set by its path with the type that the schema gives it") {
  Card card = card_of(kDocument);
  CHECK(set_card_field(card, "intended_use", "mail").ok());
  CHECK(set_card_field(card, "authors.1", "B").ok());
  CHECK(set_card_field(card, "metrics.0.value", "0.5").ok());
  CHECK(set_card_field(card, "training_data.0.labels.1.rows", "7").ok());
  CHECK(set_card_field(card, "references", R"(["one","two"])").ok());
  CHECK(set_card_field(card, "extra.team.name", "ml").ok());
  CHECK(set_card_field(card, "metrics.0.baseline", "0.1").ok());
  CHECK(set_card_field(card, "metrics.0.baseline", "").ok());
  CHECK(card.intended_use == "mail");
  CHECK(card.authors == std::vector<std::string>{"A", "B"});
  CHECK(card.metrics[0].value == 0.5);
  CHECK_FALSE(card.metrics[0].baseline.has_value());
  CHECK(card.training_data[0].labels[1].rows == 7);
  CHECK(card.references == std::vector<std::string>{"one", "two"});
  CHECK(card.extra == R"({"k":"v","team":{"name":"ml"}})");
  CHECK(card.training == card_of(kDocument).training);
  const Card before = card;
  for (const char* path : {"intended", "training_data.0.contact", "training_data.0.metrics", "authors.5", "metrics.x.value", "contact.more", "training.rows", "changes.0.text",
                           "accepted", "licence", "version", "schema", ""}) {
    CAPTURE(path);
    CHECK(set_card_field(card, path, "x").error().code == Code::kUsage);
    CHECK(card == before);
  }
  CHECK_FALSE(set_card_field(card, "metrics.0.value", "many").ok());
  CHECK_FALSE(set_card_field(card, "training_data.0.digest", "sha256:12").ok());
}

TEST_CASE("a merge replaces what it names, takes away what is null, and leaves records of commands alone") {
  const Card card = card_of(kDocument);
  const Result<Card> merged = merge_card(card, R"({"contact":"c@d","authors":["Z"],"extra":{"k":null,"n":1},"metrics":null})");
  REQUIRE(merged.ok());
  CHECK(merged->contact == "c@d");
  CHECK(merged->authors == std::vector<std::string>{"Z"});
  CHECK(merged->metrics.empty());
  CHECK(merged->extra == R"({"n":1})");
  CHECK(merged->training == card.training);
  CHECK(merged->changes == card.changes);
  CHECK(merge_card(card, R"({"training":{}})").error().code == Code::kUsage);
  CHECK(merge_card(card, R"({"changes":[]})").error().code == Code::kUsage);
  CHECK(merge_card(card, R"({"nonsense":1})").error().where == "nonsense");
  CHECK(merge_card(card, "[]").error().code == Code::kMalformed);
}

TEST_CASE("figures of an evaluation come with the digests of model and data, and only this module's") {
  Digest content{};
  content.fill(0xaa);
  const std::string other(64, 'b');
  const std::string report = R"({"schema":"modnet.eval.v1","policy":"portable","data_files":[{"name":"t.tsv","digest":"sha256:)" + kDigest +
                             R"("}],"models":[{"name":"h","content":"sha256:)" + kDigest + R"("}],"answers":{"s":{"model":"sha256:)" + kDigest +
                             R"(","rows":9,"figures":{"accuracy":{"value":0.7,"interval_95":[0.6,0.8],"baseline":0.5},"log_loss":{"value":null}}},"o":{"model":"sha256:)" + other +
                             R"(","rows":9,"figures":{"accuracy":{"value":0.1}}}}})";
  Card card = card_of(kDocument);
  CHECK(*add_eval_metrics(card, report, content) == 1);
  CHECK(*add_eval_metrics(card, report, content) == 1);  // the same figure is replaced
  REQUIRE(card.metrics.size() == 2);
  CHECK(card.metrics[1].value == 0.7);
  CHECK(*card.metrics[1].low == 0.6);
  CHECK(card.metrics[1].data == std::vector<CardSource>{{"t.tsv", content}});
  CHECK(card.metrics[1].models == std::vector<CardSource>{{"h", content}});
  CHECK(*card.metrics[1].rows == 9);
  const Card before = card;
  CHECK(add_eval_metrics(card, report, Digest{}).error().code == Code::kInvalid);
  CHECK(add_eval_metrics(card, R"({"schema":"modnet.eval.v1","answers":{}})", content).error().where == "data_files");
  CHECK(add_eval_metrics(card, "{}", content).error().where == "schema");
  CHECK(card == before);
}

TEST_CASE("nothing that a card says drives a terminal, or is taken for Markdown, HTML or YAML") {
  Card card;
  card.intended_use = "# not a heading\n- no list\n1. none\n<script>x</script> [l](javascript:1) \x1b[2J \u202e\n---";
  CardMetric metric;
  metric.answer = "a|b";
  metric.name = "x\"\nlicense: evil";
  metric.value = 1;
  card.metrics.push_back(metric);
  Identity identity;
  identity.name = "n";
  identity.kind = Kind::kHead;
  identity.licence = "MIT\"\nevil: yes";
  const std::string markdown = card_markdown(card, identity), text = card_text(card, identity);
  for (const std::string& shown : {markdown, text}) {
    CHECK(shown.find('\x1b') == std::string::npos);
    CHECK(shown.find("\u202e") == std::string::npos);
  }
  CHECK(markdown.find("<script") == std::string::npos);
  CHECK(markdown.find("\n# not") == std::string::npos);
  CHECK(markdown.find("\n- no list") == std::string::npos);
  CHECK(markdown.find("\n1. none") == std::string::npos);
  CHECK(markdown.find("[l](") == std::string::npos);
  CHECK(markdown.find("a|b") == std::string::npos);
  CHECK(markdown.find("\nevil: yes") == std::string::npos);
  CHECK(markdown.find("\nlicense: evil") == std::string::npos);
  CHECK(markdown.find("license: \"mit\\\"\\\\nevil: yes\"\n") != std::string::npos);
}
