#pragma once

#include "base/linalg.hpp"
#include "base/random.hpp"
#include "numerics/logistic.hpp"

#include <array>
#include <vector>

namespace metasieve {

/// none: robust selection alone; dp: demographic parity; eqodds: equalised odds.
enum class RohFairness { none, dp, eqodds };

/// The share of each group that is asked for among the rows of a label, [y][z], each in [0, 1]; those of a
/// label add up to 1.
using RohLambda = std::array<std::vector<double>, 2>;

/// Rows from which each batch takes `count`.
struct RohPool {
  std::vector<Index> rows;
  Index count = 0;
};

/// The share of each group among the rows of each label, 1/K for a label without rows. cell [n] in 0..2K-1,
/// K y + z, here and below; groups: K.
[[nodiscard]] RohLambda observed_lambda(const Labels& cell, Index groups);

/// `lambda` moved by `alpha` towards the group that is worst off, at the cost of the one that is best off,
/// for the label where they differ most, and kept in [0, 1]. With two groups it is the rule of Roh et al.
/// (2021, doi:10.48550/arXiv.2110.14222, after FairBatch, arXiv:2012.01696): G(y,1) - G(y,0) gives the label
/// and the sign. They publish no rule for more; that only the two extreme groups trade shares is ours. G(y,z)
/// over `rows`: eqodds, the mean logistic loss of the cell; dp, the sum over the cell of the loss against
/// label 1 divided by the rows of the group, with the sign turned for y = 0. Cells without rows are left out;
/// a label with fewer than two others does not move. score [n] logits.
[[nodiscard]] RohLambda adjusted_lambda(const RohLambda& lambda, const Vector& score, const Labels& cell,
                                        const std::vector<Index>& rows, RohFairness fairness, double alpha);

/// The rows to train on, ascending: in the order of their loss (ties by index) until there are C = max(1,
/// floor(tau n)), or until one of the 2K fairness budgets is spent. Budget (y, z) is spent when N -
/// lambda(y,z) N_y + N_yz >= C, N counting the rows taken so far: at N = C it says that no more than
/// lambda(y,z) of the rows of label y are of group z. It is their greedy solution of a multidimensional
/// knapsack, and asks nothing of how many groups there are. Without fairness there are no budgets. loss [n].
[[nodiscard]] std::vector<Index> select_rows(const Vector& loss, const Labels& cell, const RohLambda& lambda,
                                             double tau, RohFairness fairness);

/// What a batch of about `batch` rows takes: without fairness from all `rows`; else from each cell of them,
/// the label's rows in a batch split by lambda and rounded to even. A cell without rows gives none, nor one
/// whose part is rounded to none.
[[nodiscard]] std::vector<RohPool> batch_pools(const std::vector<Index>& rows, const Labels& cell,
                                               const RohLambda& lambda, Index batch, RohFairness fairness);

/// The defaults are the authors' for their 2000 synthetic rows. Their model is (1 + tanh f)/2 = sigmoid(2 f),
/// started at normal weights of sd 0.2, at rate 5e-4; here f is the logit, so both are twice that (Adam takes
/// the same steps whatever the scale of the gradient).
struct RohOptions {
  RohFairness fairness = RohFairness::eqodds;
  double tau = 0.9; ///< share of the rows to keep, in (0, 1]: 1 - the noise rate, which the method must know
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
  RohLambda lambda{}; ///< of the last epoch; more than two groups are in the order of their first rows
  FitStatus status = FitStatus::step_limit; ///< the number of epochs is fixed: step_limit or diverged
};

/// Logistic regression with the sample selection of Roh, Lee, Whang and Suh, "Sample Selection for Fair and
/// Robust Training", NeurIPS 2021 (doi:10.48550/arXiv.2110.14222): epochs of minibatches with Adam, after the
/// warm start on the rows that `select_rows` keeps, a batch taking from each (y, z) cell what `batch_pools`
/// says. x [n, p] with the intercept last (design_matrix), y [n], group [n]; groups: K. One class and empty
/// groups and cells are legal; K = 1 is RohFairness::none. With more than two groups (adjusted_lambda) the
/// fit does not depend on their numbers. From the authors' program it differs in arithmetic (double, plain
/// means where theirs add one to the count), in the order of a cell's rows once a batch has passed its end,
/// and where theirs has no answer: an empty cell, fewer rows than a batch. And an epoch has at most 250
/// batches, so that its time is bounded: with more than 25,000 rows kept it sees a random part of them.
/// @throws ConfigError if an option is out of its domain.
[[nodiscard]] RohFit fit_roh(const Matrix& x, const Labels& y, const Labels& group, Index groups,
                             const RohOptions& options);

} // namespace metasieve
