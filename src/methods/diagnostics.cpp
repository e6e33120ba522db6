#include "methods/diagnostics.hpp"

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

DetectionReport operator+(const DetectionReport& a, const DetectionReport& b) {
  DetectionReport sum;
  for (std::size_t y = 0; y < 2; ++y)
    for (std::size_t z = 0; z < 2; ++z) sum.cell[y][z] = a.cell[y][z] + b.cell[y][z];
  return sum;
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

} // namespace metasieve
