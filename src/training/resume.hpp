#pragma once

#include "config/requests.hpp"
#include "files/checkpoint.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace metasieve {

/// Keys of two resolved configurations that differ and would change a training's result, as "meta.seed = 2
/// (was 1)". `with_tasks`: also those that only say which tasks to generate.
[[nodiscard]] std::vector<std::string> changed_keys(const std::string& before, const std::string& now,
                                                    bool with_tasks);
/// Keys that count and differ, in the same form.
[[nodiscard]] std::vector<std::string>
differing_keys(const std::string& before, const std::string& now,
               const std::function<bool(const std::string& key)>& counts);

/// @throws CollectiveError: exit code 2 if the configuration would change the result, listing the keys; exit
/// code 3 if the checkpoint is not what its configuration makes. Every rank must call it with the same
/// arguments.
void require_same_result(const FoundCheckpoint& found, const TrainRequest& request);

/// Where a training continues.
struct ResumePoint {
  FoundCheckpoint found;          ///< no checkpoint if there is none
  std::vector<std::string> notes; ///< for the user, a line each
  std::string warning;            ///< names a damaged checkpoint; else empty
};

/// Collective: finds where `--resume` continues. Changes no file. @throws CollectiveError as
/// require_same_result, and exit code 3 if there are checkpoints and none is sound
[[nodiscard]] ResumePoint resume_point(const Communicator& comm, const TrainRequest& request);

/// Collective: renames the checkpoint of a run that was not finished there, before the first checkpoint of a
/// session that starts from the beginning. @return a note that says so, or ""
[[nodiscard]] std::string set_unfinished_aside(const Communicator& comm, const std::filesystem::path& folder);

/// Collective: renames the policy and the results of a run that was finished there to #policy.h5.1# and
/// #results.h5.1#, or the next number that is free, before a session that starts from the beginning.
/// @return a note that says so, or ""
[[nodiscard]] std::string back_up_finished(const Communicator& comm, const std::filesystem::path& folder);

/// Collective: renames the damaged newest checkpoint, before the first checkpoint of a session that continues
/// from checkpoint_prev.h5: it would replace the sound one.
void set_damaged_aside(const Communicator& comm, const std::filesystem::path& folder);

} // namespace metasieve
