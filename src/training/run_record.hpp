#pragma once

#include "config/requests.hpp"
#include "files/checkpoint.hpp"
#include "runtime/energy.hpp"
#include "runtime/output_checks.hpp"
#include "runtime/phases.hpp"
#include "training/failures.hpp"
#include "training/step.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace metasieve {

/// Record of a training, which it writes to its folder: checkpoint, results and policy. Keeps other runs out
/// of the folder, unless the caller does.
class RunRecord {
public:
  /// Collective: an untrained policy, nothing done. @throws CollectiveError (exit code 3) if another run
  /// writes to the folder
  RunRecord(const Communicator& comm, const TrainRequest& request);

  /// Continues the run of a checkpoint, if there is one.
  void restore(FoundCheckpoint found);

  /// Notes the fingerprint of all tasks. @throws CollectiveError (exit code 2) if a checkpoint was trained on
  /// others; every rank must call it with the same value.
  void require_known_tasks(std::uint64_t tasks);

  /// Collective: sets aside what an earlier run has left there. Nothing in the folder is changed before this.
  /// @return a note for the user, on rank 0; may be empty
  [[nodiscard]] std::string begin_files();

  /// Adds an iteration that took `seconds`, and this rank's tasks that failed in it.
  void add(const BatchGradient& gradient, const std::vector<TaskOutcome>& outcomes, double seconds);

  /// Whether more of the fits failed, of `batch` in each iteration, than run.max_failed allows.
  [[nodiscard]] bool too_many_failed(Index batch) const;
  /// Collective: writes the results and ends a run that learns from too few of its tasks.
  [[noreturn]] void fail(Index batch);

  /// Collective. @throws CollectiveError (internal) if the ranks' policies differ
  void write_checkpoint();
  /// Collective: policy and results; counts the time, and with `profiles` the flops.
  void write_last_files(bool profiles);

  [[nodiscard]] Index iterations_done() const noexcept { return state.policy.trained_iterations; }
  [[nodiscard]] bool is_resumed() const noexcept { return !resumed_from_.empty(); }
  /// Whether this session has made an iteration.
  [[nodiscard]] bool has_trained() const noexcept { return iterations_done() >= first_iteration_; }
  [[nodiscard]] double seconds() const noexcept { return wall_seconds() - begin_; } ///< time of this session
  /// What all sessions have taken, as far as they are recorded; this one up to the latest file.
  [[nodiscard]] Usage usage() const;
  /// Time since the latest checkpoint, or the start.
  [[nodiscard]] double seconds_since_checkpoint() const noexcept { return wall_seconds() - last_written_; }

  Checkpoint state;
  FailureLog failures;
  std::int64_t failed_fits = 0; ///< fits of training tasks that failed, over all sessions
  PhaseClock clock;

private:
  void complete_results();
  void write_last_results();

  const Communicator& comm_;
  const TrainRequest& request_; ///< which must outlive this
  FolderLock lock_;
  std::filesystem::path resumed_from_;
  bool newest_is_damaged_ = false;
  bool has_session_ = false; ///< state.results.sessions has this one
  Index first_iteration_ = 1;
  double begin_, last_written_; ///< values of wall_seconds()
  std::string started_;
  JobMetadata facts_;
  EnergyMeter energy_;
};

} // namespace metasieve
