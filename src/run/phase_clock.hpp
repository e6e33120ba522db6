#pragma once

#include "io/results_file.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace metasieve {

[[nodiscard]] inline double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Wall seconds of each phase of a run on this rank.
class PhaseClock {
public:
  /// Adds the time until it is destroyed to its phase.
  class Scope {
  public:
    explicit Scope(double& seconds) : seconds_(seconds), begin_(wall_seconds()) {}
    ~Scope() { seconds_ += wall_seconds() - begin_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

  private:
    double& seconds_;
    double begin_;
  };

  explicit PhaseClock(std::vector<std::string> phases)
      : phases_(std::move(phases)), seconds_(phases_.size(), 0.0) {}

  /// `phase` is one of those given to the constructor.
  [[nodiscard]] Scope measure(const std::string& phase);
  void add(const std::string& phase, double seconds);

  /// Collective: every phase on every rank.
  [[nodiscard]] std::vector<PhaseSeconds> all_ranks(const Communicator& comm) const;

private:
  [[nodiscard]] double& seconds_of(const std::string& phase);

  std::vector<std::string> phases_;
  std::vector<double> seconds_;
};

/// A line a phase: least, mean and most seconds of a rank, most / mean.
[[nodiscard]] std::string timing_table(const std::vector<PhaseSeconds>& timing);

} // namespace metasieve
