// What a sentence-transformers folder says beyond its transformer: modules.json, pooling, dense layers, normalisation,
// prompts, length. Both generations of its files are read; anything else stops the import.
// Source: sentence-transformers 2–6, models/Pooling.py, Dense.py. Tested by tests/unit/import/ and
// tests/parity/import_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "formats/base/result.h"
#include "formats/module/records.h"
#include "libmod/compute/elementwise.h"

namespace modnet {

struct DenseLayer {
  std::string folder;  // "2_Dense"
  int64_t inputs = 0, outputs = 0;
  bool bias = true;
  std::optional<UnaryOp> activation;  // none: identity
};

struct SentenceConfig {
  bool present = false;            // modules.json was there
  std::string transformer_folder;  // of config.json and the weights, "" = the folder itself
  Pooling pooling = Pooling::kNone;
  int64_t pooled_width = 0;       // as the pooling's configuration says, 0: it does not
  std::vector<DenseLayer> dense;  // in order, after the pooling
  bool normalize = false;
  Metric metric = Metric::kCosine;
  std::string prompt;                 // put before every text
  std::optional<int64_t> max_length;  // sentence_bert_config.json
};

/// Reads modules.json and what it names in `folder`. present = false when there is no modules.json.
[[nodiscard]] Result<SentenceConfig> read_sentence_config(const std::string& folder);

}  // namespace modnet
