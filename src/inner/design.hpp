#pragma once

#include "base/split.hpp"

#include <vector>

namespace metasieve {

/// How the rows of a task become inputs of the inner model, learnt from its training rows.
struct Standardizer {
  Vector mean;          ///< [d]
  Vector inverse_scale; ///< [d]: 1 / population standard deviation; 0 for a constant column
  /// When the group is an input, [K, K-1], else [K, 0]: row k holds the values of the group columns for a row
  /// of group k. The columns are the standardised indicators of all groups but the one with most training
  /// rows, larger groups first; groups of one size in the order of their first rows. So the inputs depend on
  /// which rows share a group, and not on how groups are numbered.
  Matrix group_values;

  [[nodiscard]] Index inputs() const { return mean.size() + group_values.cols() + 1; } ///< with the intercept
};

[[nodiscard]] Standardizer fit_standardizer(const Split& train, bool use_group);

/// Input of the inner model, [n, p]: standardised x, then (use_group) the group columns, then a 1.
[[nodiscard]] Matrix design_matrix(const Split& split, const Standardizer& standardizer);

/// The design matrix of the listed rows.
[[nodiscard]] Matrix design_matrix(const Split& split, const Standardizer& standardizer,
                                   const std::vector<Index>& rows);

/// Labels as doubles 0 or 1.
[[nodiscard]] inline Vector to_vector(const Labels& labels) { return labels.cast<double>(); }

} // namespace metasieve
