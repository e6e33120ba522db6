#pragma once

#include "io/results_file.hpp"
#include "run/task_source.hpp"

namespace metasieve {

/// Measures policies on the validation tasks against training on all rows.
class Validation {
public:
  /// Collective. Fits the baseline once. `total` validation tasks over all ranks.
  Validation(const Communicator& comm, const Shard& shard, Index total, double ridge);

  /// Collective: hard selection, means over the tasks where defined; NaN where nowhere.
  [[nodiscard]] ValidationRow measure(const Communicator& comm, const Policy& policy,
                                      std::int64_t iteration) const;

private:
  using Selection = std::function<Vector(const PreparedTask&)>; ///< training weights [n]
  [[nodiscard]] std::vector<double> means(const Communicator& comm, const Selection& weights) const;

  const Shard* shard_;
  Index total_;
  double ridge_;
  std::vector<double> baseline_;
};

} // namespace metasieve
