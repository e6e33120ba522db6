#pragma once

#include "hdf5/reader.hpp"
#include "hdf5/writer.hpp"
#include "policy/network.hpp"

namespace metasieve {

/// Writes what a policy file and a checkpoint share: root attributes feature_set, hidden, keep, temperature,
/// use_group, trained_iterations, and /layers/0../{weight [in, out], bias [out]} float64. By one rank.
void write_policy_content(FileWriter& file, const Policy& policy);

/// @throws DataError naming file and data set: a missing or unknown attribute, a wrong shape, NaN or
/// infinity.
[[nodiscard]] Policy read_policy_content(const FileReader& file);

/// Collective; rank 0's policy is written. Same bytes for any number of ranks.
void write_policy(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                  const Policy& policy);

/// Reads it by one rank. @throws DataError naming file and data set: anything but a complete policy with
/// finite numbers and consistent shapes.
[[nodiscard]] Policy read_policy(const std::filesystem::path& path);
/// Collective: the same on every rank. @throws AgreedError (exit code 3)
[[nodiscard]] Policy read_policy(const Communicator& comm, const std::filesystem::path& path);

} // namespace metasieve
