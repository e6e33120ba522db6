#pragma once

#include "fairness/metrics.hpp"
#include "selectors/methods.hpp"

namespace metasieve {

/// What one method did to one task: quality on the clean test rows, and what it selected. NaN: undefined.
struct Assessment {
  Metrics metrics;
  double noise_rate_all = 0;      ///< share of training labels that differ from the clean ones
  double noise_rate_selected = 0; ///< the same among the selected rows, by weight
  double noise_reduction = 0;     ///< 1 - selected / all; undefined where no label is flipped
  double minority_share = 0;      ///< share of group 1 in the selection, by weight
  double selected = 0;            ///< rows kept, or the sum of the weights
  bool failed = false;            ///< the fit diverged, or a score is not finite: the metrics are NaN
};

/// Weights the training rows by `method`, fits a logistic regression to convergence, and measures it on
/// task.test. `ridge` as in the inner problem.
[[nodiscard]] Assessment assess(Method method, const PreparedTask& task, const Selectors& selectors,
                                double ridge);

} // namespace metasieve
