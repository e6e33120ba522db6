#pragma once

#include "base/random.hpp"
#include "fairness/outer_loss.hpp"
#include "numerics/logistic.hpp"

#include <vector>

namespace metasieve {

struct ReductionOptions {
  Gap gap = Gap::eo;
  double tolerance = 0.08; ///< gap on the training rows, >= 0
  double ridge = 1e-3;     ///< of every fit, as in the inner problem
};

/// A random choice among linear classifiers 1[x beta > 0].
struct RandomisedClassifier {
  std::vector<Vector> beta;        ///< [p] each
  std::vector<double> probability; ///< of each, > 0, adding up to 1
  FitStatus status = FitStatus::converged;

  /// Logits of each row by a classifier of its own, row i drawing it with stream.uniform(i). x [n, p] -> [n].
  [[nodiscard]] Vector drawn_score(const Matrix& x, const Stream& stream) const;
};

/// The reductions approach to fair classification (Agarwal, Beygelzimer, Dudik, Langford and Wallach 2018,
/// arXiv:1803.02453, algorithm 1): exponentiated gradient over the multipliers of the constraints |P(yhat = 1
/// | cell) - P(yhat = 1 | reference)| <= epsilon of GroupParity, one for each sign, against the classifier of
/// least cost for them, which is a classification with weights. epsilon is half the tolerance, so that the
/// gap between groups is at most the tolerance, on average over the classifiers. The base learner is a
/// logistic regression.
///
/// The paper averages the classifiers of all rounds; as in the authors' program their probabilities are those
/// of the saddle point among the classifiers found, a small linear program, which is nearer to the bound
/// after 50 rounds. The decisions are the published ones, of a random classifier for each row: the majority
/// vote (expected probability against 1/2) keeps the gap of its extreme members. Any number of groups; with
/// one, or where the plain fit meets the constraints, it is the plain fit. x [n, p] with the intercept last;
/// y, group [n]. Diverged: no classifier could be fitted.
[[nodiscard]] RandomisedClassifier fit_exponentiated(const Matrix& x, const Labels& y, const Labels& group,
                                                     const ReductionOptions& options);

} // namespace metasieve
