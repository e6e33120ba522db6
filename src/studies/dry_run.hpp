#pragma once

#include "config/requests.hpp"
#include "runtime/machine.hpp"

#include <string>

namespace metasieve {

/// The report of a dry run: everything is opened and checked as in the run itself, nothing is written. Memory
/// per rank, file sizes and expected time, for the ranks and threads of this call. Collective.
/// @throws CollectiveError as the stage itself would
[[nodiscard]] std::string plan(const Communicator& comm, const GenerateRequest& request);
[[nodiscard]] std::string plan(const Communicator& comm, const TrainRequest& request);
[[nodiscard]] std::string plan(const Communicator& comm, const EvaluateRequest& request);
[[nodiscard]] std::string plan(const Communicator& comm, const ScalingRequest& request);

/// Collective: memory and disk of a training on the ranks of `comm`. @throws CollectiveError
[[nodiscard]] Needs training_needs(const Communicator& comm, const TrainRequest& request);

/// Collective: expected seconds of a training from its beginning, on the ranks of `comm`. @throws
/// CollectiveError
[[nodiscard]] double training_seconds(const Communicator& comm, const TrainRequest& request);

} // namespace metasieve
