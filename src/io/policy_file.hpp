#pragma once

#include "io/suite_file.hpp"
#include "policy/network.hpp"

namespace metasieve {

/// Collective; rank 0's policy is written. Same bytes for any number of ranks.
void write_policy(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                  const Policy& policy);

/// Collective. @throws AgreedError (exit code 3) naming file and data set: anything but a complete policy
/// with finite numbers and consistent shapes.
[[nodiscard]] Policy read_policy(const Communicator& comm, const std::filesystem::path& path);

} // namespace metasieve
