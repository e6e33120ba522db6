#pragma once

#include "config/requests.hpp"
#include "methods/compare_methods.hpp"
#include "training/task_source.hpp"

namespace metasieve {

/// Work of an evaluation on each task.
struct EvaluationPlan {
  Config config;               ///< with the settings of the policies, but for keys that the user gave
  std::vector<Method> methods; ///< to compare; where not asked for, oracles only have results on clean labels
  ComparisonOptions comparison;
  Index frontier_steps = 0; ///< steps of the adaptation at each point of the frontier; 0: no frontier

  /// The methods that are compared on the tasks of `source`.
  [[nodiscard]] std::vector<Method> methods_on(const TaskSource& source) const;
  /// Rough nanoseconds of one core for all methods on one task, with its preparation: see training/cost.hpp.
  [[nodiscard]] double cost(const TaskShape& task) const;
};

/// Collective: the policies of the request's files. @throws CollectiveError (exit code 3) naming a file that
/// cannot be used
[[nodiscard]] std::vector<Policy> read_policies(const Communicator& comm, const EvaluateRequest& request);

/// Plan for the `policies` of the request's files, the same on every rank. @throws CollectiveError (exit code
/// 2) if they are of different kinds
[[nodiscard]] EvaluationPlan evaluation_plan(const EvaluateRequest& request, std::vector<Policy> policies);

/// What `request` evaluates on: its suite, or each of its data sets. Collective.
[[nodiscard]] std::vector<TaskSource> evaluation_sources(const Communicator& comm,
                                                         const EvaluateRequest& request);

} // namespace metasieve
