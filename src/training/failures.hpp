#pragma once

#include "files/results.hpp"
#include "meta/meta_gradient.hpp"
#include "parallel/communicator.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace metasieve {

/// Which tasks failed numerically, where and how often: this rank's own in this session, and all ranks' in
/// those before.
class FailureLog {
public:
  explicit FailureLog(std::vector<FailureRow> before = {}) : before_(std::move(before)) {}

  void add(TaskId task, TaskFailure kind, std::int64_t iteration);
  /// Collective: all ranks' failures of all sessions, by task id and kind.
  [[nodiscard]] std::vector<FailureRow> all(const Communicator& comm) const;

private:
  std::vector<FailureRow> before_;
  std::map<std::pair<std::int64_t, TaskFailure>, FailureRow> mine_;
};

/// "tasks 3 (one_class), 17 (inner_fit), ...": the first few of the tasks, most failures first.
[[nodiscard]] std::string failures_text(std::vector<FailureRow> failures);

/// What may help against the most frequent kind of failure.
[[nodiscard]] std::string failures_advice(const std::vector<FailureRow>& failures);

} // namespace metasieve
