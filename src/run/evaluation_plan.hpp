#pragma once

#include "run/task_source.hpp"
#include "selectors/contest.hpp"

namespace metasieve {

/// What an evaluation asks of each task.
struct EvaluationPlan {
  Config config; ///< with the settings of the policies, but for keys that the user gave
  ContestOptions contest;
  Index frontier_steps = 0; ///< of the adaptation at each point of the frontier; 0: none is asked for

  /// `contest` with these steps.
  [[nodiscard]] ContestOptions frontier_contest() const;

  /// Predicted nanoseconds of one core for all methods on one task, with its preparation.
  [[nodiscard]] double cost(const TaskShape& task) const;
};

/// Collective: reads the policies. @throws AgreedError: exit code 3 naming a file that cannot be used; exit
/// code 2 if they are of different kinds.
[[nodiscard]] EvaluationPlan evaluation_plan(const Communicator& comm, const EvaluateRequest& request);

} // namespace metasieve
