#include "files/suite_layout.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

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
      h5::Field<Metadata>("groups", &Metadata::groups).optional(),
  });
  return records;
}

namespace {

std::string task_name(std::size_t index) { return "task " + std::to_string(index); }

/// Whether a rate is infinite; where it is undefined it is NaN.
bool has_infinity(const Metadata& task) {
  const std::string bytes = metadata_records().pack({task});
  for (const h5::FieldLayout& field : metadata_records().layouts()) {
    if (field.number != &h5::type_of<double>) continue;
    double value = 0;
    std::memcpy(&value, bytes.data() + field.offset, sizeof value);
    if (std::isinf(value)) return true;
  }
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
    if (task.add_group_bias > 1 || task.adversarial > 1)
      refuse("add_group_bias and adversarial must be 0 or 1");
    if (task.groups < 1 || task.groups > most_groups)
      refuse("groups is " + std::to_string(task.groups) + "; must be 1 to " + std::to_string(most_groups));
    if (task.disadvantaged < 0 || task.disadvantaged >= std::max<std::int64_t>(task.groups, 2))
      refuse("disadvantaged is " + std::to_string(task.disadvantaged) + "; must be a group: below " +
             std::to_string(task.groups));
  }
}

/// Where each task begins in an array of `total` values: from 0 on, each after the ones before.
std::vector<Index> read_offsets(const FileReader& file, const std::string& name, const SuitePart& part,
                                const SuiteArray& array, const std::vector<Metadata>& tasks, Index total) {
  const Index count = file.extent<std::uint64_t>(name).count;
  if (count != std::ssize(tasks) + 1)
    file.fail(name, "has " + std::to_string(count) + " values; must have one more than the " +
                        std::to_string(tasks.size()) + " tasks");
  std::vector<Index> offsets = file.values<std::int64_t>(name, 1);
  if (offsets.front() != 0) file.fail(name, "starts at " + std::to_string(offsets.front()) + "; must be 0");
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const Index step = part.values(array, shape_of(tasks[i]));
    if (offsets[i + 1] < offsets[i] || offsets[i + 1] - offsets[i] != step)
      file.fail(name, task_name(i) + ": goes from " + std::to_string(offsets[i]) + " to " +
                          std::to_string(offsets[i + 1]) + "; /metadata asks for a step of " +
                          std::to_string(step));
  }
  if (offsets.back() != total)
    file.fail(name, "ends at " + std::to_string(offsets.back()) + ", but there are " + std::to_string(total) +
                        " values");
  return offsets;
}

} // namespace

SuiteHead read_suite_head(const FileReader& file) {
  SuiteHead head{file.records("/metadata", metadata_records()),
                 file.attribute_if_any<std::string>("config").value_or(""),
                 {}};
  check_metadata(file, head.metadata);
  for (std::size_t p = 0; p < suite_parts.size(); ++p) {
    const SuitePart& part = suite_parts[p];
    std::array<Index, suite_arrays.size()> counts{};
    for (std::size_t a = 0; a < suite_arrays.size(); ++a) {
      const std::string name = part.path(suite_arrays[a].name);
      const Extent extent =
          suite_arrays[a].is_features() ? file.extent<float>(name) : file.extent<std::uint8_t>(name);
      head.parts[p].begin[a] = extent.place;
      counts[a] = extent.count;
      if (a > 1 && counts[a] != counts[1])
        file.fail(name, "has " + std::to_string(counts[a]) + " values; must have the " +
                            std::to_string(counts[1]) + " of y");
    }
    head.parts[p].row_offset =
        read_offsets(file, part.path("row_offset"), part, suite_arrays[1], head.metadata, counts[1]);
    head.parts[p].x_offset =
        read_offsets(file, part.path("x_offset"), part, suite_arrays[0], head.metadata, counts[0]);
  }
  return head;
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
    split->groups = task.metadata.groups;
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
