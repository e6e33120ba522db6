#include "training/resume.hpp"

#include "support/sample_files.hpp"
#include "training/task_pool.hpp"

#include <gtest/gtest.h>

namespace metasieve {
namespace {

Config config_with(const std::string& key, const std::string& value) {
  Config config;
  for (const char* family : {"seed_random", "biased"})
    set_key(config, "family." + std::string(family) + ".samples", "200");
  set_key(config, key, value);
  return config;
}

std::vector<std::string> changed(const std::string& key, const std::string& value, bool with_tasks = true) {
  return changed_keys(resolved_ini(config_with("meta.clip", "10")), resolved_ini(config_with(key, value)),
                      with_tasks);
}

TEST(ChangedKeys, are_those_that_change_the_mathematics) {
  EXPECT_EQ(changed("meta.batch", "8"), (std::vector<std::string>{"meta.batch = 8 (was 16)"}));
  EXPECT_EQ(changed("policy.keep", "0.5"), (std::vector<std::string>{"policy.keep = 0.5 (was 0.7)"}));
  EXPECT_EQ(changed("suite.validation_tasks", "7", false),
            (std::vector<std::string>{"suite.validation_tasks = 7 (was 40)"}));
  EXPECT_EQ(changed("family.biased.minority", "0.3").size(), 1U);
}

TEST(ChangedKeys, of_a_checkpoint_that_does_not_name_its_precision_are_those_of_float64) {
  const auto changed_to = [](const std::string& precision) {
    std::string before = resolved_ini(config_with("policy.precision", precision));
    const std::string line = "precision = " + precision + "\n";
    const std::string now = before;
    before.erase(before.find(line), line.size());
    return changed_keys(before, now, true);
  };

  EXPECT_EQ(changed_to("float64"), std::vector<std::string>());
  EXPECT_EQ(changed_to("float32"), (std::vector<std::string>{"policy.precision = float32 (was float64)"}));
}

TEST(ChangedKeys, of_a_checkpoint_that_does_not_name_its_groups_are_those_of_two_groups) {
  std::string before = resolved_ini(config_with("meta.clip", "10"));
  for (std::size_t at; (at = before.find("groups = 2\n")) != std::string::npos;) before.erase(at, 11);
  const auto changed_to = [&](const std::string& groups) {
    return changed_keys(before, resolved_ini(config_with("family.biased.groups", groups)), true);
  };

  ASSERT_EQ(before.find("groups"), std::string::npos);
  EXPECT_EQ(changed_to("2"), std::vector<std::string>());
  EXPECT_EQ(changed_to("2:6"), (std::vector<std::string>{"family.biased.groups = 2:6 (was 2)"}));
}

TEST(ChangedKeys, of_a_checkpoint_before_tabular_families_are_those_of_clusters) {
  const std::string now = resolved_ini(config_with("meta.clip", "10"));
  std::string before = now;
  for (std::size_t at; (at = before.find("base = ")) != std::string::npos;)
    before.erase(at, before.find('\n', before.find("interaction_fraction", at)) + 1 - at);

  ASSERT_EQ(before.find("factors"), std::string::npos);
  EXPECT_EQ(changed_keys(before, now, true), std::vector<std::string>());
  EXPECT_EQ(changed_keys(before, resolved_ini(config_with("family.biased.base", "tabular")), true),
            (std::vector<std::string>{"family.biased.base = tabular (was clusters)"}));
}

TEST(ChangedKeys, are_not_those_of_output_limits_and_more_iterations) {
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"output.checkpoint_every", "3"},
                                                        {"output.save_gradients", "true"},
                                                        {"run.max_minutes", "5"},
                                                        {"run.max_failed", "0.1"},
                                                        {"evaluate.splits", "3"},
                                                        {"meta.validate_every", "7"},
                                                        {"meta.iterations", "900"}})
    EXPECT_TRUE(changed(key, value).empty()) << key;
}

TEST(ChangedKeys, of_the_generator_do_not_count_where_a_suite_file_gives_the_tasks) {
  EXPECT_TRUE(changed("suite.seed", "7", false).empty());
  EXPECT_TRUE(changed("family.biased.minority", "0.3", false).empty());
  EXPECT_EQ(changed("suite.seed", "7", true).size(), 1U);
}

TEST(Fingerprint, tells_every_value_and_the_id) {
  const Task task = test::sample_task(5);
  Task other = task;
  other.train.y_clean(0) ^= 1U;
  Task moved = task;
  std::swap(moved.train.x(0, 0), moved.train.x(0, 1)); // the same values elsewhere
  const std::uint64_t of_task = fingerprint(task.id, task.train, task.test);

  EXPECT_EQ(of_task, fingerprint(task.id, task.train, task.test));
  EXPECT_NE(of_task, fingerprint(TaskId{6}, task.train, task.test));
  EXPECT_NE(of_task, fingerprint(task.id, other.train, other.test));
  EXPECT_NE(of_task, fingerprint(task.id, moved.train, moved.test));
}

} // namespace
} // namespace metasieve
