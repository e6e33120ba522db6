#include "evaluation/task_results.hpp"

#include "methods/partial_dependence.hpp"
#include "tasks/generate.hpp"

#include <gtest/gtest.h>

namespace metasieve {
namespace {

MethodResult result_of(Method method, const Detection& of_group_0) {
  MethodResult out;
  out.method = method;
  out.assessment.detection.cell = {std::vector<Detection>(2), {of_group_0, {}}}; // observed label 1
  return out;
}

const DetectionRow& find(const std::vector<DetectionRow>& table, const std::string& corruption,
                         std::int64_t group, std::int64_t label) {
  for (const DetectionRow& row : table)
    if (row.corruption == corruption && row.group == group && row.label == label) return row;
  throw std::runtime_error("no such row");
}

TEST(DetectionTable, adds_counts_by_kind_of_corruption_group_and_label) {
  std::vector<TaskResult> results(2);
  results[0].corruption = Corruption::uniform;
  results[0].methods = {result_of(Method::greedy, {100, 30, 10, 8}),
                        result_of(Method::meta_soft, {100, 0, 10, 0})};
  results[1].corruption = Corruption::bias;
  results[1].methods = {result_of(Method::greedy, {50, 10, 5, 1})};

  const std::vector<DetectionRow> table = detection_table(results, {"family", "family"});

  for (const DetectionRow& row : table) EXPECT_EQ(row.method, "greedy"); // a soft selection rejects nothing
  EXPECT_EQ(find(table, "all", -1, -1).rows, 150);
  EXPECT_EQ(find(table, "all", -1, -1).caught, 9);
  EXPECT_NEAR(find(table, "all", -1, -1).precision, 9.0 / 40, 1e-12);
  EXPECT_NEAR(find(table, "uniform", 0, -1).recall, 0.8, 1e-12);
  EXPECT_NEAR(find(table, "bias", -1, 1).recall, 0.2, 1e-12);
  EXPECT_EQ(find(table, "bias", -1, 0).rows, 0); // no row of label 0: undefined, not 0
  EXPECT_TRUE(std::isnan(find(table, "bias", -1, 0).recall));
}

TEST(ResponseTable, is_the_mean_over_tasks) {
  Family family;
  family.samples = {120, 120};
  std::vector<PreparedTask> tasks;
  for (std::uint64_t id = 0; id < 3; ++id)
    tasks.push_back(prepare(generate_task(family, Seed{4}, TaskId{id}), {}));
  const std::vector<Policy> policies{initialise({}, Seed{1}), initialise({}, Seed{2})};
  std::vector<TaskResult> results(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i)
    results[i].response = {response_of(tasks[i], policies[0]), response_of(tasks[i], policies[1])};

  const std::vector<ResponseRow> table = response_table(results, "family", FeatureSet::full);

  EXPECT_EQ(table.size(), 2U * 16 * 11);
  double score = 0, value = 0;
  for (const PreparedTask& task : tasks) {
    const Matrix features = task.features.cast<double>();
    const Matrix grid = quantile_grid(features, 11);
    score += partial_dependence(policies[1], features, grid).score(10, 5) / 3;
    value += grid(10, 5) / 3;
  }
  int found = 0;
  for (const ResponseRow& row : table) {
    if (row.policy != 1 || row.feature != "knn" || row.quantile != 0.5) continue;
    ++found;
    EXPECT_NEAR(row.score, score, 1e-12);
    EXPECT_NEAR(row.value, value, 1e-12);
  }
  EXPECT_EQ(found, 1);
}

} // namespace
} // namespace metasieve
