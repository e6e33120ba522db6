#include "features/scaling.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace metasieve {

Vector z_scored(const Vector& values) {
  if (values.size() == 0) return values;
  const double mean = values.mean();
  const Vector centred = values.array() - mean;
  const double deviation = std::sqrt(centred.squaredNorm() / static_cast<double>(values.size()));
  // Relative for large means: there, equal values differ from their rounded mean by more than 1e-12.
  if (deviation < 1e-12 * std::max(1.0, std::abs(mean))) return Vector::Zero(values.size());
  return centred / deviation;
}

Vector rank_fraction(const Vector& values) {
  std::vector<Index> order(static_cast<std::size_t>(values.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::stable_sort(order, {}, [&](Index i) { return values(i); });
  const double last = static_cast<double>(std::max<Index>(values.size() - 1, 1));
  Vector rank(values.size());
  for (std::size_t place = 0; place < order.size(); ++place)
    rank(order[place]) = static_cast<double>(place) / last;
  return rank;
}

} // namespace metasieve
