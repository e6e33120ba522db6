#pragma once

#include "fairness/metrics.hpp"
#include "methods/assess.hpp"
#include "support/grouped_rows.hpp"
#include "support/groups.hpp"

#include <vector>

namespace metasieve::test {

/// The task with its probe alone: all that published peers need.
inline PreparedTask with_probe(Task task) {
  return metasieve::with_probe(std::move(task), {FeatureSet::relative, true, 1e-3, Seed{4}});
}

/// grouped_task, prepared after group k became numbers[k].
inline PreparedTask renumbered_task(Index rows, Index groups, const std::vector<Index>& numbers) {
  Task task = grouped_task(rows, groups);
  for (Split* split : {&task.train, &task.test}) split->group = renumbered(split->group, numbers);
  return with_probe(std::move(task));
}

/// The final fit of weighted rows, on these rows and their noisy labels.
inline Metrics on_training_rows(const PreparedTask& task, const Vector& weights) {
  FinalFits fits(task, 1e-3);
  static_cast<void>(fits.fit(weights, task.train.y));
  return evaluate_predictor(fits.train_score(), task.train.y, task.train.group, task.train.groups);
}

/// Tasks on which a method has little to work with: two rows, one class, a group of one label, a group of one
/// row, columns that tell nothing.
inline std::vector<PreparedTask> degenerate_tasks() {
  std::vector<PreparedTask> tasks;
  tasks.push_back(with_probe(grouped_task(2, 2)));
  Task one_class = grouped_task(60, 2), one_label = one_class, alone = one_class, constant = one_class;
  one_class.train.y.setOnes();
  one_label.train.y = (one_label.train.group.array() == 1).select(Labels::Zero(60), one_label.train.y);
  alone.train.group.setZero();
  alone.train.group(7) = 1;
  constant.train.x.setConstant(1.0F);
  for (Task* task : {&one_class, &one_label, &alone, &constant}) tasks.push_back(with_probe(*task));
  return tasks;
}

} // namespace metasieve::test
