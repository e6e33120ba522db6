#include "runtime/stop_condition.hpp"

#include "base/stopwatch.hpp"
#include "runtime/machine.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace metasieve {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

// NOLINTNEXTLINE(cert-err58-cpp)
const double program_start = wall_seconds();

volatile std::sig_atomic_t caught = 0;

extern "C" void remember(int signal) { caught = signal; }

/// SLURM before 23.02 does not say in the environment when a job ends.
std::string answer_of_squeue(const std::string& job) {
  if (job.find_first_not_of("0123456789") != std::string::npos) return {};
  return first_line_of("timeout 20 squeue --noheader --jobs " + job + " --format %L 2>/dev/null");
}

/// When the job ends, in wall_seconds(). Asked once, for each point of a sweep has a stop condition.
double job_end(const std::string& job) {
  static const double end = wall_seconds() + slurm_seconds(answer_of_squeue(job)).value_or(never);
  return end;
}

/// Seconds until SLURM ends this job.
double slurm_seconds_left() {
  const std::string job = slurm_job();
  if (job.empty()) return never;
  if (const char* const end = std::getenv("SLURM_JOB_END_TIME")) {
    const double now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    const double at = std::strtod(end, nullptr);
    return at > 0 ? at - now : never;
  }
  return job_end(job) - wall_seconds();
}

} // namespace

std::string to_string(Stop stop) {
  constexpr std::array names{"nothing", "the time limit", "SIGUSR1", "SIGINT", "SIGTERM"};
  return names[static_cast<std::size_t>(stop)];
}

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = remember;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART; // a second signal must not cut a write short
  sigaction(SIGUSR1, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  struct sigaction before {};
  sigaction(SIGINT, nullptr, &before);
  if (before.sa_handler == SIG_IGN) return; // as a shell starts jobs in the background
  action.sa_flags |= static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
}

StopCondition::StopCondition(const Communicator& comm, const RunConfig& config)
    : step_begin_(wall_seconds()) {
  const double left = comm.is_root() ? slurm_seconds_left() - 60.0 * config.margin_minutes : never;
  const double slurm = -comm.max(-left); // the others know of no end
  const double limit = config.max_minutes > 0 ? program_start + 60.0 * config.max_minutes : never;
  deadline_ = std::min(limit, wall_seconds() + slurm);
}

Stop StopCondition::requested(double seconds) const {
  if (caught == SIGTERM) return Stop::terminate;
  if (caught == SIGINT) return Stop::interrupt;
  if (caught == SIGUSR1) return Stop::user_signal;
  return wall_seconds() + seconds > deadline_ ? Stop::time_limit : Stop::none;
}

Stop StopCondition::after_step() {
  const double now = wall_seconds();
  longest_step_ = std::max(longest_step_, now - step_begin_);
  step_begin_ = now;
  return requested(longest_step_);
}

std::optional<double> slurm_seconds(const std::string& text) {
  double days = 0, hours = 0, minutes = 0, seconds = 0;
  const char* const words = text.c_str();
  // What a longer form has read goes back to 0.
  const bool known = std::sscanf(words, "%lf-%lf:%lf:%lf", &days, &hours, &minutes, &seconds) == 4 ||
                     (days = 0, std::sscanf(words, "%lf:%lf:%lf", &hours, &minutes, &seconds) == 3) ||
                     (hours = 0, std::sscanf(words, "%lf:%lf", &minutes, &seconds) == 2);
  return known ? std::optional(((24.0 * days + hours) * 60.0 + minutes) * 60.0 + seconds) : std::nullopt;
}

void stop_early(Stop stop, const std::string& where) {
  throw CollectiveError(ExitCode::stopped_early, "stopped by " + to_string(stop) + " " + where +
                                                     "; run the same command with --resume to go on");
}

} // namespace metasieve
