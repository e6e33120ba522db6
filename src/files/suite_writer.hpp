#pragma once

#include "base/linalg.hpp"
#include "hdf5/job_metadata.hpp"
#include "parallel/communicator.hpp"
#include "tasks/task.hpp"

#include <filesystem>
#include <functional>
#include <span>

namespace metasieve {

/// This rank's next tasks, `places` counted from its first; they must stay until it is called again. Every
/// rank is asked equally often, one without further tasks for an empty range.
using TaskSupply = std::function<std::span<const Task>(Range places)>;

/// Bytes of tasks that a rank is asked for at once: at least one task.
inline constexpr Index suite_turn_bytes = Index{64} << 20;

/// Collective. Writes the tasks of all ranks as one suite file, in turns, so that a rank need not hold all of
/// its tasks at once: `shapes` of all of this rank's tasks, which `supply` then makes. Ranks hold consecutive
/// ranges of ids (an empty one is legal, but not on all). Same bytes for any number of ranks.
/// @throws CollectiveError (exit code 3) naming the file if it cannot be written; nothing is left at `path`
/// then, or what was there before.
void write_suite(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                 std::span<const TaskShape> shapes, const TaskSupply& supply,
                 Index turn_bytes = suite_turn_bytes);

} // namespace metasieve
