#include "files/suite_layout.hpp"

#include "base/bytes.hpp"

#include <cmath>
#include <limits>

namespace metasieve {

const h5::Records<Metadata>& metadata_records() {
  static const h5::Records<Metadata> records({
      {"task_id", &Metadata::task_id},
      {"n_samples", &Metadata::n_samples},
      {"n_train", &Metadata::n_train},
      {"n_test", &Metadata::n_test},
      {"n_features", &Metadata::n_features},
      {"noise_rate", &Metadata::noise_rate},
      {"group_imbalance", &Metadata::group_imbalance},
      {"class_imbalance", &Metadata::class_imbalance},
      {"separability", &Metadata::separability},
      {"add_group_bias", &Metadata::add_group_bias},
      {"seed", &Metadata::seed},
      {"train_pos_rate", &Metadata::train_pos_rate},
      {"train_minority_rate", &Metadata::train_minority_rate},
      {"train_actual_noise_rate", &Metadata::train_actual_noise_rate},
      {"train_dp_gap", &Metadata::train_dp_gap},
      {"test_pos_rate", &Metadata::test_pos_rate},
      {"test_minority_rate", &Metadata::test_minority_rate},
      {"test_dp_gap", &Metadata::test_dp_gap},
      {"train_pos_rate_z0", &Metadata::train_pos_rate_z0},
      {"train_pos_rate_z1", &Metadata::train_pos_rate_z1},
      {"test_pos_rate_z0", &Metadata::test_pos_rate_z0},
      {"test_pos_rate_z1", &Metadata::test_pos_rate_z1},
      {"family", 32, &Metadata::family},
      {"disadvantaged", &Metadata::disadvantaged},
      {"feature_shift", &Metadata::feature_shift},
      {"label_bias", &Metadata::label_bias},
      {"adversarial", &Metadata::adversarial},
  });
  return records;
}

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
    for (std::size_t d = 0; d < suite_data_sets; ++d) {
      const std::string name = data_set_name(part, d);
      static_cast<void>(file.shape(name, 1)); // all of it is there
      if (!file.is_contiguous(name))
        file.fail(name, "is compressed or in chunks; unpack the suite with h5repack -f NONE -l CONTI");
    }
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

std::string data_set_name(const SuitePart& part, std::size_t d) {
  return std::string(part.name) + "/" + (d == 0 ? "x" : suite_labels.at(d - 1).name);
}

SuiteOffsets::SuiteOffsets(const std::vector<Metadata>& tasks, const SuitePart& part) {
  for (const Metadata& each : tasks) {
    rows.push_back(rows.back() + each.*part.rows);
    values.push_back(values.back() + each.*part.rows * each.n_features);
  }
}

std::string task_bytes(const Task& task) {
  ByteWriter bytes;
  bytes.put(metadata_records().pack({task.metadata}));
  for (const Split* split : {&task.train, &task.test})
    bytes.put(split->x).put(split->y).put(split->group).put(split->y_clean);
  return bytes.take();
}

Task task_of_bytes(const std::string& bytes) {
  ByteReader reader(bytes);
  Task task;
  const std::vector<Metadata> metadata = metadata_records().unpack(reader.text());
  if (metadata.size() != 1) throw DataError("a task must have one record of metadata");
  task.metadata = metadata.front();
  task.id = TaskId{task.metadata.task_id};
  for (Split* split : {&task.train, &task.test}) {
    split->x = reader.array<MatrixF>();
    split->y = reader.array<Labels>();
    split->group = reader.array<Labels>();
    split->y_clean = reader.array<Labels>();
    for (const Labels* labels : {&split->y, &split->group, &split->y_clean})
      if (labels->size() != split->rows()) throw DataError("labels of a task do not fit its rows");
  }
  return task;
}

} // namespace metasieve
