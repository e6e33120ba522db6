#pragma once

#include "config/requests.hpp"
#include "parallel/communicator.hpp"

#include <filesystem>
#include <vector>

namespace metasieve {

void score(const Communicator& comm, const ScoreRequest& request);

/// Collective: what a dry run tells, see studies/dry_run.hpp.
[[nodiscard]] std::string plan(const Communicator& comm, const ScoreRequest& request);

} // namespace metasieve
