#include "methods/reweight_meta.hpp"

#include "numerics/newton.hpp"

#include <algorithm>

namespace metasieve {
namespace {

constexpr int rounds = 60;
constexpr double step = 0.1; // of the weight, for a row of mean gradient

using Rows = std::vector<Index>;

/// The weights of the rows `fitted` after a step that lowers the loss on the rows `validation`.
Vector stepped(const Matrix& x, const Split& train, const Rows& fitted, const Rows& validation,
               const Vector& weights, const Vector& start, const AdaptOptions& options) {
  NewtonFit newton;
  newton.load(Matrix(x(fitted, Eigen::all)));
  std::ranges::copy(train.y(fitted), newton.labels().begin());
  std::ranges::copy(weights, newton.weights().begin());
  if (newton.fit(start, ridge_diagonal(x.cols(), options.inner.ridge)) == FitStatus::diverged) return weights;
  const Matrix query = x(validation, Eigen::all);
  const OuterTrace outer =
      outer_loss(query * Vector(newton.beta()), train.y(validation), train.group(validation), options.outer);
  const Vector d_weights = newton.pullback(query.transpose() * pullback(outer));
  const double mean = d_weights.cwiseAbs().mean();
  if (!(mean > 0.0) || !d_weights.allFinite()) return weights;
  const Vector moved = (weights - step / mean * d_weights).cwiseMax(0.0);
  const double sum = moved.sum();
  return sum > 0.0 ? Vector(weights.sum() / sum * moved) : weights;
}

} // namespace

Vector reweight_meta_weights(const PreparedTask& task, const AdaptOptions& options) {
  const Index rows = task.train.rows(), half = rows / 2;
  Vector weights = Vector::Ones(rows);
  if (half == 0) return weights;
  const Matrix x = design_matrix(task.train, task.probe.standardizer);
  for (int round = 0; round < rounds; ++round) {
    const Stream stream(options.seed, Draw::adaptation, task.id, static_cast<std::uint64_t>(round));
    Rows order = permutation(stream, rows);
    std::ranges::sort(order.begin(), order.begin() + half); // memory order
    std::ranges::sort(order.begin() + half, order.end());
    const Rows one(order.begin(), order.begin() + half), other(order.begin() + half, order.end());
    const Vector of_one = stepped(x, task.train, one, other, weights(one), task.probe.beta, options);
    weights(other) = stepped(x, task.train, other, one, weights(other), task.probe.beta, options);
    weights(one) = of_one;
  }
  return weights;
}

} // namespace metasieve
