#include "libmod/contract/probe_rules.h"

#include <algorithm>
#include <array>

#include "libmod/contract/port_report.h"

namespace modnet {

void check_probe_run(const ProbeRun& run, Findings& out) {
  const SpaceMeasure& m = run.measure;
  if (m.nonfinite > 0)
    out.add("PROBE_NONFINITE", run.path, "0", std::to_string(m.nonfinite), std::to_string(m.nonfinite) + " outputs on probes are NaN or infinite");
  else if (run.own && m.cosine_min < kOwnProbeCosine)
    out.add("PROBE_COSINE_DRIFT", run.path, number_text(kOwnProbeCosine), number_text(m.cosine_min),
            "on the module's own probes the cosine to the stored outputs is only " + number_text(m.cosine_min));
  if (!run.batch_invariant)
    out.add("PROBE_BATCH_INVARIANCE", run.path, "same bits", "other bits", "probes one by one and all at once give other bits");
  if (!run.pad_invariant)
    out.add("PROBE_PAD_INVARIANCE", run.path, "same bits", "other bits", "probes in another order and company give other bits");
}

bool less_is_better(std::string_view metric) {
  metric = metric.substr(metric.rfind('.') + 1);  // npos + 1 is 0
  constexpr std::array kNames = {std::string_view("log_loss"), std::string_view("brier"), std::string_view("ece_15"),
                                 std::string_view("mae"), std::string_view("rmse"), std::string_view("mse"),
                                 std::string_view("median_absolute_error"), std::string_view("max_error"), std::string_view("perplexity")};
  return std::find(kNames.begin(), kNames.end(), metric) != kNames.end();
}

void check_metrics(std::span<const MetricClaim> before, std::span<const MetricClaim> now, Findings& out) {
  for (const MetricClaim& old : before)
    for (const MetricClaim& one : now) {
      if (one.name != old.name || one.data != old.data || old.data.empty()) continue;
      const bool worse = less_is_better(old.name) ? one.value > std::max(old.high, old.value) : one.value < std::min(old.low, old.value);
      if (worse)
        out.add("PROBE_METRIC_REGRESSION", "card.metrics." + old.name,
                number_text(old.value) + " [" + number_text(old.low) + ", " + number_text(old.high) + "]", number_text(one.value),
                old.name + " on the same data was " + number_text(old.value) + " (from " + number_text(old.low) + " to " + number_text(old.high) + "), is " + number_text(one.value));
    }
}

}  // namespace modnet
