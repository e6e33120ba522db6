#pragma once

#include "parallel/communicator.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// Collective: runs what the command line asks. arguments: without the program's name.
/// @throws CollectiveError where all ranks fail alike; any other exception is one rank's own.
void run_command(const Communicator& comm, const std::vector<std::string>& arguments);

} // namespace metasieve
