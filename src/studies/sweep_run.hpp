#pragma once

#include "config/requests.hpp"
#include "parallel/communicator.hpp"
#include "studies/sweep_folder.hpp"
#include "studies/sweep_points.hpp"

#include <filesystem>
#include <string>

namespace metasieve {

/// The ranks of a job in groups of at least `ranks_per_point` (0, or more than there are: one of all), each
/// of which runs a point at a time.
struct PointGroups {
  int count;
  int number; ///< of this rank's group
  Communicator mine;
  PointGroups(const Communicator& comm, Index ranks_per_point); ///< collective
};

/// How the run of a point ended. `busy`: another process is at work on it; `stopped`: by a signal or the time
/// limit, to be resumed.
enum class PointEnd { done, failed, stopped, busy };

struct PointRun {
  PointEnd end;
  PointStatus status;   ///< after it, on rank 0
  bool is_made = false; ///< by this very run; else nothing was to be done, or could be
};

struct PointRunOptions {
  std::filesystem::path folder; ///< of the sweep
  std::string job;              ///< this_place() of its rank 0
  bool retry = false;           ///< repeat it where it failed, unless that was in this job
  bool profile = false;         ///< print where the time of its training and evaluation went
  bool to_log = false;          ///< standard output goes to log.txt in the point's folder
};

/// The folder of a point: policy.h5, results.h5, checkpoint.h5, evaluation.h5, status.txt, log.txt; and claim
/// while it runs.
[[nodiscard]] std::filesystem::path point_folder(const std::filesystem::path& sweep, const SweepPoint& point);

/// Whether something is to be done for a point of this status, if no other process is at work on it.
[[nodiscard]] bool is_open(const PointStatus& status, const PointRunOptions& options);

/// Collective over the ranks that run the point: claims it, trains, evaluates, and writes to its status how
/// that ended. Resumes from the checkpoint of an earlier run. @throws AgreedError if claim or status cannot
/// be written; any other exception is one rank's own
[[nodiscard]] PointRun run_point(const Communicator& comm, const SweepPoints& points, const SweepPoint& point,
                                 const PointRunOptions& options);

} // namespace metasieve
