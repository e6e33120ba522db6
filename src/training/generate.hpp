#pragma once

#include "config/requests.hpp"
#include "parallel/communicator.hpp"

#include <filesystem>

namespace metasieve {

void generate(const Communicator& comm, const GenerateRequest& request);

} // namespace metasieve
