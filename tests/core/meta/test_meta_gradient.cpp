#include "features/meta_features.hpp"
#include "meta/meta_gradient.hpp"
#include "policy/weights.hpp"
#include "support/groups.hpp"
#include "support/numerics.hpp"
#include "tasks/generate.hpp"

#include <cmath>
#include <thread>
#include <utility>

namespace metasieve {
namespace {

using namespace test;

Task small_generated_task() {
  Family family;
  family.samples = {150, 150};
  family.features = {6, 6};
  family.minority = {0.4, 0.4};
  family.positive = {0.45, 0.45};
  family.label_noise = {0.2, 0.2};
  return generate_task(family, Seed{11}, TaskId{5});
}

PreparedTask small_task(bool use_group = true) {
  return prepare(small_generated_task(), {FeatureSet::full, use_group, 1e-2, Seed{11}});
}

/// The small task with other groups.
PreparedTask task_of_groups(Index groups, bool use_group) {
  Task task = small_generated_task();
  task.train = with_groups(std::move(task.train), groups, 6);
  task.test = with_groups(std::move(task.test), groups, 7);
  return prepare(std::move(task), {FeatureSet::relative, use_group, 1e-2, Seed{11}});
}

Policy small_policy(FeatureSet features = FeatureSet::full) {
  Policy shape;
  shape.features = features;
  shape.hidden = {6, 4};
  Policy policy = initialise(shape, Seed{2});
  // Biases off zero: a row that no unit of the first layer sees would sit on a kink of the second.
  policy.theta += 0.1 * normals(policy.theta.size(), 4);
  return policy;
}

struct Method {
  const char* name;
  InnerOptions inner;
};

/// Error of a gradient by theta against central differences, relative.
double gradient_error(const PreparedTask& task, const Policy& policy, const MetaOptions& options,
                      const Vector& d_theta) {
  const auto loss = [&](const Vector& theta) {
    Policy moved = policy;
    moved.theta = theta;
    return task_meta_gradient(task, moved, options, 4).loss;
  };
  // A small step, so that no kink of the ReLU falls inside it.
  return relative_error(d_theta, central_difference(loss, policy.theta, 3e-6));
}

class WholeChain : public ::testing::TestWithParam<std::tuple<Method, AccuracyLoss, Gap>> {};

TEST_P(WholeChain, d_outer_d_theta_agrees_with_central_differences) {
  const auto& [method, accuracy, gap] = GetParam();
  const PreparedTask task = small_task();
  const Policy policy = small_policy();
  const MetaOptions options{method.inner, {accuracy, gap, 0.8}, 60, Seed{3}};

  const MetaGradient result = task_meta_gradient(task, policy, options, 4);

  ASSERT_EQ(result.failure, TaskFailure::none);
  EXPECT_GT(result.d_theta.norm(), 1e-6);
  EXPECT_LT(gradient_error(task, policy, options, result.d_theta), 1e-6);
}

const Method implicit{"implicit", {Implicit{}, 1e-2}};
const Method unrolled{"unrolled", {Unrolled{5, 0.5, Start::zero, false, false}, 1e-2}};
const Method from_probe{"from_probe", {Unrolled{7, 0.5, Start::probe, true, false}, 1e-2}};
const Method one_first_order_step{"one_first_order_step", {Unrolled{1, 0.5, Start::zero, false, true}, 1e-2}};

std::string case_name(const ::testing::TestParamInfo<WholeChain::ParamType>& tested) {
  const auto& [method, accuracy, gap] = tested.param;
  constexpr std::array<const char*, 3> losses{"_logistic_", "_zero_one_", "_balanced_"};
  constexpr std::array<const char*, 4> gaps{"dp", "eo", "both", "none"};
  return std::string(method.name) + losses[static_cast<std::size_t>(accuracy)] +
         gaps[static_cast<std::size_t>(gap)];
}

INSTANTIATE_TEST_SUITE_P(all, WholeChain,
                         ::testing::Combine(::testing::Values(implicit, unrolled, from_probe,
                                                              one_first_order_step),
                                            ::testing::Values(AccuracyLoss::logistic, AccuracyLoss::zero_one,
                                                              AccuracyLoss::balanced),
                                            ::testing::Values(Gap::dp, Gap::eo, Gap::both, Gap::none)),
                         case_name);

class WholeChainOfGroups : public ::testing::TestWithParam<std::tuple<Method, Index, bool>> {};

TEST_P(WholeChainOfGroups, d_outer_d_theta_agrees_with_central_differences) {
  const auto& [method, groups, use_group] = GetParam();
  const PreparedTask task = task_of_groups(groups, use_group);
  const Policy policy = small_policy(FeatureSet::relative);
  const MetaOptions options{method.inner, {AccuracyLoss::zero_one, Gap::both, 0.8}, 60, Seed{3}};

  const MetaGradient result = task_meta_gradient(task, policy, options, 4);

  ASSERT_EQ(result.failure, TaskFailure::none);
  EXPECT_EQ(task.probe.beta.size(), 7 + (use_group ? groups - 1 : 0));
  EXPECT_EQ(result.fairness_loss > 0.0, groups > 1);
  EXPECT_LT(gradient_error(task, policy, options, result.d_theta), 1e-6);
}

std::string name_of_groups(const ::testing::TestParamInfo<WholeChainOfGroups::ParamType>& tested) {
  const auto& [method, groups, use_group] = tested.param;
  return std::string(method.name) + "_" + std::to_string(groups) + (use_group ? "_groups" : "_groups_blind");
}

INSTANTIATE_TEST_SUITE_P(all, WholeChainOfGroups,
                         ::testing::Combine(::testing::Values(implicit, unrolled),
                                            ::testing::Values<Index>(1, 2, 3, 5), ::testing::Bool()),
                         name_of_groups);

TEST(MetaGradient, first_order_differs_from_second_order_but_points_the_same_way) {
  const PreparedTask task = small_task();
  const Policy policy = small_policy();
  MetaOptions second{{Unrolled{10, 0.5, Start::zero, false, false}, 1e-2}, {}, 0, Seed{3}};
  MetaOptions first = second;
  std::get<Unrolled>(first.inner.method).first_order = true;

  const Vector exact = task_meta_gradient(task, policy, second, 0).d_theta;
  const Vector approximate = task_meta_gradient(task, policy, first, 0).d_theta;

  EXPECT_GT(relative_error(approximate, exact), 1e-2);
  EXPECT_GT(exact.dot(approximate), 0.5 * exact.norm() * approximate.norm());
}

TEST(MetaGradient, implicit_equals_a_long_unrolling) {
  const PreparedTask task = small_task();
  const Policy policy = small_policy();
  const MetaOptions implicit_options{{Implicit{}, 1e-3}, {}, 0, Seed{3}};
  const MetaOptions unrolled_options{{Unrolled{5000, 1.5, Start::probe, true, false}, 1e-3}, {}, 0, Seed{3}};

  const Vector exact = task_meta_gradient(task, policy, implicit_options, 0).d_theta;
  const Vector descended = task_meta_gradient(task, policy, unrolled_options, 0).d_theta;

  EXPECT_LT(relative_error(descended, exact), 1e-6);
}

TEST(MetaGradient, support_rows_change_with_the_step_and_not_with_the_thread) {
  const PreparedTask task = small_task();
  const Policy policy = small_policy();
  const MetaOptions options{{Implicit{}, 1e-2}, {}, 60, Seed{3}};

  const Vector here = task_meta_gradient(task, policy, options, 1).d_theta;
  Vector there;
  std::thread([&] { there = task_meta_gradient(task, policy, options, 1).d_theta; }).join();

  EXPECT_EQ(here, there);
  EXPECT_NE(here, task_meta_gradient(task, policy, options, 2).d_theta);
}

// What a rank holds is float32 (x, features); the reference is the same chain with features in double.
TEST(MetaGradient, stored_in_float32_agrees_with_the_double_form) {
  const PreparedTask task = small_task();
  const Policy policy = small_policy();
  const MetaOptions options{{Implicit{}, 1e-2}, {}, 0, Seed{3}};
  const Matrix features = meta_features(task.train, task.probe, {FeatureSet::full, 1e-2, Seed{11}, task.id});
  ASSERT_NE(features, task.features.cast<double>());

  const InnerProblem problem{design_matrix(task.train, task.probe.standardizer), to_vector(task.train.y),
                             task.probe.beta};
  const Matrix query = design_matrix(task.test, task.probe.standardizer);
  const PolicyTrace network = forward(policy, features);
  const WeightsTrace keep = keep_weights(network.u, policy.keep, policy.temperature);
  const InnerFit model = fit(problem, keep.weights, options.inner);
  const OuterTrace outer = outer_loss(query * model.beta, task.test.y, task.test.group, options.outer);
  const Vector d_weights =
      pullback(problem, keep.weights, model, options.inner, query.transpose() * pullback(outer));
  const Vector reference = pullback(policy, network, pullback(keep, d_weights));

  EXPECT_LT(relative_error(task_meta_gradient(task, policy, options, 0).d_theta, reference), 1e-4);
}

TEST(MetaGradient, never_reads_clean_training_labels) {
  const PreparedTask task = small_task();
  PreparedTask blind = task;
  blind.train.y_clean.setZero();
  const Policy policy = small_policy();
  const MetaOptions options{{Implicit{}, 1e-2}, {}, 0, Seed{3}};

  EXPECT_EQ(task_meta_gradient(task, policy, options, 1).d_theta,
            task_meta_gradient(blind, policy, options, 1).d_theta);
}

TEST(MetaGradient, failure_is_a_status_with_a_zero_gradient) {
  PreparedTask task = small_task();
  task.features(3, 2) = std::nanf("");
  const MetaOptions options{{Implicit{}, 1e-2}, {}, 0, Seed{3}};

  const MetaGradient result = task_meta_gradient(task, small_policy(), options, 0);

  EXPECT_EQ(result.failure, TaskFailure::policy);
  EXPECT_EQ(result.d_theta, Vector::Zero(parameter_count(small_policy())));
  EXPECT_TRUE(std::isnan(result.loss));
}

TEST(MetaGradient, of_a_policy_that_overflows_is_a_failure) {
  const PreparedTask task = small_task();
  Policy policy = small_policy();
  policy.theta *= 1e200;

  const MetaGradient result = task_meta_gradient(task, policy, {{Implicit{}, 1e-2}, {}, 0, Seed{3}}, 0);

  EXPECT_EQ(result.failure, TaskFailure::policy);
  EXPECT_TRUE(std::isnan(result.loss));
}

TEST(MetaGradient, of_a_task_with_one_class_alone_is_a_failure) {
  PreparedTask task = small_task();
  task.train.y.setOnes();

  const MetaGradient result =
      task_meta_gradient(task, small_policy(), {{Implicit{}, 1e-2}, {}, 0, Seed{3}}, 0);

  EXPECT_EQ(result.failure, TaskFailure::one_class);
  EXPECT_EQ(result.d_theta, Vector::Zero(parameter_count(small_policy())));
}

TEST(MetaGradient, descending_it_lowers_the_loss_of_a_noisy_biased_task) {
  Family family;
  family.samples = {900, 900};
  family.minority = {0.4, 0.4};
  family.positive = {0.5, 0.5};
  family.label_noise = {0.15, 0.15};
  family.label_bias = {0.4, 0.4};
  family.feature_shift = {1.0, 1.0};
  const PreparedTask task =
      prepare(generate_task(family, Seed{11}, TaskId{5}), {FeatureSet::full, true, 1e-3, Seed{11}});
  Policy policy = initialise({}, Seed{2});
  const MetaOptions options{{Implicit{}, 1e-3}, {}, 0, Seed{3}};
  const double before = task_meta_gradient(task, policy, options, 0).loss;

  for (int i = 0; i < 30; ++i) policy.theta -= 0.3 * task_meta_gradient(task, policy, options, 0).d_theta;

  EXPECT_LT(task_meta_gradient(task, policy, options, 0).loss, before - 0.05);
}

} // namespace
} // namespace metasieve
