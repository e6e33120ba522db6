#include "fairness/metrics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <vector>

namespace metasieve {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

/// Variance of the difference of the two shares if both groups have the rate of their union; NaN if one is
/// empty.
double variance_of_difference(Rate a, Rate b) {
  if (a.rows == 0 || b.rows == 0) return undefined;
  const double rate = (a + b).value();
  return rate * (1.0 - rate) * (1.0 / a.rows + 1.0 / b.rows);
}

/// NaN if either is: an undefined rate makes what is built on it undefined.
double larger(double a, double b) { return std::isnan(a) || std::isnan(b) ? undefined : std::max(a, b); }

/// Mann-Whitney form, with the mean rank of ties.
double area_under_roc(const Vector& score, const Labels& y) {
  std::vector<Index> order(static_cast<std::size_t>(score.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::sort(order.begin(), order.end(), [&](Index a, Index b) { return score(a) < score(b); });
  double rank_sum = 0, positives = 0;
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last < order.size() && score(order[last]) == score(order[first])) ++last;
    const double mean_rank = 0.5 * static_cast<double>(first + 1 + last);
    for (std::size_t k = first; k < last; ++k)
      if (y(order[k]) == 1) rank_sum += mean_rank, ++positives;
    first = last;
  }
  const double negatives = static_cast<double>(score.size()) - positives;
  if (positives == 0 || negatives == 0) return undefined;
  return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}

} // namespace

double Rate::value() const { return rows > 0 ? hits / rows : undefined; }

Metrics metrics_of(const Cells& positive) {
  const auto of_group = [&](std::size_t z) { return positive[0][z] + positive[1][z]; };
  const auto of_label = [&](std::size_t label) { return positive[label][0] + positive[label][1]; };
  const auto correct = [&](std::size_t z) {
    return Rate{positive[1][z].hits + positive[0][z].rows - positive[0][z].hits, of_group(z).rows};
  };
  const auto gap = [](Rate a, Rate b) { return std::abs(a.value() - b.value()); };
  const Rate all = of_group(0) + of_group(1);

  Metrics m;
  m.accuracy = (correct(0) + correct(1)).value();
  m.dp_gap = gap(of_group(0), of_group(1));
  m.eopp_gap = gap(positive[1][0], positive[1][1]);
  m.eo_gap = larger(gap(positive[0][0], positive[0][1]), m.eopp_gap);
  m.roh_dp = larger(gap(of_group(0), all), gap(of_group(1), all));
  m.roh_eo = larger(larger(gap(positive[0][0], of_label(0)), gap(positive[0][1], of_label(0))),
                    larger(gap(positive[1][0], of_label(1)), gap(positive[1][1], of_label(1))));
  m.auc = undefined;
  m.balanced_accuracy = 0.5 * (of_label(1).value() + 1.0 - of_label(0).value());
  m.positive_rate = all.value();
  m.worst_group_accuracy = undefined;
  for (const std::size_t z : {0U, 1U})
    m.worst_group_accuracy = std::fmin(m.worst_group_accuracy, correct(z).value());
  constexpr double two_over_pi = 2.0 * std::numbers::inv_pi;
  m.dp_floor = std::sqrt(two_over_pi * variance_of_difference(of_group(0), of_group(1)));
  m.eo_floor = std::sqrt(two_over_pi * (variance_of_difference(positive[0][0], positive[0][1]) +
                                        variance_of_difference(positive[1][0], positive[1][1])));
  return m;
}

Metrics evaluate_predictor(const Vector& score, const Labels& y, const Labels& group) {
  Cells positive;
  for (Index i = 0; i < score.size(); ++i) {
    Rate& cell = positive[y(i)][group(i)];
    cell.hits += score(i) > 0.0;
    cell.rows += 1;
  }
  Metrics m = metrics_of(positive);
  m.auc = area_under_roc(score, y);
  return m;
}

} // namespace metasieve
