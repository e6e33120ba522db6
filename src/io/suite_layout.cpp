#include "io/suite_layout.hpp"

#include "io/task_records.hpp"

#include <cmath>
#include <limits>

namespace metasieve {
namespace {

std::string task_name(std::size_t index) { return "task " + std::to_string(index); }

/// Rates are NaN where undefined, but never infinite.
bool has_infinity(const Metadata& task) {
  const std::array numbers{task.noise_rate,       task.group_imbalance,        task.class_imbalance,
                           task.separability,     task.train_pos_rate,         task.train_minority_rate,
                           task.train_dp_gap,     task.test_pos_rate,          task.test_minority_rate,
                           task.test_dp_gap,      task.train_pos_rate_z0,      task.train_pos_rate_z1,
                           task.test_pos_rate_z0, task.test_pos_rate_z1,       task.feature_shift,
                           task.label_bias,       task.train_actual_noise_rate};
  for (const double value : numbers)
    if (std::isinf(value)) return true;
  return false;
}

void check_metadata(const FileReader& file, const std::vector<Metadata>& tasks) {
  if (tasks.empty()) file.fail("/metadata", "has no tasks; must have at least one");
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const Metadata& task = tasks[i];
    const auto refuse = [&](const std::string& problem) {
      file.fail("/metadata", task_name(i) + ": " + problem);
    };
    if (task.task_id != tasks.front().task_id + i)
      refuse("task_id is " + std::to_string(task.task_id) + "; ids must be consecutive");
    if (task.n_train < 1 || task.n_test < 1) refuse("n_train and n_test must be at least 1");
    if (task.n_features < 1)
      refuse("n_features is " + std::to_string(task.n_features) + "; must be at least 1");
    // In this order nothing overflows.
    if (task.n_samples < task.n_train || task.n_samples - task.n_train != task.n_test)
      refuse("n_samples must be n_train + n_test");
    if (has_infinity(task)) refuse("a rate is infinite");
    if (task.add_group_bias > 1 || task.adversarial > 1 || (task.disadvantaged | 1) != 1)
      refuse("add_group_bias, adversarial and disadvantaged must be 0 or 1");
  }
}

/// `offsets` must start at 0 and grow by `step` for each task, up to `total`.
void check_offsets(const FileReader& file, const std::string& name, std::size_t tasks, Index total,
                   const std::function<std::int64_t(std::size_t)>& step) {
  file.require_type<std::uint64_t>(name);
  const std::vector<std::int64_t> offsets = file.values<std::int64_t>(name, 1);
  if (offsets.size() != tasks + 1)
    file.fail(name, "has " + std::to_string(offsets.size()) + " values; must have one more than the " +
                        std::to_string(tasks) + " tasks");
  if (offsets.front() != 0) file.fail(name, "starts at " + std::to_string(offsets.front()) + "; must be 0");
  for (std::size_t i = 0; i < tasks; ++i)
    if (offsets[i + 1] < offsets[i] || offsets[i + 1] - offsets[i] != step(i))
      file.fail(name, task_name(i) + ": goes from " + std::to_string(offsets[i]) + " to " +
                          std::to_string(offsets[i + 1]) + "; /metadata asks for a step of " +
                          std::to_string(step(i)));
  if (offsets.back() != total)
    file.fail(name, "ends at " + std::to_string(offsets.back()) + ", but there are " + std::to_string(total) +
                        " values");
}

} // namespace

std::vector<Metadata> checked_suite(const FileReader& file) {
  std::vector<Metadata> tasks = file.records("/metadata", metadata_records());
  check_metadata(file, tasks);
  for (const SuitePart& part : suite_parts) {
    const std::string group = part.name;
    const Index values = file.shape(group + "/x", 1).front();
    file.require_type<float>(group + "/x");
    const Index rows = file.shape(group + "/y", 1).front();
    for (const SuiteLabels& labels : suite_labels) {
      const std::string name = group + "/" + labels.name;
      file.require_type<std::uint8_t>(name);
      if (file.shape(name, 1).front() != rows)
        file.fail(name, "has " + std::to_string(file.shape(name, 1).front()) + " values; must have the " +
                            std::to_string(rows) + " of y");
    }
    check_offsets(file, group + "/row_offset", tasks.size(), rows,
                  [&](std::size_t i) { return tasks[i].*part.rows; });
    check_offsets(file, group + "/x_offset", tasks.size(), values, [&](std::size_t i) {
      std::int64_t step = 0;
      const bool overflows = __builtin_mul_overflow(tasks[i].*part.rows, tasks[i].n_features, &step);
      return overflows ? std::numeric_limits<std::int64_t>::max() : step;
    });
  }
  return tasks;
}

} // namespace metasieve
