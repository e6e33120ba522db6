#include "features/probe.hpp"

#include "numerics/logistic_fit.hpp"

namespace metasieve {

Probe fit_probe(const Split& train, bool use_group, double ridge) {
  const Standardizer standardizer = fit_standardizer(train, use_group);
  const Matrix design = design_matrix(train, standardizer);
  const LogisticFit fit = fit_logistic(design, to_vector(train.y), Vector::Ones(design.rows()),
                                       Vector::Zero(design.cols()), ridge_diagonal(design.cols(), ridge));
  return {standardizer, fit.beta, fit.status};
}

Probe refit_probe(const Split& train, const Probe& probe, const Vector& weights, double ridge) {
  const Matrix design = design_matrix(train, probe.standardizer);
  const LogisticFit fit =
      fit_logistic(design, to_vector(train.y), weights, probe.beta, ridge_diagonal(design.cols(), ridge));
  return {probe.standardizer, fit.beta, fit.status};
}

Vector row_logits(const Matrix& design, const Vector& beta) {
  Vector logits(design.rows());
  for (Index i = 0; i < design.rows(); ++i) {
    double sum = 0.0;
    for (Index j = 0; j < design.cols(); ++j) sum += design(i, j) * beta(j);
    logits(i) = sum;
  }
  return logits;
}

} // namespace metasieve
