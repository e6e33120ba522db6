#pragma once

#include "evaluation/evaluate.hpp"
#include "evaluation/score.hpp"

#include <string>

namespace metasieve {

/// The comparison, the policy's hard selection against the fit on all rows, what was written, and the next
/// command. `ranks`, each with `threads`: of the job.
[[nodiscard]] std::string summary_of(const EvaluateRequest& request, const Evaluated& evaluated, int ranks,
                                     int threads);

/// How many rows of each label and group are kept, what was written, and how to use it.
[[nodiscard]] std::string summary_of(const ScoreRequest& request, const Scored& scored);

} // namespace metasieve
