#pragma once

#include "parallel/communicator.hpp"

#include <filesystem>
#include <vector>

namespace metasieve {

/// Checks that no output is one of the inputs, which it would replace. @throws AgreedError (exit code 2)
/// naming it
void require_distinct(const Communicator& comm, const std::vector<std::filesystem::path>& outputs,
                      const std::vector<std::filesystem::path>& inputs);

/// Checks that `files` can be written, before hours are spent on what goes there. Changes nothing: folders
/// are made when there is something to put into them. @throws AgreedError (exit code 3) naming file and
/// reason.
void require_writable(const Communicator& comm, const std::vector<std::filesystem::path>& files);

} // namespace metasieve
