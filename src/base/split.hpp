#pragma once

#include "base/linalg.hpp"

#include <array>
#include <numeric>
#include <vector>

namespace metasieve {

/// Groups of one task at most.
inline constexpr Index most_groups = 64;

/// Labelled rows: the data type that all of the mathematics shares.
struct Split {
  MatrixF x;        ///< [n, d]
  Labels y;         ///< [n], as observed: noisy in training
  Labels group;     ///< [n], sensitive group, 0..groups-1
  Labels y_clean;   ///< [n], before corruption; for reports only, never seen by features or inner fit
  Index groups = 2; ///< K, 1..most_groups; some may have no row here

  [[nodiscard]] Index rows() const noexcept { return x.rows(); }
  [[nodiscard]] Index columns() const noexcept { return x.cols(); }
};

/// The groups [n] numbered 0, 1, ... in the order of their first rows: sums over groups in this order have
/// the same bits whatever numbers the groups have.
[[nodiscard]] inline Labels by_first_row(const Labels& group) {
  constexpr std::uint8_t none = 255;
  std::array<std::uint8_t, 256> number{};
  number.fill(none);
  std::uint8_t found = 0;
  Labels out(group.size());
  for (Index i = 0; i < group.size(); ++i) {
    std::uint8_t& own = number[group(i)];
    if (own == none) own = found++;
    out(i) = own;
  }
  return out;
}

/// The rows of `split` listed in `rows`, in that order.
[[nodiscard]] inline Split gather(const Split& split, const std::vector<Index>& rows) {
  return {split.x(rows, Eigen::all), split.y(rows), split.group(rows), split.y_clean(rows), split.groups};
}

/// The row numbers 0..rows-1.
[[nodiscard]] inline std::vector<Index> all_rows(Index rows) {
  std::vector<Index> all(static_cast<std::size_t>(rows));
  std::iota(all.begin(), all.end(), Index{0});
  return all;
}

} // namespace metasieve
