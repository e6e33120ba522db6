#pragma once

#include "base/linalg.hpp"

#include <array>
#include <vector>

namespace metasieve {

/// none: robust selection alone; dp: demographic parity; eqodds: equalised odds.
enum class RohFairness { none, dp, eqodds };

/// The share of group 1 that is asked for among the rows of label y, [y], each in [0, 1].
using RohLambda = std::array<double, 2>;

/// Rows from which each batch takes `count`.
struct RohPool {
  std::vector<Index> rows;
  Index count = 0;
};

/// The share of group 1 among the rows of each label, 1/2 for a label without rows. cell [n] in 0..3, 2y + z.
[[nodiscard]] RohLambda observed_lambda(const Labels& cell);

/// `lambda` moved by `alpha` towards the cell that is worse off, for the label with the larger gap, and kept
/// in [0, 1] (Roh et al. 2021, doi:10.48550/arXiv.2110.14222, after FairBatch, arXiv:2012.01696). The gap of
/// label y is that of G(y,1) - G(y,0) over `rows`: eqodds, G the mean logistic loss of the cell; dp, G the
/// sum over the cell of the loss against label 1 divided by the rows of the group, with the sign turned for
/// y = 0. A gap against an empty cell counts as none. score [n] logits, cell [n].
[[nodiscard]] RohLambda adjusted_lambda(const RohLambda& lambda, const Vector& score, const Labels& cell,
                                        const std::vector<Index>& rows, RohFairness fairness, double alpha);

/// The rows to train on, ascending: in the order of their loss (ties by index) until there are K = max(1,
/// floor(tau n)), or until one of the four fairness budgets is spent. Budget (y, z) is spent when N -
/// lambda(y,z) N_y + N_yz >= K, N counting the rows taken so far: at N = K it says that no more than
/// lambda(y,z) of the rows of label y are of group z. It is their greedy solution of a multidimensional
/// knapsack. Without fairness there are no budgets. loss [n], cell [n]; lambda(y,1) = lambda[y], lambda(y,0)
/// = 1 - lambda[y].
[[nodiscard]] std::vector<Index> select_rows(const Vector& loss, const Labels& cell, const RohLambda& lambda,
                                             double tau, RohFairness fairness);

/// What a batch of about `batch` rows takes: without fairness from all `rows`; else from each cell of them,
/// the label's rows in a batch split by lambda and rounded to even. A cell without rows gives none.
[[nodiscard]] std::vector<RohPool> batch_pools(const std::vector<Index>& rows, const Labels& cell,
                                               const RohLambda& lambda, Index batch, RohFairness fairness);

} // namespace metasieve
