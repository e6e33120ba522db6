#pragma once

#include "base/bytes.hpp"
#include "files/suite.hpp"
#include "hdf5/reader.hpp"
#include "hdf5/writer.hpp"
#include "policy/network.hpp"

namespace metasieve {

/// What a policy file and a checkpoint share: root attributes feature_set, hidden, keep, temperature,
/// use_group, trained_iterations, and /layers/0../{weight [in, out], bias [out]} float64. Collective; every
/// rank gives the same policy.
void write_policy_content(FileWriter& file, const Policy& policy);

/// @throws DataError naming file and data set: a missing or unknown attribute, a wrong shape, NaN or
/// infinity.
[[nodiscard]] Policy read_policy_content(const FileReader& file);

/// Collective. Rank 0's policy on every rank.
[[nodiscard]] Policy broadcast_policy(const Communicator& comm, const Policy& policy);

void put_policy(ByteWriter& bytes, const Policy& policy);
[[nodiscard]] Policy get_policy(ByteReader& bytes);

/// Collective; rank 0's policy is written. Same bytes for any number of ranks.
void write_policy(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                  const Policy& policy);

/// Collective. @throws AgreedError (exit code 3) naming file and data set: anything but a complete policy
/// with finite numbers and consistent shapes.
[[nodiscard]] Policy read_policy(const Communicator& comm, const std::filesystem::path& path);

} // namespace metasieve
