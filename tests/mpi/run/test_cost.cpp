#include "training/cost.hpp"

#include <gtest/gtest.h>

namespace metasieve {
namespace {

constexpr TaskShape mean_task{3400, 1460, 13};

TEST(Cost, of_a_stage_is_that_of_the_busiest_rank_and_no_less_than_its_longest_item) {
  const std::vector<double> costs{1e9, 2e9, 3e9, 4e9, 0.0};
  const std::vector<Range> shards{{0, 3}, {3, 5}, {5, 5}};

  EXPECT_DOUBLE_EQ(busiest_seconds(costs, shards, 1), 6.0);
  EXPECT_DOUBLE_EQ(busiest_seconds(costs, shards, 2), 4.0); // the one of 4 s
  EXPECT_DOUBLE_EQ(busiest_seconds({}, std::vector<Range>{{0, 0}}, 4), 0.0);
}

TEST(Cost, of_a_training_is_preparation_and_uses) {
  const Config config;
  const std::vector<TaskShape> tasks{mean_task, {70, 30, 5}};

  const TaskCosts costs = task_costs(tasks, config, {3.0, 2.0});

  ASSERT_EQ(costs.tasks(), 2);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_DOUBLE_EQ(costs.preparation[i],
                     generation_cost(tasks[i]) + preparation_cost(tasks[i], FeatureSet::full));
    EXPECT_DOUBLE_EQ(costs.visits[i], 3.0 * visit_cost(tasks[i], config));
    EXPECT_DOUBLE_EQ(costs.assessments[i], 2.0 * validation_cost(tasks[i], config));
    EXPECT_GT(costs.moving[i], held_bytes(tasks[i], config)); // a byte in a nanosecond at most
  }
}

TEST(Cost, of_a_visit_grows_with_support_rows_up_to_all_rows) {
  Config config;
  const auto at = [&](Index support) {
    config.meta.support = support;
    return visit_cost(mean_task, config);
  };
  EXPECT_LT(at(300), at(600));
  EXPECT_EQ(at(0), at(3400));
  EXPECT_EQ(at(0), at(100000));
}

TEST(Cost, of_a_visit_grows_with_policy_and_steps) {
  Config config;
  const double implicit = visit_cost(mean_task, config);
  config.inner.method = InnerMethod::unrolled;
  config.inner.unrolled.steps = 5;
  EXPECT_LT(visit_cost(mean_task, config), implicit);
  config.inner.unrolled.steps = 100;
  EXPECT_GT(visit_cost(mean_task, config), implicit);
  config.inner.method = InnerMethod::implicit;
  config.policy.hidden = {256, 256};
  EXPECT_GT(visit_cost(mean_task, config), implicit);
}

TEST(Cost, of_a_contest_counts_a_method_that_asks_a_policy_once_for_each) {
  Config config;
  const auto of = [&](const std::vector<Method>& methods, Index policies, Index frontier_steps = 0) {
    config.evaluate.methods = methods;
    return contest_cost(mean_task, config, policies, frontier_steps);
  };
  const double baseline = of({Method::baseline}, 3), meta = of({Method::meta_hard}, 1);

  EXPECT_EQ(of({Method::baseline}, 1), baseline);
  EXPECT_DOUBLE_EQ(of({Method::baseline, Method::meta_hard}, 3), baseline + 3 * meta);
  EXPECT_GT(of({Method::roh}, 1), 10 * baseline);
  EXPECT_GT(of({Method::baseline}, 1, 60), 12 * baseline); // six points of penalised and of threshold
  config.evaluate.adapt.steps = 20;
  EXPECT_EQ(of({Method::trained_hard}, 1), meta);
  const double adapted = of({Method::meta_hard}, 1);
  EXPECT_GT(adapted, 10 * meta);
  EXPECT_LT(of({Method::meta_hard, Method::meta_soft}, 1), adapted + 1.01 * meta); // both use one adaptation
}

TEST(Cost, of_ten_features_is_far_below_that_of_sixteen_and_memory_too) {
  EXPECT_LT(preparation_cost(mean_task, FeatureSet::basic),
            0.1 * preparation_cost(mean_task, FeatureSet::full));
  Policy basic;
  basic.features = FeatureSet::basic;
  EXPECT_LT(working_bytes(mean_task, basic), working_bytes(mean_task, Policy{}));
  EXPECT_EQ(prepared_bytes({10, 5, 3}, FeatureSet::basic), 15 * (4 * 3 + 3) + 10 * 10 * 4);
}

TEST(Cost, of_a_task_that_is_not_held_grows_by_making_it_anew_at_each_use) {
  Config config;
  const Uses uses{3.0, 2.0, true};
  const auto total = [&] {
    const TaskCosts costs = task_costs(std::vector{mean_task}, config, uses);
    return costs.preparation[0] + costs.visits[0] + costs.assessments[0];
  };
  const double held = total();
  config.suite.hold = Hold::regenerate;
  EXPECT_DOUBLE_EQ(total(), held + 5.0 * generation_cost(mean_task));
  EXPECT_LT(fetch_cost(mean_task, config, false),
            0.2 * fetch_cost(mean_task, config, true)); // read, not made
  config.suite.hold_features = false;
  // Not before the first use.
  EXPECT_DOUBLE_EQ(total(), held + 5.0 * generation_cost(mean_task) +
                                4.0 * preparation_cost(mean_task, config.policy.features));
  EXPECT_EQ(moving_cost(mean_task, config), 0.0);
}

TEST(Cost, of_memory_for_a_task_that_is_not_held_is_that_of_its_features_or_none) {
  Config config;
  const double held = held_bytes(mean_task, config);
  config.suite.hold = Hold::regenerate;
  EXPECT_DOUBLE_EQ(held_bytes(mean_task, config), held - data_bytes(mean_task));
  config.suite.hold_features = false;
  EXPECT_EQ(held_bytes(mean_task, config), 0.0);
}

} // namespace
} // namespace metasieve
