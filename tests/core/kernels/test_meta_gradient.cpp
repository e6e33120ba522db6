#include "kernels/meta_gradient.hpp"
#include "support/groups.hpp"
#include "support/numerics.hpp"
#include "tasks/generate.hpp"

#include <cmath>
#include <utility>
#include <vector>

namespace metasieve {
namespace {

using namespace test;

PreparedTask task_of(Index samples, std::uint64_t id, FeatureSet features = FeatureSet::full) {
  Family family;
  family.samples = {static_cast<double>(samples), static_cast<double>(samples)};
  family.label_noise = {0.2, 0.2};
  PreparedTask task = prepare(generate_task(family, Seed{11}, TaskId{id}), {features, true, 1e-3, Seed{11}});
  task.precision = Precision::float32;
  return task;
}

const MetaGradient& fast_gradient(kernels::TaskGradient& fast, const PreparedTask& task, const Policy& policy,
                                  const MetaOptions& options, std::uint64_t step) {
  kernels::PackedPolicy<> packed;
  packed.pack(policy);
  return fast(task, packed, options, step);
}

struct Method {
  const char* name;
  InnerOptions inner;
};

class FastChain : public ::testing::TestWithParam<std::tuple<Method, AccuracyLoss, Gap>> {};

TEST_P(FastChain, agrees_with_the_reference_to_one_in_ten_thousand) {
  const auto& [method, accuracy, gap] = GetParam();
  kernels::TaskGradient fast;
  for (const FeatureSet set : feature_sets)
    for (const auto& [samples, support] :
         {std::pair<Index, Index>{120, 60}, {1000, 600}, {2500, 0}, {150, 600}}) {
      const PreparedTask task = task_of(samples, 5, set);
      Policy shape;
      shape.features = set;
      const Policy policy = initialise(shape, Seed{2});
      const MetaOptions options{method.inner, {accuracy, gap, 0.8}, support, Seed{3}};
      const MetaGradient expected = task_meta_gradient(task, policy, options, 4);

      const MetaGradient& result = fast_gradient(fast, task, policy, options, 4);

      ASSERT_EQ(result.failure, TaskFailure::none);
      EXPECT_NEAR(result.loss, expected.loss, 1e-4 * expected.loss);
      EXPECT_NEAR(result.accuracy_loss, expected.accuracy_loss, 1e-4 * expected.accuracy_loss);
      EXPECT_NEAR(result.fairness_loss, expected.fairness_loss, 1e-4 * (1e-2 + expected.fairness_loss));
      EXPECT_LT(relative_error(result.d_theta, expected.d_theta), 1e-4) << samples << " " << to_string(set);
    }
}

const Method implicit{"implicit", {Implicit{}, 1e-3}};
const Method unrolled{"unrolled", {Unrolled{5, 0.5, Start::zero, false, false}, 1e-3}};
const Method from_probe{"from_probe", {Unrolled{7, 0.5, Start::probe, true, false}, 1e-3}};
const Method first_order{"first_order", {Unrolled{5, 0.5, Start::zero, false, true}, 1e-3}};

std::string case_name(const ::testing::TestParamInfo<FastChain::ParamType>& tested) {
  const auto& [method, accuracy, gap] = tested.param;
  constexpr std::array<const char*, 3> losses{"_logistic_", "_zero_one_", "_balanced_"};
  constexpr std::array<const char*, 4> gaps{"dp", "eo", "both", "none"};
  return std::string(method.name) + losses[static_cast<std::size_t>(accuracy)] +
         gaps[static_cast<std::size_t>(gap)];
}

INSTANTIATE_TEST_SUITE_P(all, FastChain,
                         ::testing::Combine(::testing::Values(implicit, unrolled, from_probe, first_order),
                                            ::testing::Values(AccuracyLoss::logistic, AccuracyLoss::zero_one,
                                                              AccuracyLoss::balanced),
                                            ::testing::Values(Gap::dp, Gap::eo, Gap::both, Gap::none)),
                         case_name);

TEST(TaskGradient, agrees_with_the_reference_for_any_number_of_groups) {
  Family family;
  family.samples = {900, 900};
  family.label_noise = {0.2, 0.2};
  Policy shape;
  shape.features = FeatureSet::relative;
  const Policy policy = initialise(shape, Seed{2});
  kernels::TaskGradient fast;
  for (const Index groups : {1, 3, 5})
    for (const bool use_group : {true, false})
      for (const Method& method : {implicit, unrolled}) {
        Task made = generate_task(family, Seed{11}, TaskId{5});
        made.train = with_groups(std::move(made.train), groups, 6);
        made.test = with_groups(std::move(made.test), groups, 7);
        PreparedTask task = prepare(std::move(made), {shape.features, use_group, 1e-3, Seed{11}});
        task.precision = Precision::float32;
        const MetaOptions options{method.inner, {AccuracyLoss::zero_one, Gap::both, 0.8}, 300, Seed{3}};
        const MetaGradient expected = task_meta_gradient(task, policy, options, 4);

        const MetaGradient& result = fast_gradient(fast, task, policy, options, 4);

        ASSERT_EQ(result.failure, TaskFailure::none);
        EXPECT_NEAR(result.loss, expected.loss, 1e-4 * expected.loss);
        EXPECT_NEAR(result.fairness_loss, expected.fairness_loss, 1e-4 * (1e-2 + expected.fairness_loss));
        EXPECT_LT(relative_error(result.d_theta, expected.d_theta), 1e-4) << method.name << " " << groups;
      }
}

TEST(TaskGradient, does_not_depend_on_the_tasks_before) {
  const PreparedTask first = task_of(400, 5), large = task_of(3000, 6);
  const Policy policy = initialise({}, Seed{2});
  for (const InnerOptions& inner : {implicit.inner, unrolled.inner}) {
    const MetaOptions options{inner, {}, 200, Seed{3}};
    kernels::TaskGradient fresh, used;
    static_cast<void>(fast_gradient(used, large, policy, options, 0));

    const MetaGradient again = fast_gradient(used, first, policy, options, 1);
    const MetaGradient& once = fast_gradient(fresh, first, policy, options, 1);

    EXPECT_EQ(again.d_theta, once.d_theta);
    EXPECT_EQ(again.loss, once.loss);
  }
}

TEST(TaskGradient, fails_where_the_reference_does_and_is_well_again_after) {
  const PreparedTask good = task_of(150, 5);
  const Policy policy = initialise({}, Seed{2});
  const MetaOptions options{{Implicit{}, 1e-2}, {}, 0, Seed{3}};
  PreparedTask one_class = good, not_finite = good, no_probe = good;
  one_class.train.y.setOnes();
  not_finite.features(3, 2) = std::nanf("");
  no_probe.probe.status = FitStatus::diverged;
  Policy overflows = policy;
  overflows.theta *= 1e200;
  kernels::TaskGradient fast;
  const Vector before = fast_gradient(fast, good, policy, options, 0).d_theta;

  const std::vector<std::pair<const PreparedTask*, const Policy*>> cases{
      {&one_class, &policy}, {&not_finite, &policy}, {&no_probe, &policy}, {&good, &overflows}};
  for (const auto& [task, of_policy] : cases) {
    const MetaGradient& result = fast_gradient(fast, *task, *of_policy, options, 0);

    EXPECT_NE(result.failure, TaskFailure::none);
    EXPECT_EQ(result.failure, task_meta_gradient(*task, *of_policy, options, 0).failure);
    EXPECT_EQ(result.d_theta, Vector::Zero(policy.theta.size()));
    EXPECT_TRUE(std::isnan(result.loss));
  }
  EXPECT_EQ(fast_gradient(fast, good, policy, options, 0).d_theta, before);
}

TEST(TaskGradient, of_a_task_in_float64_is_the_reference) {
  PreparedTask task = task_of(150, 5);
  const Policy policy = initialise({}, Seed{2});
  const MetaOptions options{unrolled.inner, {}, 0, Seed{3}};
  kernels::TaskGradient gradient;
  const Vector fast = fast_gradient(gradient, task, policy, options, 0).d_theta;
  task.precision = Precision::float64;

  const Vector exact = fast_gradient(gradient, task, policy, options, 0).d_theta;

  EXPECT_EQ(exact, task_meta_gradient(task, policy, options, 0).d_theta);
  EXPECT_NE(exact, fast);
}

} // namespace
} // namespace metasieve
