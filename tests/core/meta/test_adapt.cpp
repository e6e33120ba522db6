#include "core/numerics.hpp"
#include "meta/adapt.hpp"
#include "tasks/generate.hpp"

#include <limits>

namespace metasieve {
namespace {

using namespace testing;

PreparedTask biased_task() {
  Family family;
  family.samples = {600, 600};
  family.features = {6, 6};
  family.minority = {0.4, 0.4};
  family.positive = {0.45, 0.45};
  family.label_noise = {0.1, 0.1};
  family.label_bias = {0.3, 0.3};
  return prepare(generate_task(family, Seed{11}, TaskId{5}), {FeatureSet::full16, true, 1e-3, Seed{11}});
}

Policy small_policy() {
  Policy shape;
  shape.hidden = {8, 4};
  return initialise(shape, Seed{2});
}

AdaptOptions options(Index steps) { return {steps, 3e-3, {}, {}, Seed{7}}; }

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

TEST(Adapt, lowers_the_loss_across_halves_of_the_noisy_training_rows) {
  const PreparedTask task = biased_task();
  const Policy before = small_policy();
  const auto loss = [&](const Policy& policy) { // fresh halves: another seed than the adaptation's
    AdaptOptions probe = options(1);
    double sum = 0;
    for (std::uint64_t k = 0; k < 20; ++k) {
      const std::vector<Index> order =
          permutation(Stream(Seed{99}, Draw::split, TaskId{0}, k), task.train.rows());
      const std::vector<Index> support(order.begin(), order.begin() + 210),
          query(order.begin() + 210, order.end());
      const PreparedTask halves{task.id, gather(task.train, support), gather(task.train, query), task.probe,
                                task.features(support, Eigen::all)};
      sum += task_meta_gradient(halves, policy, {probe.inner, probe.outer, 0, Seed{1}}, 0).loss / 20;
    }
    return sum;
  };

  const Policy after = adapt(before, task, options(40));

  EXPECT_LT(loss(after), loss(before) - 0.02);
}

TEST(Adapt, a_task_that_cannot_be_fitted_leaves_the_policy_as_it_is) {
  PreparedTask task = biased_task();
  task.features.setConstant(std::numeric_limits<float>::quiet_NaN());

  EXPECT_EQ(adapt(small_policy(), task, options(3)).theta, small_policy().theta);
}

} // namespace
} // namespace metasieve
