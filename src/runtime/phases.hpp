#pragma once

#include "base/stopwatch.hpp"
#include "files/results.hpp"
#include "methods/methods.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace metasieve {

/// What the time of a run goes to. Each method of an evaluation is a phase of its own, see phase_of.
enum class Phase : std::uint8_t {
  read,       ///< input files, and results of earlier runs
  tasks,      ///< tasks generated or read before the first iteration
  make,       ///< tasks generated or read where they are used
  features,   ///< with the probe
  policy,     ///< network, forward and backward
  inner,      ///< fits, forward and backward
  idle,       ///< threads without a task
  wait,       ///< for slower ranks
  reduce,     ///< the bare allreduce
  update,     ///< of the policy
  validate,   ///< on tasks that are not trained on
  checkpoint, ///< written
  frontier,   ///< methods over their settings
  response,   ///< partial dependence
  gather,     ///< results of all ranks
  tables,     ///< statistics
  score,      ///< rows of a data set
  write,      ///< output files
  rest,       ///< what no other phase covers
  first_method
};

[[nodiscard]] constexpr Phase phase_of(Method method) {
  return static_cast<Phase>(static_cast<int>(Phase::first_method) + static_cast<int>(method));
}

/// The name in files and tables, "make" or "greedy".
[[nodiscard]] std::string to_string(Phase phase);

/// Seconds and flops of one phase of a run.
struct PhaseProfile {
  Phase phase;
  std::vector<double> seconds; ///< [ranks], wall time
  std::int64_t flops = 0;      ///< of all ranks, a multiply-add counting two; 0: not counted
};

/// Where the time of a run went.
struct Profile {
  std::vector<PhaseProfile> phases; ///< the last one, `rest`, is what no other covers
  std::vector<double> seconds;      ///< [ranks], of the whole run
  int threads = 1;                  ///< of each rank
};

/// Wall seconds of each phase of a run on this rank. Threads may add at a time.
class PhaseClock {
public:
  /// Adds the time until it is destroyed to its phase.
  class Scope {
  public:
    Scope(PhaseClock& clock, Phase phase) : clock_(clock), phase_(phase), begin_(wall_seconds()) {}
    ~Scope() { clock_.add(phase_, wall_seconds() - begin_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

  private:
    PhaseClock& clock_;
    Phase phase_;
    double begin_;
  };

  explicit PhaseClock(std::vector<Phase> phases);

  /// `phase` is one of those given to the constructor.
  [[nodiscard]] Scope measure(Phase phase) { return {*this, phase}; }
  void add(Phase phase, double seconds);
  void count(Phase phase, std::int64_t flops);

  [[nodiscard]] double seconds(Phase phase) const;

  /// Collective: every phase on every rank.
  [[nodiscard]] std::vector<PhaseSeconds> all_ranks(const Communicator& comm) const;
  /// Collective: the same, with what was counted and the rest of `seconds`, this rank's of the run.
  [[nodiscard]] Profile profile(const Communicator& comm, double seconds, int threads) const;

private:
  [[nodiscard]] std::size_t place_of(Phase phase) const;

  std::vector<Phase> phases_;
  std::vector<double> seconds_;
  std::vector<std::int64_t> flops_;
  mutable std::mutex guard_;
};

/// Those phases of which something was counted.
[[nodiscard]] std::vector<PhaseFlops> counted(const Profile& profile);

/// A line a phase: least, mean and most seconds of a rank, most / mean.
[[nodiscard]] std::string timing_table(const std::vector<PhaseSeconds>& timing);

/// A line a phase: the same, its share of the run, what was counted and how many of these a core did in a
/// second. Shares add up to 100 %.
[[nodiscard]] std::string profile_table(const Profile& profile);

} // namespace metasieve
