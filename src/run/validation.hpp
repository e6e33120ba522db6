#pragma once

#include "io/results_file.hpp"
#include "run/failures.hpp"
#include "run/task_shard.hpp"

#include <optional>

namespace metasieve {

/// Measures policies on the validation tasks against training on all rows.
class Validation {
public:
  /// Collective. Fits the baseline once. `total` validation tasks over all ranks.
  Validation(const Communicator& comm, const Shard& shard, Index total, double ridge);

  /// Collective: hard selection, means over the tasks where defined; NaN where nowhere. A task that fails
  /// numerically is undefined, and told to `failures`.
  [[nodiscard]] ValidationRow measure(const Communicator& comm, const Policy& policy, std::int64_t iteration,
                                      FailureLog& failures) const;

private:
  using Selection = std::function<Vector(const PreparedTask&)>; ///< training weights [n]
  struct Measured {
    std::vector<double> means;                 ///< over all ranks
    std::vector<std::optional<TaskId>> failed; ///< [tasks of the shard]: those that did
  };
  [[nodiscard]] Measured measured(const Communicator& comm, const Selection& weights) const;

  const Shard* shard_;
  Index total_;
  double ridge_;
  std::vector<double> baseline_;
};

} // namespace metasieve
