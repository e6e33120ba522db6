#pragma once

#include "fairness/outer_loss.hpp"
#include "files/results.hpp"
#include "training/failures.hpp"
#include "training/task_pool.hpp"

#include <functional>
#include <string>

namespace metasieve {

/// How well a selection does on one task, or means over tasks; NaN: undefined.
struct TaskQuality {
  double accuracy, dp_gap, eo_gap, noise_rate; ///< with hard selection
  double accuracy_loss, fairness_loss;         ///< with the keep weights
  bool failed = false;                         ///< a fit did, or there is no score
};

/// Quality of `policy` on the test rows of one task; `outer`: the objective of training.
[[nodiscard]] TaskQuality quality_of(const PreparedTask& task, const Policy& policy, double ridge,
                                     const OuterOptions& outer);

/// Measures policies on the validation tasks against training on all rows.
class Validation {
public:
  /// Collective. Fits the baseline once. `total` validation tasks over all ranks; `outer`: the objective of
  /// training.
  Validation(const Communicator& comm, const TaskPool& pool, Index total, double ridge,
             const OuterOptions& outer);

  /// Collective: means over the tasks where defined, NaN where defined nowhere. A task that fails numerically
  /// is undefined, and added to `failures`.
  [[nodiscard]] ValidationRow measure(const Communicator& comm, const Policy& policy, std::int64_t iteration,
                                      FailureLog& failures) const;

private:
  const TaskPool* pool_;
  Index total_;
  double ridge_;
  OuterOptions outer_;
  TaskQuality baseline_;
};

/// "validation at 50: accuracy 0.8000 (+1.20 points), DP gap 0.0800 (-52 %), ..., loss 0.4321"
[[nodiscard]] std::string validation_text(const ValidationRow& row);

} // namespace metasieve
