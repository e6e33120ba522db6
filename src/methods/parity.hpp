#pragma once

#include "fairness/outer_loss.hpp"

#include <vector>

namespace metasieve {

/// What a gap asks of hard decisions, as one rate a cell that should be that of a larger set of rows, its
/// reference. Gap::dp: a cell is a group, its reference all rows. Gap::eo and Gap::both: a cell is a label in
/// a group, its reference all rows of the label. Gap::none: no cells. Cells have rows, and stand in the order
/// of their first ones: no bit depends on how groups are numbered.
class GroupParity {
public:
  /// y, group [n].
  GroupParity(const Labels& y, const Labels& group, Gap gap);

  [[nodiscard]] Index cells() const noexcept { return std::ssize(rows_); } ///< C
  /// The cell of each row, [n]; empty without cells.
  [[nodiscard]] const std::vector<std::uint8_t>& cell() const noexcept { return cell_; }

  /// P(positive | cell) - P(positive | its reference), [C]. positive [n], 0 or 1.
  [[nodiscard]] Vector deviations(const Labels& positive) const;
  /// d_deviations [C] -> d_positive [n].
  [[nodiscard]] Vector pullback(const Vector& d_deviations) const;

private:
  Index size_;
  std::vector<std::uint8_t> cell_, reference_; // of each row; of each cell
  std::vector<double> rows_;                   // of each cell
  std::array<double, 2> reference_rows_{};
};

} // namespace metasieve
