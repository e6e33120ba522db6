#pragma once

#include "base/split.hpp"
#include "numerics/sigmoid_sums.hpp"

#include <vector>

namespace metasieve {

/// The rows that the fair probes learn from: rows `kept` of a design, in cells of label, denoised label and
/// group. What a probe minimises is a function of the sums, over each cell, of soft decisions sigmoid(k x'b).
struct FairRows {
  const Matrix& design;    ///< [n, p], intercept last; must outlive this
  std::vector<Index> kept; ///< [m], ascending, not empty
  Labels y;                ///< [m]
  Labels denoised;         ///< [m] labels as most neighbours have them
  Labels group;            ///< [m], numbered by first row
  Index groups = 1;        ///< that have a row

  [[nodiscard]] Index rows() const noexcept { return y.size(); }
  [[nodiscard]] Index cell(Index row) const { return groups * (2 * y(row) + denoised(row)) + group(row); }
  [[nodiscard]] Index cells() const noexcept { return 4 * groups; }
  /// Sums of sigmoid(k x'b) over the rows of each cell.
  [[nodiscard]] SigmoidSums decision_sums() const;
};

/// design [n, p]; agreement [n]: share of the nearest rows with the row's own label, the row not among them.
/// A denoised label is 1 where more than half of these rows have label 1.
[[nodiscard]] FairRows fair_rows(const Matrix& design, const Split& train, const Vector& agreement,
                                 const std::vector<Index>& kept);

/// Gaps of an objective: `both` is the fairness term of the outer loss with Gap::both, of the observed labels
/// or of the denoised ones; `dp` demographic parity.
enum class FairGap { none, dp, both, denoised };

/// The objective of a probe, without its penalty, as a function of the sums: the mean of w sigmoid(-4 t x'b)
/// plus 0.35 times the gaps (smooth_gap). w is 1, or, balanced, min(8, P(z) / (2 P(y, z))): the labels of
/// each group count the same.
class FairObjective {
public:
  FairObjective(const FairRows& rows, bool balanced, FairGap gap);

  /// sums [cells].
  [[nodiscard]] double value(const Vector& sums) const;
  /// Derivatives of the value by the sums, [cells].
  [[nodiscard]] Vector gradient(const Vector& sums) const;

private:
  /// A gap between the rates of groups, over rows of some labels and denoised labels: 2 y + denoised is in
  /// `labels`.
  struct Parity {
    double weight;
    std::vector<Index> labels;
    std::vector<Index> groups; ///< those with enough rows, two or more
  };
  void add_parity(double weight, std::vector<Index> labels);
  [[nodiscard]] Index cell(Index labels, Index group) const { return groups_ * labels + group; }
  /// The sum over the cells of a group.
  [[nodiscard]] double of_group(const Parity& parity, const Vector& sums, Index group) const;
  [[nodiscard]] std::vector<double> rates(const Parity& parity, const Vector& sums) const;

  Index groups_;
  Vector rows_;     ///< [cells], number of rows: the sums where s = 1
  Vector accuracy_; ///< [cells], derivatives of the accuracy term
  double constant_ = 0;
  std::vector<Parity> parities_;
};

/// Coefficients of the four probes, [4, p]: p01 has no gap, pboth and pbothd have those of observed and
/// denoised labels, q1dp is balanced with demographic parity. Each is a local minimum of its objective + 1/2
/// b'Rb, R = diag(2.5e-4, ..., 1e-6), to a largest gradient component below 1e-6. The path to it is fixed: by
/// BFGS, p01 and q1dp from `start` [p] through the minimum without gaps for k = 2 (graduated non-convexity:
/// Blake and Zisserman 1987), the others from p01.
[[nodiscard]] Matrix fit_fair_probes(const FairRows& rows, const Vector& start);

} // namespace metasieve
