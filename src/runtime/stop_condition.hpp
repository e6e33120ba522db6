#pragma once

#include "config/config.hpp"
#include "parallel/communicator.hpp"

#include <optional>
#include <string>

namespace metasieve {

/// Why a run should end before its work is done; the greater one counts.
enum class Stop : std::int64_t { none, time_limit, user_signal, interrupt, terminate };

/// "the time limit", "SIGUSR1", "SIGINT", "SIGTERM"
[[nodiscard]] std::string to_string(Stop stop);

/// Makes SIGUSR1, SIGTERM and SIGINT ask for a stop instead of killing; the handler sets a flag, nothing
/// else. A second SIGINT kills: who presses Ctrl-C twice does not want to wait. Where SIGINT is ignored it
/// stays so.
void catch_stop_signals();

/// Requests a stop after a signal, `run.max_minutes` after the program's start, or `run.margin_minutes`
/// before SLURM ends the job.
class StopCondition {
public:
  /// Collective: rank 0 asks SLURM.
  StopCondition(const Communicator& comm, const RunConfig& config);

  /// This rank's own view, cheap: whether to begin nothing that takes so many seconds.
  [[nodiscard]] Stop requested(double seconds = 0) const;

  /// Ends a step. @return whether to begin no other one, if it takes as long as the longest so far
  [[nodiscard]] Stop after_step();

private:
  double deadline_; ///< wall_seconds()
  double step_begin_, longest_step_ = 0;
};

/// Converts SLURM's "[[days-]hours:]minutes:seconds" to seconds; nothing for UNLIMITED and the like.
[[nodiscard]] std::optional<double> slurm_seconds(const std::string& text);

/// Ends the run; called by all ranks alike. @throws CollectiveError "stopped by SIGUSR1 WHERE; run the same
/// command with --resume to go on", exit code 75
[[noreturn]] void stop_early(Stop stop, const std::string& where);

} // namespace metasieve
