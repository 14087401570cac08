#include "libmod/contract/rules.h"

#include <algorithm>
#include <array>
#include <map>

#include "libmod/contract/port_rules.h"

namespace modnet {
namespace {

using namespace port_rules;
constexpr Severity kDeny = Severity::kDeny, kAsk = Severity::kUndecidable, kWarn = Severity::kWarn, kNote = Severity::kNote;
constexpr Bump kNone = Bump::kNone, kPatch = Bump::kPatch, kMinor = Bump::kMinor, kMajor = Bump::kMajor;
constexpr bool kEdgeOnly = true, kBoth = false;

const std::array kRules = {
    // shape
    Rule{"REQUIRED_PORT_ADDED", "port.optional port.direction", kDeny, kMajor, kBoth, "an input that nothing feeds cannot be run",
         "compose with a module that has such an output, or make the input optional",
         "v2 of a backbone needs an attention mask that v1 made itself", presence},
    Rule{"PORT_REMOVED", "port.direction port.optional", kDeny, kMajor, kBoth, "whoever reads the port finds nothing there",
         "keep the port, or raise the major version", "v2 no longer gives the token embeddings", presence},
    Rule{"SEMANTIC_TYPE_CHANGED", "port.semantic", kDeny, kMajor, kBoth, "numbers of another meaning give nonsense without an error",
         "put a module between the two that turns one into the other", "probabilities where logits were", semantic},
    Rule{"RANK_CHANGED", "port.dims", kDeny, kMajor, kBoth, "values of another rank are laid out differently",
         "flatten or reshape between the two modules", "[B,28,28] where [B,784] is read", rank},
    Rule{"DIM_CHANGED", "port.dims.size port.dims.min port.dims.max port.dims.multiple_of", kDeny, kMajor, kBoth,
         "a size that the other side does not take", "use modules of the same width", "a 768-wide backbone under a 384-wide head", port_rules::dims},
    Rule{"SYMBOL_UNBOUND", "port.dims.symbol", kDeny, kMajor, kEdgeOnly, "one symbol stands for one size everywhere in a contract",
         "use modules whose sizes agree", "two inputs share T, and are fed sequences of two lengths", nullptr},
    Rule{"INPUT_DYNAMIC_TO_STATIC", "port.dims.symbol port.dims.size", kDeny, kMajor, kBoth, "a size that could vary is now one size only",
         "keep the dimension open, or raise the major version", "T ≤ 256 becomes 128", nullptr},
    Rule{"LAYOUT_CHANGED", "port.layout", kDeny, kMajor, kBoth, "the same bytes in another order are other values",
         "convert the layout between the two modules", "channels-last pixels for a channels-first backbone", layout},
    Rule{"BATCH_LIMIT_REDUCED", "requirements.batch_limit", kDeny, kMajor, kBoth, "batches that were taken are now too large",
         "keep the limit, or raise the major version", "64 items at once become 16", nullptr},
    Rule{"OPTIONAL_PORT_ADDED", "port.optional port.direction", kNote, kMinor, kBoth, "callers that do not know the port are not affected",
         "raise the minor version", "v2 takes an optional mask", nullptr},
    Rule{"OUTPUT_PORT_ADDED", "port.direction", kNote, kMinor, kBoth, "callers that do not know the port are not affected",
         "raise the minor version", "v2 also gives token embeddings", nullptr},
    Rule{"INPUT_WIDENED", "port.dims port.values.low port.values.high port.optional requirements.batch_limit", kNote, kMinor, kBoth,
         "an input takes more than before: callers may come to depend on it", "raise the minor version", "values in [0, 1] become values in [-1, 1]",
         nullptr},
    Rule{"PORT_RENAMED", "port.name port.number port.value", kDeny, kMajor, kBoth, "commands, recipes and streams find ports by name, files by number",
         "keep name and number", "'embedding' becomes 'pooled'", renamed},
    // dtype
    Rule{"INPUT_DTYPE_NARROWED", "port.dtype", kDeny, kMajor, kBoth, "values that the wider type holds are lost in the other",
         "cast between the two modules where the loss is meant", "f64 values for an f32 input", input_dtype},
    Rule{"INPUT_DTYPE_WIDENED", "port.dtype", kNote, kMinor, kBoth, "every old value is also one of the new type", "raise the minor version",
         "an u8 input becomes f32", input_dtype},
    Rule{"OUTPUT_DTYPE_CHANGED", "port.dtype", kDeny, kMajor, kBoth, "bytes of another type are other values", "keep the type, or raise the major version",
         "f32 embeddings become f16", output_dtype},
    Rule{"QUANT_SCHEME_CHANGED", "port.quantisation.scheme port.quantisation.granularity", kDeny, kMajor, kBoth,
         "quantised values mean nothing under another scheme", "use the same scheme on both sides", "int8 a tensor where int8 a channel is read", quantisation},
    Rule{"TOLERANCE_LOOSENED", "port.values.tolerance", kWarn, kPatch, kBoth, "results may differ more between policies than was promised",
         "tell those who compare outputs", "bit-exact outputs become outputs within 1e-4", tolerance},
    // sequence
    Rule{"SEQ_AXIS_MOVED", "port.sequence.axis", kDeny, kMajor, kBoth, "time along another axis mixes items", "transpose between the two",
         "[B,T,D] becomes [B,D,T]", seq_axis},
    Rule{"MAXLEN_REDUCED", "port.sequence.max_length", kDeny, kMajor, kBoth, "longer sequences run past the positions that were learnt",
         "import the encoder with a smaller --max-length", "T ≤ 512 for a backbone of 256 positions", max_length},
    Rule{"MAXLEN_EXTENDED", "port.sequence.max_length", kNote, kMinor, kBoth,
         "an input takes longer sequences than before; an output that gives longer ones breaks who reads it", "raise the minor version",
         "T ≤ 256 becomes T ≤ 512", max_length},
    Rule{"STRIDE_OR_RATE_CHANGED", "port.sequence.stride port.sequence.sample_rate", kDeny, kMajor, kBoth, "another rate stretches time",
         "resample before it", "8 kHz audio for a 16 kHz backbone", stride_or_rate},
    Rule{"CAUSALITY_CHANGED", "port.sequence.causal", kDeny, kMajor, kBoth, "causal and bidirectional sequences see different context",
         "use a module of the same kind", "a causal decoder for a bidirectional encoder", causality},
    Rule{"MASK_POLARITY_CHANGED", "port.sequence.mask", kDeny, kMajor, kBoth, "an inverted mask hides the data and shows the padding",
         "invert the mask between the two", "one-is-pad for one-is-real", mask_polarity},
    Rule{"PAD_SIDE_CHANGED", "port.sequence.pad_side", kDeny, kMajor, kBoth, "padding on the other side shifts positions",
         "pad on the side that is expected", "padding on the left for a backbone that counts from the left", pad_side},
    Rule{"PAD_ID_CHANGED", "port.sequence.pad_id", kDeny, kMajor, kBoth, "another pad id is read as a real token", "use the encoder that belongs to it",
         "pad id 0 for a model that pads with 1", pad_id},
    Rule{"STREAM_STATE_CHANGED", "port.sequence.stream_state", kDeny, kMajor, kBoth, "a carried state that nobody fills is lost",
         "use modules of the same streaming form", "a stateless step for one that carries its cache", stream_state},
    // preparation
    Rule{"TOKENIZER_DIGEST_CHANGED", "port.preparation.digest port.preparation.method", kDeny, kMajor, kBoth,
         "inputs prepared in another way are other inputs, whatever their shape", "use the encoder that the backbone was imported with",
         "a cased vocabulary for an uncased model", preparation},
    Rule{"SPECIAL_IDS_CHANGED", "port.preparation.special_ids", kDeny, kMajor, kBoth, "special tokens at other ids are other tokens",
         "use the encoder that the backbone was imported with", "cls=101 becomes cls=0", special_ids},
    Rule{"UNICODE_NORM_CHANGED", "port.preparation.unicode_norm", kDeny, kMajor, kBoth, "text normalised otherwise gives other tokens",
         "use the encoder that the backbone was imported with", "nfc for nfkc", unicode_norm},
    Rule{"RESAMPLE_CHANGED", "port.preparation.resampling", kDeny, kMajor, kBoth, "another filter gives other pixels",
         "use the encoder that the backbone was imported with", "bilinear for bicubic", resampling},
    Rule{"PROMPT_PREFIX_CHANGED", "port.preparation.prefixes", kDeny, kMajor, kBoth, "prefixes are part of what the backbone was trained on",
         "use the encoder that the backbone was imported with", "'query: ' left out", prefixes},
    // values
    Rule{"INPUT_RANGE_NARROWED", "port.values.low port.values.high", kDeny, kMajor, kBoth, "values outside of the range that is taken",
         "scale or clip between the two modules", "pixels from 0 to 255 for an input of 0 to 1", input_range},
    Rule{"OUTPUT_RANGE_WIDENED", "port.values.low port.values.high", kDeny, kMajor, kBoth, "values outside of the range that was promised",
         "keep the range, or raise the major version", "scores in [0, 1] become scores in [-1, 1]", output_range},
    Rule{"MEAN_STD_CHANGED", "port.values.mean port.values.std", kDeny, kMajor, kBoth, "inputs standardised otherwise are shifted and scaled",
         "use the encoder that the backbone was made with", "mean 0.5 for the means of ImageNet", mean_std},
    Rule{"OUTPUT_NORM_CHANGED", "port.values.norm", kDeny, kMajor, kBoth, "vectors of another norm move every score",
         "normalise between the two modules", "unit vectors become raw ones", norm},
    Rule{"NONFINITE_POLICY_CHANGED", "port.values.nonfinite", kNote, kMinor, kBoth, "NaN and infinity are met in another way than before",
         "raise the minor version", "'propagate' becomes 'reject'", nonfinite},
    // space
    Rule{"SPACE_FINGERPRINT_MISMATCH", "port.space.fingerprint port.space.normalized", kDeny, kMajor, kBoth,
         "a head reads the axes of the space that it was trained on; in another one they mean something else",
         "train the head on this backbone, or attach it to the one it was trained on", "a head of one 384-wide model on another 384-wide model",
         space_fingerprint},
    Rule{"SPACE_UNVERIFIED", "port.space.fingerprint port.space.root port.space.probes", kAsk, kMajor, kBoth,
         "the fingerprints differ and nothing was measured, so nobody knows whether the spaces agree",
         "check the two files where they can be run (modnet check A --against B), or record evidence",
         "a converted backbone whose evidence was lost on the way", nullptr},
    Rule{"SPACE_ID_CHANGED", "port.space.id", kDeny, kMajor, kBoth, "the embedding space has another name", "train the heads again, or keep the space",
         "'minilm/mean-l2' becomes 'mpnet/mean-l2'", space_id},
    Rule{"SPACE_VERSION_CHANGED", "port.space.version", kDeny, kMajor, kBoth, "the maker says that the space is another one",
         "train the heads again, or keep the space", "'minilm/mean-l2@1' becomes '@2'", space_version},
    Rule{"POOLING_CHANGED", "port.space.pooling", kDeny, kMajor, kBoth, "another pooling gives another vector from the same tokens",
         "import with the pooling that was trained", "cls pooling where mean pooling was", pooling},
    Rule{"METRIC_CHANGED", "port.space.metric", kDeny, kMajor, kBoth, "neighbours under another metric are other neighbours",
         "use the metric of the space", "dot products where cosines were compared", metric},
    Rule{"PREFIX_DIMS_CHANGED", "port.space.prefix_dims", kDeny, kMajor, kBoth, "leading dimensions alone are no embedding any more",
         "use all dimensions", "the first 128 of 384 dimensions are no longer usable", prefix_dims},
    Rule{"BRIDGE_MISSING", "port.space.id", kDeny, kMajor, kEdgeOnly, "nothing between the two modules turns one space into the other",
         "train an adapter between the two spaces, or a head on this one", "a head of space A behind a backbone of space B", nullptr},
    Rule{"SPACE_EQUIVALENT_BY_PROBES", "port.space.fingerprint port.space.root trailers.evidence", kNote, kPatch, kBoth,
         "other weights, the same space: run on the stored probes, the outputs lie within the tolerance", "raise the patch version",
         "the same backbone in bf16", nullptr},
    Rule{"SPACE_TOLERANCE_NEAR", "trailers.evidence", kWarn, kPatch, kBoth, "the spaces are the same by a narrow margin",
         "evaluate the heads on it before release", "a largest distance of 0.07 where 0.10 is taken", nullptr},
    // labels
    Rule{"LABEL_REMOVED", "port.labels.names", kDeny, kMajor, kBoth, "a label that was given never comes again", "keep the label, or raise the major version",
         "'admin' is gone", port_rules::labels},
    Rule{"LABEL_REORDERED", "port.labels.names", kDeny, kMajor, kBoth, "who reads labels by number reads others", "keep the order",
         "label id 7 was 'sports', is now 'science'", nullptr},
    Rule{"LABEL_RENAMED", "port.labels.names", kDeny, kMajor, kBoth, "who reads labels by name finds another", "keep the names",
         "'net' becomes 'network'", nullptr},
    Rule{"LABEL_ADDED", "port.labels.names", kNote, kMinor, kBoth, "an open set may grow; a closed one promised not to", "raise the minor version",
         "'rust' is new", nullptr},
    Rule{"LABEL_SET_CLOSED", "port.labels.closed", kDeny, kMajor, kBoth, "open and closed sets promise different things",
         "keep the set as it was", "a list that could grow is final", nullptr},
    Rule{"THRESHOLD_CHANGED", "port.labels.thresholds", kWarn, kPatch, kBoth, "the same scores lead to other decisions", "tell those who act on decisions",
         "0.5 becomes 0.7", thresholds},
    // version
    Rule{"RANGE_UNSATISFIED", "requirements.composes identity.version", kDeny, kMajor, kEdgeOnly, "the module says which versions it works with",
         "use a version in the range", "a head for '>=2 <3' on backbone 1.4.0", nullptr},
    Rule{"BUMP_INSUFFICIENT", "identity.version", kDeny, kNone, kBoth, "the version number promises less change than there is", "raise the version as asked",
         "a removed label as 1.2.1 after 1.2.0", nullptr},
    Rule{"VERSION_DECREASED", "identity.version", kDeny, kNone, kBoth, "a release that replaces another has the higher version", "raise the version",
         "1.1.0 after 1.2.0", nullptr},
    Rule{"SAME_VERSION_DIFFERENT_DIGEST", "identity.version", kDeny, kNone, kBoth, "one version number names one content", "raise the version",
         "two different files both called 1.2.0", nullptr},
    Rule{"MIN_READER_RAISED", "requirements.min_reader_major requirements.min_reader_minor", kDeny, kMajor, kBoth,
         "readers that could open the old file cannot open this one", "write it for the older reader", "format 1.0 becomes 1.1", nullptr},
    // capability
    Rule{"OP_UNSUPPORTED", "requirements.ops", kDeny, kMajor, kEdgeOnly, "an operation that this build does not have", "use a newer modnet",
         "modnet.ScanSSM in a build without it", nullptr},
    Rule{"OP_VERSION_RANGE", "requirements.ops", kDeny, kMajor, kBoth, "a version of an operation that this build does not have", "use a newer modnet",
         "modnet.Attention version 3 where 2 is the newest", nullptr},
    Rule{"DETERMINISM_DOWNGRADED", "requirements.determinism", kWarn, kPatch, kBoth, "results may now differ between machines or runs",
         "tell those who compare bits", "'portable' becomes 'machine'", nullptr},
    Rule{"MEMORY_BUDGET_RAISED", "requirements.memory", kWarn, kPatch, kBoth, "an item needs more memory than before", "tell those who run it at a limit",
         "64 MiB an item become 256 MiB", nullptr},
    // lineage
    Rule{"LICENCE_CONFLICT", "requirements.licence identity.licence", kDeny, kMajor, kBoth, "the licences cannot be used together as stated",
         "use a module under a licence that is allowed", "a head that demands Apache-2.0 on a non-commercial backbone", nullptr},
    Rule{"PARENT_DIGEST_MISSING", "identity.lineage", kDeny, kNone, kBoth, "a parent without a digest, or another parent than the one stated",
         "give the parents that the module was made from", "lineage names a parent, and the file given is another", nullptr},
    Rule{"ADAPTER_BASE_MISMATCH", "requirements.base_content", kDeny, kMajor, kEdgeOnly, "an adapter changes the weights that it was trained with, and no others",
         "use the base module that it was made for", "an adapter of v1 on v2", nullptr},
    Rule{"ADAPTER_NOT_APPLIED", "identity.lineage", kDeny, kMajor, kEdgeOnly, "the head was trained behind an adapter that is not there",
         "put the adapter between the two", "a head trained on adapted features, on the bare backbone", nullptr},
    Rule{"SIGNATURE_REQUIRED", "trailers.signatures", kDeny, kNone, kBoth, "the policy demands a signature that the file lacks", "have it signed",
         "an unsigned backbone under a policy that wants the release key", nullptr},
    // probes
    Rule{"PROBE_COSINE_DRIFT", "trailers.probes", kDeny, kMajor, kBoth, "run on its own probes, the module no longer gives the outputs that are stored with them",
         "import the module again; report a changed result on this machine", "weights and probes of two different models in one file", nullptr},
    Rule{"PROBE_BATCH_INVARIANCE", "trailers.probes", kDeny, kMajor, kBoth, "an item's result depends on what else is in the batch",
         "report it: portable results never do", "one by one and all at once differ in a bit", nullptr},
    Rule{"PROBE_PAD_INVARIANCE", "trailers.probes", kDeny, kMajor, kBoth, "an item's result depends on the length of its neighbours",
         "report it: portable results never do", "short texts among long ones differ in a bit", nullptr},
    Rule{"PROBE_NONFINITE", "trailers.probes", kDeny, kMajor, kBoth, "outputs on the probes hold NaN or infinity", "look for damaged or overflowing weights",
         "an f16 conversion that overflowed", nullptr},
    Rule{"PROBE_METRIC_REGRESSION", "trailers.card", kDeny, kNone, kBoth, "on the same data the new version is worse than the old one's interval",
         "train it again, or accept the loss by name", "accuracy 0.71 where 0.76 [0.75, 0.77] was", nullptr},
};

// Sides of the contract in the words of its JSON (libmod/contract/json.cc), and the records beside the contract.
constexpr std::array kFields = {
    std::string_view("port.number"), std::string_view("port.direction"), std::string_view("port.name"), std::string_view("port.value"),
    std::string_view("port.dtype"), std::string_view("port.layout"), std::string_view("port.dims.symbol"), std::string_view("port.dims.size"),
    std::string_view("port.dims.min"), std::string_view("port.dims.max"), std::string_view("port.dims.multiple_of"), std::string_view("port.semantic"),
    std::string_view("port.optional"), std::string_view("port.sequence.axis"), std::string_view("port.sequence.max_length"),
    std::string_view("port.sequence.pad_id"), std::string_view("port.sequence.pad_side"), std::string_view("port.sequence.mask"),
    std::string_view("port.sequence.causal"), std::string_view("port.sequence.stride"), std::string_view("port.sequence.sample_rate"),
    std::string_view("port.sequence.stream_state"), std::string_view("port.values.low"), std::string_view("port.values.high"),
    std::string_view("port.values.mean"), std::string_view("port.values.std"), std::string_view("port.values.norm"),
    std::string_view("port.values.nonfinite"), std::string_view("port.values.tolerance"), std::string_view("port.preparation.method"),
    std::string_view("port.preparation.digest"), std::string_view("port.preparation.special_ids"), std::string_view("port.preparation.unicode_norm"),
    std::string_view("port.preparation.resampling"), std::string_view("port.preparation.prefixes"), std::string_view("port.space.id"),
    std::string_view("port.space.version"), std::string_view("port.space.fingerprint"), std::string_view("port.space.root"),
    std::string_view("port.space.metric"), std::string_view("port.space.pooling"), std::string_view("port.space.normalized"),
    std::string_view("port.space.prefix_dims"), std::string_view("port.space.probes"), std::string_view("port.labels.names"),
    std::string_view("port.labels.closed"), std::string_view("port.labels.thresholds"), std::string_view("port.quantisation.scheme"),
    std::string_view("port.quantisation.granularity"), std::string_view("requirements.min_reader_major"),
    std::string_view("requirements.min_reader_minor"), std::string_view("requirements.ops"), std::string_view("requirements.batch_limit"),
    std::string_view("requirements.memory"), std::string_view("requirements.determinism"), std::string_view("requirements.licence"),
    std::string_view("requirements.base_content"), std::string_view("requirements.composes"), std::string_view("identity.version"),
    std::string_view("identity.licence"), std::string_view("identity.lineage"), std::string_view("trailers.card"),
    std::string_view("trailers.probes"), std::string_view("trailers.evidence"), std::string_view("trailers.signatures"),
};

}  // namespace

std::span<const Rule> rule_table() { return kRules; }
std::span<const std::string_view> contract_fields() { return kFields; }

const Rule* find_rule(std::string_view id) {
  static const auto kIndex = [] {
    std::map<std::string_view, const Rule*> index;
    for (const Rule& rule : kRules) index.emplace(rule.id, &rule);
    return index;
  }();
  const auto it = kIndex.find(id);
  return it == kIndex.end() ? nullptr : it->second;
}

Finding& Findings::add(const Rule& rule, std::string path, std::string old_text, std::string new_text, std::string what) {
  return items_.emplace_back(Finding{&rule, rule.severity, rule.bump, std::move(path), std::move(old_text), std::move(new_text), std::move(what), {}, false});
}
Finding& Findings::add(std::string_view id, std::string path, std::string old_text, std::string new_text, std::string what) {
  return add(*find_rule(id), std::move(path), std::move(old_text), std::move(new_text), std::move(what));
}
bool Findings::denies() const {
  return std::any_of(items_.begin(), items_.end(), [](const Finding& f) { return f.severity == Severity::kDeny || f.severity == Severity::kUndecidable; });
}
std::vector<Finding> Findings::take() {
  std::stable_sort(items_.begin(), items_.end(), [](const Finding& a, const Finding& b) { return a.rule < b.rule; });
  return std::move(items_);
}

}  // namespace modnet
