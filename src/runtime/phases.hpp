#pragma once

#include "base/stopwatch.hpp"
#include "files/results.hpp"
#include "methods/methods.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace metasieve {

/// What a run spends time on. Each method of an evaluation is a phase of its own, see phase_of.
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

/// Where the time of a run went.
struct Profile {
  std::vector<PhaseSeconds> phases; ///< the last one, `rest`, is what no other covers
  std::vector<double> seconds;      ///< [ranks], of the whole run
  int threads = 1;                  ///< of each rank
};

/// Wall seconds of each phase of a run on this rank. Thread-safe.
class PhaseClock {
public:
  /// Adds its lifetime to a phase.
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

  explicit PhaseClock(const std::vector<Phase>& phases);

  /// `phase` is one of those given to the constructor.
  [[nodiscard]] Scope measure(Phase phase) { return {*this, phase}; }
  void add(Phase phase, double seconds);
  void count(Phase phase, std::int64_t flops);

  [[nodiscard]] double seconds(Phase phase) const;

  /// Collective: seconds of every phase on every rank, and its flops.
  [[nodiscard]] std::vector<PhaseSeconds> all_ranks(const Communicator& comm) const;
  /// Collective: the same with `rest`, which is what is left of `seconds`, the time of the run on this rank.
  [[nodiscard]] Profile profile(const Communicator& comm, double seconds, int threads) const;

private:
  struct Entry {
    Phase phase;
    double seconds = 0;
    std::int64_t flops = 0;
  };
  [[nodiscard]] std::size_t place_of(Phase phase) const;

  std::vector<Entry> entries_;
  mutable std::mutex guard_;
};

/// A line a phase: least, mean and most seconds of a rank, most / mean.
[[nodiscard]] std::string timing_table(const std::vector<PhaseSeconds>& timing);

/// A line a phase: the columns of timing_table, its share of the run, flops, and flops of a core in a second.
/// Shares add up to 100 %.
[[nodiscard]] std::string profile_table(const Profile& profile);

} // namespace metasieve
