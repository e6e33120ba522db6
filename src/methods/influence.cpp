#include "methods/influence.hpp"

#include "numerics/newton.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace metasieve {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Cover {
  Vector share;    // [n] of each row
  double gain = 0; // in all
};

/// Shares in [0, 1] of least cost with a gain of at least `gain_limit`, or, if that comes first, as many as
/// have a cost of `cost_limit`. cost, gain [n]. Rows of negative cost are taken first, then what costs least
/// for its gain: further rows, or giving back rows of negative gain.
Cover cheapest(const Vector& cost, const Vector& gain, double gain_limit, double cost_limit) {
  struct Step {
    double price;
    Index row;
  };
  std::vector<Step> steps;
  Cover out{Vector::Zero(cost.size())};
  double paid = 0.0;
  for (Index i = 0; i < cost.size(); ++i) {
    if (cost(i) < 0.0) out.share(i) = 1.0, paid += cost(i), out.gain += gain(i);
    if (cost(i) < 0.0 ? gain(i) < 0.0 : gain(i) > 0.0) steps.push_back({cost(i) / gain(i), i});
  }
  std::ranges::stable_sort(steps, {}, &Step::price);
  for (const auto& [price, row] : steps) {
    const double gained = std::abs(gain(row)), owed = std::abs(cost(row));
    if (out.gain >= gain_limit || (owed > 0.0 && paid >= cost_limit)) break;
    const double part =
        std::min({1.0, (gain_limit - out.gain) / gained, owed > 0 ? (cost_limit - paid) / owed : 1.0});
    out.share(row) += cost(row) < 0.0 ? -part : part;
    out.gain += part * gained;
    paid += part * owed;
  }
  return out;
}

/// In the order of the rows.
double sum_of_products(const Vector& a, const Vector& b) {
  double sum = 0.0;
  for (Index i = 0; i < a.size(); ++i) sum += a(i) * b(i);
  return sum;
}

} // namespace

Vector least_removal(const Vector& gap, const Vector& loss, double reduction) {
  const Vector gain = -gap;
  const double reachable = cheapest(loss, gain, infinity, 0.0).gain;
  const double target = std::min(reduction, 0.5 * reachable);
  if (!(target > 0.0)) return Vector::Zero(gap.size());
  const auto solution = [&](double multiplier) {
    return cheapest(1.0 + multiplier * loss.array(), gain, target, infinity).share;
  };
  const auto loss_of = [&](const Vector& share) { return sum_of_products(loss, share); };

  Vector dear = solution(0.0); // with too large a loss
  if (loss_of(dear) <= 0.0) return dear;
  double low = 0.0, high = 1.0 / loss.cwiseAbs().maxCoeff();
  Vector cheap = solution(high);
  for (int k = 0; k < 200 && loss_of(cheap) > 0.0; ++k) {
    low = high, dear = cheap;
    cheap = solution(high *= 2.0);
  }
  for (int k = 0; k < 30; ++k) {
    const double middle = std::midpoint(low, high);
    Vector share = solution(middle);
    if (loss_of(share) > 0.0)
      low = middle, dear = std::move(share);
    else
      high = middle, cheap = std::move(share);
  }
  const double excess = loss_of(dear), slack = -loss_of(cheap);
  if (!(slack >= 0.0)) return Vector::Zero(gap.size());
  return (slack * dear + excess * cheap) / (slack + excess);
}

namespace {

using Rows = std::vector<Index>;

/// What removing a row of the half that is fitted changes in the other half.
struct Influence {
  Vector gap, loss;     // [rows]
  double reduction = 0; // of the gap, to 0
};

Influence influence(const Matrix& x, const Split& train, const Rows& fitted, const Rows& other, Gap kind,
                    const Vector& start, const Vector& ridge) {
  Influence out{Vector::Zero(std::ssize(fitted)), Vector::Zero(std::ssize(fitted))};
  NewtonFit newton;
  newton.load(Matrix(x(fitted, Eigen::all)));
  std::ranges::copy(train.y(fitted), newton.labels().begin());
  std::ranges::fill(newton.weights(), 1.0);
  if (newton.fit(start, ridge) == FitStatus::diverged) return out;

  const Matrix query = x(other, Eigen::all);
  const Labels y = train.y(other), group = train.group(other);
  const Vector score = query * Vector(newton.beta());
  const Vector d_loss = outer_loss(score, y, group, {AccuracyLoss::logistic, Gap::none, 0.0}).d_score;
  const OuterTrace both = outer_loss(score, y, group, {AccuracyLoss::logistic, kind, 1.0});
  out.loss = -newton.pullback(query.transpose() * d_loss);
  out.gap = -newton.pullback(query.transpose() * (both.d_score - d_loss));
  out.reduction = std::max(0.0, both.fairness_loss - std::sqrt(gap_floor));
  return out;
}

} // namespace

Vector influence_weights(const PreparedTask& task, Gap gap, double ridge) {
  const Split& train = task.train;
  Vector weights = Vector::Ones(train.rows());
  std::array<Rows, 2> half;
  const std::vector<Index> fold = stratified_folds(train.y, 2, Stream(task.seed, Draw::folds, task.id));
  for (std::size_t i = 0; i < fold.size(); ++i)
    half[static_cast<std::size_t>(fold[i])].push_back(static_cast<Index>(i));
  if (half[0].empty() || half[1].empty()) return weights;

  const Matrix x = design_matrix(train, task.probe.standardizer);
  const Vector penalty = ridge_diagonal(x.cols(), ridge);
  for (std::size_t k = 0; k < 2; ++k) {
    const Influence change = influence(x, train, half[k], half[1 - k], gap, task.probe.beta, penalty);
    if (!change.gap.allFinite() || !change.loss.allFinite()) continue;
    weights(half[k]) -= least_removal(change.gap, change.loss, change.reduction);
  }
  return weights;
}

} // namespace metasieve
