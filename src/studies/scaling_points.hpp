#pragma once

#include "config/requests.hpp"
#include "files/scaling.hpp"
#include "runtime/machine.hpp"
#include "training/trainer.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// Trainings of one kind on so many ranks, with so many threads each.
struct ScalingPoint {
  ScalingKind kind;
  int ranks, threads;

  [[nodiscard]] Index cores() const noexcept { return Index{ranks} * threads; }
};

/// "strong" or "weak"
[[nodiscard]] std::string to_string(ScalingKind kind);
/// "strong, 2 rank(s) x 4 thread(s)"
[[nodiscard]] std::string to_string(const ScalingPoint& point);
/// FOLDER/points/strong_r2_t4.h5
[[nodiscard]] std::filesystem::path file_of(const std::filesystem::path& folder, const ScalingPoint& point);

/// The points that [scaling] asks for in a job of so many ranks and threads: by kind, ranks, threads.
[[nodiscard]] std::vector<ScalingPoint> points_of(const ScalingConfig& config, int job_ranks,
                                                  int job_threads);

/// The training that is measured at a point: `request` itself in strong scaling; in weak scaling tasks, and
/// tasks of an iteration, for each core, always generated.
[[nodiscard]] TrainRequest training_at(const ScalingPoint& point, const ScalingRequest& request);

/// Collective: rough seconds of one core for an iteration of `request`, mean over the iterations.
[[nodiscard]] double rough_work(const Communicator& comm, const TrainRequest& request);

/// Adds one training, the `repeat`-th at its point, to a study.
void add_training(Scaling& study, const ScalingPoint& point, std::int64_t repeat, const Trained& trained,
                  double work, const Placement& where);

/// @throws CollectiveError (exit code 70) naming two trainings of the same tasks and batches, on any
/// ranks and threads, that made different policies. Every rank must call it with the same points.
void require_equal_policies(const std::vector<ScalingRow>& points);

/// A table for each kind, one line a point, and a sentence on what they show. Speed-up and efficiency are
/// against the point of fewest cores, as rough work per second, and per core: in weak scaling each core
/// gets as many tasks, but not the same ones.
[[nodiscard]] std::string scaling_table(const Scaling& study);

} // namespace metasieve
