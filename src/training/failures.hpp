#pragma once

#include "files/results.hpp"
#include "meta/meta_gradient.hpp"
#include "parallel/communicator.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace metasieve {

/// Numerical failures of tasks on this rank: which, when and how often.
class FailureLog {
public:
  void add(TaskId task, TaskFailure kind, std::int64_t iteration);
  /// Adds failures of an earlier session; called on one rank.
  void add(const FailureRow& row);
  /// Collective: all ranks' failures, by task id and kind.
  [[nodiscard]] std::vector<FailureRow> all(const Communicator& comm) const;

private:
  [[nodiscard]] std::vector<FailureRow> rows() const;

  std::map<std::pair<std::int64_t, std::string>, FailureRow> rows_; ///< by task id and kind
};

/// "tasks 3 (one_class), 17 (inner_fit), ...": the first few of the tasks, most failures first.
[[nodiscard]] std::string failures_text(std::vector<FailureRow> failures);

/// What may help against the most frequent kind of failure.
[[nodiscard]] std::string failures_advice(const std::vector<FailureRow>& failures);

} // namespace metasieve
