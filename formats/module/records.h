// A module as plain data: what schema/module.fbs stores, free of FlatBuffers. Everything to the right of formats/ works on
// these records: libmod/contract decides about them, libmod/graph shapes them, commands print them.
// Enum numbers are on disk: append only, never reuse, 0 is invalid. Byte-exact form and digests: modnet-module.5.
// Tested by tests/unit/module/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "formats/base/digest.h"
#include "formats/base/dtype.h"

namespace modnet {

// ---- contract -------------------------------------------------------------------------------------------------------

enum class Direction : uint8_t { kInvalid = 0, kInput = 1, kOutput = 2 };
enum class Layout : uint8_t {
  kInvalid = 0,
  kRowMajor = 1,       // dims in order, last fastest
  kRagged = 2,         // rows of different length along the sequence axis, packed, with offsets
  kChannelsFirst = 3,  // images [.., C, H, W]
  kChannelsLast = 4,   // images [.., H, W, C]
};
enum class Semantic : uint8_t {
  kInvalid = 0, kText = 1, kTokens = 2, kMask = 3, kImage = 4, kColumns = 5, kAudio = 6, kEmbedding = 7,
  kTokenEmbedding = 8, kLogits = 9, kProbabilities = 10, kLabels = 11, kBoxes = 12, kMasks = 13, kTextOut = 14,
  kValue = 15,     // real-valued targets of a regression
  kFeatures = 16,  // prepared numbers without a space of their own (scaled pixels)
  kTokenTypes = 17,
  kScores = 18,  // one number a label, the greatest wins; no logarithms of probabilities
};

/// A fixed size, or a named symbol with bounds. The same symbol unifies across a seam.
struct Dim {
  std::string symbol;        // empty: fixed
  uint64_t size = 0;         // fixed size; 0 for a symbol
  uint64_t min = 1;          // symbols: least value
  uint64_t max = 0;          // symbols: greatest value, 0 = unbounded
  uint64_t multiple_of = 1;  // symbols
  bool operator==(const Dim&) const = default;
};

enum class Side : uint8_t { kInvalid = 0, kRight = 1, kLeft = 2, kNone = 3 };
enum class MaskPolarity : uint8_t { kInvalid = 0, kNone = 1, kOneIsReal = 2, kOneIsPad = 3, kAdditive = 4 };
struct SequenceRecord {
  uint32_t axis = 1;
  uint64_t max_length = 0;  // 0 = unbounded
  int64_t pad_id = 0;
  Side pad_side = Side::kRight;
  MaskPolarity mask = MaskPolarity::kNone;
  bool causal = false;
  uint64_t stride = 0;       // samples or items between frames, 0 = does not apply
  double sample_rate = 0;    // Hz, 0 = does not apply
  std::string stream_state;  // name of the carried state, empty = stateless
  bool operator==(const SequenceRecord&) const = default;
};

enum class NormKind : uint8_t { kInvalid = 0, kNone = 1, kL2 = 2, kStandard = 3, kSoftmax = 4 };
enum class NonFinite : uint8_t { kInvalid = 0, kReject = 1, kPropagate = 2, kNever = 3 };
struct ValuesRecord {
  std::optional<double> low, high;  // closed range
  std::vector<double> mean, std;    // one or one a channel; empty = does not apply
  NormKind norm = NormKind::kNone;
  NonFinite nonfinite = NonFinite::kPropagate;
  double tolerance = 0;  // absolute, of outputs between policies; 0 = bit-exact
  bool operator==(const ValuesRecord&) const = default;
};

struct SpecialId {
  std::string role;  // "cls", "sep", "pad", "unk", "mask", "bos", "eos"
  int64_t id = 0;
  bool operator==(const SpecialId&) const = default;
};
struct PreparationRecord {
  std::string method;  // "wordpiece", "byte-bpe", "layers" …
  Digest digest{};
  std::vector<SpecialId> special_ids;
  std::string unicode_norm;  // "", "nfc", "nfd-strip-lower" …
  std::string resampling;    // "", "bilinear" …
  std::vector<std::string> prefixes;
  bool operator==(const PreparationRecord&) const = default;
};

enum class Metric : uint8_t { kInvalid = 0, kCosine = 1, kDot = 2, kL2 = 3 };
enum class Pooling : uint8_t { kInvalid = 0, kNone = 1, kMean = 2, kCls = 3, kMax = 4 };
struct SpaceRecord {
  std::string id;        // "minilm/mean-l2"
  std::string version;   // "1"
  Digest fingerprint{};  // of the space (modnet-module.5)
  Digest root{};         // fingerprint of the space that heads were trained on; equals fingerprint at import
  Metric metric = Metric::kCosine;
  Pooling pooling = Pooling::kNone;
  bool normalized = false;
  std::vector<uint64_t> prefix_dims;  // usable leading dims (Matryoshka), empty = all only
  Digest probes{};                    // heads: digest of the probes they carry; zero elsewhere
  bool operator==(const SpaceRecord&) const = default;
};

struct LabelsRecord {
  std::vector<std::string> names;  // in order of the output's last dim
  bool closed = true;
  std::vector<double> thresholds;  // empty, or one a label
  bool operator==(const LabelsRecord&) const = default;
};

struct QuantisationRecord {
  std::string scheme;       // "symmetric-i8" …
  std::string granularity;  // "tensor", "channel"
  bool operator==(const QuantisationRecord&) const = default;
};

struct Port {
  uint32_t number = 0;  // stable, unique in the module
  Direction direction = Direction::kInvalid;
  std::string name;   // unique in its direction
  std::string value;  // the graph value that it stands for
  DType dtype = DType::kInvalid;
  Layout layout = Layout::kRowMajor;
  std::vector<Dim> dims;  // the batch first, as symbol "B"
  Semantic semantic = Semantic::kInvalid;
  bool optional = false;
  std::optional<SequenceRecord> sequence;
  std::optional<ValuesRecord> values;
  std::optional<PreparationRecord> preparation;
  std::optional<SpaceRecord> space;
  std::optional<LabelsRecord> labels;
  std::optional<QuantisationRecord> quantisation;
  bool operator==(const Port&) const = default;
};

struct OpRequirement {
  std::string domain;  // "" = ONNX
  std::string name;
  uint32_t version = 1;
  bool operator==(const OpRequirement&) const = default;
};
enum class Determinism : uint8_t { kInvalid = 0, kPortable = 1, kMachine = 2, kNone = 3 };
struct VersionRange {
  std::string name;   // of a module or a slot
  std::string range;  // ">=1.2 <2"
  bool operator==(const VersionRange&) const = default;
};
struct Requirements {
  uint16_t min_reader_major = 1, min_reader_minor = 0;
  std::vector<OpRequirement> ops;  // sorted by domain, name
  uint64_t batch_limit = 0;        // 0 = none
  uint64_t memory = 0;             // bytes beyond the weights for one item at full length, 0 = unknown
  Determinism determinism = Determinism::kPortable;
  std::string licence;                   // what composing with it demands, SPDX; empty = nothing
  Digest base_content{};                 // of an adapter: the module it was made for
  std::vector<VersionRange> composes;    // sorted by name
  bool operator==(const Requirements&) const = default;
};

struct Contract {
  std::vector<Port> ports;  // sorted by number
  Requirements requirements;
  bool operator==(const Contract&) const = default;
};

// ---- graph ----------------------------------------------------------------------------------------------------------

using AttributeValue = std::variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>,
                                    std::vector<std::string>>;
struct Attribute {
  std::string name;
  AttributeValue value;
  bool operator==(const Attribute&) const = default;
};

/// One operation. Inputs name graph inputs, outputs of earlier nodes, or tensors; "" is an absent optional input.
struct Node {
  std::string domain;  // "" = ONNX names and semantics, "modnet" = ours
  std::string op;
  uint32_t version = 1;
  std::string name;  // for people; may be empty; not hashed
  std::vector<std::string> inputs, outputs;
  std::vector<Attribute> attributes;  // sorted by name
  bool operator==(const Node&) const = default;
};

/// A named place inside a graph that embed --port or a graft may use.
struct Tap {
  std::string name;
  std::string value;
  bool operator==(const Tap&) const = default;
};

struct Graph {
  std::vector<std::string> inputs, outputs;  // value names
  std::vector<Node> nodes;                   // in execution order
  std::vector<Tap> taps;                     // sorted by name
  bool operator==(const Graph&) const = default;
};

// ---- module ---------------------------------------------------------------------------------------------------------

enum class Kind : uint8_t { kInvalid = 0, kEncoder = 1, kBackbone = 2, kHead = 3, kAdapter = 4, kComposite = 5 };

struct Lineage {
  std::string relation;  // "imported-from", "trained-on", "component", "converted-from"
  std::string name;
  Digest content{};
  bool operator==(const Lineage&) const = default;
};

struct Identity {
  std::string name;
  Kind kind = Kind::kInvalid;
  std::string version = "1.0.0";  // SemVer 2.0.0
  std::string licence;            // SPDX expression, empty = not stated
  std::vector<Lineage> lineage;
  bool operator==(const Identity&) const = default;
};

enum class Codec : uint8_t { kInvalid = 0, kRaw = 1, kZstd = 2 };

struct TensorRecord {
  std::string name;
  DType dtype = DType::kInvalid;
  std::vector<uint64_t> shape;
  Codec codec = Codec::kRaw;
  uint64_t offset = 0;  // in the module file, a multiple of 64
  uint64_t stored_length = 0, raw_length = 0;
  uint64_t chunk_raw = 0;               // zstd: raw bytes a chunk (the last may be shorter)
  std::vector<uint64_t> chunk_stored;   // zstd: stored bytes of each chunk
  Digest digest{};                      // SHA-256 of the raw bytes
  Hash128 hash{};                       // XXH3-128 of the stored bytes
};

struct AssetRecord {
  std::string name;       // "tokenizer.json"
  std::string mediatype;  // "application/json"
  Codec codec = Codec::kRaw;
  uint64_t offset = 0, stored_length = 0, raw_length = 0;
  uint64_t chunk_raw = 0;
  std::vector<uint64_t> chunk_stored;
  Digest digest{};
  Hash128 hash{};
};

struct ComponentRecord {
  std::string slot;  // "encoder", "backbone", a head's name
  uint64_t offset = 0, length = 0;
  Digest content{};  // the component's content digest
  Digest file{};     // SHA-256 of its preamble
};

struct ModuleIndex {
  Identity identity;
  Contract contract;
  Graph graph;
  std::vector<TensorRecord> tensors;        // sorted by name
  std::vector<AssetRecord> assets;          // sorted by name
  std::vector<ComponentRecord> components;  // sorted by slot; several slots may share one range
  std::vector<std::string> required_features, optional_features;  // sorted
};

// ---- trailers -------------------------------------------------------------------------------------------------------

enum class TrailerKind : uint32_t { kInvalid = 0, kCard = 1, kProbes = 2, kEvidence = 3, kSignatures = 4 };

/// One probe array, ragged or not: `count` items, item i has rows offsets[i]..offsets[i+1] (empty offsets: one row each).
struct ProbeArray {
  std::string port;
  DType dtype = DType::kInvalid;       // inputs: as the port's; outputs: f32
  std::vector<uint64_t> item_shape;    // of one row
  std::vector<uint64_t> offsets;       // count + 1, or empty
  std::string data;                    // little-endian rows
  bool operator==(const ProbeArray&) const = default;
};
/// Stored inputs with the f32 outputs that they must give for each declared space (DESIGN section 5).
struct Probes {
  uint64_t count = 0;
  std::string source;  // "builtin-text-1", a file's name …
  std::vector<ProbeArray> inputs, outputs;
  bool operator==(const Probes&) const = default;
};

/// How far one backbone's outputs on stored probes lie from the outputs stored with them. Distances are shares of the mean
/// distance between the stored outputs of two probes, so that they mean the same in a wide and in a narrow space.
struct SpaceMeasure {
  int64_t probes = 0;
  double probe_distance = 0;              // mean distance between two probes' stored outputs, in the units of the space
  double largest = 0, mean = 0;           // of ‖Δ‖ over probes, as shares of probe_distance
  double cosine_min = 1, cosine_mean = 1; // between an output and the stored one
  double cka = 1;                         // linear centred kernel alignment (Kornblith et al. 2019, eq. 3)
  double neighbours = 1;                  // share of the 10 nearest probes (or all others, if fewer) that stay the same
  int64_t nonfinite = 0;                  // outputs that hold NaN or infinity
  bool operator==(const SpaceMeasure&) const = default;
};
/// One measurement that a module carries about a space that it gives (DESIGN section 5).
struct EvidenceRecord {
  std::string port;      // the output port, or "SLOT/PORT" of a component
  Digest fingerprint{};  // of the space that was measured
  Digest root{};         // of the space whose probes were run
  Digest probes{};       // digest of those probes
  std::string policy;    // arithmetic: "portable", "vendor: …"
  std::string how;       // "convert bf16", "attach-head", "check"
  double tolerance = 0;  // largest share that counted as the same space
  SpaceMeasure measure;
  bool operator==(const EvidenceRecord&) const = default;
};

}  // namespace modnet
