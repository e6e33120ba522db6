#pragma once

#include "files/evaluation.hpp"
#include "methods/compare_methods.hpp"
#include "training/task_source.hpp"

namespace metasieve {

/// All that an evaluation keeps of one task.
struct TaskResult {
  Corruption corruption = Corruption::none;
  std::vector<MethodResult> methods;  ///< of the comparison
  std::vector<MethodResult> frontier; ///< empty unless asked for
  std::vector<Vector> response; ///< by policy: see response_of; empty but for the first tasks of a source
};

/// The hard selections in the `results` of the tasks of a source as detectors of flipped labels: counts over
/// the tasks, for each kind of corruption (and "all", where there are several), by group and by observed
/// label. names [tasks]: the family of each, or the data set.
[[nodiscard]] std::vector<DetectionRow> detection_table(const std::vector<TaskResult>& results,
                                                        const std::vector<std::string>& names);

/// What a policy has learnt of each feature, on response_rows rows of a task, evenly spread: value, score and
/// keep, each [features, points], as numbers.
[[nodiscard]] Vector response_of(const PreparedTask& task, const Policy& policy);

/// The mean of `responses` over the tasks of the source called `name`: [tasks][policies], as response_of
/// gives them for policies of one feature set.
[[nodiscard]] std::vector<ResponseRow> response_table(const std::vector<std::vector<Vector>>& responses,
                                                      const std::string& name, FeatureSet features);

} // namespace metasieve
