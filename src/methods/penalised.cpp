#include "methods/penalised.hpp"

#include "inner/design.hpp"
#include "numerics/bfgs.hpp"

#include <Eigen/LU>

namespace metasieve {
namespace {

constexpr double first_weight = 1.0 / 16.0;

/// first_weight, twice that, ... and `weight` itself: fits of different weights share their stages.
std::vector<double> stages(double weight) {
  std::vector<double> out;
  for (double stage = first_weight; stage < weight; stage *= 2.0) out.push_back(stage);
  out.push_back(weight);
  return out;
}

} // namespace

LogisticFit fit_penalised(const Matrix& x, const Labels& y, const Labels& group,
                          const PenalisedOptions& options) {
  const Vector labels = to_vector(y), ridge = ridge_diagonal(x.cols(), options.ridge);
  const Vector ones = Vector::Ones(x.rows());
  LogisticFit fit = fit_logistic(x, labels, ones, Vector::Zero(x.cols()), ridge);
  if (fit.status == FitStatus::diverged || options.gap == Gap::none || options.weight == 0.0) return fit;

  const auto objective = [&](double weight) {
    return [&, weight](const Vector& beta) -> Objective {
      const OuterTrace loss = outer_loss(x * beta, y, group, {AccuracyLoss::logistic, options.gap, weight});
      const Vector penalty = ridge.cwiseProduct(beta);
      return {loss.loss + 0.5 * beta.dot(penalty), x.transpose() * pullback(loss) + penalty};
    };
  };
  for (const double weight : stages(options.weight)) {
    const Vector p = sigmoid((x * fit.beta).array());
    const Eigen::MatrixXd inverse_hessian = logistic_hessian(x, ones, p, ridge).inverse();
    const Minimum minimum = minimise(objective(weight), fit.beta, inverse_hessian, 1e-8);
    fit = {minimum.point, minimum.status, fit.iterations + minimum.iterations};
  }
  return fit;
}

} // namespace metasieve
