#pragma once

#include "parallel/communicator.hpp"

#include <filesystem>
#include <string>

namespace metasieve {

/// Collective. Reads all of a file of ours and checks type, version, completeness, shapes, offsets, ranges
/// and checksums; a line that says so, and for a checkpoint where a run would go on. @throws AgreedError
/// (exit code 3) naming the first fault, and whether a run can go on without the file.
[[nodiscard]] std::string verify_file(const Communicator& comm, const std::filesystem::path& path);

} // namespace metasieve
