#include "selectors/selection.hpp"

#include "selectors/methods.hpp"

namespace metasieve {

Vector selection_score(const PreparedTask& task, const Policy& policy, const SelectionOptions& options) {
  RoundsSelection last =
      select_in_rounds(task, policy, {options.rounds, options.ridge, task.seed, options.agreement});
  if (options.adapt.steps == 0) return last.score;
  PreparedTask seen = task;
  seen.features = std::move(last.features);
  return policy_score(seen, adapt(policy, seen, options.adapt));
}

} // namespace metasieve
