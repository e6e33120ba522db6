#pragma once

#include "studies/sweep.hpp"

#include <string>

namespace metasieve {

/// Collective. What a dry run tells: points, core-hours, memory, disk. Nothing is written. @throws
/// AgreedError
[[nodiscard]] std::string plan(const Communicator& comm, const SweepRequest& request);

} // namespace metasieve
