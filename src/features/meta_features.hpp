#pragma once

#include "base/precision.hpp"
#include "base/random.hpp"
#include "features/feature_set.hpp"
#include "features/probe.hpp"

namespace metasieve {

/// What the random parts of the features (folds, reference rows, random Fourier basis) depend on.
struct FeatureOptions {
  FeatureSet set = FeatureSet::full16;
  double ridge = 1e-3; ///< of the out-of-fold regressions, as in the probe
  Seed seed{};
  TaskId id{};
  Precision precision = Precision::float64;
};

/// [n, f]: all that the policy may know of each training row, scaled per task (DESIGN section 3). Always
/// finite. In float32, sums of thousands of products are in single precision where that moves no column of
/// ordinary tasks by more than 1e-4 of its spread, but for ranks of nearly equal values; rff_margin by up to
/// 2e-3 in rows far from all others, whose error is divided by 1 - leverage. Takes no other split, so it
/// cannot leak one; never reads train.y_clean.
[[nodiscard]] Matrix meta_features(const Split& train, const Probe& probe, const FeatureOptions& options);

} // namespace metasieve
