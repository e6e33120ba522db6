#include "fairness/outer_loss.hpp"

#include "numerics/logistic.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <compare>
#include <vector>

namespace metasieve {
namespace {

struct Term {
  double value = 0;
  Vector d_score; // [m]
};

Term accuracy_term(const Vector& score, const Vector& y, AccuracyLoss kind) {
  const double rows = static_cast<double>(score.size());
  const Eigen::ArrayXd sign = 2.0 * y.array() - 1.0;
  if (kind == AccuracyLoss::logistic) {
    const Eigen::ArrayXd p = sigmoid(score.array());
    return {logistic_loss(score, y).mean(), (p - y.array()) / rows};
  }
  const Eigen::ArrayXd error = sigmoid(-sharpness * sign * score.array());
  const auto positives = static_cast<Index>(y.sum());
  const auto of_label = label_weights(kind, y.size() - positives, positives);
  const Eigen::ArrayXd weight = of_label[0] + (of_label[1] - of_label[0]) * y.array();
  return {(weight * error).mean(), -sharpness * sign * weight * error * (1.0 - error) / rows};
}

/// Which rows a parity is asked over: [m], 1 or 0.
using Mask = Eigen::ArrayXd;

/// Smooth gap over the masked rows; false where fewer than two groups have enough of them.
struct ParityTerm {
  bool defined = false;
  Term term;
};

/// group [m]: numbered by first row.
ParityTerm parity(const Eigen::ArrayXd& decision, const Labels& group, const Mask& mask) {
  std::array<double, most_groups> rows{};
  for (Index i = 0; i < mask.size(); ++i) rows[group(i)] += mask(i);
  std::vector<Eigen::ArrayXd> shares; // [m] each row's share in the rate of a group with enough rows
  for (std::uint8_t k = 0; k < most_groups; ++k)
    if (rows[k] >= smallest_cell) shares.emplace_back(mask * (group.array() == k).cast<double>() / rows[k]);
  if (shares.size() < 2) return {};

  std::vector<double> rates; // less that of the first group: of two groups, one difference
  for (const Eigen::ArrayXd& share : shares) {
    const Eigen::ArrayXd contrast = share - shares.front();
    rates.push_back((contrast * decision).sum());
  }
  const SmoothGap gap = smooth_gap(rates);
  Eigen::ArrayXd d_decision = Eigen::ArrayXd::Zero(decision.size());
  for (std::size_t k = 0; k < shares.size(); ++k) d_decision += gap.d_rate[k] * shares[k];
  return {true, {gap.value, d_decision * sharpness * decision * (1.0 - decision)}};
}

/// Mean of the defined ones; 0 if none is.
Term mean_of(std::initializer_list<ParityTerm> parities, Index rows) {
  Term mean{0.0, Vector::Zero(rows)};
  double defined = 0.0;
  for (const ParityTerm& p : parities) {
    if (!p.defined) continue;
    mean.value += p.term.value;
    mean.d_score += p.term.d_score;
    ++defined;
  }
  if (defined > 0.0) {
    mean.value /= defined;
    mean.d_score /= defined;
  }
  return mean;
}

Term fairness_term(const Vector& score, const Vector& y, const Labels& group, Gap kind) {
  const Eigen::ArrayXd decision = sigmoid(sharpness * score.array());
  const Labels z = by_first_row(group);
  const Index rows = score.size();
  const auto dp = [&] { return mean_of({parity(decision, z, Mask::Ones(rows))}, rows); };
  const auto eo = [&] {
    return mean_of({parity(decision, z, 1.0 - y.array()), parity(decision, z, y.array())}, rows);
  };
  switch (kind) {
  case Gap::dp: return dp();
  case Gap::eo: return eo();
  case Gap::both: {
    const Term a = dp(), b = eo();
    return {0.5 * (a.value + b.value), 0.5 * (a.d_score + b.d_score)};
  }
  case Gap::none: break;
  }
  return {0.0, Vector::Zero(rows)};
}

} // namespace

std::array<double, 2> label_weights(AccuracyLoss kind, Index negatives, Index positives) {
  if (kind != AccuracyLoss::balanced || negatives == 0 || positives == 0) return {1.0, 1.0};
  const double half = 0.5 * static_cast<double>(negatives + positives);
  return {half / static_cast<double>(negatives), half / static_cast<double>(positives)};
}

SmoothGap smooth_gap(std::span<const double> rates) {
  std::array<double, most_groups> sorted{};
  const std::span ascending(sorted.data(), rates.size());
  std::ranges::copy(rates, ascending.begin());
  std::ranges::sort(ascending, [](double a, double b) {
    return std::is_lt(std::strong_order(a, b));
  }); // has an order with NaN too
  const double pairs = 0.5 * static_cast<double>(rates.size() * (rates.size() - 1));
  double square = gap_floor;
  for (std::size_t k = 1; k < ascending.size(); ++k)
    for (std::size_t j = 0; j < k; ++j) {
      const double difference = ascending[k] - ascending[j];
      square += difference * (difference / pairs);
    }
  SmoothGap gap{std::sqrt(square), {}};
  for (std::size_t k = 0; k < rates.size(); ++k) {
    double sum = 0.0;
    for (const double other : ascending) sum += rates[k] - other;
    gap.d_rate[k] = sum / pairs / gap.value;
  }
  return gap;
}

OuterTrace outer_loss(const Vector& score, const Labels& y, const Labels& group,
                      const OuterOptions& options) {
  const Vector labels = y.cast<double>();
  const Term accuracy = accuracy_term(score, labels, options.accuracy_loss);
  const Term fairness = fairness_term(score, labels, group, options.fairness);
  return {accuracy.value + options.fairness_weight * fairness.value, accuracy.value, fairness.value,
          accuracy.d_score + options.fairness_weight * fairness.d_score};
}

} // namespace metasieve
