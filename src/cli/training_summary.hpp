#pragma once

#include "training/generate.hpp"
#include "training/trainer.hpp"

#include <string>

namespace metasieve {

// What a command ends with on rank 0's standard output, for a person: key figures and what to do next.

/// What was written, warnings, where the time went if that was asked for, and the next command. `ranks`: of
/// the job.
[[nodiscard]] std::string summary_of(const GenerateRequest& request, const Generated& generated, int ranks);

/// Where the time went, warnings, the validation beside the fit on all rows, what was written, and the next
/// command. `ranks`, each with `threads`: of the job.
[[nodiscard]] std::string summary_of(const TrainRequest& request, const Trained& trained, int ranks,
                                     int threads);

} // namespace metasieve
