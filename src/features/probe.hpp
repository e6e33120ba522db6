#pragma once

#include "base/split.hpp"
#include "inner/design.hpp"
#include "numerics/logistic.hpp"

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

} // namespace metasieve
