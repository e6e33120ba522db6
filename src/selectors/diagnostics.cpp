#include "selectors/diagnostics.hpp"

#include "tasks/corruption.hpp"

#include <limits>

namespace metasieve {
namespace {

double share(Index part, Index whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole)
                   : std::numeric_limits<double>::quiet_NaN();
}

} // namespace

double Detection::precision() const { return share(caught, rejected); }
double Detection::recall() const { return share(caught, flipped); }
double Detection::share_rejected() const { return share(rejected, rows); }
double Detection::share_flipped() const { return share(flipped, rows); }

Detection operator+(const Detection& a, const Detection& b) {
  return {a.rows + b.rows, a.rejected + b.rejected, a.flipped + b.flipped, a.caught + b.caught};
}

DetectionReport detect(const Vector& weights, const Labels& y, const Labels& y_clean, const Labels& group) {
  DetectionReport report;
  for (Index i = 0; i < weights.size(); ++i) {
    const bool rejected = weights(i) == 0.0, flipped = y(i) != y_clean(i);
    Detection& cell = report.cell[y(i)][group(i)];
    cell = cell + Detection{1, rejected, flipped, rejected && flipped};
  }
  return report;
}

std::string_view to_string(Corruption corruption) {
  constexpr std::array<std::string_view, 6> names{"none", "uniform",      "adversarial",
                                                  "bias", "uniform_bias", "adversarial_bias"};
  return names[static_cast<std::size_t>(corruption)];
}

Corruption corruption_of(const Metadata& metadata) {
  const bool flips = flip_count(metadata.noise_rate, metadata.n_train) > 0;
  const bool bias = metadata.label_bias > 0.0;
  if (!flips) return bias ? Corruption::bias : Corruption::none;
  if (metadata.adversarial != 0) return bias ? Corruption::adversarial_bias : Corruption::adversarial;
  return bias ? Corruption::uniform_bias : Corruption::uniform;
}

} // namespace metasieve
