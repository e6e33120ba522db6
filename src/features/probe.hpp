#pragma once

#include "base/random.hpp"
#include "base/split.hpp"
#include "inner/design.hpp"
#include "numerics/logistic.hpp"

#include <vector>

namespace metasieve {

/// A logistic regression on all training rows: the cheap model that all meta-features are read from, and the
/// start of the inner fit.
struct Probe {
  Standardizer standardizer;
  Vector beta; ///< [p], intercept last
  FitStatus status = FitStatus::converged;
};

/// w0 = argmin mean_i loss_i + 1/2 w'Rw to a gradient below 1e-8. Zero rows, or a fit that diverged: beta = 0
/// and the status says so.
[[nodiscard]] Probe fit_probe(const Split& train, bool use_group, double ridge);

/// The probe of the kept rows alone, in the coordinates (standardizer) of `probe`. weights [n], 0 or 1, not
/// all 0. If the fit diverges: the coefficients of `probe`, and the status says so.
[[nodiscard]] Probe refit_probe(const Split& train, const Probe& probe, const Vector& weights, double ridge);

/// design * beta, [n, p] and [p] -> [n]. Equal rows get equal bits wherever they stand, which a blocked
/// product does not promise: ties in the loss rank stay ties.
[[nodiscard]] Vector row_logits(const Matrix& design, const Vector& beta);

/// Five, or the number of rows of the rarer class if that is less: every fold holds a row of each class, and
/// so do the others together, when it is at least 2.
[[nodiscard]] Index fold_count(const Labels& y);

/// The fold of each row, [n] in 0..folds-1: the rows of each class take turns in random order, so that fold
/// sizes differ by at most one in each class and in all. folds >= 1.
[[nodiscard]] std::vector<Index> stratified_folds(const Labels& y, Index folds, const Stream& stream);

/// The logit of each row under a logistic regression on the other folds, [n]. design [n, p]; `start` [p] is
/// the fit to all rows: it speeds up the others, and is used in the place of those that cannot be made (fewer
/// than two folds, or a fit that diverged).
[[nodiscard]] Vector out_of_fold_logits(const Matrix& design, const Labels& y, const Vector& start,
                                        double ridge, const Stream& stream);

/// Out-of-fold logits where labels are learnt from the rows `kept` alone, ascending: these are out of fold
/// among themselves, and the others have the logit of `start`, which was fitted without them.
[[nodiscard]] Vector out_of_fold_logits(const Matrix& design, const Labels& y, const Vector& start,
                                        double ridge, const Stream& stream, const std::vector<Index>& kept);

} // namespace metasieve
