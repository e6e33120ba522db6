#pragma once

#include "files/results.hpp"
#include "policy/adam.hpp"
#include "policy/network.hpp"

#include <optional>

namespace metasieve {

/// State from which a training continues, on any number of ranks, to the same bits: the policy, the state of
/// its optimiser, and the results so far.
struct Checkpoint {
  Policy policy;           ///< trained_iterations: how far it is
  Adam adam;               ///< step: fewer than iterations where whole batches failed
  std::uint64_t tasks = 0; ///< see fingerprint(): of the tasks it was trained on
  std::string config;      ///< resolved, of the run that wrote it
  std::string commit;      ///< of the program that wrote it; read alone
  Results results;         ///< so far
};

/// A checkpoint has an attribute `checksum`: 64-bit FNV-1a over all of it. Refuses what Policy's layout does,
/// moments that do not fit the policy, and a checksum that does not fit the contents.
template <>
[[nodiscard]] const FileLayout<Checkpoint>& layout_of<Checkpoint>();

/// Collective; rank 0's state is written. The file that was at `path` goes to `previous`.
inline void write_checkpoint(const Communicator& comm, const std::filesystem::path& path,
                             const std::filesystem::path& previous, const Checkpoint& checkpoint,
                             FileIo io = FileIo::collective) {
  write_file(comm, path, {checkpoint.config, std::nullopt, io}, checkpoint, previous);
}

/// The newest sound checkpoint of a folder.
struct FoundCheckpoint {
  std::optional<Checkpoint> checkpoint; ///< none: there is no file of either name
  std::filesystem::path path;
  std::string problem; ///< why checkpoint.h5 could not be used, where checkpoint_prev.h5 was
};

inline constexpr const char* checkpoint_name = "checkpoint.h5";
inline constexpr const char* previous_checkpoint_name = "checkpoint_prev.h5";

/// Collective. checkpoint.h5 of `folder`, or checkpoint_prev.h5 where that is damaged or missing.
/// @throws CollectiveError (exit code 3) naming both problems if neither can be used; also if checkpoint.h5
/// has a newer major version or may not be read: the one before it would be the wrong one then.
[[nodiscard]] FoundCheckpoint find_checkpoint(const Communicator& comm, const std::filesystem::path& folder);

} // namespace metasieve
