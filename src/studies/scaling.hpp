#pragma once

#include "config/requests.hpp"
#include "parallel/communicator.hpp"

#include <filesystem>
#include <optional>

namespace metasieve {

/// Trains at each point of [scaling] that this job has the ranks for and that is not measured yet, one after
/// the other, and puts all points in the folder together. @throws AgreedError: exit code 2 if points there
/// are of another configuration or program, 70 if a policy depends on ranks or threads
void scale(const Communicator& comm, const ScalingRequest& request);

} // namespace metasieve
