#pragma once

#include "config/requests.hpp"
#include "parallel/communicator.hpp"

#include <filesystem>
#include <optional>
#include <vector>

namespace metasieve {

void evaluate(const Communicator& comm, const EvaluateRequest& request);

} // namespace metasieve
