#include "tests/support/contract_samples.h"

#include "libmod/contract/edge.h"
#include "libmod/contract/evolution.h"

namespace modnet {

Digest digest_of(std::string_view text) { return sha256(as_bytes(text)); }

Port sample_port(Direction direction) {
  Port port;
  port.number = 1;
  port.direction = direction;
  port.name = port.value = "x";
  port.dtype = DType::kF32;
  port.layout = Layout::kRagged;
  port.dims = {symbol("B"), symbol("T", 256), fixed(8)};
  port.semantic = Semantic::kTokenEmbedding;
  port.sequence.emplace();
  port.sequence->max_length = 256;
  port.sequence->mask = MaskPolarity::kOneIsReal;
  port.sequence->stride = 160;
  port.sequence->sample_rate = 16000;
  port.sequence->stream_state = "state";
  port.values.emplace();
  port.values->low = -1;
  port.values->high = 1;
  port.values->mean = {0.5};
  port.values->std = {0.25};
  port.values->norm = NormKind::kL2;
  port.preparation = PreparationRecord{"wordpiece", digest_of("vocabulary"), {{"cls", 101}}, "nfc", "bilinear", {"query: "}};
  port.space.emplace();
  port.space->id = "minilm/mean-l2";
  port.space->version = "1";
  port.space->fingerprint = port.space->root = digest_of("space");
  port.space->pooling = Pooling::kMean;
  port.space->prefix_dims = {2, 4};
  port.quantisation = QuantisationRecord{"symmetric-i8", "tensor"};
  return port;
}

Contract with_port(const Port& port) {
  Contract contract;
  contract.ports = {port};
  return contract;
}

Sides::Sides(CheckKind kind) {
  const bool edge = kind == CheckKind::kEdge;
  Contract both;
  if (edge) {
    before = with_port(sample_port(Direction::kOutput));
    now = with_port(sample_port(Direction::kInput));
  } else {
    both.ports = {sample_port(Direction::kInput), sample_port(Direction::kOutput), sample_port(Direction::kOutput)};
    both.ports[1].name = both.ports[1].value = "y";
    both.ports[1].number = 2;
    both.ports[2].name = both.ports[2].value = "z";
    both.ports[2].number = 3;
    both.ports[2].labels = LabelsRecord{{"a", "b", "c"}, false, {0.5, 0.5, 0.5}};
    before = now = both;
  }
  for (Contract* contract : {&before, &now}) {
    contract->requirements.ops = {{"", "Gemm", 1}};
    contract->requirements.batch_limit = 64;
    contract->requirements.memory = 1000;
    contract->requirements.min_reader_minor = 1;
    contract->requirements.composes = {{"minilm", ">=1 <2"}};
  }
  operations = {{"", "Gemm", 2}};
  old_identity.name = new_identity.name = "minilm";
  old_identity.kind = new_identity.kind = edge ? Kind::kBackbone : Kind::kHead;
  if (edge) new_identity.kind = Kind::kHead, new_identity.name = "sections";
  old_identity.version = "1.2.0";
  new_identity.version = edge ? "1.0.0" : "2.0.0";
  old_identity.licence = new_identity.licence = "Apache-2.0";
  old_content = digest_of("old content");
  new_content = digest_of("new content");
}

CheckReport run_check(CheckKind kind, const Sides& sides) {
  const Subject a(sides.before, sides.old_identity, sides.old_content), b(sides.now, sides.new_identity, sides.new_content);
  CheckContext context;
  context.operations = sides.operations;
  context.measured = sides.measured;
  return kind == CheckKind::kEdge ? check_edge(a, b, context) : check_evolution(a, b, context);
}

namespace {

EvidenceRecord evidence(std::string_view fingerprint, double largest) {
  EvidenceRecord record;
  record.fingerprint = digest_of(fingerprint);
  record.root = digest_of("space");
  record.measure.probes = 64;
  record.measure.probe_distance = 1;
  record.measure.largest = largest;
  return record;
}

constexpr CheckKind kEdge = CheckKind::kEdge, kEvolution = CheckKind::kEvolution;

// Ports of an evolution: input x, output y, output z with labels.
Port& in(Contract& contract) { return contract.ports[0]; }
Port& out(Contract& contract) { return contract.ports[1]; }
LabelsRecord& labels(Contract& contract) { return *contract.ports[2].labels; }

}  // namespace

const std::multimap<std::string, RuleCase>& rule_cases() {
  static const std::multimap<std::string, RuleCase> kCases = {
      // shape
      {"REQUIRED_PORT_ADDED", {kEdge, [](Sides& s) { s.from().optional = true; }, [](Sides& s) { s.from().optional = s.to().optional = true; }, "x.optional"}},
      {"REQUIRED_PORT_ADDED", {kEdge, [](Sides& s) { s.from().direction = Direction::kInput; }, [](Sides& s) { s.now.ports.push_back(s.to()); s.now.ports[1].optional = true; s.now.ports[1].semantic = Semantic::kMask; }, "x"}},
      {"REQUIRED_PORT_ADDED", {kEvolution, [](Sides& s) { s.now.ports.push_back(in(s.now)); s.now.ports[3].name = "mask"; s.now.ports[3].number = 4; }, [](Sides& s) { in(s.before).optional = in(s.now).optional = true; }, "inputs.mask"}},
      {"REQUIRED_PORT_ADDED", {kEvolution, [](Sides& s) { in(s.before).optional = true; }, [](Sides& s) { out(s.before).optional = true; }, "inputs.x.optional"}},
      {"PORT_REMOVED", {kEvolution, [](Sides& s) { s.now.ports.pop_back(); }, [](Sides& s) { std::swap(s.now.ports[1], s.now.ports[2]); }, "outputs.z"}},
      {"PORT_REMOVED", {kEvolution, [](Sides& s) { out(s.now).optional = true; }, [](Sides& s) { out(s.before).optional = out(s.now).optional = true; }, "outputs.y.optional"}},
      {"SEMANTIC_TYPE_CHANGED", {kEdge, [](Sides& s) { s.from().semantic = Semantic::kFeatures; }, [](Sides& s) { s.from().semantic = s.to().semantic = Semantic::kAudio; }, "x.semantic"}},
      {"SEMANTIC_TYPE_CHANGED", {kEvolution, [](Sides& s) { out(s.now).semantic = Semantic::kFeatures; }, [](Sides& s) { out(s.before).semantic = out(s.now).semantic = Semantic::kAudio; }, "outputs.y.semantic"}},
      {"RANK_CHANGED", {kEdge, [](Sides& s) { s.from().dims.push_back(fixed(8)); }, [](Sides& s) { s.from().dims.push_back(fixed(8)); s.to().dims.push_back(fixed(8)); }, "x.dims"}},
      {"RANK_CHANGED", {kEvolution, [](Sides& s) { in(s.now).dims.pop_back(); }, [](Sides& s) { in(s.before).dims.pop_back(); in(s.now).dims.pop_back(); }, "inputs.x.dims"}},
      {"DIM_CHANGED", {kEdge, [](Sides& s) { s.from().dims[2] = fixed(9); }, [](Sides& s) { s.to().dims[2] = symbol("D", 8); }, "x.dims[2]"}},
      {"DIM_CHANGED", {kEvolution, [](Sides& s) { out(s.now).dims[2] = fixed(9); }, [](Sides& s) { out(s.before).dims[2] = symbol("D", 8); }, "outputs.y.dims[2]"}},
      {"SYMBOL_UNBOUND",
       {kEdge, [](Sides& s) { s.from().dims = {symbol("B"), symbol("T", 256), fixed(8)}; s.to().dims = {symbol("B"), symbol("T", 256), symbol("B")}; },
        [](Sides& s) { s.from().dims = {symbol("N"), symbol("S", 256), symbol("N")}; s.to().dims = {symbol("B"), symbol("T", 256), symbol("B")}; }, "x.dims[2]"}},
      {"INPUT_DYNAMIC_TO_STATIC", {kEvolution, [](Sides& s) { in(s.before).dims[2] = symbol("D", 8); }, [](Sides& s) { out(s.before).dims[2] = symbol("D", 8); }, "inputs.x.dims[2]"}},
      {"LAYOUT_CHANGED", {kEdge, [](Sides& s) { s.from().layout = Layout::kRowMajor; }, [](Sides& s) { s.from().layout = s.to().layout = Layout::kChannelsLast; }, "x.layout"}},
      {"BATCH_LIMIT_REDUCED", {kEvolution, [](Sides& s) { s.now.requirements.batch_limit = 63; }, [](Sides& s) { s.before.requirements.batch_limit = s.now.requirements.batch_limit = 0; }, "requirements.batch_limit"}},
      {"OPTIONAL_PORT_ADDED", {kEvolution, [](Sides& s) { s.now.ports.push_back(in(s.now)); s.now.ports[3].name = "mask"; s.now.ports[3].number = 4; s.now.ports[3].optional = true; }, [](Sides&) {}, "inputs.mask"}},
      {"OUTPUT_PORT_ADDED", {kEvolution, [](Sides& s) { s.now.ports.push_back(out(s.now)); s.now.ports[3].name = "more"; s.now.ports[3].number = 4; }, [](Sides&) {}, "outputs.more"}},
      {"INPUT_WIDENED", {kEvolution, [](Sides& s) { in(s.now).values->high = 2; }, [](Sides& s) { out(s.before).values->high = 2; }, "inputs.x.values.range"}},
      {"INPUT_WIDENED", {kEvolution, [](Sides& s) { in(s.now).dims[2] = symbol("D"); }, [](Sides& s) { for (Port& port : s.now.ports) port.dims[0].symbol = "N"; }, "inputs.x.dims[2]"}},
      {"INPUT_WIDENED", {kEvolution, [](Sides& s) { s.now.requirements.batch_limit = 65; }, [](Sides&) {}, "requirements.batch_limit"}},
      {"PORT_RENAMED", {kEvolution, [](Sides& s) { out(s.now).name = "pooled"; }, [](Sides& s) { out(s.now).value = "another_value"; }, "outputs.y.name"}},
      {"PORT_RENAMED", {kEvolution, [](Sides& s) { out(s.now).number = 9; }, [](Sides&) {}, "outputs.y.number"}},
      // dtype
      {"INPUT_DTYPE_NARROWED", {kEdge, [](Sides& s) { s.from().dtype = DType::kF64; }, [](Sides& s) { s.from().dtype = DType::kF16; }, "x.dtype"}},
      {"INPUT_DTYPE_NARROWED", {kEvolution, [](Sides& s) { in(s.now).dtype = DType::kBF16; }, [](Sides& s) { in(s.before).dtype = in(s.now).dtype = DType::kBF16; }, "inputs.x.dtype"}},
      {"INPUT_DTYPE_WIDENED", {kEvolution, [](Sides& s) { in(s.now).dtype = DType::kF64; }, [](Sides&) {}, "inputs.x.dtype"}},
      {"OUTPUT_DTYPE_CHANGED", {kEvolution, [](Sides& s) { out(s.now).dtype = DType::kF16; }, [](Sides& s) { out(s.before).dtype = out(s.now).dtype = DType::kF16; }, "outputs.y.dtype"}},
      {"QUANT_SCHEME_CHANGED", {kEdge, [](Sides& s) { s.from().quantisation.reset(); }, [](Sides& s) { s.from().quantisation.reset(); s.to().quantisation.reset(); }, "x.quantisation"}},
      {"TOLERANCE_LOOSENED", {kEvolution, [](Sides& s) { out(s.now).values->tolerance = 1e-4; }, [](Sides& s) { out(s.before).values->tolerance = 1e-4; }, "outputs.y.values.tolerance"}},
      // sequence
      {"SEQ_AXIS_MOVED", {kEdge, [](Sides& s) { s.from().sequence->axis = 2; }, [](Sides& s) { s.from().sequence->axis = s.to().sequence->axis = 2; }, "x.sequence.axis"}},
      {"MAXLEN_REDUCED", {kEdge, [](Sides& s) { s.from().sequence->max_length = 512; s.from().dims[1].max = 512; }, [](Sides& s) { s.from().sequence->max_length = 255; }, "x.sequence.max_length"}},
      {"MAXLEN_REDUCED", {kEvolution, [](Sides& s) { in(s.now).sequence->max_length = 255; }, [](Sides& s) { out(s.now).sequence->max_length = 255; }, "inputs.x.sequence.max_length"}},
      {"MAXLEN_EXTENDED", {kEvolution, [](Sides& s) { in(s.now).sequence->max_length = 512; in(s.now).dims[1].max = 512; }, [](Sides&) {}, "inputs.x.sequence.max_length"}},
      {"MAXLEN_EXTENDED", {kEvolution, [](Sides& s) { out(s.now).sequence->max_length = 512; out(s.now).dims[1].max = 512; }, [](Sides& s) { out(s.before).sequence->max_length = 512; out(s.before).dims[1].max = 512; }, "outputs.y.sequence.max_length"}},
      {"STRIDE_OR_RATE_CHANGED", {kEdge, [](Sides& s) { s.from().sequence->sample_rate = 8000; }, [](Sides& s) { s.from().sequence->stride = s.to().sequence->stride = 80; }, "x.sequence.sample_rate"}},
      {"STRIDE_OR_RATE_CHANGED", {kEvolution, [](Sides& s) { in(s.now).sequence->stride = 80; }, [](Sides&) {}, "inputs.x.sequence.stride"}},
      {"CAUSALITY_CHANGED", {kEdge, [](Sides& s) { s.from().sequence->causal = true; }, [](Sides& s) { s.from().sequence->causal = s.to().sequence->causal = true; }, "x.sequence.causal"}},
      {"MASK_POLARITY_CHANGED", {kEdge, [](Sides& s) { s.from().sequence->mask = MaskPolarity::kOneIsPad; }, [](Sides& s) { s.from().sequence->mask = s.to().sequence->mask = MaskPolarity::kAdditive; }, "x.sequence.mask"}},
      {"PAD_SIDE_CHANGED", {kEdge, [](Sides& s) { s.from().sequence->pad_side = Side::kLeft; }, [](Sides& s) { s.from().sequence->pad_side = s.to().sequence->pad_side = Side::kLeft; }, "x.sequence.pad_side"}},
      {"PAD_ID_CHANGED", {kEdge, [](Sides& s) { s.from().sequence->pad_id = 1; }, [](Sides& s) { s.from().sequence->pad_id = s.to().sequence->pad_id = 1; }, "x.sequence.pad_id"}},
      {"STREAM_STATE_CHANGED", {kEdge, [](Sides& s) { s.from().sequence->stream_state = ""; }, [](Sides& s) { s.from().sequence->stream_state = s.to().sequence->stream_state = "other"; }, "x.sequence.stream_state"}},
      // preparation
      {"TOKENIZER_DIGEST_CHANGED", {kEdge, [](Sides& s) { s.from().preparation->digest = digest_of("another vocabulary"); }, [](Sides& s) { s.to().preparation->digest = {}; }, "x.preparation.digest"}},
      {"SPECIAL_IDS_CHANGED", {kEdge, [](Sides& s) { s.from().preparation->special_ids[0].id = 0; }, [](Sides& s) { s.from().preparation->special_ids = s.to().preparation->special_ids = {}; }, "x.preparation.special_ids"}},
      {"UNICODE_NORM_CHANGED", {kEdge, [](Sides& s) { s.from().preparation->unicode_norm = "nfd"; }, [](Sides& s) { s.from().preparation->unicode_norm = s.to().preparation->unicode_norm = ""; }, "x.preparation.unicode_norm"}},
      {"RESAMPLE_CHANGED", {kEdge, [](Sides& s) { s.from().preparation->resampling = "nearest"; }, [](Sides& s) { s.from().preparation->resampling = s.to().preparation->resampling = "area"; }, "x.preparation.resampling"}},
      {"PROMPT_PREFIX_CHANGED", {kEdge, [](Sides& s) { s.from().preparation->prefixes = {}; }, [](Sides& s) { s.from().preparation->prefixes = s.to().preparation->prefixes = {"a", "b"}; }, "x.preparation.prefixes"}},
      // values
      {"INPUT_RANGE_NARROWED", {kEdge, [](Sides& s) { s.from().values->high = 1.5; }, [](Sides& s) { s.from().values->low = 0; }, "x.values.range"}},
      {"INPUT_RANGE_NARROWED", {kEvolution, [](Sides& s) { in(s.now).values->high = 0.5; }, [](Sides& s) { out(s.now).values->high = 0.5; }, "inputs.x.values.range"}},
      {"OUTPUT_RANGE_WIDENED", {kEvolution, [](Sides& s) { out(s.now).values->low.reset(); }, [](Sides& s) { out(s.before).values->low.reset(); }, "outputs.y.values.range"}},
      {"MEAN_STD_CHANGED", {kEdge, [](Sides& s) { s.from().values->mean = {}; }, [](Sides& s) { s.from().values->std = s.to().values->std = {1.0, 2.0}; }, "x.values.mean_std"}},
      {"OUTPUT_NORM_CHANGED", {kEdge, [](Sides& s) { s.from().values->norm = NormKind::kNone; }, [](Sides& s) { s.to().values->norm = NormKind::kNone; }, "x.values.norm"}},
      {"NONFINITE_POLICY_CHANGED", {kEvolution, [](Sides& s) { in(s.now).values->nonfinite = NonFinite::kReject; }, [](Sides& s) { in(s.before).values->nonfinite = in(s.now).values->nonfinite = NonFinite::kReject; }, "inputs.x.values.nonfinite"}},
      // space
      {"SPACE_FINGERPRINT_MISMATCH", {kEdge, [](Sides& s) { s.from().space->fingerprint = digest_of("another"); s.measured = {evidence("another", 0.101)}; }, [](Sides& s) { s.from().space->id = "the same space under another name"; }, "x.space.fingerprint"}},
      {"SPACE_FINGERPRINT_MISMATCH", {kEdge, [](Sides& s) { s.from().space.reset(); }, [](Sides& s) { s.from().space.reset(); s.to().space.reset(); }, "x.space"}},
      {"SPACE_FINGERPRINT_MISMATCH", {kEvolution, [](Sides& s) { out(s.now).space->fingerprint = digest_of("another"); s.measured = {evidence("another", 0.5)}; }, [](Sides& s) { out(s.before).space.reset(); }, "outputs.y.space.fingerprint"}},
      {"METRIC_CHANGED", {kEdge, [](Sides& s) { s.from().space->metric = Metric::kL2; }, [](Sides& s) { s.from().space->metric = s.to().space->metric = Metric::kDot; }, "x.space.metric"}},
      {"PREFIX_DIMS_CHANGED", {kEdge, [](Sides& s) { s.from().space->prefix_dims = {4}; }, [](Sides& s) { s.to().space->prefix_dims = {4}; }, "x.space.prefix_dims"}},
      {"SPACE_UNVERIFIED", {kEdge, [](Sides& s) { s.from().space->fingerprint = digest_of("another"); }, [](Sides& s) { s.from().space->fingerprint = s.from().space->root = digest_of("another"); s.to().space->fingerprint = digest_of("another"); }, "x.space.fingerprint"}},
      {"SPACE_EQUIVALENT_BY_PROBES", {kEdge, [](Sides& s) { s.from().space->fingerprint = digest_of("bf16"); s.measured = {evidence("bf16", 0.0035)}; }, [](Sides& s) { s.measured = {evidence("bf16", 0.0035)}; }, "x.space.fingerprint"}},
      {"SPACE_EQUIVALENT_BY_PROBES", {kEvolution, [](Sides& s) { out(s.now).space->fingerprint = digest_of("bf16"); s.measured = {evidence("bf16", 0.0035)}; }, [](Sides&) {}, "outputs.y.space.fingerprint"}},
      // labels
      {"LABEL_REMOVED", {kEvolution, [](Sides& s) { labels(s.now).names = {"a", "b"}; }, [](Sides&) {}, "outputs.z.labels.names"}},
      {"LABEL_REORDERED", {kEvolution, [](Sides& s) { labels(s.now).names = {"a", "c", "b"}; }, [](Sides&) {}, "outputs.z.labels.names"}},
      {"LABEL_RENAMED", {kEvolution, [](Sides& s) { labels(s.now).names = {"a", "b", "d"}; }, [](Sides&) {}, "outputs.z.labels.names"}},
      {"LABEL_ADDED", {kEvolution, [](Sides& s) { labels(s.now).names = {"a", "b", "c", "d"}; }, [](Sides&) {}, "outputs.z.labels.names"}},
      {"LABEL_ADDED", {kEvolution, [](Sides& s) { labels(s.before).closed = labels(s.now).closed = true; labels(s.now).names = {"a", "b", "c", "d"}; }, [](Sides& s) { labels(s.before).closed = labels(s.now).closed = true; }, "outputs.z.labels.names"}},
      {"LABEL_SET_CLOSED", {kEvolution, [](Sides& s) { labels(s.now).closed = true; }, [](Sides& s) { labels(s.before).closed = labels(s.now).closed = true; }, "outputs.z.labels.closed"}},
      {"THRESHOLD_CHANGED", {kEvolution, [](Sides& s) { labels(s.now).thresholds = {0.5, 0.5, 0.7}; }, [](Sides& s) { labels(s.before).thresholds = labels(s.now).thresholds = {}; }, "outputs.z.labels.thresholds"}},
      // version
      {"RANGE_UNSATISFIED", {kEdge, [](Sides& s) { s.old_identity.version = "2.0.0"; }, [](Sides& s) { s.old_identity.version = "1.9.9"; }, "requirements.composes.minilm"}},
      {"RANGE_UNSATISFIED", {kEvolution, [](Sides& s) { s.now.requirements.composes[0].range = ">=1.1 <2"; }, [](Sides& s) { s.now.requirements.composes[0].range = ">=0.9"; }, "requirements.composes.minilm"}},
      {"VERSION_DECREASED", {kEvolution, [](Sides& s) { s.new_identity.version = "1.1.9"; }, [](Sides& s) { s.new_identity.version = "1.2.1"; }, "identity.version"}},
      {"SAME_VERSION_DIFFERENT_DIGEST", {kEvolution, [](Sides& s) { s.new_identity.version = "1.2.0"; }, [](Sides& s) { s.new_identity.version = "1.2.0"; s.new_content = s.old_content; }, "identity.version"}},
      {"MIN_READER_RAISED", {kEvolution, [](Sides& s) { s.now.requirements.min_reader_minor = 2; }, [](Sides& s) { s.now.requirements.min_reader_minor = 0; }, "requirements.min_reader"}},
      // capability
      {"OP_UNSUPPORTED", {kEdge, [](Sides& s) { s.now.requirements.ops[0].name = "Gemv"; }, [](Sides& s) { s.now.requirements.ops.clear(); }, "requirements.ops.Gemv"}},
      {"OP_VERSION_RANGE", {kEdge, [](Sides& s) { s.before.requirements.ops[0].version = 3; }, [](Sides& s) { s.before.requirements.ops[0].version = 2; }, "requirements.ops.Gemm"}},
      {"DETERMINISM_DOWNGRADED", {kEvolution, [](Sides& s) { s.now.requirements.determinism = Determinism::kMachine; }, [](Sides& s) { s.before.requirements.determinism = Determinism::kNone; }, "requirements.determinism"}},
      {"MEMORY_BUDGET_RAISED", {kEvolution, [](Sides& s) { s.now.requirements.memory = 1001; }, [](Sides& s) { s.now.requirements.memory = 999; }, "requirements.memory"}},
      // lineage
      {"LICENCE_CONFLICT", {kEdge, [](Sides& s) { s.now.requirements.licence = "MIT OR BSD-3-Clause"; }, [](Sides& s) { s.now.requirements.licence = "MIT OR Apache-2.0"; }, "requirements.licence"}},
      {"LICENCE_CONFLICT", {kEvolution, [](Sides& s) { s.new_identity.licence = "CC-BY-NC-4.0"; }, [](Sides& s) { s.new_identity.licence = "MIT OR Apache-2.0"; }, "identity.licence"}},
      {"PARENT_DIGEST_MISSING", {kEdge, [](Sides& s) { s.new_identity.lineage = {{"trained-on", "minilm", {}}}; }, [](Sides& s) { s.new_identity.lineage = {{"trained-on", "minilm", digest_of("old content")}}; }, "identity.lineage.minilm"}},
      {"ADAPTER_BASE_MISMATCH", {kEdge, [](Sides& s) { s.new_identity.kind = Kind::kAdapter; s.now.requirements.base_content = digest_of("another base"); }, [](Sides& s) { s.new_identity.kind = Kind::kAdapter; s.now.requirements.base_content = s.old_content; }, "requirements.base_content"}},
      {"ADAPTER_NOT_APPLIED", {kEdge, [](Sides& s) { s.new_identity.lineage = {{"adapter", "lora", digest_of("lora")}}; }, [](Sides& s) { s.new_identity.lineage = {{"adapter", "lora", s.old_content}}; }, "identity.lineage"}},
  };
  return kCases;
}

}  // namespace modnet
