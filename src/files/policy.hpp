#pragma once

#include "files/read_file.hpp"
#include "policy/network.hpp"

namespace metasieve {

/// What a policy file and a checkpoint share: root attributes feature_set, hidden, keep, temperature,
/// use_group, trained_iterations, and /layers/0../{weight [in, out], bias [out]} float64. Read, it is a
/// complete policy with finite numbers and consistent shapes.
[[nodiscard]] const FileLayout<Policy>& policy_layout();

/// Collective; rank 0's policy is written. Same bytes for any number of ranks.
inline void write_policy(const Communicator& comm, const std::filesystem::path& path,
                         const Provenance& provenance, const Policy& policy) {
  write_on_root(comm, path, provenance, policy_layout(), policy);
}

/// Collective: the same on every rank. @throws CollectiveError (exit code 3) naming file and data set: a
/// missing or unknown attribute, a wrong shape, NaN or infinity.
[[nodiscard]] inline Policy read_policy(const Communicator& comm, const std::filesystem::path& path) {
  return read_file(comm, path, policy_layout());
}

} // namespace metasieve
