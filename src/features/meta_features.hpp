#pragma once

#include "base/precision.hpp"
#include "base/random.hpp"
#include "features/feature_set.hpp"
#include "features/neighbours.hpp"
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

/// The probe of the kept rows alone, in the coordinates (standardizer) of `probe`. weights [n], 0 or 1, not
/// all 0. If the fit diverges: the coefficients of `probe`, and the status says so.
[[nodiscard]] Probe refit_probe(const Split& train, const Probe& probe, const Vector& weights, double ridge);

/// [n, f]: the meta-features of all rows as the kept rows see them. What the labels of other rows decide is
/// learnt from the kept rows alone, and asked for every row: `refitted` (of refit_probe), the neighbours, the
/// out-of-fold and the random Fourier regressions. A kept row is left out of its own neighbours, fold and
/// regression as before; a rejected row is in none. Columns of the row itself (y, group) and base rates
/// (log_cell_weight, cell_share), and all scaling, are of all rows: a balanced selection must not look like
/// balanced data, or the next round would undo it. With every row kept: meta_features. weights [n], 0 or 1,
/// not all 0.
[[nodiscard]] Matrix kept_features(const Split& train, const Probe& refitted, const Vector& weights,
                                   const FeatureOptions& options);

} // namespace metasieve
