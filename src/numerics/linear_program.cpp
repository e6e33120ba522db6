#include "numerics/linear_program.hpp"

#include <limits>
#include <vector>

namespace metasieve {
namespace {

constexpr double zero = 1e-11;
constexpr int pivot_limit = 20'000;

/// Basic variables as functions of the others: basic_i = t(i, n) - sum_j t(i, j) other_j; the last row is the
/// cost. Variables 0..n-1 are those of the program, the others its slacks.
class Dictionary {
public:
  explicit Dictionary(const LinearProgram& program)
      : constraints_(program.rows.rows()), variables_(program.rows.cols()),
        t_(constraints_ + 1, variables_ + 1) {
    t_.topLeftCorner(constraints_, variables_) = program.rows;
    t_.col(variables_).head(constraints_) = program.limit;
    t_.row(constraints_).head(variables_) = program.cost.transpose();
    t_(constraints_, variables_) = 0.0;
    for (Index j = 0; j < variables_; ++j) other_.push_back(j);
    for (Index i = 0; i < constraints_; ++i) basic_.push_back(variables_ + i);
  }

  /// Raises the last variable until all constraints are met.
  void make_feasible() {
    Index worst = 0;
    const double least = t_.col(variables_).head(constraints_).minCoeff(&worst);
    if (least < 0.0) pivot(worst, variables_ - 1);
  }

  /// False at the minimum, or where there is none.
  bool improve() {
    Index column = -1; // the least number, also among equal rows (Bland's rule), so it cannot cycle
    for (Index j = 0; j < variables_; ++j)
      if (t_(constraints_, j) < -zero && (column < 0 || other(j) < other(column))) column = j;
    if (column < 0) return false;
    Index row = -1;
    double least = std::numeric_limits<double>::infinity();
    for (Index i = 0; i < constraints_; ++i) {
      if (t_(i, column) <= zero) continue;
      const double ratio = t_(i, variables_) / t_(i, column);
      if (row >= 0 && (ratio > least || (ratio == least && basic(i) > basic(row)))) continue;
      least = ratio, row = i;
    }
    if (row < 0) return false;
    pivot(row, column);
    return true;
  }

  [[nodiscard]] Vector solution() const {
    Vector x = Vector::Zero(variables_);
    for (Index i = 0; i < constraints_; ++i)
      if (basic(i) < variables_) x(basic(i)) = std::max(0.0, t_(i, variables_));
    return x;
  }

private:
  [[nodiscard]] Index basic(Index i) const { return basic_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] Index other(Index j) const { return other_[static_cast<std::size_t>(j)]; }

  void pivot(Index row, Index column) {
    const double inverse = 1.0 / t_(row, column);
    for (Index i = 0; i <= constraints_; ++i) {
      if (i == row) continue;
      const double factor = t_(i, column) * inverse;
      for (Index j = 0; j <= variables_; ++j)
        if (j != column) t_(i, j) -= factor * t_(row, j);
      t_(i, column) = -factor;
    }
    t_.row(row) *= inverse;
    t_(row, column) = inverse;
    std::swap(basic_[static_cast<std::size_t>(row)], other_[static_cast<std::size_t>(column)]);
  }

  Index constraints_, variables_;
  Matrix t_;
  std::vector<Index> basic_, other_;
};

} // namespace

Vector minimise(const LinearProgram& program) {
  Dictionary dictionary(program);
  dictionary.make_feasible();
  for (int k = 0; k < pivot_limit && dictionary.improve(); ++k) {
  }
  return dictionary.solution();
}

} // namespace metasieve
