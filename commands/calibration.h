// Data that a conversion is chosen and judged on: items of a stream that fits the backbone, drawn from all of it; some choose, the others judge.
// Tested by tests/cli/convert-calibrate.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "commands/chain.h"
#include "commands/scoring.h"
#include "formats/module/records.h"
#include "libmod/prepare/evidence.h"

namespace modnet {

/// Items that choose at most, items that are used at most, and least. The work of measuring grows with the square of those that judge.
inline constexpr int64_t kMostChoosing = 128, kMostCalibration = kMostChoosing + kMostMeasured, kLeastCalibration = 2 * kProbeItems;

struct Calibration {
  std::unique_ptr<ItemSource> source;  // read to its end; a mapped file is still what it was when the output is committed
  int64_t rows = 0;                    // items of the data
  Probes chosen_on, judged_on;         // inputs only
  std::vector<std::string> labels;     // of judged_on, where the data has labels of text
  std::vector<double> label_values;    // the same for numbers
  std::vector<int64_t> chosen_rows, judged_rows;  // which items of the data they are

  [[nodiscard]] PlaceOfItem judged_places() const;
  /// An error on some of these items as one on the data.
  [[nodiscard]] Error place(Error error, const std::vector<int64_t>& items) const;
};

/// Draws at most kMostCalibration items (fewer, but no less than kLeastCalibration, where they are large) by their numbers in the data, so the
/// same data gives the same ones; kMostChoosing of them choose, half where there are fewer than twice as many; the others judge. The stream must fit `backbone` as modnet embed wants it: kNo with
/// the rules that it breaks. kInvalid for fewer than kLeastCalibration items, STREAM_CUT where it does not end as it should.
[[nodiscard]] Result<Calibration> read_calibration(Invocation& invocation, const ModuleFile& backbone, const std::vector<std::string>& ports, const Engine& engine);

}  // namespace modnet
