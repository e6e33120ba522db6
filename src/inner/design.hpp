#pragma once

#include "base/split.hpp"

#include <vector>

namespace metasieve {

/// Means and scales of the training rows: columns of x, then, when the group is an input, the group.
struct Standardizer {
  Vector mean;          ///< [d] or [d+1]
  Vector inverse_scale; ///< [d] or [d+1]: 1 / population standard deviation; 0 for a constant column
  bool use_group = true;
};

[[nodiscard]] Standardizer fit_standardizer(const Split& train, bool use_group);

/// Input of the inner model, [n, p]: standardised x, then (use_group) the standardised group, then a 1.
[[nodiscard]] Matrix design_matrix(const Split& split, const Standardizer& standardizer);

/// The design matrix of the listed rows.
[[nodiscard]] Matrix design_matrix(const Split& split, const Standardizer& standardizer,
                                   const std::vector<Index>& rows);

/// Labels as doubles 0 or 1.
[[nodiscard]] inline Vector to_vector(const Labels& labels) { return labels.cast<double>(); }

} // namespace metasieve
