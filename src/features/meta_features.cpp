#include "features/meta_features.hpp"

#include "features/fourier_ridge.hpp"
#include "features/leave_one_out.hpp"
#include "features/neighbours.hpp"
#include "features/out_of_fold.hpp"
#include "features/random_fourier.hpp"
#include "features/raw_signals.hpp"
#include "numerics/newton.hpp"

#include <Eigen/Cholesky>

namespace metasieve {

Matrix meta_features(const Split& train, const Probe& probe, const FeatureOptions& options) {
  if (train.rows() == 0) return {0, feature_count(options.set)};
  const Matrix design = design_matrix(train, probe.standardizer);
  Evidence evidence{row_logits(design, probe.beta), {}, {}, {}};
  if (options.set == FeatureSet::seed10) return arranged(train, evidence, options.set);

  const Vector sign = 2.0 * to_vector(train.y).array() - 1.0;
  const NeighbourOptions neighbours{.seed = options.seed, .id = options.id};
  const Stream folds(options.seed, Draw::folds, options.id);
  evidence.agreement = neighbour_agreement(train, probe.standardizer, neighbours);
  evidence.fold_margin =
      sign.cwiseProduct(out_of_fold_logits(design, train.y, probe.beta, options.ridge, folds));
  evidence.fourier_margin =
      rff_margin(design.leftCols(train.columns()), train.y, options.seed, options.id, options.precision);
  return arranged(train, evidence, options.set);
}

namespace {

using Rows = std::vector<Index>;

struct Parts {
  Rows kept, others;
};

Parts parts_of(const Vector& weights) {
  Parts parts;
  for (Index i = 0; i < weights.size(); ++i) (weights(i) > 0.0 ? parts.kept : parts.others).push_back(i);
  return parts;
}

Vector kept_neighbours(const Split& train, const Standardizer& standardizer, const Vector& weights,
                       const FeatureOptions& options) {
  Rows references =
      neighbour_references(train.rows(), NeighbourOptions{.seed = options.seed, .id = options.id});
  std::erase_if(references, [&](Index i) { return weights(i) == 0.0; });
  return agreement_among(train, standardizer, references);
}

/// One value per row from those of the kept rows and those of the others.
Vector merged(const Parts& parts, const Vector& of_kept, const Vector& of_others) {
  Vector out(of_kept.size() + of_others.size());
  for (std::size_t k = 0; k < parts.kept.size(); ++k) out(parts.kept[k]) = of_kept(static_cast<Index>(k));
  for (std::size_t k = 0; k < parts.others.size(); ++k)
    out(parts.others[k]) = of_others(static_cast<Index>(k));
  return out;
}

/// Kept rows: out of fold among themselves. Others: of the probe, which was fitted without them.
Vector kept_logits(const Matrix& design, const Labels& y, const Vector& beta, const Parts& parts,
                   double ridge, const Stream& folds) {
  const Matrix kept = design(parts.kept, Eigen::all), others = design(parts.others, Eigen::all);
  return merged(parts, out_of_fold_logits(kept, y(parts.kept), beta, ridge, folds), row_logits(others, beta));
}

/// Kept rows: leave-one-out among themselves. Others: of the ridge regression on the kept rows. x [n, d] ->
/// predictions of `target`, [n]. The basis is that of all rows: it does not depend on labels.
Vector kept_fourier(const RowBlock& x, const Vector& target, const Parts& parts,
                    const FeatureOptions& options) {
  const FourierBasis basis = draw_fourier_basis(x, options.seed, options.id);
  if (in_single_precision(options.precision, std::ssize(parts.kept)))
    return fast_fourier_ridge(basis, x, target, parts.kept, fourier_ridges).prediction;
  const Eigen::MatrixXd kept = fourier_features(basis, x(parts.kept, Eigen::all));
  const Eigen::MatrixXd others = fourier_features(basis, x(parts.others, Eigen::all));
  const Vector kept_target = target(parts.kept);
  const LeaveOneOut inside = leave_one_out_ridge(kept, kept_target, fourier_ridges);

  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(kept.cols(), kept.cols());
  gram.selfadjointView<Eigen::Lower>().rankUpdate(kept.transpose());
  gram.diagonal().array() += inside.ridge;
  const Vector coefficients =
      gram.selfadjointView<Eigen::Lower>().llt().solve(kept.transpose() * kept_target);
  return merged(parts, inside.prediction, others * coefficients);
}

} // namespace

Probe refit_probe(const Split& train, const Probe& probe, const Vector& weights, double ridge) {
  const Matrix design = design_matrix(train, probe.standardizer);
  const LogisticFit fit =
      fit_logistic(design, to_vector(train.y), weights, probe.beta, ridge_diagonal(design.cols(), ridge));
  return {probe.standardizer, fit.beta, fit.status};
}

Matrix kept_features(const Split& train, const Probe& refitted, const Vector& weights,
                     const FeatureOptions& options) {
  const Matrix design = design_matrix(train, refitted.standardizer);
  Evidence evidence{row_logits(design, refitted.beta), {}, {}, {}};
  if (options.set == FeatureSet::seed10) return arranged(train, evidence, options.set);

  const Parts parts = parts_of(weights);
  const Vector sign = 2.0 * to_vector(train.y).array() - 1.0;
  const Stream folds(options.seed, Draw::folds, options.id);
  evidence.agreement = kept_neighbours(train, refitted.standardizer, weights, options);
  evidence.fold_margin =
      sign.cwiseProduct(kept_logits(design, train.y, refitted.beta, parts, options.ridge, folds));
  evidence.fourier_margin =
      sign.cwiseProduct(kept_fourier(design.leftCols(train.columns()), sign, parts, options));
  return arranged(train, evidence, options.set);
}

} // namespace metasieve
