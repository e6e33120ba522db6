#include "training/failures.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace metasieve {

void FailureLog::add(TaskId task, TaskFailure kind, std::int64_t iteration) {
  add({static_cast<std::int64_t>(task), std::string(task_failures[static_cast<std::size_t>(kind)]), 1,
       iteration, iteration});
}

void FailureLog::add(const FailureRow& row) {
  const auto [at, is_new] = rows_.try_emplace({row.task_id, row.kind}, row);
  if (is_new) return;
  FailureRow& sum = at->second;
  sum.count += row.count;
  sum.first_iteration = std::min(sum.first_iteration, row.first_iteration);
  sum.last_iteration = std::max(sum.last_iteration, row.last_iteration);
}

std::vector<FailureRow> FailureLog::rows() const {
  std::vector<FailureRow> rows;
  for (const auto& [key, row] : rows_) rows.push_back(row);
  return rows;
}

std::vector<FailureRow> FailureLog::all(const Communicator& comm) const {
  FailureLog sums;
  for (const FailureRow& row : failure_records().unpack(comm.gather(failure_records().pack(rows()))))
    sums.add(row);
  return sums.rows();
}

std::string failures_text(std::vector<FailureRow> failures) {
  std::stable_sort(failures.begin(), failures.end(),
                   [](const FailureRow& a, const FailureRow& b) { return a.count > b.count; });
  std::vector<std::string> tasks;
  for (const FailureRow& row : failures) tasks.push_back(std::to_string(row.task_id) + " (" + row.kind + ")");
  return (tasks.size() == 1 ? "task " : "tasks ") + first_few(tasks);
}

std::string failures_advice(const std::vector<FailureRow>& failures) {
  std::int64_t one_class = 0, others = 0;
  for (const FailureRow& row : failures)
    (row.kind == task_failures[static_cast<std::size_t>(TaskFailure::one_class)] ? one_class : others) +=
        row.count;
  return one_class > others
             ? "make larger tasks, or with less label_bias, for their labels are all alike"
             : "start over with a smaller meta.learning_rate or inner.step_size, or a larger inner.ridge";
}

} // namespace metasieve
