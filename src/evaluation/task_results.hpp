#pragma once

#include "evaluation/plan.hpp"
#include "files/evaluation.hpp"
#include "runtime/phases.hpp"
#include "runtime/resumable_work.hpp"

#include <functional>

namespace metasieve {

/// Results of one task.
struct TaskResult {
  Corruption corruption = Corruption::none;
  std::vector<MethodResult> methods;  ///< results of the comparison
  std::vector<MethodResult> frontier; ///< empty unless asked for
  std::vector<Vector> response; ///< by policy: see response_of; empty but for the first tasks of a source
  HiddenPositives hidden;       ///< the estimate, where the policies are adapted and their weights averaged
};

/// The result as bytes, for other ranks and the journal. Not a file format.
[[nodiscard]] std::string bytes_of(const TaskResult& result);
/// Takes the result back. @throws DataError if `bytes` end too early
[[nodiscard]] TaskResult task_result(const std::string& bytes);

/// Compares `methods` on the task that `make` makes, `number` of its source; the first tasks with the
/// policies' response.
/// Adds to the phases make, features, each method, frontier and response of `clock`.
[[nodiscard]] TaskResult evaluate_task(const std::function<Task()>& make, Index number,
                                       const EvaluationPlan& plan, const std::vector<Method>& methods,
                                       PhaseClock& clock);

/// Phases in the order in which they come: read, make, features, each method, frontier, response, idle,
/// gather, tables, write.
[[nodiscard]] std::vector<Phase> evaluation_phases(const EvaluationPlan& plan);

/// Collective: the results of all tasks of a source, in their order, on every rank; those that `work` keeps
/// are not made again. `number` of the source within the evaluation: the ids of its pieces hold it. `clock`
/// gets the time of evaluation_phases() but of `read` and of what follows the tasks. @throws CollectiveError:
/// exit code 75 after a stop
[[nodiscard]] std::vector<TaskResult> task_results(const Communicator& comm, const TaskSource& source,
                                                   std::uint64_t number, const EvaluationPlan& plan,
                                                   ResumableWork& work, PhaseClock& clock);

/// The hard selections in the `results` of the tasks of a source as detectors of flipped labels: counts over
/// the tasks, for each kind of corruption (and "all", where there are several), by group and by observed
/// label. names [tasks]: the family of each, or the data set.
[[nodiscard]] std::vector<DetectionRow> detection_table(const std::vector<TaskResult>& results,
                                                        const std::vector<std::string>& names);

/// Response of a policy to each feature, on response_rows rows of a task, evenly spread: value, score and
/// keep, each [features, points], as numbers.
[[nodiscard]] Vector response_of(const PreparedTask& task, const Policy& policy);

/// The mean response of each policy over the first tasks of the source called `name`, for policies of one
/// feature set.
[[nodiscard]] std::vector<ResponseRow> response_table(const std::vector<TaskResult>& results,
                                                      const std::string& name, FeatureSet features);

} // namespace metasieve
