#pragma once

#include "evaluation/detection.hpp"
#include "evaluation/plan.hpp"
#include "runtime/phases.hpp"
#include "runtime/resumable_work.hpp"

#include <functional>

namespace metasieve {

/// All that an evaluation keeps of one task.
struct TaskResult {
  Corruption corruption = Corruption::none;
  std::vector<MethodResult> methods;  ///< of the comparison
  std::vector<MethodResult> frontier; ///< empty unless asked for
  std::vector<Vector> response; ///< by policy: see response_of; empty but for the first tasks of a source
};

/// As bytes, for other ranks and the journal. Not a file format.
[[nodiscard]] std::string bytes_of(const TaskResult& result);
/// Takes it back. @throws DataError if `bytes` end too early
[[nodiscard]] TaskResult task_result(const std::string& bytes);

/// By which its piece of work is known: `number` of the source among those of the evaluation.
[[nodiscard]] std::uint64_t piece_id(std::uint64_t number, Index task);

/// All that is evaluated on the task that `make` makes, `number` of its source: the first ones with the
/// policies' response. Adds to the phases make, features, each method, frontier and response of `clock`.
[[nodiscard]] TaskResult evaluate_task(const std::function<Task()>& make, Index number,
                                       const EvaluationPlan& plan, PhaseClock& clock);

/// In the order in which they come: read, make, features, each method, frontier, response, idle, gather,
/// tables, write.
[[nodiscard]] std::vector<Phase> evaluation_phases(const EvaluationPlan& plan);

/// Collective: the results of all tasks of a source, in their order, on every rank; those that `work` keeps
/// are not made again. `number` of the source among those of the evaluation: its pieces are told apart by it.
/// `clock` is told the time of evaluation_phases() but `read` and what follows the tasks. @throws
/// AgreedError: exit code 75 after a stop
[[nodiscard]] std::vector<TaskResult> task_results(const Communicator& comm, const TaskSource& source,
                                                   std::uint64_t number, const EvaluationPlan& plan,
                                                   ResumableWork& work, PhaseClock& clock);

} // namespace metasieve
