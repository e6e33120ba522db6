#pragma once

#include "base/linalg.hpp"
#include "features/meta_features.hpp"

#include <vector>

namespace metasieve::kernels {

/// metasieve::meta_features in `precision`. In float32, sums of thousands of products are in single precision
/// where that moves no column of ordinary tasks by more than 1e-4 of its spread, but for ranks of nearly
/// equal values; rff_margin by up to 2e-3 in rows far from all others, whose error is divided by 1 -
/// leverage. The agreement of the neighbours and the fair probes have the same bits in both.
[[nodiscard]] Matrix meta_features(const Split& train, const Probe& probe, const FeatureOptions& options,
                                   Precision precision);

/// The meta-features as the rows `kept` see them, ascending and not empty.
[[nodiscard]] Matrix meta_features(const Split& train, const Probe& refitted, const FeatureOptions& options,
                                   Precision precision, const std::vector<Index>& kept);

/// metasieve::prepare in options.precision, which the task then carries.
[[nodiscard]] PreparedTask prepare(Task task, const PrepareOptions& options);

} // namespace metasieve::kernels
