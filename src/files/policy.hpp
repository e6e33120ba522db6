#pragma once

#include "files/file_layout.hpp"
#include "policy/network.hpp"

namespace metasieve {

/// What a policy file and a checkpoint share: root attributes feature_set, hidden, keep, temperature,
/// use_group, trained_iterations, and /layers/0../{weight [in, out], bias [out]} float64. Read, it is a
/// complete policy with finite numbers and consistent shapes.
[[nodiscard]] const FileLayout<Policy>& policy_layout();

/// Collective; rank 0's policy is written. Same bytes for any number of ranks.
void write_policy(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                  const Policy& policy);

/// Collective: the same on every rank. @throws AgreedError (exit code 3) naming file and data set: a missing
/// or unknown attribute, a wrong shape, NaN or infinity.
[[nodiscard]] Policy read_policy(const Communicator& comm, const std::filesystem::path& path);

} // namespace metasieve
