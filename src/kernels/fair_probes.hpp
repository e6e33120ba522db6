#pragma once

#include "features/fair_probes.hpp"

namespace metasieve::kernels {

/// metasieve::decision_sums on registers. In double: in which minimum of an objective that is not convex a
/// fit ends must not depend on rounding. Holds its own copy of `rows`.
[[nodiscard]] DecisionSums decision_sums(const FairRows& rows);

} // namespace metasieve::kernels
