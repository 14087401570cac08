#include "commands/predict.h"

#include <algorithm>
#include <numeric>

#include <nlohmann/json.hpp>

#include "commands/answers.h"
#include "commands/embedding_cache.h"
#include "formats/arrow/builder.h"
#include "formats/base/text.h"
#include "libmod/metrics/probability.h"

namespace modnet {
namespace {

enum class Form : uint8_t { kJsonl, kCsv, kArrow };

/// The answers of one port for a batch: per row the labels in order of rank with their scores, or the values.
struct Answers {
  std::vector<double> scores;   // [rows, width]: probabilities, or scores, or values
  std::vector<int64_t> ranked;  // [rows, kept] label numbers, best first; empty for values
  int64_t width = 1, kept = 0;
};

Result<Answers> answer(const AnswerPort& port, const OutputColumn& column, int64_t rows, int64_t top_k) {
  Answers out;
  out.width = column.width;
  if (port.port.semantic == Semantic::kLogits) {
    MODNET_ASSIGN(out.scores, softmax_rows(column.values, column.width));
  } else {
    out.scores.assign(column.values.begin(), column.values.end());
  }
  if (port.port.semantic == Semantic::kValue) return out;
  out.kept = std::min(top_k, out.width);
  std::vector<int64_t> order(static_cast<size_t>(out.width));
  for (int64_t r = 0; r < rows; ++r) {
    const double* scores = out.scores.data() + r * out.width;
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + out.kept, order.end(),
                      [&](int64_t a, int64_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
    out.ranked.insert(out.ranked.end(), order.begin(), order.begin() + out.kept);
  }
  return out;
}

std::string label_of(const Port& port, int64_t number) {
  if (port.labels && number < static_cast<int64_t>(port.labels->names.size())) return port.labels->names[static_cast<size_t>(number)];
  return std::to_string(number);
}

std::string_view score_name(const Port& port) { return port.semantic == Semantic::kScores ? "score" : "probability"; }

/// Six significant digits are more than an f32 head means.
double rounded(double value) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.6g", value);
  return std::strtod(buffer, nullptr);
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

/// Writes rows in one form; the header and the schema come from the ports.
class Sink {
 public:
  Sink(Output& output, Form form, const std::vector<AnswerPort>& ports, int64_t top_k) : output_(output), form_(form), ports_(ports), top_k_(top_k) {}

  Status open(const std::string& policy) {
    if (form_ == Form::kCsv) {
      std::string header = "id";
      for (const AnswerPort& port : ports_) {
        if (port.port.semantic == Semantic::kValue) {
          for (int64_t i = 0; i < width(port); ++i) header += "," + csv_field(port.name + (width(port) > 1 ? "." + std::to_string(i) : ""));
          continue;
        }
        for (int64_t k = 0; k < kept(port); ++k) {
          const std::string rank = k == 0 ? "" : "." + std::to_string(k + 1);
          header += "," + csv_field(port.name + rank) + "," + csv_field(port.name + rank + "." + std::string(score_name(port.port)));
        }
      }
      return output_.write(as_bytes(header + "\n"));
    }
    if (form_ != Form::kArrow) return ok();
    ArrowSchema schema;
    schema.fields.push_back(ArrowField::text("id"));
    for (const AnswerPort& port : ports_) {
      if (port.port.semantic == Semantic::kValue) {
        schema.fields.push_back(width(port) == 1 ? ArrowField::scalar(port.name, DType::kF64) : ArrowField::fixed_list(port.name, DType::kF64, width(port)));
        continue;
      }
      schema.fields.push_back(ArrowField::text(port.name));
      schema.fields.push_back(ArrowField::fixed_list(port.name + "." + (port.port.semantic == Semantic::kScores ? "scores" : "probabilities"), DType::kF64, width(port)));
    }
    StreamClaims claims;
    claims.policy = policy;
    claims.contract.emplace();
    for (const AnswerPort& port : ports_) claims.contract->ports.push_back(port.port);
    write_claims(claims, schema);
    MODNET_ASSIGN(writer_, ArrowWriter::open(output_, schema, output_.seekable() ? ArrowForm::kFile : ArrowForm::kStream, {}));
    builder_ = std::make_unique<ArrowBatchBuilder>(writer_->schema());
    return ok();
  }

  Status write(const ItemBatch& batch, const std::vector<Answers>& answers) {
    if (form_ == Form::kArrow) return write_arrow(batch, answers);
    std::string text;
    for (int64_t r = 0; r < batch.rows; ++r) {
      if (form_ == Form::kCsv) text += csv_row(batch, answers, r) + "\n";
      else text += json_row(batch, answers, r).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    }
    return output_.write(as_bytes(text));
  }

  Status finish() { return writer_ ? writer_->finish() : ok(); }

 private:
  static int64_t width(const AnswerPort& port) { return port.port.dims.size() < 2 ? 1 : static_cast<int64_t>(port.port.dims.back().size); }
  int64_t kept(const AnswerPort& port) const { return std::min(top_k_, width(port)); }

  Json json_row(const ItemBatch& batch, const std::vector<Answers>& answers, int64_t row) const {
    Json out{{"id", batch.id(row)}};
    for (size_t p = 0; p < ports_.size(); ++p) {
      const Port& port = ports_[p].port;
      const Answers& a = answers[p];
      const double* scores = a.scores.data() + row * a.width;
      if (port.semantic == Semantic::kValue) {
        if (a.width == 1) out[ports_[p].name] = rounded(scores[0]);
        else for (int64_t i = 0; i < a.width; ++i) out[ports_[p].name].push_back(rounded(scores[i]));
        continue;
      }
      const auto one = [&](int64_t k) {
        const int64_t number = a.ranked[static_cast<size_t>(row * a.kept + k)];
        return Json{{"label", label_of(port, number)}, {score_name(port), rounded(scores[number])}};
      };
      Json& value = out[ports_[p].name] = one(0);
      if (top_k_ > 1)
        for (int64_t k = 0; k < a.kept; ++k) value["top"].push_back(one(k));
    }
    return out;
  }

  std::string csv_row(const ItemBatch& batch, const std::vector<Answers>& answers, int64_t row) const {
    std::string out = csv_field(batch.id(row));
    for (size_t p = 0; p < ports_.size(); ++p) {
      const Answers& a = answers[p];
      const double* scores = a.scores.data() + row * a.width;
      if (a.kept == 0)
        for (int64_t i = 0; i < a.width; ++i) out += "," + real_text(rounded(scores[i]));
      for (int64_t k = 0; k < a.kept; ++k) {
        const int64_t number = a.ranked[static_cast<size_t>(row * a.kept + k)];
        out += "," + csv_field(label_of(ports_[p].port, number)) + "," + real_text(rounded(scores[number]));
      }
    }
    return out;
  }

  Status write_arrow(const ItemBatch& batch, const std::vector<Answers>& answers) {
    builder_->clear();
    for (int64_t r = 0; r < batch.rows; ++r) builder_->column(0).add_text(batch.id(r));
    int64_t column = 1;
    for (size_t p = 0; p < ports_.size(); ++p) {
      const Answers& a = answers[p];
      if (a.kept > 0) {
        for (int64_t r = 0; r < batch.rows; ++r) builder_->column(column).add_text(label_of(ports_[p].port, a.ranked[static_cast<size_t>(r * a.kept)]));
        ++column;
      }
      builder_->column(column++).add_rows(std::span<const double>(a.scores));
    }
    return writer_->write(builder_->batch());
  }

  Output& output_;
  Form form_;
  const std::vector<AnswerPort>& ports_;
  int64_t top_k_;
  std::unique_ptr<ArrowWriter> writer_;
  std::unique_ptr<ArrowBatchBuilder> builder_;
};

Result<int> run(Invocation& invocation) {
  const Arguments& args = invocation.args;
  const int forms = (args.flag("jsonl") ? 1 : 0) + (args.flag("csv") ? 1 : 0) + (args.flag("arrow") ? 1 : 0);
  if (forms > 1) return usage("--jsonl, --csv and --arrow exclude one another");
  const bool named_arrow = forms == 0 && invocation.output().ends_with(".arrow"), named_csv = forms == 0 && invocation.output().ends_with(".csv");
  const Form form = args.flag("csv") || named_csv ? Form::kCsv : args.flag("arrow") || named_arrow ? Form::kArrow : Form::kJsonl;
  const auto content = form == Form::kArrow ? Invocation::Content::kBinary : Invocation::Content::kText;
  MODNET_TRY(invocation.check_output(content));
  std::vector<std::string> models = args.words("MODEL");  // the last word is the data
  if (models.size() < 2) return usage("expected at least one model and the data", "use - for data on standard input");
  const std::string data = models.back();
  models.pop_back();
  MODNET_ASSIGN(AnswerRun answers, AnswerRun::open(invocation, models, read_data_options(args, data), args.text("encoder"), args.list("output-port")));
  if (invocation.dry_run()) {
    invocation.console.print("would write " + invocation.output() + " from " + answers.source().name() + "\n");
    invocation.console.emit_json({{"output", invocation.output()}, {"data", answers.source().name()}, {"dry_run", true}});
    return kExitOk;
  }
  MODNET_ASSIGN(const std::unique_ptr<Output> output, invocation.open_output(content));
  Sink sink(*output, form, answers.ports(), args.integer("top-k"));
  MODNET_TRY(sink.open(answers.engine().policy));
  ItemBatch batch;
  std::vector<OutputColumn> columns;
  for (;;) {
    if (!answers.source().ready()) MODNET_TRY(output->flush());
    MODNET_ASSIGN(const bool more, answers.next(read_rows(invocation), &batch, &columns));
    if (!more) break;
    std::vector<Answers> ready;
    for (size_t p = 0; p < columns.size(); ++p) {
      auto one = answer(answers.ports()[p], columns[p], batch.rows, args.integer("top-k"));
      if (!one.ok()) return std::move(one).error().in_file(answers.source().name());
      ready.push_back(std::move(*one));
    }
    MODNET_TRY(sink.write(batch, ready));
    invocation.console.progress("predict", answers.counts().items, 0);
  }
  MODNET_TRY(sink.finish());
  MODNET_TRY(output->commit(answers.inputs()));
  invocation.console.clear_progress();
  note_seal(answers.source(), invocation.console);
  note_checks(answers.chains(), invocation.console);
  const RunCounts& counts = answers.counts();
  note_truncated(counts, invocation.console);
  Json document{{"output", invocation.output()}, {"items", counts.items}, {"tokens", counts.tokens}, {"truncated", counts.truncated}, {"policy", answers.engine().policy}};
  finish_cache(invocation, answers.engine(), answers.chains(), document);
  note_profile(answers.engine(), invocation.console, document);
  invocation.console.emit_json(document);
  return kExitOk;
}

}  // namespace

CommandSpec predict_command() {
  return {
      .name = "predict",
      .group = "run modules",
      .summary = "answer for each item, with label names",
      .description =
          "Runs composites on raw data, or heads on a stream of embeddings, and writes a line an item: JSON lines (the default), CSV or "
          "Arrow. Several models answer side by side; each answer is named by its port.\n\n"
          "A head whose space is not that of the stream is refused with exit 1.",
      .positionals = {{.name = "MODEL", .help = "one model or more, then the data; - is standard input", .maximum = PositionalSpec::kMany}},
      .options = joined({{{.name = "jsonl", .help = "JSON lines"},
                          {.name = "csv", .help = "CSV with a header"},
                          {.name = "arrow", .help = "an Arrow stream, with all probabilities"},
                          {.name = "top-k", .type = OptionType::kInteger, .metavar = "K", .help = "the K best labels of each item", .default_text = "1", .minimum = 1, .maximum = 1 << 20},
                          {.name = "output-port", .type = OptionType::kTextList, .metavar = "NAME", .help = "only this answer"},
                          {.name = "encoder", .type = OptionType::kPath, .metavar = "FILE", .help = "encoder for raw data, where the model has none"}},
                         data_options(),
                         run_options(),
                         cache_options()}),
      .writes = Writes::kText,
      .computes = Computes::kPolicy,
      .examples = "head -3 descriptions.txt | modnet predict sections-model.mnet - --jsonl\n"
                  "modnet encode enc.mnet test.tsv -o - | modnet embed backbone.mnet - -o - | modnet predict head.mnet - --csv",
      .run = run,
  };
}

}  // namespace modnet
