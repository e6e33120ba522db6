#pragma once

#include "features/meta_features.hpp"
#include "features/neighbours.hpp"

namespace metasieve {

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
