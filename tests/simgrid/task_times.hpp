#pragma once

#include "base/random.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// True times of tasks beside predicted ones, as pure functions of (seed, task, step): what the simulation
/// injects, and the sharding never sees.
class TaskTimes {
public:
  /// `source`: a CSV of measure_tasks; or a synthetic distribution of which theory tells what to expect:
  /// `equal` (all tasks alike, whatever is predicted) or `lognormal:SIGMA` (independent for each task and
  /// step, mean 1). @throws DataError for a file without the columns, ConfigError for another word.
  TaskTimes(const std::string& source, Seed seed);

  /// Seconds for a task of which `predicted` nanoseconds are predicted.
  [[nodiscard]] double preparation(double predicted, TaskId id) const;
  [[nodiscard]] double visit(double predicted, TaskId id, std::uint64_t step) const;
  /// Seconds of one update of the policy.
  [[nodiscard]] double update() const { return update_; }

private:
  struct Measured {
    double preparation;         // measured / predicted
    std::vector<double> visits; // the same, by pass
  };

  [[nodiscard]] const Measured& drawn(TaskId id) const;

  Seed seed_;
  double sigma_ = 0;               // synthetic
  std::vector<Measured> measured_; // empty: synthetic
  double update_ = 0;
};

/// Seconds until the last of `threads` has done its tasks, each next task taken by the first thread that is
/// free: the dynamic schedule of for_each_parallel.
[[nodiscard]] double dynamic_schedule(const std::vector<double>& seconds, int threads);

} // namespace metasieve
