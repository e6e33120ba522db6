#include "training/failures.hpp"

#include "files/results.hpp"

#include <algorithm>

namespace metasieve {
namespace {

constexpr std::size_t most_named = 5;

FailureRow merged(const FailureRow& a, const FailureRow& b) {
  return {a.task_id, a.kind, a.count + b.count, std::min(a.first_iteration, b.first_iteration),
          std::max(a.last_iteration, b.last_iteration)};
}

} // namespace

void FailureLog::add(TaskId task, TaskFailure kind, std::int64_t iteration) {
  const auto id = static_cast<std::int64_t>(task);
  const FailureRow once{id, std::string(task_failures[static_cast<std::size_t>(kind)]), 1, iteration,
                        iteration};
  const auto [at, is_new] = mine_.try_emplace({id, kind}, once);
  if (!is_new) at->second = merged(at->second, once);
}

std::vector<FailureRow> FailureLog::all(const Communicator& comm) const {
  std::vector<FailureRow> mine;
  for (const auto& [key, row] : mine_) mine.push_back(row);
  std::vector<FailureRow> rows = failure_records().unpack(comm.gather(failure_records().pack(mine)));
  rows.insert(rows.end(), before_.begin(), before_.end());
  std::map<std::pair<std::int64_t, std::string>, FailureRow> sums;
  for (const FailureRow& row : rows) {
    const auto [at, is_new] = sums.try_emplace({row.task_id, row.kind}, row);
    if (!is_new) at->second = merged(at->second, row);
  }
  std::vector<FailureRow> out;
  for (const auto& [key, row] : sums) out.push_back(row);
  return out;
}

std::string failures_text(std::vector<FailureRow> failures) {
  std::stable_sort(failures.begin(), failures.end(),
                   [](const FailureRow& a, const FailureRow& b) { return a.count > b.count; });
  std::string text = failures.size() == 1 ? "task " : "tasks ";
  for (std::size_t i = 0; i < std::min(failures.size(), most_named); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(failures[i].task_id) + " (" + failures[i].kind + ")";
  return text + (failures.size() > most_named ? ", ..." : "");
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
