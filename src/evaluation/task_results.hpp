#pragma once

#include "evaluation/detection.hpp"
#include "evaluation/plan.hpp"
#include "runtime/phases.hpp"
#include "runtime/resumable_work.hpp"

#include <functional>

namespace metasieve {

/// The result as bytes, for other ranks and the journal. Not a file format.
[[nodiscard]] std::string bytes_of(const TaskResult& result);
/// Takes the result back. @throws DataError if `bytes` end too early
[[nodiscard]] TaskResult task_result(const std::string& bytes);

/// Id of the piece of work that is a task of the source `number` of the evaluation.
[[nodiscard]] std::uint64_t piece_id(std::uint64_t number, Index task);

/// All that is evaluated on the task that `make` makes, `number` of its source: the first ones with the
/// policies' response. Adds to the phases make, features, each method, frontier and response of `clock`.
[[nodiscard]] TaskResult evaluate_task(const std::function<Task()>& make, Index number,
                                       const EvaluationPlan& plan, PhaseClock& clock);

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

} // namespace metasieve
