#include "features/probe.hpp"

#include "numerics/newton.hpp"

#include <algorithm>
#include <array>

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

namespace {

struct Parts {
  std::vector<Index> held_out, others;
};

Parts parts_of(const std::vector<Index>& fold, Index which) {
  Parts parts;
  for (std::size_t i = 0; i < fold.size(); ++i)
    (fold[i] == which ? parts.held_out : parts.others).push_back(static_cast<Index>(i));
  return parts;
}

Vector beta_without(const Matrix& design, const Labels& y, const std::vector<Index>& rows,
                    const Vector& start, double ridge) {
  const Matrix x = design(rows, Eigen::all);
  const Vector labels = y(rows).cast<double>();
  return fit_logistic(x, labels, Vector::Ones(x.rows()), start, ridge_diagonal(x.cols(), ridge)).beta;
}

} // namespace

Index fold_count(const Labels& y) {
  const Index positives = (y.array() != 0).count();
  return std::min<Index>({5, positives, y.size() - positives});
}

std::vector<Index> stratified_folds(const Labels& y, Index folds, const Stream& stream) {
  const Index negatives = (y.array() == 0).count();
  // Class 1 starts where class 0 ended, so that the totals are even too.
  std::array<Index, 2> next{0, negatives % folds};
  std::vector<Index> fold(static_cast<std::size_t>(y.size()));
  for (const Index i : permutation(stream, y.size()))
    fold[static_cast<std::size_t>(i)] = next[y(i)]++ % folds;
  return fold;
}

Vector out_of_fold_logits(const Matrix& design, const Labels& y, const Vector& start, double ridge,
                          const Stream& stream) {
  Vector logits = row_logits(design, start);
  const Index folds = fold_count(y);
  if (folds < 2) return logits;
  const std::vector<Index> fold = stratified_folds(y, folds, stream);
  for (Index k = 0; k < folds; ++k) {
    const Parts parts = parts_of(fold, k);
    // A fit that diverges returns its start, so its rows keep the logit of the fit to all rows.
    const Vector beta = beta_without(design, y, parts.others, start, ridge);
    logits(parts.held_out) = row_logits(design(parts.held_out, Eigen::all), beta);
  }
  return logits;
}

Vector out_of_fold_logits(const Matrix& design, const Labels& y, const Vector& start, double ridge,
                          const Stream& stream, const std::vector<Index>& kept) {
  Vector logits = row_logits(design, start);
  logits(kept) = out_of_fold_logits(Matrix(design(kept, Eigen::all)), y(kept), start, ridge, stream);
  return logits;
}

} // namespace metasieve
