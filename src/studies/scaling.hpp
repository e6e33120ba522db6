#pragma once

#include "config/requests.hpp"
#include "parallel/communicator.hpp"

#include <string>

namespace metasieve {

/// Collective: trains at each point of [scaling] that this job has the ranks for and that is not measured
/// yet, one after the other, and puts all points in the folder together. Prints its progress
/// on rank 0. @return what the points show, "" if there are none. @throws CollectiveError: exit code 2 if
/// points there are of another configuration or program, 70 if a policy depends on ranks or threads, 75 after
/// a stop
[[nodiscard]] std::string scale(const Communicator& comm, const ScalingRequest& request);

} // namespace metasieve
