#include "config/settings.hpp"
#include "studies/measured_pace.hpp"
#include "training/cost.hpp"

#include <gtest/gtest.h>

namespace metasieve {
namespace {

constexpr TaskShape mean_task{3400, 1460, 13};

TEST(Cost, of_a_training_is_preparation_and_uses) {
  const Config config;
  const std::vector<TaskShape> tasks{mean_task, {70, 30, 5}};
  TaskUse use = task_use(config, true);
  use.gradients = 3, use.assessments = 2;

  const TaskCosts costs = task_costs(tasks, use), slow = task_costs(tasks, use, {2, 2, 2, 2});

  ASSERT_EQ(costs.uses.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_DOUBLE_EQ(costs.preparation[i],
                     generation_cost(tasks[i]) + preparation_cost(tasks[i], FeatureSet::full));
    EXPECT_DOUBLE_EQ(costs.uses[i],
                     3.0 * gradient_cost(tasks[i], use) + 2.0 * assessment_cost(tasks[i], use.parameters));
    EXPECT_DOUBLE_EQ(slow.preparation[i], 2.0 * costs.preparation[i]);
    EXPECT_DOUBLE_EQ(slow.uses[i], 2.0 * costs.uses[i]);
    EXPECT_GE(costs.moving[i], held_bytes(tasks[i], use)); // a byte in a nanosecond at most
  }
}

TEST(Cost, of_a_gradient_grows_with_support_rows_up_to_all_rows) {
  TaskUse use = task_use(Config(), true);
  const auto at = [&](Index support) {
    use.support = support;
    return gradient_cost(mean_task, use);
  };
  EXPECT_LT(at(300), at(600));
  EXPECT_EQ(at(0), at(3400));
  EXPECT_EQ(at(0), at(100000));
}

TEST(Cost, of_a_gradient_grows_with_policy_and_steps) {
  Config config;
  const auto cost = [&] { return gradient_cost(mean_task, task_use(config, true)); };
  config.inner.method = InnerMethod::unrolled;
  config.inner.unrolled.steps = 5;
  const double few = cost();
  config.inner.unrolled.steps = 100;
  const double many = cost();
  config.policy.hidden = {256, 256};
  EXPECT_LT(few, many);
  EXPECT_LT(many, cost());
}

TEST(Cost, of_ten_features_is_far_below_that_of_sixteen_and_memory_too) {
  EXPECT_LT(preparation_cost(mean_task, FeatureSet::basic),
            0.1 * preparation_cost(mean_task, FeatureSet::full));
  EXPECT_LT(working_bytes(mean_task, FeatureSet::basic), working_bytes(mean_task, FeatureSet::full));
  EXPECT_EQ(prepared_bytes({10, 5, 3}, FeatureSet::basic), 15 * (4 * 3 + 3) + 10 * 10 * 4);
}

TEST(Cost, of_a_task_that_is_not_held_grows_by_making_it_again_at_each_use) {
  Config config;
  const auto total = [&](bool is_generated) {
    TaskUse use = task_use(config, is_generated);
    use.gradients = 3, use.assessments = 2;
    const TaskCosts costs = task_costs(std::vector{mean_task}, use);
    return costs.preparation[0] + costs.uses[0];
  };
  const double held = total(true);
  config.suite.hold = Hold::regenerate;
  EXPECT_NEAR(total(true), held + 5.0 * generation_cost(mean_task), 1e-6 * held);
  EXPECT_LT(total(false), total(true)); // read, not made
  config.suite.hold_features = false;
  // Not before the first use.
  EXPECT_NEAR(total(true),
              held + 5.0 * generation_cost(mean_task) +
                  4.0 * preparation_cost(mean_task, config.policy.features),
              1e-6 * held);
}

TEST(Cost, of_memory_for_a_task_that_is_not_held_is_that_of_its_features_or_none) {
  Config config;
  const auto held_now = [&] { return held_bytes(mean_task, task_use(config, true)); };
  const double held = held_now();
  config.suite.hold = Hold::regenerate;
  EXPECT_DOUBLE_EQ(held_now(), held - data_bytes(mean_task));
  config.suite.hold_features = false;
  EXPECT_EQ(held_now(), 0.0);
}

TEST(TrainingParts, are_the_first_tasks_and_those_for_validation) {
  Config config;
  config.suite.validation_tasks = 40;
  config.meta.iterations = 400, config.meta.batch = 16, config.meta.validate_every = 50;

  const TrainingParts parts = training_parts(config, 240, true);

  EXPECT_EQ(parts.train.ids, (Range{0, 200}));
  EXPECT_EQ(parts.held_out.ids, (Range{200, 240}));
  EXPECT_DOUBLE_EQ(parts.train.use.gradients, 32.0);
  EXPECT_EQ(parts.train.use.assessments, 0.0);
  EXPECT_EQ(parts.held_out.use.gradients, 0.0);
  EXPECT_EQ(parts.held_out.use.assessments, 10.0); // the baseline, the start, seven between, and the end
  EXPECT_EQ(parts.held_out.meta.batch, 0);
  EXPECT_THROW(static_cast<void>(training_parts(config, 40, true)), CollectiveError);
}

TEST(TaskSample, is_all_tasks_or_evenly_spaced_runs_that_stand_for_them) {
  Config config;
  set_key(config, "suite.tasks", "300000");
  set_key(config, "suite.mixture", "small:1,large:1");
  set_key(config, "family.small.samples", "100:200");
  set_key(config, "family.large.samples", "800:900");
  const TaskSource source = TaskSource::generator(config);
  const auto one = [](const TaskShape&) { return 1.0; };
  const Index most = TaskSample::most;

  const TaskSample all(source, {10, 10 + most}), some(source, {10, 10 + 2 * most + 7}),
      none(source, {10, 10});

  EXPECT_EQ(std::ssize(all.ids), most);
  EXPECT_EQ(all.weight, 1.0);
  EXPECT_EQ(all.ids.front(), 10);
  EXPECT_EQ(all.ids.back(), 10 + most - 1);
  ASSERT_EQ(std::ssize(some.ids), most);
  EXPECT_EQ(some.ids.front(), 10);
  EXPECT_EQ(some.ids[TaskSample::run - 1], 10 + TaskSample::run - 1);
  EXPECT_EQ(some.ids[TaskSample::run], 10 + 2 * TaskSample::run);
  EXPECT_LT(some.ids.back(), 10 + 2 * most + 7);
  for (std::size_t k = 1; k < some.ids.size(); ++k) ASSERT_LT(some.ids[k - 1], some.ids[k]);
  EXPECT_NEAR(some.sum(one), static_cast<double>(2 * most + 7), 1e-6);
  EXPECT_NEAR(some.sum(data_bytes) / (2.0 * all.sum(data_bytes)), 1.0, 0.01);
  EXPECT_EQ(none.sum(data_bytes), 0.0);
}

} // namespace
} // namespace metasieve
