#pragma once

#include "io/checkpoint_file.hpp"
#include "run/stages.hpp"

#include <optional>
#include <string>
#include <vector>

namespace metasieve {

/// Keys of two resolved configurations that differ and would change a training's result, as "meta.seed = 2
/// (was 1)". `with_tasks`: also those that only say which tasks to generate.
[[nodiscard]] std::vector<std::string> changed_keys(const std::string& before, const std::string& now,
                                                    bool with_tasks);

/// Collective: what `--resume` goes on from, told on rank 0's standard output (a damaged checkpoint on
/// standard error); nothing if there is no checkpoint. @throws AgreedError: exit code 2 if the configuration
/// would change the result, listing the keys; exit code 3 if there are checkpoints and none is sound.
[[nodiscard]] std::optional<Checkpoint> resume_point(const Communicator& comm, const TrainRequest& request);

/// Collective. A run that starts anew where another was not finished keeps that one's checkpoint, under
/// another name.
void set_unfinished_aside(const Communicator& comm, const std::filesystem::path& folder);

/// Collective: 64 bits of all values of all tasks, whichever rank holds them.
[[nodiscard]] std::uint64_t fingerprint(const Communicator& comm,
                                        const std::vector<const std::vector<PreparedTask>*>& shards);

} // namespace metasieve
