#include "selectors/selection.hpp"

namespace metasieve {

Vector selection_score(const PreparedTask& task, const Policy& policy, const SelectionOptions& options) {
  const Policy adapted = adapt(policy, task, options.adapt);
  return select_in_rounds(task, adapted, {options.rounds, options.ridge, task.seed}).score;
}

} // namespace metasieve
