#include "methods/jiang_nachum.hpp"

#include "fairness/metrics.hpp"
#include "methods/parity.hpp"
#include "numerics/newton.hpp"

#include <algorithm>

namespace metasieve {
namespace {

constexpr int rounds = 100;
constexpr double step = 2.0, close_enough = 1e-3;

Vector weights_of(const Vector& multiplier, const GroupParity& parity, const Labels& y) {
  Vector weights = Vector::Ones(y.size());
  for (std::size_t i = 0; i < parity.cell().size(); ++i) {
    const auto row = static_cast<Index>(i);
    const double m = multiplier(parity.cell()[i]);
    weights(row) = 2.0 * sigmoid(y(row) == 1 ? m : -m);
  }
  return weights;
}

} // namespace

Vector jiang_nachum_weights(const PreparedTask& task, Gap gap, double ridge) {
  const Labels& y = task.train.y;
  const GroupParity parity(y, task.train.group, gap);
  const Vector penalty = ridge_diagonal(task.probe.beta.size(), ridge);
  NewtonFit newton;
  newton.load(design_matrix(task.train, task.probe.standardizer));
  std::ranges::copy(y, newton.labels().begin());

  Vector beta = task.probe.beta, multiplier = Vector::Zero(parity.cells());
  Vector weights = Vector::Ones(y.size());
  for (int round = 0; round < rounds; ++round) {
    std::ranges::copy(weights, newton.weights().begin());
    if (newton.fit(beta, penalty) == FitStatus::diverged) break;
    beta = newton.beta();
    const Vector excess = parity.deviations(predictions(newton.logits()));
    if (excess.size() == 0 || excess.cwiseAbs().maxCoeff() <= close_enough) break;
    multiplier -= step * excess;
    weights = weights_of(multiplier, parity, y);
  }
  return weights;
}

} // namespace metasieve
