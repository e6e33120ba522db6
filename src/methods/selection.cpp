#include "methods/selection.hpp"

#include "methods/methods.hpp"

namespace metasieve {

PreparedTask after_rounds(const PreparedTask& task, const Policy& policy, const SelectionOptions& options) {
  PreparedTask seen = task;
  if (options.rounds > 0)
    seen.features =
        select_in_rounds(task, policy, {options.rounds, options.ridge, task.seed, options.agreement})
            .features;
  return seen;
}

Vector selection_score(const PreparedTask& task, const Policy& policy, const SelectionOptions& options) {
  if (options.rounds == 0 && options.adapt.steps == 0) return policy_score(task, policy);
  const PreparedTask seen = after_rounds(task, policy, options);
  return policy_score(seen, adapt(policy, seen, options.adapt));
}

} // namespace metasieve
