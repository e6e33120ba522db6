#pragma once

#include "methods/adapt.hpp"
#include "methods/refit_rounds.hpp"

namespace metasieve {

/// What a trained policy does on a data set before it selects.
struct SelectionOptions {
  Index rounds = 0;       ///< refits of probe and features on the kept rows
  double agreement = 1.0; ///< rounds are made where detector_agreement is at most this; 1: always
  double ridge = 1e-3;    ///< of the probe, as when the task was prepared
  AdaptOptions adapt;     ///< meta-steps on halves of the training rows
};

/// The task with the features of the last round.
[[nodiscard]] PreparedTask after_rounds(const PreparedTask& task, const Policy& policy,
                                        const SelectionOptions& options);

/// The policy's score of each training row, higher is more trusted: of the policy adapted to the task, on the
/// features of the last round. Without steps and rounds: policy_score. Reads training rows and noisy labels
/// alone. [n]
[[nodiscard]] Vector selection_score(const PreparedTask& task, const Policy& policy,
                                     const SelectionOptions& options);

} // namespace metasieve
