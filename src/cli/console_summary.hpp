#pragma once

#include "evaluation/evaluate.hpp"
#include "evaluation/score.hpp"
#include "training/generate.hpp"
#include "training/trainer.hpp"

#include <string>

namespace metasieve {

// What a command ends with on rank 0's standard output, for a person: key figures, where the time went if
// that was asked for, warnings, what was written, and the next command. The job has `ranks`, each with
// `threads`.

[[nodiscard]] std::string summary_of(const GenerateRequest& request, const Generated& generated, int ranks);

/// With the validation beside the fit on all rows.
[[nodiscard]] std::string summary_of(const TrainRequest& request, const Trained& trained, int ranks,
                                     int threads);

/// With the comparison, and the policy's hard selection against the fit on all rows.
[[nodiscard]] std::string summary_of(const EvaluateRequest& request, const Evaluated& evaluated, int ranks,
                                     int threads);

/// With the rows of each label and group that are kept, and how to use the scores.
[[nodiscard]] std::string summary_of(const ScoreRequest& request, const Scored& scored);

} // namespace metasieve
