#pragma once

#include "io/evaluation_file.hpp"
#include "run/task_source.hpp"
#include "selectors/contest.hpp"

namespace metasieve {

/// One method's result on one task, with what a report needs to know of the task. Trivially copyable, so that
/// ranks can exchange it as bytes.
struct TaskEntry {
  Index task = 0;
  Corruption corruption{};
  Entry entry;
};

/// The hard selections among `entries` of one source as detectors of flipped labels: counts over its tasks,
/// for each kind of corruption (and "all", where there are several), by group and by observed label. names
/// [tasks]: the source of each task.
[[nodiscard]] std::vector<DetectionRow> detection_table(const std::vector<TaskEntry>& entries,
                                                        const std::vector<std::string>& names);

/// Collective: what each policy has learnt of each feature, mean over the first tasks (at most 20) of
/// the source called `name`, on at most 500 rows of each; on every rank.
[[nodiscard]] std::vector<ResponseRow> response_table(const Communicator& comm, const Shard& shard,
                                                      const std::string& name,
                                                      const std::vector<Policy>& policies);

} // namespace metasieve
