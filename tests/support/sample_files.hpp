#pragma once

#include "base/random.hpp"
#include "files/checkpoint.hpp"
#include "files/dataset.hpp"
#include "files/evaluation.hpp"
#include "files/results.hpp"
#include "files/suite.hpp"

#include <limits>

namespace metasieve {

/// Collective: writes the tasks that the ranks hold.
inline void write_suite(const Communicator& comm, const std::filesystem::path& path,
                        const Provenance& provenance, std::span<const Task> tasks) {
  std::vector<TaskShape> shapes;
  for (const Task& task : tasks)
    shapes.push_back({task.train.rows(), task.test.rows(), task.train.columns()});
  write_suite(comm, path, provenance, shapes, [&](Range turn) {
    return tasks.subspan(static_cast<std::size_t>(turn.begin), static_cast<std::size_t>(turn.size()));
  });
}

} // namespace metasieve

/// Contents for test files: a pure function of their arguments, the same on every rank.
namespace metasieve::test {

inline constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

inline Split sample_split(const Stream& stream, Index rows, Index columns) {
  Split split{MatrixF(rows, columns), Labels(rows), Labels(rows), Labels(rows)};
  for (Index i = 0; i < split.x.size(); ++i) split.x.data()[i] = static_cast<float>(stream.normal(i));
  for (Index i = 0; i < rows; ++i) {
    split.y(i) = static_cast<std::uint8_t>(stream.bits(3 * i) & 1);
    split.group(i) = static_cast<std::uint8_t>(stream.bits(3 * i + 1) & 1);
    split.y_clean(i) = static_cast<std::uint8_t>(stream.bits(3 * i + 2) & 1);
  }
  return split;
}

inline Task sample_task(std::uint64_t id) {
  const Stream stream(Seed{11}, Draw::covariates, TaskId{id});
  Task task;
  task.id = TaskId{id};
  task.metadata.task_id = id;
  task.metadata.n_train = 3 + static_cast<std::int64_t>(id) % 17;
  task.metadata.n_test = 1 + static_cast<std::int64_t>(id) % 5;
  task.metadata.n_samples = task.metadata.n_train + task.metadata.n_test;
  task.metadata.n_features = 1 + static_cast<std::int64_t>(id) % 4;
  task.metadata.noise_rate = stream.uniform(0);
  task.metadata.seed = 0xfedcba9876543210U;
  task.metadata.add_group_bias = id % 2 == 0;
  task.metadata.train_pos_rate_z1 = id % 3 == 0 ? undefined : 0.25;
  task.metadata.test_pos_rate_z1 = 1.0 / 3.0;
  task.metadata.family = id % 2 == 0 ? "seed_random" : "biased_with_a_name_of_31_letters";
  task.metadata.family.resize(std::min<std::size_t>(task.metadata.family.size(), 31));
  task.metadata.disadvantaged = static_cast<std::int64_t>(id % 2);
  task.metadata.feature_shift = 0.5;
  task.metadata.label_bias = 0.125;
  task.metadata.adversarial = id % 5 == 0;
  task.train = sample_split(Stream(Seed{1}, Draw::covariates, TaskId{id}), task.metadata.n_train,
                            task.metadata.n_features);
  task.test = sample_split(Stream(Seed{2}, Draw::covariates, TaskId{id}), task.metadata.n_test,
                           task.metadata.n_features);
  return task;
}

inline std::vector<Task> sample_tasks(Range ids) {
  std::vector<Task> tasks;
  for (Index id = ids.begin; id < ids.end; ++id) tasks.push_back(sample_task(static_cast<std::uint64_t>(id)));
  return tasks;
}

/// The same tasks with five groups; some have no row in a split.
inline std::vector<Task> sample_tasks_of_five_groups(Range ids) {
  std::vector<Task> tasks = sample_tasks(ids);
  for (Task& task : tasks) {
    task.metadata.groups = 5;
    task.metadata.disadvantaged = static_cast<std::int64_t>(task.metadata.task_id % 5);
    for (Split* split : {&task.train, &task.test}) {
      split->groups = 5;
      for (Index i = 0; i < split->rows(); ++i) split->group(i) = static_cast<std::uint8_t>((2 * i + 4) % 5);
    }
  }
  return tasks;
}

/// This rank's even share of `count` items.
inline Range share(const Communicator& comm, Index count) {
  return {count * comm.rank() / comm.size(), count * (comm.rank() + 1) / comm.size()};
}

inline Policy sample_policy() {
  Policy policy;
  policy.features = FeatureSet::basic;
  policy.hidden = {5, 3};
  policy.keep = 0.65;
  policy.temperature = 0.3;
  policy.use_group = false;
  policy.trained_iterations = 12;
  policy.theta.resize(parameter_count(policy));
  for (Index i = 0; i < policy.theta.size(); ++i)
    policy.theta(i) = Stream(Seed{3}, Draw::policy, TaskId{}).normal(i);
  return policy;
}

inline Dataset sample_dataset() {
  const Index rows = 20;
  Split split = sample_split(Stream(Seed{4}, Draw::covariates, TaskId{}), rows, 3);
  for (Index i = 0; i < rows; ++i) split.y(i) = i % 3 == 0, split.group(i) = i % 2 == 0;
  Labels test(rows);
  for (Index i = 0; i < rows; ++i) test(i) = i % 4 == 0;
  return {"sample", split.x,      split.y,     split.group, split.y, test, {"age", "income", "größe"},
          "female", "bad credit", "somewhere", "0123"};
}

/// Three groups, which have names.
inline Dataset sample_groups() {
  Dataset data = sample_dataset();
  data.group_names = {"White", "größer", "Black"};
  for (Index i = 0; i < data.group.size(); ++i) data.group(i) = static_cast<std::uint8_t>(i % 3);
  return data;
}

/// With row numbers, ids and weights.
inline Dataset sample_table() {
  Dataset data = sample_dataset();
  const Index rows = data.x.rows();
  data.row = RowNumbers(rows);
  data.id.emplace();
  data.weight = Vector(rows);
  for (Index i = 0; i < rows; ++i) {
    (*data.row)(i) = 1000 - 7 * i;
    data.id->push_back("größe " + std::to_string(i));
    (*data.weight)(i) = 0.1 * static_cast<double>(i + 1);
  }
  return data;
}

inline std::vector<HistoryRow> sample_history() {
  return {{1, 0.5, 0.25, 0.75, 1e-3, 2, 1, 0.01}, {2, 1.0 / 3, 0, 1, 2, 0, 0, 3}};
}
inline std::vector<ValidationRow> sample_validation() {
  return {{0, 0.8, 0.1, 0.2, 0.7, 0.3, 0.4, 0.05, 0.15, 0.5, 0.3, 0.2},
          {2, 0.9, undefined, 0.2, 0.7, 0.3, 0.4, 0.05, 0.15, 0.4, 0.25, 0.15}};
}

inline Results sample_results() {
  return {sample_history(),
          sample_validation(),
          {{17, "inner_fit", 3, 5, 9}},
          {{1, 2, 4, 2, 12.5, "2026-01-31T12:00:00Z", "node001", "some processor", 2, {1500, "rapl"}, "77"}},
          {{"generate", {1.5, 2.5}}, {"train", {3, 4}}},
          Matrix::Random(2, 77)};
}

inline Checkpoint sample_checkpoint() {
  Checkpoint checkpoint;
  checkpoint.policy = sample_policy();
  checkpoint.policy.trained_iterations = 2;
  checkpoint.adam.first_moment = 0.1 * checkpoint.policy.theta;
  checkpoint.adam.second_moment = checkpoint.policy.theta.cwiseAbs2() / 3;
  checkpoint.adam.step = 2;
  checkpoint.tasks = 0xfedcba9876543210ULL;
  checkpoint.config = "[suite]\ntasks = 40\n";
  checkpoint.results = sample_results();
  checkpoint.results.timing.clear();
  return checkpoint;
}

inline EvaluationRow sample_row(std::int64_t split) {
  EvaluationRow row{};
  row.source = "compas";
  row.split = split;
  row.method = "meta_hard";
  row.metrics = {0.7, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.55, 0.45, 0.02, 0.03};
  if (split % 2 == 1) row.metrics.eo_gap = undefined;
  row.noise_rate_all = 0.1;
  row.noise_rate_selected = 0.02;
  row.noise_reduction = 0.8;
  row.minority_share = 0.4;
  row.selected = 70;
  row.failed = split == 3;
  row.policy = split;
  row.family = split % 2 == 0 ? "biased" : "";
  return row;
}

inline EvaluationTables sample_tables() {
  const SummaryRow accuracy{"compas", "meta_hard", "accuracy", 0.7, 0.6, 0.8,  0.01,
                            0,        0.02,        0.014,      9,   3,   0.004};
  SummaryRow point = accuracy;
  point.setting = 0.3;
  GroupSummaryRow rate{accuracy, 2, "größer", 12.5};
  rate.metric = "true_positive_rate";
  return {{accuracy},
          {{"compas", "meta_hard", "roh", "eo_gap", -0.02, -0.05, 0.01, 0.75, 9}},
          {{"compas", "uniform", "meta_hard", 1, -1, 100, 30, 10, 8, 8.0 / 30, 0.8}},
          {{"compas", 2, "knn", 0.5, -0.1, 0.2, 0.7}},
          {{.source = "compas", .kind = "constant", .text = "WARNING: one class", .group = "größer"}},
          {point},
          {{"compas", 3, 1, "meta_hard", 2, 25, 12, {0.75, 0.5, 0.625, undefined}}},
          {rate},
          {{"compas", 3, 2, "größer", 0.31, 4.5}},
          {}};
}

} // namespace metasieve::test
