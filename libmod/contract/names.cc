#include "libmod/contract/names.h"

namespace modnet {
namespace {
constexpr NameRow<Direction> kDirections[] = {{Direction::kInput, "input"}, {Direction::kOutput, "output"}};
constexpr NameRow<Layout> kLayouts[] = {{Layout::kRowMajor, "row-major"},
                                 {Layout::kRagged, "ragged"},
                                 {Layout::kChannelsFirst, "channels-first"},
                                 {Layout::kChannelsLast, "channels-last"}};
constexpr NameRow<Semantic> kSemantics[] = {{Semantic::kText, "text"},
                                   {Semantic::kTokens, "tokens"},
                                   {Semantic::kMask, "mask"},
                                   {Semantic::kImage, "image"},
                                   {Semantic::kColumns, "columns"},
                                   {Semantic::kAudio, "audio"},
                                   {Semantic::kEmbedding, "embedding"},
                                   {Semantic::kTokenEmbedding, "token-embedding"},
                                   {Semantic::kLogits, "logits"},
                                   {Semantic::kProbabilities, "probabilities"},
                                   {Semantic::kLabels, "labels"},
                                   {Semantic::kBoxes, "boxes"},
                                   {Semantic::kMasks, "masks"},
                                   {Semantic::kTextOut, "text-out"},
                                   {Semantic::kValue, "value"},
                                   {Semantic::kFeatures, "features"},
                                   {Semantic::kTokenTypes, "token-types"},
                                   {Semantic::kScores, "scores"}};
constexpr NameRow<Side> kSides[] = {{Side::kRight, "right"}, {Side::kLeft, "left"}, {Side::kNone, "none"}};
constexpr NameRow<MaskPolarity> kMasks[] = {{MaskPolarity::kNone, "none"},
                               {MaskPolarity::kOneIsReal, "one-is-real"},
                               {MaskPolarity::kOneIsPad, "one-is-pad"},
                               {MaskPolarity::kAdditive, "additive"}};
constexpr NameRow<NormKind> kNorms[] = {{NormKind::kNone, "none"},
                               {NormKind::kL2, "l2"},
                               {NormKind::kStandard, "standard"},
                               {NormKind::kSoftmax, "softmax"}};
constexpr NameRow<NonFinite> kNonFinites[] = {{NonFinite::kReject, "reject"},
                                    {NonFinite::kPropagate, "propagate"},
                                    {NonFinite::kNever, "never"}};
constexpr NameRow<Metric> kMetrics[] = {{Metric::kCosine, "cosine"}, {Metric::kDot, "dot"}, {Metric::kL2, "l2"}};
constexpr NameRow<Pooling> kPoolings[] = {{Pooling::kNone, "none"},
                                  {Pooling::kMean, "mean"},
                                  {Pooling::kCls, "cls"},
                                  {Pooling::kMax, "max"}};
constexpr NameRow<Determinism> kDeterminisms[] = {{Determinism::kPortable, "portable"},
                                      {Determinism::kMachine, "machine"},
                                      {Determinism::kNone, "none"}};
constexpr NameRow<Kind> kKinds[] = {{Kind::kEncoder, "encoder"},
                               {Kind::kBackbone, "backbone"},
                               {Kind::kHead, "head"},
                               {Kind::kAdapter, "adapter"},
                               {Kind::kComposite, "composite"}};
}  // namespace

template <> std::span<const NameRow<Direction>> names_of<Direction>() { return kDirections; }
template <> std::span<const NameRow<Layout>> names_of<Layout>() { return kLayouts; }
template <> std::span<const NameRow<Semantic>> names_of<Semantic>() { return kSemantics; }
template <> std::span<const NameRow<Side>> names_of<Side>() { return kSides; }
template <> std::span<const NameRow<MaskPolarity>> names_of<MaskPolarity>() { return kMasks; }
template <> std::span<const NameRow<NormKind>> names_of<NormKind>() { return kNorms; }
template <> std::span<const NameRow<NonFinite>> names_of<NonFinite>() { return kNonFinites; }
template <> std::span<const NameRow<Metric>> names_of<Metric>() { return kMetrics; }
template <> std::span<const NameRow<Pooling>> names_of<Pooling>() { return kPoolings; }
template <> std::span<const NameRow<Determinism>> names_of<Determinism>() { return kDeterminisms; }
template <> std::span<const NameRow<Kind>> names_of<Kind>() { return kKinds; }

std::string dim_text(const Dim& dim) {
  if (dim.symbol.empty()) return std::to_string(dim.size);
  std::string out = dim.symbol;
  if (dim.max > 0) out += " ≤ " + std::to_string(dim.max);
  if (dim.multiple_of > 1) out += " (multiple of " + std::to_string(dim.multiple_of) + ")";
  return out;
}

std::string type_text(const Port& port) {
  std::string out(dtype_name(port.dtype));
  out += '[';
  for (size_t i = 0; i < port.dims.size(); ++i) {
    if (i > 0) out += ',';
    out += port.dims[i].symbol.empty() ? std::to_string(port.dims[i].size) : port.dims[i].symbol;
  }
  return out + ']';
}

std::string space_text(const SpaceRecord& space) { return space.id + "@" + space.version; }

std::string short_digest(const Digest& digest) { return hex(digest).substr(0, 12); }

}  // namespace modnet
