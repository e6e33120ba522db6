#include "base/for_each.hpp"
#include "methods/adapt.hpp"
#include "policy/adam.hpp"
#include "support/numerics.hpp"
#include "tasks/generate.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace metasieve {
namespace {

using namespace test;

PreparedTask biased_task() {
  Family family;
  family.samples = {600, 600};
  family.features = {6, 6};
  family.minority = {0.4, 0.4};
  family.positive = {0.45, 0.45};
  family.label_noise = {0.1, 0.1};
  family.label_bias = {0.3, 0.3};
  return prepare(generate_task(family, Seed{11}, TaskId{5}), {FeatureSet::full, true, 1e-3, Seed{11}});
}

Policy small_policy() {
  Policy shape;
  shape.hidden = {8, 4};
  return initialise(shape, Seed{2});
}

AdaptOptions options(Index steps, double fairness_weight = 1.0) {
  AdaptOptions out{steps, 3e-3, {}, {}, Seed{7}};
  out.outer.fairness_weight = fairness_weight;
  return out;
}

PreparedTask inside(const PreparedTask& task, std::vector<Index> support, std::vector<Index> query) {
  std::sort(support.begin(), support.end());
  std::sort(query.begin(), query.end());
  PreparedTask out;
  out.id = task.id;
  out.train = gather(task.train, support);
  out.test = gather(task.train, query);
  out.probe = task.probe;
  out.features = task.features(support, Eigen::all);
  return out;
}

/// A half and the other of the training rows in a random order of another stream than adapt's.
std::pair<std::vector<Index>, std::vector<Index>> fresh_halves(const PreparedTask& task, std::uint64_t k) {
  const std::vector<Index> order =
      permutation(Stream(Seed{99}, Draw::split, TaskId{0}, k), task.train.rows());
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(order.size() / 2);
  return {{order.begin(), middle}, {middle, order.end()}};
}

/// Mean over 20 fresh halves.
MetaGradient across_halves(const PreparedTask& task, const Policy& policy, const OuterOptions& outer) {
  MetaGradient mean;
  for (std::uint64_t k = 0; k < 20; ++k) {
    const auto [support, query] = fresh_halves(task, k);
    const MetaGradient one =
        task_meta_gradient(inside(task, support, query), policy, {{}, outer, 0, Seed{1}}, 0);
    mean.loss += one.loss / 20;
    mean.accuracy_loss += one.accuracy_loss / 20;
    mean.fairness_loss += one.fairness_loss / 20;
  }
  return mean;
}

TEST(Adapt, no_steps_leave_the_policy_as_it_is) {
  EXPECT_EQ(adapt(small_policy(), biased_task(), options(0)).theta, small_policy().theta);
}

TEST(Adapt, touches_no_test_row_and_no_clean_label) {
  const PreparedTask task = biased_task();
  PreparedTask other = task;
  other.test.x.setConstant(3.0F);
  other.test.y = 1 - other.test.y.array();
  other.test.group.setZero();
  other.train.y_clean.setZero();

  EXPECT_EQ(adapt(small_policy(), task, options(5)).theta, adapt(small_policy(), other, options(5)).theta);
  EXPECT_NE(adapt(small_policy(), task, options(5)).theta, small_policy().theta);
}

TEST(Adapt, lowers_loss_and_gap_across_halves_of_the_noisy_training_rows) {
  const PreparedTask task = biased_task();
  const OuterOptions outer = options(0).outer;
  const MetaGradient before = across_halves(task, small_policy(), outer);

  const MetaGradient after = across_halves(task, adapt(small_policy(), task, options(40)), outer);

  EXPECT_LT(after.loss, before.loss - 0.02);
  EXPECT_LT(after.fairness_loss, before.fairness_loss - 0.02);
}

TEST(Adapt, a_larger_fairness_weight_leaves_a_smaller_gap) {
  const PreparedTask task = biased_task();
  const auto gap = [&](double weight) {
    const Policy adapted = adapt(small_policy(), task, options(60, weight));
    return across_halves(task, adapted, options(0).outer).fairness_loss;
  };

  EXPECT_LT(gap(1.0), gap(0.0) - 0.02);
}

TEST(Adapt, a_step_follows_the_mean_gradient_of_both_directions) {
  const PreparedTask task = biased_task();
  const Policy policy = small_policy();
  const AdaptOptions asked = options(1);
  const std::vector<Index> order =
      permutation(Stream(asked.seed, Draw::adaptation, task.id, 0), task.train.rows());
  const std::vector<Index> one(order.begin(), order.begin() + 210), other(order.begin() + 210, order.end());
  const MetaOptions meta{asked.inner, asked.outer, 0, asked.seed};
  const Vector mean = (task_meta_gradient(inside(task, one, other), policy, meta, 0).d_theta +
                       task_meta_gradient(inside(task, other, one), policy, meta, 0).d_theta) /
                      2;

  const Policy adapted = adapt(policy, task, asked);

  Adam adam(mean.size());
  EXPECT_LT((adapted.theta - adam.update(policy.theta, mean, asked.learning_rate)).norm(), 1e-12);
}

TEST(Adapt, has_the_same_bits_on_one_thread_and_on_two) {
  const PreparedTask task = biased_task();
  const int before = thread_count();
  std::vector<Vector> found;
  for (const int threads : {1, 2}) {
    set_thread_count(threads);
    found.push_back(adapt(small_policy(), task, options(10)).theta);
  }
  set_thread_count(before);

  EXPECT_EQ(found[0], found[1]);
}

TEST(Adapt, says_after_each_step_that_it_is_done_and_stops_at_an_exception) {
  Index steps = 0;
  static_cast<void>(adapt(small_policy(), biased_task(), options(4), [&] { ++steps; }));
  EXPECT_EQ(steps, 4);

  const auto stop = [&] {
    if (++steps == 6) throw std::runtime_error("stop");
  };
  EXPECT_THROW(static_cast<void>(adapt(small_policy(), biased_task(), options(4), stop)), std::runtime_error);
  EXPECT_EQ(steps, 6);
}

TEST(Adapt, support_limits_the_rows_of_each_half) {
  const PreparedTask task = biased_task();
  AdaptOptions few = options(3), half = options(3), all = options(3);
  few.support = 100;
  half.support = 210; // of 420
  all.support = 100000;

  EXPECT_NE(adapt(small_policy(), task, few).theta, adapt(small_policy(), task, options(3)).theta);
  EXPECT_EQ(adapt(small_policy(), task, half).theta, adapt(small_policy(), task, options(3)).theta);
  EXPECT_EQ(adapt(small_policy(), task, all).theta, adapt(small_policy(), task, options(3)).theta);
}

TEST(Adapt, tiny_tasks_stay_defined) {
  Family family;
  for (const double samples : {20.0, 25.0, 40.0}) {
    family.samples = {samples, samples};
    const PreparedTask task =
        prepare(generate_task(family, Seed{11}, TaskId{1}), {FeatureSet::full, true, 1e-3, Seed{11}});
    EXPECT_TRUE(adapt(small_policy(), task, options(5)).theta.allFinite());
  }
}

TEST(Adapt, a_task_that_cannot_be_fitted_leaves_the_policy_as_it_is) {
  PreparedTask task = biased_task();
  task.features.setConstant(std::numeric_limits<float>::quiet_NaN());

  EXPECT_EQ(adapt(small_policy(), task, options(3)).theta, small_policy().theta);
}

} // namespace
} // namespace metasieve
