#include "fairness/outer_loss.hpp"

#include "numerics/logistic.hpp"

#include <array>
#include <cmath>

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
  return {error.mean(), -sharpness * sign * error * (1.0 - error) / rows};
}

/// Which rows a parity is asked over: [m], 1 or 0.
using Mask = Eigen::ArrayXd;

/// Smooth gap over the masked rows; false where a group has too few of them.
struct ParityTerm {
  bool defined = false;
  Term term;
};

ParityTerm parity(const Eigen::ArrayXd& decision, const Eigen::ArrayXd& group, const Mask& mask) {
  const Mask in_one = mask * group, in_zero = mask * (1.0 - group);
  const double ones = in_one.sum(), zeros = in_zero.sum();
  if (ones < smallest_cell || zeros < smallest_cell) return {};
  const Eigen::ArrayXd contrast = in_one / ones - in_zero / zeros;
  const double difference = (contrast * decision).sum();
  const double gap = std::sqrt(difference * difference + gap_floor);
  return {true, {gap, difference / gap * contrast * sharpness * decision * (1.0 - decision)}};
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

Term fairness_term(const Vector& score, const Vector& y, const Vector& group, Gap kind) {
  const Eigen::ArrayXd decision = sigmoid(sharpness * score.array());
  const Eigen::ArrayXd z = group.array();
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

OuterTrace outer_loss(const Vector& score, const Labels& y, const Labels& group,
                      const OuterOptions& options) {
  const Vector labels = y.cast<double>();
  const Term accuracy = accuracy_term(score, labels, options.accuracy_loss);
  const Term fairness = fairness_term(score, labels, group.cast<double>(), options.fairness);
  return {accuracy.value + options.fairness_weight * fairness.value, accuracy.value, fairness.value,
          accuracy.d_score + options.fairness_weight * fairness.d_score};
}

} // namespace metasieve
