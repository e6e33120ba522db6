#pragma once

#include "base/random.hpp"
#include "inner/logistic.hpp"
#include "selectors/roh_selection.hpp"

namespace metasieve {

/// The defaults are the authors' for their 2000 synthetic rows. Their model is (1 + tanh f)/2 = sigmoid(2 f),
/// started at normal weights of sd 0.2, at rate 5e-4; here f is the logit, so both are twice that (Adam takes
/// the same steps whatever the scale of the gradient).
struct RohOptions {
  RohFairness fairness = RohFairness::eqodds;
  double tau = 0.9; ///< share of the rows to keep, in (0, 1]: 1 - the noise rate, which the method is told
  double alpha = 0.001;   ///< step of lambda, >= 0
  Index epochs = 400;     ///< >= 1
  Index warm_start = 100; ///< of these, on all rows, >= 0
  Index batch = 100;      ///< rows a step, >= 1
  double learning_rate = 1e-3;
  Seed seed{};
  TaskId task{}; ///< so that tasks of one seed have different random numbers
};

/// `options` for data of `rows` rows: with fewer steps in an epoch than the authors' 20 the rate is raised so
/// that the coefficients can move as far as theirs, epochs * 20 * 1e-3 = 8.
[[nodiscard]] RohOptions scaled_to(Index rows, RohOptions options);

/// `beta` is the method's model. A refit to convergence on `weights` is another one: lambda steers the path
/// of beta, so the weights of one epoch overshoot (on the authors' data, dp: roh_dp 0.25 instead of 0.003).
struct RohFit {
  Vector beta;     ///< [p], logits x beta
  Vector selected; ///< [n], 1 for the rows of the last epoch, else 0
  Vector weights;  ///< [n], 0 if not selected, else how often its batches take the row; sum = rows selected
  RohLambda lambda{};                       ///< of the last epoch
  FitStatus status = FitStatus::step_limit; ///< the number of epochs is fixed: step_limit or diverged
};

/// Logistic regression with the sample selection of Roh, Lee, Whang and Suh, "Sample Selection for Fair and
/// Robust Training", NeurIPS 2021 (doi:10.48550/arXiv.2110.14222): epochs of minibatches with Adam, after the
/// warm start on the rows that `select_rows` keeps, a batch taking from each (y, z) cell what `batch_pools`
/// says. x [n, p] with the intercept last (design_matrix), y [n], group [n]. One group, one class and
/// empty cells are legal. From the authors' program it differs in arithmetic (double, plain means where
/// theirs add one to the count), in the order of a cell's rows once a batch has passed its end, and where
/// theirs has no answer: an empty cell, fewer rows than a batch. And an epoch has at most 250 batches, so
/// that its time is bounded: with more than 25,000 rows kept it sees a random part of them.
/// @throws ConfigError if an option is out of its domain.
[[nodiscard]] RohFit fit_roh(const Matrix& x, const Labels& y, const Labels& group,
                             const RohOptions& options);

} // namespace metasieve
