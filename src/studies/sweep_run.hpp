#pragma once

#include "runtime/stop_condition.hpp"
#include "studies/sweep_points.hpp"
#include "studies/sweep_state.hpp"

#include <filesystem>

namespace metasieve {

/// The ranks of a job in groups of at least `ranks_per_point` (0, or more than there are: one of all); each
/// makes a point at a time.
struct SweepGroups {
  int count;
  Communicator mine;
  SweepGroups(const Communicator& comm, Index ranks_per_point); ///< collective
};

/// How a visit to a point ended. `busy`: another run is at work on it; `stopped`: by a signal or the time
/// limit, to be gone on with.
enum class VisitEnd { done, failed, stopped, busy };

/// What a visit is told.
struct VisitOptions {
  std::filesystem::path folder; ///< of the sweep
  bool retry = false;           ///< make it anew where it failed before
  bool profile = false;         ///< tell where the time of its training and evaluation went
  bool to_log = false;          ///< standard output goes to log.txt in the point's folder
  double predicted = 0;         ///< core-seconds, for its status
};

struct Visit {
  VisitEnd end;
  PointStatus status; ///< after it, on rank 0
  double seconds = 0; ///< of it, in training and evaluation
};

/// The folder of a point: policy.h5, results.h5, checkpoint.h5, evaluation.h5, status.txt, result.bin and
/// log.txt.
[[nodiscard]] std::filesystem::path point_folder(const std::filesystem::path& sweep, const SweepPoint& point);

/// Collective over the ranks that make the point: trains, evaluates, and says in its status how that ended,
/// unless that is known already. Goes on from the checkpoint of an earlier visit.
/// @throws AgreedError if the status cannot be written; any other exception is one rank's own
[[nodiscard]] Visit visit_point(const Communicator& comm, const SweepPoints& points, const SweepPoint& point,
                                const VisitOptions& options);

} // namespace metasieve
