#include "run/training_text.hpp"

#include "run/format.hpp"

#include <cmath>

namespace metasieve {
namespace {

/// ", DP gap 0.0800 (-52 %)"; without the change where there is nothing to compare with.
std::string compared(const char* name, double value, double base) {
  if (std::isnan(value)) return std::string(", ") + name + " undefined";
  return base > 0.0 ? format(", %s %.4f (%+.0f %%)", name, value, 100.0 * (value / base - 1.0))
                    : format(", %s %.4f", name, value);
}

} // namespace

std::string state_text(const HistoryRow& row) {
  return format("loss %.4f  accuracy loss %.4f  gap %.4f  gradient %.3f", row.loss, row.accuracy_loss,
                row.fairness_loss, row.gradient_norm);
}

std::string validation_text(const ValidationRow& row) {
  return format("validation at %ld: accuracy %.4f (%+.2f points)", static_cast<long>(row.iteration),
                row.accuracy, 100.0 * (row.accuracy - row.baseline_accuracy)) +
         compared("DP gap", row.dp_gap, row.baseline_dp_gap) +
         compared("EO gap", row.eo_gap, row.baseline_eo_gap) +
         compared("noise kept", row.noise_rate_selected, row.noise_rate_all) +
         compared("loss", row.loss, 0.0); // the baseline has none
}

} // namespace metasieve
