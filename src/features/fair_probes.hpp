#pragma once

#include "base/split.hpp"
#include "numerics/damped_newton.hpp"

#include <functional>
#include <vector>

namespace metasieve {

/// The rows that the fair probes learn from: rows `kept` of a design.
struct FairRows {
  const Matrix& design;    ///< [n, p], intercept last; must outlive this
  std::vector<Index> kept; ///< [m], ascending, not empty
  Labels y;                ///< [m]
  Labels group;            ///< [m], numbered by first row
  Vector denoised;         ///< [m] q, in [0, 1]: how far the features alone say that the label is 1
  Index groups = 1;        ///< that have a row

  [[nodiscard]] Index rows() const noexcept { return y.size(); }
  [[nodiscard]] auto x(Index row) const { return design.row(kept[static_cast<std::size_t>(row)]); }
  /// Number of the (label, group) cell of a row, below cells().
  [[nodiscard]] Index cell(Index row) const { return groups * y(row) + group(row); }
  [[nodiscard]] Index cells() const noexcept { return 2 * groups; }
};

/// design [n, p]; predictions [n] of t = 2y - 1 by a regression that has not seen the label of the row. q is
/// 0 where they are below -0.05, 1 where they are above 0.05, and linear between: the sign of the prediction,
/// but continuous.
[[nodiscard]] FairRows fair_rows(const Matrix& design, const Split& train, const Vector& predictions,
                                 const std::vector<Index>& kept);

// What a probe minimises is a function of sums over the cells c of label and group, of soft decisions
// s = sigmoid(k x'b): number 2c is the sum of s, number 2c + 1 that of q s.

/// Derivatives of these sums by b.
struct SumDerivatives {
  Matrix gradients;        ///< [2 cells, p]
  Eigen::MatrixXd hessian; ///< [p, p], lower triangle: sum over j of weights_j times the Hessian of sum j
};

/// Computes the sums at a point, and their derivatives at the point of the last call.
struct DecisionSums {
  std::function<Vector(const Vector& beta, double k)> at;           ///< [p] -> [2 cells]
  std::function<SumDerivatives(const Vector& weights)> derivatives; ///< weights [2 cells]
};

/// DecisionSums row by row. `rows` must outlive it.
[[nodiscard]] DecisionSums decision_sums(const FairRows& rows);

/// Gaps of an objective: `both` is the fairness term of the outer loss with Gap::both, of the observed labels
/// or of the denoised ones; `dp` demographic parity.
enum class FairGap { none, dp, both, denoised };

/// The objective of a probe, without its penalty, as a function of the sums: the mean of w sigmoid(-4 t x'b)
/// plus 0.35 times the gaps (smooth_gap). w is 1, or, balanced, min(8, P(z) / (2 P(y, z))): the labels of
/// each group count the same.
class FairObjective {
public:
  FairObjective(const FairRows& rows, bool balanced, FairGap gap);

  /// sums [2 cells].
  [[nodiscard]] double value(const Vector& sums) const;
  /// Derivatives of the value by the sums, [2 cells].
  [[nodiscard]] Vector gradient(const Vector& sums) const;
  /// Derivatives of the value by b, where `derivatives` has the weights `gradient(sums)`.
  [[nodiscard]] Derivatives chain_rule(const Vector& sums, const SumDerivatives& derivatives) const;

private:
  /// A gap between rates of groups: quotients of sums over the cells (y, z) of a group z, of decisions and of
  /// rows. share(y, 0) is how much each row of label y counts, share(y, 1) how much more by its q.
  struct Parity {
    double weight;
    Eigen::Matrix2d share;
    std::vector<Index> groups; ///< those with enough rows, two or more
  };
  void add_parity(double weight, const Eigen::Matrix2d& share);
  [[nodiscard]] Index number(Index y, Index group, Index kind) const {
    return 2 * (groups_ * y + group) + kind;
  }
  [[nodiscard]] double of_group(const Parity& parity, const Vector& sums, Index group) const;
  [[nodiscard]] std::vector<double> rates(const Parity& parity, const Vector& sums) const;

  Index groups_;
  Vector rows_;     ///< [2 cells], the sums where s = 1
  Vector accuracy_; ///< [2 cells], derivatives of the accuracy term
  double constant_ = 0;
  std::vector<Parity> parities_;
};

/// Coefficients of the four probes, [4, p]: p01 has no gap, pboth and pbothd have those of observed and
/// denoised labels, q1dp is balanced with demographic parity. Each is a local minimum of its objective + 1/2
/// b'Rb, R = diag(2.5e-4, ..., 1e-6), to a largest gradient component below 1e-8. The path to it is fixed:
/// p01 and q1dp from `start` [p] through the minimum without gaps for k = 2 (graduated non-convexity: Blake
/// and Zisserman 1987), the others from p01.
[[nodiscard]] Matrix fit_fair_probes(const FairRows& rows, const DecisionSums& sums, const Vector& start);

} // namespace metasieve
