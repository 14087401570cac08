#include "commands/eval.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "commands/answers.h"
#include "commands/embedding_cache.h"
#include "commands/label.h"
#include "commands/scoring.h"
#include "formats/base/text.h"
#include "libmod/contract/names.h"
#include "libmod/metrics/report.h"

namespace modnet {
namespace {

/// Everything collected for one answering port.
struct Collected {
  std::vector<float> values;  // [rows, width]
  int64_t width = 1;
};

std::string fixed(double value, int digits = 4) {
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  return std::isfinite(value) ? std::string(buffer) : std::string("undefined");
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json figures_json(const std::vector<Figure>& figures) {
  Json out = Json::object();
  for (const Figure& figure : figures) {
    Json one{{"value", number(figure.value)}};
    if (figure.interval) one["interval_95"] = {number(figure.interval->low), number(figure.interval->high)};
    if (figure.baseline) one["baseline"] = number(*figure.baseline);
    out[std::string(figure.name)] = one;
  }
  return out;
}

std::string figures_text(const std::vector<Figure>& figures) {
  std::string out = "  " + padded("", 24) + padded("value", 10) + padded("95 % interval", 20) + "baseline\n";
  for (const Figure& figure : figures) {
    out += "  " + padded(std::string(figure.name), 24) + padded(fixed(figure.value), 10);
    out += padded(figure.interval ? fixed(figure.interval->low) + " – " + fixed(figure.interval->high) : "", 20);
    out += (figure.baseline ? fixed(*figure.baseline) : "") + "\n";
  }
  return out;
}

/// Files that hold the data, mapped while they are read, so that a digest is of what was measured on. Pipes have none.
Result<std::vector<MappedFile>> open_data_files(const DataOptions& data) {
  std::vector<MappedFile> out;
  for (const std::string& path : {data.path, data.labels_file}) {
    std::error_code error;
    if (path.empty() || path == "-" || !std::filesystem::is_regular_file(path, error)) continue;
    MODNET_ASSIGN(MappedFile file, MappedFile::open(path));
    out.push_back(std::move(file));
  }
  return out;
}

/// Names without their folders: what is noted on a card does not depend on where files lay.
Result<Json> data_files_json(const std::vector<MappedFile>& files) {
  Json out = Json::array();
  for (const MappedFile& file : files) {
    MODNET_TRY(file.unchanged());
    out.push_back({{"name", file.path().substr(file.path().rfind('/') + 1)}, {"digest", "sha256:" + hex(sha256(file.bytes()))}});
  }
  return out;
}

Json models_json(const AnswerRun& run) {
  Json out = Json::array();
  for (const auto& module : run.modules())
    out.push_back({{"name", module->view.index().identity.name}, {"content", "sha256:" + hex(module->view.digests().content)}});
  return out;
}

/// Figures that need probabilities: a head that gives scores only has none of them.
constexpr std::string_view kProbabilityFigures[] = {"log_loss", "brier", "ece_15"};

class Evaluation {
 public:
  Evaluation(const Invocation& invocation, AnswerRun& run, const std::vector<MappedFile>& data) : invocation_(invocation), run_(run), data_(data) {}

  Status collect() {
    collected_.resize(run_.ports().size());
    ItemBatch batch;
    std::vector<OutputColumn> columns;
    for (;;) {
      MODNET_ASSIGN(const bool more, run_.next(read_rows(invocation_), &batch, &columns));
      if (!more) break;
      for (size_t p = 0; p < columns.size(); ++p) {
        collected_[p].width = columns[p].width;
        collected_[p].values.insert(collected_[p].values.end(), columns[p].values.begin(), columns[p].values.end());
      }
      for (int64_t i = 0; i < batch.rows; ++i) {
        if (!batch.lines.empty()) lines_.push_back(batch.lines[static_cast<size_t>(i)]);
        if (!batch.labels.empty()) labels_.emplace_back(batch.labels[static_cast<size_t>(i)]);
      }
      numbers_.insert(numbers_.end(), batch.label_values.begin(), batch.label_values.end());
      rows_ += batch.rows;
      invocation_.console.progress("eval", rows_, 0);
    }
    invocation_.console.clear_progress();
    if (rows_ == 0) return invalid("there are no items to evaluate on").in_file(run_.source().name());
    return ok();
  }

  Status classify(const AnswerPort& answer, const Collected& data, Json& json, std::string& text) {
    const Port& port = answer.port;
    const auto classes = data.width;
    MODNET_ASSIGN(const std::vector<int32_t> truth, class_numbers(port, answer.name, labels_, [&](size_t item) { return place(item); }));
    MODNET_ASSIGN(const std::vector<double> probabilities, class_probabilities(port, data.values, classes));
    const bool scores = port.semantic == Semantic::kScores;
    MODNET_ASSIGN(ClassificationReport report, classification_report({truth, probabilities, classes}, facts_of(answer.card).class_counts, bootstrap_options(), run_.engine().pool.get()));
    if (scores)
      std::erase_if(report.figures, [](const Figure& figure) { return std::find(std::begin(kProbabilityFigures), std::end(kProbabilityFigures), figure.name) != std::end(kProbabilityFigures); });
    json = {{"kind", "classification"}, {"rows", report.rows}, {"classes", classes}, {"figures", figures_json(report.figures)}};
    json["baseline"] = {{"label", port.labels->names[static_cast<size_t>(report.baseline.label)]}, {"from", facts_of(answer.card).class_counts.empty() ? "data" : "training"}};
    json["per_class"] = Json::array();
    for (int64_t c = 0; c < classes; ++c) {
      const ClassScores& one = report.per_class[static_cast<size_t>(c)];
      json["per_class"].push_back({{"label", port.labels->names[static_cast<size_t>(c)]}, {"precision", one.precision}, {"recall", one.recall}, {"f1", one.f1}, {"support", one.support}});
    }
    json["confusion"] = Json::array();
    for (int64_t t = 0; t < classes; ++t) {
      Json row = Json::array();
      for (int64_t p = 0; p < classes; ++p) row.push_back(static_cast<int64_t>(report.confusion.at(t, p)));
      json["confusion"].push_back(row);
    }
    text = figures_text(report.figures);
    if (scores) text += "  the head gives scores, not probabilities: log loss, Brier and calibration do not apply\n";
    text += "  baseline: always '" + escape_text(port.labels->names[static_cast<size_t>(report.baseline.label)]) + "'\n\n";
    text += class_table(port, report);
    if (!invocation_.args.flag("no-confusion")) text += "\n" + confusion_table(port, report);
    return ok();
  }

  Status regress(const AnswerPort& answer, const Collected& data, Json& json, std::string& text) {
    if (data.width != 1) return usage("'" + answer.name + "' gives " + std::to_string(data.width) + " values an item; the data has one label");
    std::vector<double> truth = numbers_;
    MODNET_ASSIGN(const std::vector<double> read, number_labels(labels_, [&](size_t item) { return place(item); }));
    truth.insert(truth.end(), read.begin(), read.end());
    const std::vector<double> predicted(data.values.begin(), data.values.end());
    MODNET_ASSIGN(const RegressionReport report, regression_report({truth, predicted, 1}, facts_of(answer.card).mean, bootstrap_options(), run_.engine().pool.get()));
    json = {{"kind", "regression"}, {"rows", report.rows}, {"figures", figures_json(report.figures)}, {"baseline", report.baseline}};
    text = figures_text(report.figures) + "  baseline: always " + fixed(report.baseline.at(0)) + "\n";
    return ok();
  }

  Result<int> run() {
    MODNET_TRY(collect());
    Json answers = Json::object();
    std::string text;
    for (size_t p = 0; p < run_.ports().size(); ++p) {
      const AnswerPort& answer = run_.ports()[p];
      Json one;
      std::string part;
      Status status = answer.port.semantic == Semantic::kValue ? regress(answer, collected_[p], one, part) : classify(answer, collected_[p], one, part);
      if (!status.ok()) return std::move(status).error().in_file(run_.source().name());
      one["model"] = "sha256:" + hex(answer.content);
      answers[answer.name] = one;
      text += (p > 0 ? "\n" : "") + escape_text(answer.name) + ": " + std::to_string(rows_) + " items\n" + part;
    }
    note_seal(run_.source(), invocation_.console);
    note_checks(run_.chains(), invocation_.console);
    const RunCounts& counts = run_.counts();
    note_truncated(counts, invocation_.console);
    const bool json = invocation_.console.json();
    Json data_files = Json::array();
    if (json) {
      MODNET_ASSIGN(data_files, data_files_json(data_));
    }
    invocation_.console.print(text);
    Json document{{"data", run_.source().name()}, {"data_files", data_files}, {"models", models_json(run_)}, {"items", counts.items}, {"tokens", counts.tokens}, {"truncated", counts.truncated},
                  {"policy", run_.engine().policy}, {"seed", invocation_.args.integer("seed")}, {"replicates", invocation_.args.integer("replicates")}, {"answers", answers}};
    finish_cache(invocation_, run_.engine(), run_.chains(), document);
    note_profile(run_.engine(), invocation_.console, document);
    invocation_.console.emit_json(document);
    return kExitOk;
  }

 private:
  BootstrapOptions bootstrap_options() const {
    return {invocation_.args.integer("replicates"), static_cast<uint64_t>(invocation_.args.integer("seed"))};
  }
  std::string place(size_t item) const { return lines_.empty() ? "item " + std::to_string(item) : std::to_string(lines_[item]); }

  static std::string class_table(const Port& port, const ClassificationReport& report) {
    std::string out = "  " + padded("label", 24) + padded("precision", 11) + padded("recall", 9) + padded("f1", 9) + "items\n";
    for (size_t c = 0; c < report.per_class.size(); ++c) {
      const ClassScores& one = report.per_class[c];
      out += "  " + padded(escape_text(port.labels->names[c]), 24) + padded(fixed(one.precision, 3), 11) + padded(fixed(one.recall, 3), 9) + padded(fixed(one.f1, 3), 9) +
             std::to_string(static_cast<int64_t>(one.support)) + "\n";
    }
    return out;
  }

  /// Rows are true labels, columns predicted ones, by number; wide tables are left to --json.
  static std::string confusion_table(const Port& port, const ClassificationReport& report) {
    const int64_t n = report.confusion.classes;
    if (n > 30) return "  confusion matrix: " + std::to_string(n) + " labels, see --json\n";
    std::string out = "  confusion (rows: true, columns: predicted)\n  " + padded("", 24);
    for (int64_t p = 0; p < n; ++p) out += padded(std::to_string(p + 1), 5);
    out += "\n";
    for (int64_t t = 0; t < n; ++t) {
      out += "  " + padded(std::to_string(t + 1) + " " + escape_text(port.labels->names[static_cast<size_t>(t)]), 24);
      for (int64_t p = 0; p < n; ++p) out += padded(report.confusion.at(t, p) == 0 ? "·" : std::to_string(static_cast<int64_t>(report.confusion.at(t, p))), 5);
      out += "\n";
    }
    return out;
  }

  const Invocation& invocation_;
  AnswerRun& run_;
  const std::vector<MappedFile>& data_;
  std::vector<Collected> collected_;
  std::vector<std::string> labels_;
  std::vector<double> numbers_;
  std::vector<int64_t> lines_;
  int64_t rows_ = 0;
};

Result<int> run(Invocation& invocation) {
  const Arguments& args = invocation.args;
  std::vector<std::string> models = args.words("MODEL");  // the last word is the data
  if (models.size() < 2) return usage("expected at least one model and the data", "use - for data on standard input");
  const std::string data = models.back();
  models.pop_back();
  const DataOptions options = read_data_options(args, data);
  MODNET_ASSIGN(AnswerRun answers, AnswerRun::open(invocation, models, options, args.text("encoder"), args.list("output-port")));
  if (!answers.source().has_labels())
    return usage("the data has no labels to compare with", "give --label COLUMN, or --labels FILE").in_file(answers.source().name());
  MODNET_ASSIGN(const std::vector<MappedFile> files, open_data_files(options));
  return Evaluation(invocation, answers, files).run();
}

}  // namespace

CommandSpec eval_command() {
  return {
      .name = "eval",
      .group = "run modules",
      .summary = "measure answers against labels, with intervals and a baseline",
      .description =
          "Runs composites on labelled raw data, or heads on a labelled stream of embeddings, and reports metrics. Classification: accuracy, "
          "balanced accuracy, F1, log loss, Brier score, calibration error, a table by class and the confusion matrix. Regression: R², MAE, RMSE.\n\n"
          "Intervals are 95 % percentile bootstraps over items, seeded. The baseline gives the same answer to every item: the most "
          "frequent label, or the mean, of the training data that the head's card records.",
      .positionals = {{.name = "MODEL", .help = "one model or more, then the data; - is standard input", .maximum = PositionalSpec::kMany}},
      .options = joined({{{.name = "replicates", .type = OptionType::kInteger, .metavar = "N", .help = "bootstrap samples; 0 leaves the intervals out", .default_text = "1000", .minimum = 0, .maximum = 1e6},
                          {.name = "seed", .type = OptionType::kInteger, .metavar = "N", .help = "of the bootstrap", .default_text = "0", .minimum = 0, .maximum = 9e15},
                          {.name = "no-confusion", .help = "leave the confusion matrix out of the text"},
                          {.name = "output-port", .type = OptionType::kTextList, .metavar = "NAME", .help = "only this answer"},
                          {.name = "encoder", .type = OptionType::kPath, .metavar = "FILE", .help = "encoder for raw data, where the model has none"}},
                         data_options(),
                         run_options(),
                         cache_options()}),
      .computes = Computes::kPolicy,
      .examples = "modnet eval sections-model.mnet test.tsv --text text --label section\nmodnet eval sections.mnet test.arrow --json",
      .run = run,
  };
}

}  // namespace modnet
