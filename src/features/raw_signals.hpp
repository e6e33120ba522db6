#pragma once

#include "base/split.hpp"
#include "features/feature_set.hpp"

namespace metasieve {

/// What the models of a task say of each training row: all that its columns are made of, but for label and
/// group. Each [n].
struct RawSignals {
  Vector logits;         ///< of the probe
  Vector agreement;      ///< share of the nearest rows with the row's own label, in [0, 1]
  Vector fold_margin;    ///< t times the out-of-fold logit, t = 2y - 1
  Vector fourier_margin; ///< t times the leave-one-out prediction in the random Fourier basis
  Matrix fair_margins;   ///< [n, 4]: t times the logits of the fair probes; of FeatureSet::fair alone
};

/// [n, f]: the columns of `set`, in the order of feature_name. FeatureSet::basic reads signals.logits alone.
[[nodiscard]] Matrix assemble_features(const Split& train, const RawSignals& signals, FeatureSet set);

} // namespace metasieve
