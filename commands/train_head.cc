#include "commands/train_head.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

#include "commands/chain.h"
#include "commands/label.h"
#include "formats/base/text.h"
#include "formats/module/digests.h"
#include "formats/module/probes.h"
#include "formats/module/write.h"
#include "libmod/contract/names.h"
#include "libmod/contract/versions.h"
#include "libmod/graph/graph.h"
#include "libmod/module/card.h"
#include "libmod/module/semantics.h"
#include "libmod/train/logistic.h"
#include "libmod/train/ridge.h"

namespace modnet {
namespace {

/// The features and what is known of them.
struct Training {
  Port port;                         // the output port that the features came from
  StreamClaims claims;
  std::vector<float> values;         // [rows, columns]
  std::vector<std::string> labels;   // text labels …
  std::vector<double> numbers;       // … or numbers
  std::string label_name = "label";
  int64_t rows = 0, columns = 0;
  std::unique_ptr<ItemSource> source;  // looked at again before the head is written
};

/// Port and claims for data without metadata, from the backbone that --space-of names.
Status adopt_space(const Invocation& invocation, const std::string& path, const std::string& wanted, Training& training) {
  MODNET_ASSIGN(const ModuleFile backbone, ModuleFile::open_checked(path, invocation));
  const Port* port = nullptr;
  for (const Port& one : backbone.view.index().contract.ports)
    if (one.direction == Direction::kOutput && one.space && (wanted.empty() ? one.semantic == Semantic::kEmbedding : one.name == wanted)) {
      port = &one;
      break;
    }
  if (port == nullptr) return usage("has no output with an embedding space").in_file(path);
  training.port = *port;
  training.claims.contract.emplace().ports = {*port};
  training.claims.producers = {producer_of(backbone)};
  training.claims.policy = "portable";
  MODNET_ASSIGN(const Bytes probes, backbone.view.trailer(TrailerKind::kProbes));
  training.claims.probes = std::string(as_text(probes));
  return ok();
}

Result<Training> read_training(Invocation& invocation) {
  const Arguments& args = invocation.args;
  const std::string path = args.text("features");
  if (path.empty()) return usage("there are no features", "give --features FILE, or the key 'features' in the recipe");
  Training training;
  DataOptions data = read_data_options(args, path);
  const std::string wanted = args.text("port");
  std::vector<Port> ports;
  const bool arrow = data.format ? *data.format == DataFormat::kArrow : path == "-" || format_from_path(path) == DataFormat::kArrow;
  if (arrow) {
    // The port is in the stream's own contract; a first look at the schema finds it.
    if (path == "-") return usage("features are read twice and cannot come from standard input", "write them to a file");
    MODNET_ASSIGN(const std::unique_ptr<ArrowReader> peek, ArrowReader::open_path(path));
    auto claims = read_claims(peek->schema());
    if (!claims.ok()) return std::move(claims).error().in_file(path);
    training.claims = std::move(*claims);
    if (training.claims.contract) {
      for (const Port& port : training.claims.contract->ports)
        if (port.space && (wanted.empty() || port.name == wanted)) {
          training.port = port;
          break;
        }
      if (!training.port.space) return usage("holds no embedding" + (wanted.empty() ? std::string() : " '" + wanted + "'"), "make it with modnet embed").in_file(path);
      if (training.port.layout == Layout::kRagged)
        return usage("port '" + training.port.name + "' has a row a token; a head of this kind needs one an item", "embed with a pooled port").in_file(path);
      if (args.has("space-of")) return usage("the stream says its own space; --space-of is for data without modnet's metadata").in_file(path);
    }
  }
  if (!training.port.space) {
    if (!args.has("space-of"))
      return usage("the data does not say which embedding space it is of", "give --space-of BACKBONE, the module that made it").in_file(path);
    MODNET_TRY(adopt_space(invocation, args.text("space-of"), wanted, training));
  }
  ports = {training.port};
  for (Port& port : ports) port.direction = Direction::kInput;
  MODNET_ASSIGN(std::unique_ptr<ItemSource> source, ItemSource::open(data, ports));
  if (!source->has_labels()) return usage("the data has no labels", "encode with --label COLUMN, or give --labels FILE").in_file(path);
  training.label_name = source->label_name();
  for (size_t i = 1; i < training.port.dims.size(); ++i) training.columns = static_cast<int64_t>(training.port.dims[i].size) * std::max<int64_t>(1, training.columns);
  for (;;) {
    MODNET_ASSIGN(const std::optional<ItemBatch> batch, source->next(4096));
    if (!batch) break;
    const float* values = static_cast<const float*>(batch->columns.at(0).data);
    training.values.insert(training.values.end(), values, values + batch->rows * training.columns);
    for (const std::string_view label : batch->labels) training.labels.emplace_back(label);
    training.numbers.insert(training.numbers.end(), batch->label_values.begin(), batch->label_values.end());
    training.rows += batch->rows;
  }
  note_seal(*source, invocation.console);
  training.source = std::move(source);
  return training;
}

/// Text labels in order: by number when all are whole numbers, else by bytes.
std::vector<std::string> label_names(const std::vector<std::string>& labels) {
  std::map<std::string, bool> seen;
  for (const std::string& label : labels) seen[label] = true;
  std::vector<std::string> names;
  const auto number = [](const std::string& text) -> std::optional<int64_t> {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? std::optional<int64_t>(value) : std::nullopt;
  };
  bool numbers = true;
  for (const auto& [name, unused] : seen) {
    names.push_back(name);
    numbers = numbers && number(name);
  }
  if (numbers) std::sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) { return *number(a) < *number(b); });
  return names;
}

Result<std::vector<double>> numeric_targets(const Training& training, const std::string& file) {
  if (!training.numbers.empty()) return training.numbers;
  std::vector<double> out;
  for (size_t i = 0; i < training.labels.size(); ++i) {
    const std::string& text = training.labels[i];
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
      return Error{Code::kInvalid, "LABEL", "label '" + text + "' is no number, which a regression needs", "item " + std::to_string(i), file, "use --kind classification"};
    out.push_back(value);
  }
  return out;
}

Result<std::vector<double>> strengths_of(const Arguments& args) {
  std::vector<double> out;
  for (const std::string& text : args.list("strength")) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(value > 0))
      return usage("--strength '" + text + "' is not a positive number");
    out.push_back(value);
  }
  return out;
}

struct Trained {
  LinearHead head;
  std::vector<std::string> names;  // of classes; empty for regression
  double target_mean = 0;
  std::vector<CardQuantile> quantiles;  // of the targets; empty for classification
};

/// Smallest, largest and the quartiles between them, each a value that occurs (nearest rank).
std::vector<CardQuantile> quantiles_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::vector<CardQuantile> out;
  for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0})
    out.push_back({share, values[static_cast<size_t>(std::round(share * static_cast<double>(values.size() - 1)))]});
  return out;
}

Result<Trained> fit(const Invocation& invocation, const Engine& engine, const Training& training) {
  const Arguments& args = invocation.args;
  const Features features{training.values, training.rows, training.columns};
  MODNET_ASSIGN(const std::vector<double> strengths, strengths_of(args));
  const std::string scale = args.text("standardize");
  const Standardize standardize = scale == "yes" ? Standardize::kYes : scale == "no" ? Standardize::kNo : Standardize::kAuto;
  const auto seed = static_cast<uint64_t>(args.integer("seed"));
  Console& console = invocation.console;
  const TrainProgress progress = [&](std::string_view stage, int64_t done, int64_t total) { console.progress(stage, done, total); };
  const std::string file = args.text("features");
  const bool regression = args.text("kind") == "regression";
  const std::string solver = args.has("solver") ? args.text("solver") : regression ? "ridge" : "logistic";
  if (regression && solver == "logistic") return usage("logistic regression is for classes", "use --solver ridge, or --kind classification");
  if (training.rows == 0) return invalid("there are no items to train on").in_file(file);
  Trained trained;
  RidgeOptions ridge;
  ridge.strengths = strengths;
  ridge.holdout_share = args.real("holdout");
  ridge.seed = seed;
  ridge.standardize = standardize;
  Result<LinearHead> fitted = internal("no solver ran");
  if (regression) {
    MODNET_ASSIGN(const std::vector<double> targets, numeric_targets(training, file));
    for (const double target : targets) trained.target_mean += target;
    trained.target_mean /= static_cast<double>(targets.size());
    trained.quantiles = quantiles_of(targets);
    fitted = train_ridge(engine.options.context, features, targets, 1, ridge, progress);
  } else {
    if (!training.numbers.empty())
      return Error{Code::kInvalid, "LABEL", "the labels are real numbers; classes are texts", {}, file, "use --kind regression"};
    trained.names = label_names(training.labels);
    std::map<std::string, int32_t> index;
    for (size_t i = 0; i < trained.names.size(); ++i) index[trained.names[i]] = static_cast<int32_t>(i);
    std::vector<int32_t> labels;
    for (const std::string& label : training.labels) labels.push_back(index[label]);
    const auto classes = static_cast<int64_t>(trained.names.size());
    if (solver == "ridge") {
      fitted = train_ridge_classifier(engine.options.context, features, labels, classes, ridge, progress);
    } else {
      LogisticOptions logistic;
      logistic.strengths = strengths;
      logistic.holdout_share = args.real("holdout");
      logistic.seed = seed;
      logistic.standardize = standardize;
      fitted = train_logistic(engine.options.context, features, labels, classes, logistic, progress);
    }
  }
  if (!fitted.ok()) return std::move(fitted).error().in_file(file);
  trained.head = std::move(*fitted);
  console.clear_progress();
  return trained;
}

Json report_json(const Invocation& invocation, const Training& training, const Trained& trained, const std::string& policy) {
  const TrainReport& report = trained.head.report;
  Json out{{"kind", invocation.args.text("kind")}, {"rows", report.rows}, {"holdout_rows", report.holdout_rows}, {"features", training.columns},
           {"strength", report.strength}, {"objective", report.objective}, {"iterations", report.iterations}, {"converged", report.converged},
           {"standardized", report.standardized}, {"dropped_columns", report.dropped}, {"seed", invocation.args.integer("seed")}, {"policy", policy}};
  if (trained.names.empty()) out["target_mean"] = trained.target_mean;
  else out["class_counts"] = report.class_counts;
  out["path"] = Json::array();
  for (const PathPoint& point : report.path) {
    Json row{{"strength", point.strength}, {"holdout_loss", point.holdout_loss}, {"iterations", point.iterations}, {"objective", point.objective}};
    row["holdout_score"] = point.holdout_score;
    out["path"].push_back(row);
  }
  return out;
}

/// The report as it is, and the same facts in the form that every card has. More labels than a card holds are left out.
Result<std::string> card_of(const std::string& path, const Training& training, const Trained& trained, const Json& report) {
  MODNET_ASSIGN(const MappedFile file, MappedFile::open(path));
  CardData data;
  data.name = escape_text(path.substr(path.rfind('/') + 1));
  data.digest = sha256(file.bytes());
  data.rows = training.rows;
  const std::vector<int64_t>& counts = trained.head.report.class_counts;
  const bool fits = static_cast<int64_t>(trained.names.size()) <= kMaxCardItems && counts.size() == trained.names.size() &&
                    std::none_of(trained.names.begin(), trained.names.end(), [](const std::string& name) { return name.empty() || static_cast<int64_t>(name.size()) > kMaxCardText; });
  for (size_t i = 0; fits && i < counts.size(); ++i) data.labels.push_back({trained.names[i], counts[i]});
  data.quantiles = trained.quantiles;
  for (const Lineage& producer : training.claims.producers) data.made_by.push_back({producer.name, producer.content});
  Card card;
  card.training_data.push_back(std::move(data));
  card.training = report.dump();
  return card_to_json(card);
}

Status write_head(const Invocation& invocation, const Training& training, const Trained& trained, const Json& report, ModuleDigests& digests) {
  const Arguments& args = invocation.args;
  const int64_t outputs = trained.head.outputs, columns = trained.head.columns;
  ModuleWriter writer(compression_of(invocation));
  Identity identity;
  identity.name = args.text("name");
  identity.kind = Kind::kHead;
  identity.version = args.text("version");
  identity.licence = args.text("licence");
  for (const Lineage& producer : training.claims.producers) identity.lineage.push_back({"trained-on", producer.name, producer.content});

  Port input = training.port;
  input.number = 1;
  input.direction = Direction::kInput;
  input.value = input.name;
  if (!training.claims.probes.empty()) {
    MODNET_ASSIGN(const Probes probes, decode_probes(as_bytes(training.claims.probes)));
    input.space->probes = probes_digest(probes);
    MODNET_TRY(writer.set_probes(probes));
  }
  Port output;
  output.number = 2;
  output.direction = Direction::kOutput;
  output.name = check_name(training.label_name, "a port").ok() ? training.label_name : args.text("name");  // a column may have any name
  output.dtype = DType::kF32;
  output.dims = {{"B", 0, 1, 0, 1}, {"", static_cast<uint64_t>(outputs), 1, 0, 1}};
  const bool scores = !trained.names.empty() && args.text("solver") == "ridge";
  output.semantic = trained.names.empty() ? Semantic::kValue : scores ? Semantic::kScores : Semantic::kLogits;
  if (!trained.names.empty()) output.labels = LabelsRecord{trained.names, true, {}};

  GraphBuilder builder;
  std::string x = builder.input(input.value);
  if (input.dims.size() > 2) x = builder.node("", "Flatten", 1, {x}, {}, "flat");
  output.value = builder.node("", "Gemm", 1, {x, "weight", "bias"}, {{"transB", int64_t{1}}}, "output");
  builder.output(output.value);
  const Graph graph = builder.take();
  Contract contract;
  contract.ports = {input, output};
  contract.requirements.ops = ops_of(graph);
  writer.set_identity(identity);
  writer.set_graph(graph);
  writer.set_contract(contract);
  const std::vector<float> weights(trained.head.weights.begin(), trained.head.weights.end()), bias(trained.head.bias.begin(), trained.head.bias.end());
  MODNET_TRY(writer.add_tensor("weight", DType::kF32, {static_cast<uint64_t>(outputs), static_cast<uint64_t>(columns)}, std::as_bytes(std::span(weights))));
  MODNET_TRY(writer.add_tensor("bias", DType::kF32, {static_cast<uint64_t>(outputs)}, std::as_bytes(std::span(bias))));
  MODNET_ASSIGN(std::string card, card_of(args.text("features"), training, trained, report));
  writer.set_trailer(TrailerKind::kCard, std::move(card));
  MODNET_ASSIGN(const std::unique_ptr<Output> out, invocation.open_output(Invocation::Content::kBinary));
  MODNET_ASSIGN(digests, writer.write(*out));
  std::vector<const MappedFile*> inputs;
  if (training.source->mapped() != nullptr) inputs.push_back(training.source->mapped());
  return out->commit(inputs);
}

Result<int> run(Invocation& invocation) {
  const Arguments& args = invocation.args;
  MODNET_TRY(check_head_name(args.text("name")));
  if (const auto version = parse_version(args.text("version")); !version.ok()) return usage(version.error().what);
  MODNET_TRY(invocation.check_output(Invocation::Content::kBinary));
  MODNET_ASSIGN(const Engine engine, make_engine(invocation));
  MODNET_ASSIGN(const Training training, read_training(invocation));
  if (training.claims.probes.empty())
    invocation.console.warn("the features carry no probes of their space: the head cannot be measured against another backbone");
  MODNET_ASSIGN(const Trained trained, fit(invocation, engine, training));
  const Json report = report_json(invocation, training, trained, engine.policy);
  ModuleDigests digests;
  if (!invocation.dry_run()) MODNET_TRY(write_head(invocation, training, trained, report, digests));

  const TrainReport& said = trained.head.report;
  std::string text = escape_text(args.text("name")) + ": " + args.text("kind") + " on " + std::to_string(said.rows) + " items of " +
                     escape_text(space_text(*training.port.space)) + ", " + std::to_string(training.columns) + " features";
  text += trained.names.empty() ? "\n" : ", " + std::to_string(trained.names.size()) + " classes\n";
  for (const PathPoint& point : said.path)
    text += "  strength " + padded(real_text(point.strength), 12) + "holdout loss " + padded(real_text(std::round(point.holdout_loss * 1e6) / 1e6), 12) + "score " +
            (std::isfinite(point.holdout_score) ? real_text(std::round(point.holdout_score * 1e4) / 1e4) : "–") + (point.strength == said.strength ? "  chosen\n" : "\n");
  if (!said.dropped.empty()) text += "  " + std::to_string(said.dropped.size()) + " features without spread left out\n";
  if (!said.converged) invocation.console.warn("the solver stopped before its tolerance was met");
  text += invocation.dry_run() ? "would write " + invocation.output() + "\n" : invocation.output() + "  content sha256:" + short_digest(digests.content) + "\n";
  if (invocation.output() != "-") invocation.console.print(text);  // else the head is there
  Json document{{"name", args.text("name")}, {"space", space_text(*training.port.space)}, {"fingerprint", hex(training.port.space->fingerprint)}, {"labels", trained.names}};
  document.update(report);
  document["dry_run"] = invocation.dry_run();
  if (!invocation.dry_run()) add_written(document, invocation.output(), digests);
  invocation.console.emit_json(document);
  return kExitOk;
}

}  // namespace

CommandSpec train_head_command() {
  return {
      .name = "train-head",
      .group = "make modules",
      .summary = "train a head on frozen features",
      .description =
          "Trains a linear head on a stream of embeddings: multinomial logistic regression, or ridge regression and classification. "
          "The strength of the regularisation is chosen on a holdout taken from these features only, then all of them are fitted "
          "again. The head records the space it was trained on and carries that space's probes.\n\n"
          "Options may stand in a recipe (TOML, the same keys); a flag overrides it. Labels in order: as numbers when all are whole, "
          "else by their bytes. Data without modnet's metadata needs --space-of.",
      .positionals = {{.name = "RECIPE", .help = "TOML with the same keys as the options", .minimum = 0}},
      .options = joined({{{.name = "features", .type = OptionType::kPath, .metavar = "FILE", .help = "stream of embeddings, or npy"},
                          {.name = "kind", .type = OptionType::kChoice, .help = "what is learnt", .default_text = "classification", .choices = {"classification", "regression"}},
                          {.name = "solver", .type = OptionType::kChoice, .help = "default: logistic for classes, ridge for numbers", .choices = {"logistic", "ridge"}},
                          {.name = "name", .type = OptionType::kText, .metavar = "NAME", .help = "name of the head and of its slot", .required = true},
                          {.name = "version", .type = OptionType::kText, .metavar = "SEMVER", .help = "version of the head", .default_text = "1.0.0"},
                          {.name = "licence", .type = OptionType::kText, .metavar = "SPDX", .help = "licence of the head"},
                          {.name = "space-of", .type = OptionType::kPath, .metavar = "BACKBONE", .help = "the module that made features without metadata"},
                          {.name = "port", .type = OptionType::kText, .metavar = "NAME", .help = "which embedding, where there are several"},
                          {.name = "strength", .type = OptionType::kTextList, .metavar = "X", .help = "C of logistic regression or alpha of ridge; several make the path (default: 12 or 17 values)"},
                          {.name = "holdout", .type = OptionType::kReal, .metavar = "SHARE", .help = "share of the items that chooses the strength", .default_text = "0.15", .minimum = 0.01, .maximum = 0.5},
                          {.name = "standardize", .type = OptionType::kChoice, .help = "scale features; auto: unless they have unit norm", .default_text = "auto", .choices = {"auto", "yes", "no"}},
                          {.name = "seed", .type = OptionType::kInteger, .metavar = "N", .help = "of the holdout", .default_text = "0", .minimum = 0, .maximum = 9e15}},
                         data_options()}),
      .writes = Writes::kModule,
      .computes = Computes::kPolicy,
      .recipe = RecipeUse::kOptions,
      .examples = "modnet train-head --features train.arrow --kind classification --name sections -o sections.mnet\n"
                  "modnet train-head sections.toml --seed 1 -o sections.mnet",
      .run = run,
  };
}

}  // namespace modnet
