#pragma once

#include "files/evaluation.hpp"
#include "methods/compare_methods.hpp"
#include "training/task_source.hpp"

namespace metasieve {

/// One method's result on one task, with what a report needs to know of the task.
struct TaskEntry {
  Index task = 0;
  Corruption corruption{};
  MethodResult result;
};

/// The hard selections among `entries` of one source as detectors of flipped labels: counts over its tasks,
/// for each kind of corruption (and "all", where there are several), by group and by observed label. names
/// [tasks]: the source of each task.
[[nodiscard]] std::vector<DetectionRow> detection_table(const std::vector<TaskEntry>& entries,
                                                        const std::vector<std::string>& names);

/// What a policy has learnt of each feature, on response_rows rows of a task, evenly spread: value, score and
/// keep, each [features, points], as numbers.
[[nodiscard]] Vector response_of(const PreparedTask& task, const Policy& policy);

/// The mean of `responses` over the tasks of the source called `name`: [tasks][policies], as response_of
/// gives them for policies of one feature set.
[[nodiscard]] std::vector<ResponseRow> response_table(const std::vector<std::vector<Vector>>& responses,
                                                      const std::string& name, FeatureSet features);

} // namespace metasieve
