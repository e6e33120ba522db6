#pragma once

#include "config/requests.hpp"
#include "parallel/communicator.hpp"

#include <string>

namespace metasieve {

/// Collective: lists, runs or collects the points of a sweep, as requested. Groups of sweep.ranks_per_point
/// ranks train and evaluate points one after the other in DIR/points/HASH, those that no other process is at
/// work on: done points are skipped, begun ones are resumed, and one that fails does not end the others.
/// @return a summary, on rank 0
/// @throws CollectiveError: exit code 2 or 3 before anything is made; 4 at the end if points failed; 75 if it
/// was stopped, or points are at work in another run; for one_point, the exit code of the point
[[nodiscard]] std::string sweep(const Communicator& comm, const SweepRequest& request);

} // namespace metasieve
