// The real all-MiniLM-L6-v2 (its folder is named by MODNET_MINILM) against sentence-transformers: 2,000 package
// descriptions as single precision gives them, and 64 difficult texts in double precision.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "formats/base/file.h"
#include "formats/table/rows.h"
#include "formats/weights/npy.h"
#include "formats/weights/safetensors.h"
#include "tests/parity/imported.h"
#include "tests/support/skip.h"

using namespace modnet;

namespace {

struct Difference {
  double worst = 0, least_cosine = 1;
};

/// Embeds `texts` from text to vector and measures against `want` [texts, 384].
Difference measure(const test::Imported& model, const std::vector<std::string>& texts, const std::vector<float>& want,
                   const ComputeContext& context) {
  auto encoder = test::runner_of(*model.encoder, {"tokens"}, context),
       backbone = test::runner_of(*model.backbone, {"embedding"}, context);
  REQUIRE(encoder.ok());
  REQUIRE(backbone.ok());
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const auto items = static_cast<int64_t>(texts.size());
  PortColumn column;
  column.port = "text";
  column.texts = views;
  std::vector<OutputColumn> tokens, embeddings;
  REQUIRE(encoder->run({&column, 1}, items, &tokens).ok());
  const PortColumn ids{"tokens", DType::kI32, tokens.at(0).ids.data(), tokens.at(0).offsets, {}};
  REQUIRE(backbone->run({&ids, 1}, items, &embeddings).ok());
  const std::vector<float>& got = embeddings.at(0).values;
  const auto width = static_cast<size_t>(embeddings.at(0).width);
  REQUIRE(width == 384);
  REQUIRE(got.size() == want.size());
  Difference out;
  for (size_t row = 0; row < texts.size(); ++row) {
    double dot = 0, a2 = 0, b2 = 0;
    for (size_t i = row * width; i < (row + 1) * width; ++i) {
      const double a = got[i], b = want[i];
      out.worst = std::max(out.worst, std::isfinite(a) ? std::fabs(a - b) : INFINITY);
      dot += a * b;
      a2 += a * a;
      b2 += b * b;
    }
    out.least_cosine = std::min(out.least_cosine, dot / std::sqrt(a2 * b2));
  }
  return out;
}

std::vector<float> floats(Bytes data) {
  std::vector<float> out(data.size() / sizeof(float));
  std::memcpy(out.data(), data.data(), out.size() * sizeof(float));
  return out;
}

struct Setting {
  std::string model, parity;
};
std::optional<Setting> setting() {
  const char* const model = std::getenv("MODNET_MINILM");
  const std::optional<std::string> shared = test::shared_dir();
  if (model == nullptr || *model == '\0' || !shared) {
    test::skip_case("MODNET_MINILM does not name the model's folder, or there are no reference cases");
    return std::nullopt;
  }
  return Setting{model, *shared + "/parity/"};
}

std::unique_ptr<test::Imported> import_minilm(const std::string& folder, const ComputeContext& context) {
  ImportOptions options;
  options.name = "minilm";
  options.context = context;
  auto model = test::import_to_memory(folder, options);
  REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : test::text_of(model.error())));
  return std::move(model).value();
}

}  // namespace

TEST_CASE("MiniLM's embeddings of 2,000 package descriptions are those of sentence-transformers to 1e-5") {
  const std::optional<Setting> where = setting();
  if (!where) return;
  ThreadPool pool(2);
  const ComputeContext context{&pool, Policy::kPortable};
  const auto model = import_minilm(where->model, context);
  CHECK(model->model->max_length == 256);

  auto source = open_source(where->parity + "minilm_sections/texts.tsv");
  REQUIRE(source.ok());
  RowOptions options;
  options.columns = {"text"};
  auto rows = RowSource::open(std::move(source).value(), RowFormat::kTsv, options);
  REQUIRE(rows.ok());
  auto batch = read_all_rows(**rows, 1 << 20);
  REQUIRE(batch.ok());
  const std::vector<std::string> texts(batch->columns.at(0).begin(), batch->columns.at(0).end());
  REQUIRE(texts.size() == 2000);

  auto file = MappedFile::open(where->parity + "minilm_sections/embeddings.npy");
  REQUIRE(file.ok());
  auto array = read_npy(file->bytes());
  REQUIRE(array.ok());
  REQUIRE(array->dtype == DType::kF32);
  const Difference difference = measure(*model, texts, floats(array->data), context);
  MESSAGE("worst |difference| " << difference.worst << ", least cosine " << difference.least_cosine);
  CHECK(difference.worst <= 1e-5);
  CHECK(difference.least_cosine >= 0.999999);
}

TEST_CASE("MiniLM's embeddings of difficult texts are those of double precision to 1e-5") {
  const std::optional<Setting> where = setting();
  if (!where) return;
  ThreadPool pool(2);
  const ComputeContext context{&pool, Policy::kPortable};
  const auto model = import_minilm(where->model, context);

  auto source = open_source(where->parity + "minilm/texts.jsonl");
  REQUIRE(source.ok());
  RowOptions options;
  options.columns = {"s"};
  auto rows = RowSource::open(std::move(source).value(), RowFormat::kJsonl, options);
  REQUIRE(rows.ok());
  auto batch = read_all_rows(**rows, 1 << 20);
  REQUIRE(batch.ok());
  const std::vector<std::string> texts(batch->columns.at(0).begin(), batch->columns.at(0).end());
  REQUIRE(texts.size() == 64);

  auto file = MappedFile::open(where->parity + "minilm/embeddings.safetensors");
  REQUIRE(file.ok());
  auto arrays = read_safetensors(file->bytes());
  REQUIRE(arrays.ok());
  const ForeignTensor* want = arrays->find("embeddings");
  REQUIRE(want != nullptr);
  REQUIRE(want->dtype == DType::kF32);
  const Difference difference = measure(*model, texts, floats(want->data), context);
  MESSAGE("worst |difference| " << difference.worst << ", least cosine " << difference.least_cosine);
  CHECK(difference.worst <= 1e-5);
  CHECK(difference.least_cosine >= 0.999999);
}
