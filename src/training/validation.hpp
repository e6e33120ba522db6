#pragma once

#include "fairness/outer_loss.hpp"
#include "files/results.hpp"
#include "training/failures.hpp"
#include "training/task_pool.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace metasieve {

/// Measures policies on the validation tasks against training on all rows.
class Validation {
public:
  /// Collective. Fits the baseline once. `total` validation tasks over all ranks; `outer`: the objective of
  /// training.
  Validation(const Communicator& comm, const TaskPool& shard, Index total, double ridge,
             const OuterOptions& outer);

  /// Collective: hard selection, and the objective of training by the keep weights; means over the tasks
  /// where defined, NaN where nowhere. A task that fails numerically is undefined, and added to `failures`.
  [[nodiscard]] ValidationRow measure(const Communicator& comm, const Policy& policy, std::int64_t iteration,
                                      FailureLog& failures) const;

private:
  /// Of one task, or means over tasks; NaN: undefined.
  struct Quantities {
    double accuracy, dp_gap, eo_gap, noise_rate;
    double accuracy_loss, fairness_loss;
    bool failed = false; ///< a fit did, or there is no score
  };
  struct Measured {
    Quantities means;                          ///< over all ranks
    std::vector<std::optional<TaskId>> failed; ///< [tasks of the shard]: those that did
  };
  [[nodiscard]] Quantities baseline_of(const PreparedTask& task) const;
  [[nodiscard]] Quantities quantities_of(const PreparedTask& task, const Policy& policy) const;
  [[nodiscard]] Measured measured(const Communicator& comm,
                                  const std::function<Quantities(const PreparedTask&)>& of_task) const;

  const TaskPool* shard_;
  Index total_;
  double ridge_;
  OuterOptions outer_;
  Quantities baseline_;
};

/// "validation at 50: accuracy 0.8000 (+1.20 points), DP gap 0.0800 (-52 %), ..., loss 0.4321"
[[nodiscard]] std::string validation_text(const ValidationRow& row);

} // namespace metasieve
