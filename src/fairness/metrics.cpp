#include "fairness/metrics.hpp"

#include "base/random.hpp"
#include "base/split.hpp"

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

/// Rates of one kind in each group.
using Rates = std::vector<Rate>;

Rate total(const Rates& rates) {
  Rate sum;
  for (const Rate& rate : rates) sum = sum + rate;
  return sum;
}

/// Largest less least of the defined rates; NaN with fewer than two of them, 0 with one group.
double spread(const Rates& rates) {
  if (rates.size() == 1) return 0.0;
  double low = undefined, high = undefined;
  Index defined = 0;
  for (const Rate& rate : rates) {
    low = std::fmin(low, rate.value());
    high = std::fmax(high, rate.value());
    defined += rate.rows > 0;
  }
  return defined < 2 ? undefined : high - low;
}

/// Largest distance of a defined rate from that of all rows; NaN with fewer than two of them, 0 with one
/// group.
double distance_from_all(const Rates& rates) {
  if (rates.size() == 1) return 0.0;
  const double all = total(rates).value();
  double most = undefined;
  Index defined = 0;
  for (const Rate& rate : rates) {
    most = std::fmax(most, std::abs(rate.value() - all));
    defined += rate.rows > 0;
  }
  return defined < 2 ? undefined : most;
}

/// NaN if either is: an undefined rate makes what is built on it undefined.
double larger(double a, double b) { return std::isnan(a) || std::isnan(b) ? undefined : std::max(a, b); }

/// What chance makes of the rates of one kind if all groups have that of their union.
struct Chance {
  double variance = 0;              ///< of the decision on one row
  std::vector<double> inverse_rows; ///< 1 / rows of each group that has any, ascending
};

Chance chance_of(const Rates& rates) {
  const double rate = total(rates).value();
  Chance out{rate * (1.0 - rate), {}};
  for (const Rate& group : rates)
    if (group.rows > 0) out.inverse_rows.push_back(1.0 / group.rows);
  std::ranges::sort(out.inverse_rows); // so that the numbers of the groups do not matter
  return out;
}

constexpr Index simulations = 2000;

/// [simulations, 2 * most_groups], the same for all that is compared.
const Matrix& simulated_normals() {
  static const Matrix normals = Stream(Seed{}, Draw::floors, TaskId{}).normals(simulations, 2 * most_groups);
  return normals;
}

/// Variance of the difference of the rates of two groups.
double variance_of_difference(const Chance& rates) {
  return rates.variance * (rates.inverse_rows[0] + rates.inverse_rows[1]);
}

/// Mean of the largest of the differences between two groups: E max(|a|, |b|) for two kinds.
double mean_of_two_groups(const std::vector<Chance>& kinds) {
  constexpr double two_over_pi = 2.0 * std::numbers::inv_pi;
  double variance = 0;
  for (const Chance& kind : kinds) variance += variance_of_difference(kind);
  return std::sqrt(two_over_pi * variance);
}

/// Mean of the largest spread of all kinds over the simulations.
double simulated_mean(const std::vector<Chance>& kinds) {
  std::vector<std::vector<double>> errors; // standard errors of the rates
  for (const Chance& kind : kinds) {
    errors.emplace_back();
    for (const double inverse : kind.inverse_rows)
      errors.back().push_back(std::sqrt(kind.variance * inverse));
  }
  const Matrix& normals = simulated_normals();
  double sum = 0;
  for (Index i = 0; i < simulations; ++i) {
    double most = 0;
    Index at = 0;
    for (const std::vector<double>& kind : errors) {
      double low = std::numeric_limits<double>::infinity(), high = -low;
      for (const double error : kind) {
        const double deviation = error * normals(i, at++);
        low = std::min(low, deviation), high = std::max(high, deviation);
      }
      most = std::max(most, high - low);
    }
    sum += most;
  }
  return sum / static_cast<double>(simulations);
}

/// The mean of the largest spread of the rates of each kind, by chance alone; NaN if a kind has fewer than
/// two groups with rows, 0 with one group.
double chance_gap(std::initializer_list<Rates> rates_of_kinds) {
  std::vector<Chance> kinds;
  for (const Rates& rates : rates_of_kinds) {
    if (rates.size() == 1) return 0.0;
    kinds.push_back(chance_of(rates));
    if (kinds.back().inverse_rows.size() < 2) return undefined;
  }
  const auto two_groups = [](const Chance& kind) { return kind.inverse_rows.size() == 2; };
  return std::ranges::all_of(kinds, two_groups) ? mean_of_two_groups(kinds) : simulated_mean(kinds);
}

} // namespace

double Rate::value() const { return rows > 0 ? hits / rows : undefined; }

Metrics metrics_of(const Cells& positive, bool floors) {
  const std::size_t groups = positive[0].size();
  Rates of_group(groups), correct(groups);
  for (std::size_t z = 0; z < groups; ++z) {
    of_group[z] = positive[0][z] + positive[1][z];
    correct[z] = {positive[1][z].hits + positive[0][z].rows - positive[0][z].hits, of_group[z].rows};
  }

  Metrics m;
  m.accuracy = total(correct).value();
  m.dp_gap = spread(of_group);
  m.eopp_gap = spread(positive[1]);
  m.eo_gap = larger(spread(positive[0]), m.eopp_gap);
  m.roh_dp = distance_from_all(of_group);
  m.roh_eo = larger(distance_from_all(positive[0]), distance_from_all(positive[1]));
  m.auc = undefined;
  m.balanced_accuracy = 0.5 * (total(positive[1]).value() + 1.0 - total(positive[0]).value());
  m.positive_rate = total(of_group).value();
  m.worst_group_accuracy = undefined;
  for (const Rate& group : correct) m.worst_group_accuracy = std::fmin(m.worst_group_accuracy, group.value());
  m.dp_floor = floors ? chance_gap({of_group}) : undefined;
  m.eo_floor = floors ? chance_gap({positive[0], positive[1]}) : undefined;
  return m;
}

Cells cells_of(const Labels& predicted, const Labels& y, const Labels& group, Index groups) {
  Cells positive;
  for (Rates& of_label : positive) of_label.resize(static_cast<std::size_t>(groups));
  for (Index i = 0; i < y.size(); ++i) {
    Rate& cell = positive[y(i)][group(i)];
    cell.hits += predicted(i);
    cell.rows += 1;
  }
  return positive;
}

// Mann-Whitney form, with the mean rank of ties.
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

Metrics evaluate_predictor(const Vector& score, const Labels& y, const Labels& group, Index groups) {
  Metrics m = metrics_of(cells_of(predictions(score), y, group, groups));
  m.auc = area_under_roc(score, y);
  return m;
}

} // namespace metasieve
