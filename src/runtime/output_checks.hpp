#pragma once

#include "parallel/communicator.hpp"

#include <filesystem>
#include <vector>

namespace metasieve {

/// The folder of `path`, or where that is still to be made, the innermost folder above it that exists.
[[nodiscard]] std::filesystem::path existing_folder(const std::filesystem::path& path);

/// Checks that no output is one of the inputs, which it would replace. @throws CollectiveError (exit code 2)
/// naming it
void require_distinct(const Communicator& comm, const std::vector<std::filesystem::path>& outputs,
                      const std::vector<std::filesystem::path>& inputs);

/// Checks that `files` can be written, before hours are spent on their contents. Changes nothing: folders
/// are made when there is something to put into them. @throws CollectiveError (exit code 3) naming file and
/// reason.
void require_writable(const Communicator& comm, const std::vector<std::filesystem::path>& files);

} // namespace metasieve
