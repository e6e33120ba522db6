#pragma once

#include "config/requests.hpp"
#include "parallel/communicator.hpp"

#include <string>

namespace metasieve {

/// Collective. Does what the request says with the points of a sweep. To run them, groups of
/// sweep.ranks_per_point ranks train and evaluate one after the other in DIR/points/HASH, as each finds those
/// that nobody else has claimed: points that are done are skipped, those that were begun are resumed, one
/// that fails does not end the others.
/// @return what came out, to be printed by rank 0
/// @throws AgreedError: exit code 2 or 3 before anything is made; 4 at the end if points failed; 75 if it was
/// stopped, or points are at work in another run; of one_point, that of the point
[[nodiscard]] std::string sweep(const Communicator& comm, const SweepRequest& request);

} // namespace metasieve
