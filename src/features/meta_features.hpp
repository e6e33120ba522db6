#pragma once

#include "base/random.hpp"
#include "features/feature_set.hpp"
#include "features/probe.hpp"

#include <vector>

namespace metasieve {

/// What the random parts of the features (folds, reference rows, random Fourier basis) depend on.
struct FeatureOptions {
  FeatureSet set = FeatureSet::full;
  double ridge = 1e-3; ///< of the out-of-fold regressions, as in the probe
  Seed seed{};
  TaskId id{};
};

/// The meta-features of all rows, [n, f]: all that the policy may know of each training row, scaled per task.
/// Always finite. Takes no other split, so it cannot leak one; never reads train.y_clean.
[[nodiscard]] Matrix meta_features(const Split& train, const Probe& probe, const FeatureOptions& options);

/// The meta-features of all rows, [n, f], as the rows `kept` see them, ascending and not empty. What the
/// labels of other rows decide is learnt from the kept rows alone, and asked for every row: `refitted` (of
/// refit_probe), the neighbours, the out-of-fold and the random Fourier regressions. A kept row is left out
/// of its own neighbours, fold and regression as before; a rejected row is in none. Columns of the row itself
/// (y, group) and base rates (log_cell_weight, cell_share), and all scaling, are of all rows: a balanced
/// selection must not look like balanced data, or the next round would undo it.
[[nodiscard]] Matrix meta_features(const Split& train, const Probe& refitted, const FeatureOptions& options,
                                   const std::vector<Index>& kept);

/// The reference rows of the nearest neighbours that are kept, ascending.
[[nodiscard]] std::vector<Index> kept_references(Index rows, const FeatureOptions& options,
                                                 const std::vector<Index>& kept);

} // namespace metasieve
