// The estimate of hidden positives, and the selection that it steers.

#include "base/for_each.hpp"
#include "kernels/meta_features.hpp"
#include "methods/hidden_positives.hpp"
#include "methods/methods.hpp"
#include "methods/selection.hpp"
#include "support/numerics.hpp"
#include "tasks/generate.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <utility>
#include <vector>

namespace metasieve {
namespace {

using namespace test;

constexpr Index rows = 60;

HiddenPositivesData small_data() {
  return {2.0 * normals(rows, 1), coin(rows, 2, 0.4).cast<double>(), coin(rows, 3, 0.3)};
}

const Eigen::Vector4d somewhere(0.8, -0.3, 0.2, 0.1);

/// Central differences of a function of the parameters, column by column.
template <class Function>
auto differences(const Function& function, const Eigen::Vector4d& at) {
  constexpr double step = 1e-5;
  Eigen::Matrix<double, decltype(function(at))::RowsAtCompileTime, 4> out;
  for (Index j = 0; j < 4; ++j) {
    const Eigen::Vector4d move = step * Eigen::Vector4d::Unit(j);
    out.col(j) = (function(at + move) - function(at - move)) / (2.0 * step);
  }
  return out;
}

TEST(HiddenPositives, the_gradient_is_that_of_the_loss) {
  const HiddenPositivesData data = small_data();
  for (const double beta : {0.0, 0.35}) {
    const auto value = [&](const Eigen::Vector4d& at) {
      return Eigen::Matrix<double, 1, 1>(hidden_positives_loss(data, at, beta).value);
    };
    const Eigen::Vector4d gradient = hidden_positives_loss(data, somewhere, beta).gradient;

    EXPECT_LT((differences(value, somewhere).transpose() - gradient).norm(), 1e-6 * gradient.norm());
  }
}

TEST(HiddenPositives, the_information_is_the_hessian_where_labels_are_as_the_model_expects) {
  for (const double beta : {0.0, 0.35}) {
    HiddenPositivesData data = small_data();
    for (Index i = 0; i < rows; ++i) { // P(y = 1) by the model, in place of a label
      const double k = data.d(i) != 0 ? std::exp(somewhere(3)) : 1.0;
      const double a = data.d(i) != 0 ? somewhere(1) : somewhere(2);
      data.y(i) =
          0.05 + 0.9 * (data.d(i) != 0 ? 1.0 - beta : 1.0) * sigmoid(somewhere(0) * k * data.logit(i) + a);
    }
    const auto gradient = [&](const Eigen::Vector4d& at) {
      return hidden_positives_loss(data, at, beta).gradient;
    };
    const Eigen::Matrix4d information = hidden_positives_loss(data, somewhere, beta).information;

    EXPECT_LT((differences(gradient, somewhere) - information).norm(), 1e-6 * information.norm());
  }
}

/// A task of the family `biased` in which this share of a group's positives is hidden.
PreparedTask biased_task(double label_bias, std::uint64_t id) {
  Family family;
  family.samples = {6000, 6000};
  family.features = {10, 10};
  family.label_noise = {0.05, 0.05};
  family.minority = {0.4, 0.4};
  family.positive = {0.5, 0.5};
  family.separability = {1.0, 1.0};
  family.biased_fraction = 1.0;
  family.group_odds = {1.5, 1.5};
  family.feature_shift = {0.5, 0.5};
  family.label_bias = {label_bias, label_bias};
  return kernels::prepare(generate_task(family, Seed{21}, TaskId{id}),
                          {FeatureSet::relative, true, 1e-3, Seed{21}, Precision::float32});
}

TEST(HiddenPositives, the_share_is_near_the_truth_on_biased_tasks) {
  constexpr std::uint64_t tasks = 6;
  double none = 0.0, some = 0.0;
  for (std::uint64_t id = 0; id < tasks; ++id) {
    const HiddenPositives clean = hidden_positives(biased_task(0.0, id), FeatureSet::relative);
    const HiddenPositives biased = hidden_positives(biased_task(0.3, id), FeatureSet::relative);
    none += clean.share / tasks;
    some += biased.share / tasks;
    EXPECT_GE(clean.evidence, 0.0);
  }
  EXPECT_LT(none, 0.06);
  EXPECT_NEAR(some, 0.3, 0.08);
}

TEST(HiddenPositives,
     the_group_is_that_of_the_lowest_positive_rate_and_of_several_the_larger_then_the_first) {
  const auto group_of = [](const Labels& y, const Labels& group) {
    return hidden_positives(Vector::Zero(y.size()), y, group).group;
  };
  const auto labels = [](std::initializer_list<int> values) {
    Labels out(std::ssize(values));
    std::ranges::copy(values, out.begin());
    return out;
  };

  EXPECT_EQ(group_of(labels({1, 0, 1, 1, 0, 0}), labels({0, 0, 1, 1, 2, 2})), 2);
  EXPECT_EQ(group_of(labels({1, 0, 1, 0, 1, 0}), labels({2, 2, 1, 1, 1, 1})), 1);
  EXPECT_EQ(group_of(labels({1, 0, 1, 0}), labels({5, 5, 3, 3})), 5);
}

TEST(HiddenPositives, there_is_no_estimate_without_groups_labels_or_the_feature) {
  const PreparedTask task = biased_task(0.3, 0);
  ASSERT_GT(hidden_positives(task, FeatureSet::relative).share, 0.0);
  const auto is_none = [](const HiddenPositives& found) {
    return found.group == -1 && found.share == 0.0 && found.evidence == 0.0;
  };

  EXPECT_TRUE(is_none(hidden_positives(task, FeatureSet::full)));
  PreparedTask other = task;
  other.train.group.setOnes(); // group 0 has no row
  EXPECT_TRUE(is_none(hidden_positives(other, FeatureSet::relative)));
  other = task;
  other.train.y.setOnes();
  EXPECT_TRUE(is_none(hidden_positives(other, FeatureSet::relative)));
  other = task;
  other.features(7, feature_column(FeatureSet::relative, "oof_common")) =
      std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(is_none(hidden_positives(other, FeatureSet::relative)));
}

TEST(HiddenPositives, all_other_groups_are_pooled) {
  const PreparedTask task = biased_task(0.3, 1);
  const HiddenPositives two = hidden_positives(task, FeatureSet::relative);
  PreparedTask four = task; // the group of the higher rate in three, whose rates stay above
  Index rank = 0;
  for (Index i = 0; i < task.train.rows(); ++i)
    if (task.train.group(i) != two.group) four.train.group(i) = static_cast<std::uint8_t>(2 + rank++ % 3);
  four.train.groups = 5;

  const HiddenPositives found = hidden_positives(four, FeatureSet::relative);

  EXPECT_EQ(found.group, two.group);
  EXPECT_EQ(found.share, two.share);
}

// ----------------------------------------------------------------------------------------------------- blend

Policy small_policy() {
  Policy shape;
  shape.features = FeatureSet::relative;
  shape.hidden = {8, 4};
  return initialise(shape, Seed{2});
}

SelectionOptions few_steps() {
  SelectionOptions options;
  options.adapt.steps = 4;
  options.adapt.learning_rate = 0.02;
  options.adapt.outer.fairness_weight = 0.4;
  return options;
}

TEST(Blend, averages_the_keep_weights_of_the_trained_and_the_adapted_policy) {
  for (const double bias : {0.0, 0.3}) {
    const PreparedTask task = biased_task(bias, 2);
    const Policy policy = small_policy();
    const SelectionOptions options = few_steps();
    const double c = std::min(1.0, hidden_positives(task, FeatureSet::relative).share / 0.25);
    AdaptOptions adaptation = options.adapt;
    adaptation.outer.fairness_weight *= 1.0 + c;
    const Vector trained = soft_weights(policy, policy_score(task, policy));
    const Vector adapted = soft_weights(policy, policy_score(task, adapt(policy, task, adaptation)));
    const double a = 0.6 - 0.3 * c;

    const Selection found = policy_selection(task, policy, options);

    EXPECT_TRUE(blends(task, policy, options));
    EXPECT_LT((found.weights - (1.0 - a) * trained - a * adapted).cwiseAbs().maxCoeff(), 1e-15);
    EXPECT_NEAR(found.weights.mean(), policy.keep, 1e-9);
    EXPECT_LT((sigmoid(found.score.array()) - found.weights.array()).abs().maxCoeff(), 1e-12);
    EXPECT_GT((trained - adapted).norm(), 0.1);
    EXPECT_EQ(c > 0.4, bias > 0.0);
  }
}

TEST(Blend, is_left_out_where_it_is_not_asked_for_and_where_flips_come_in_clusters) {
  const PreparedTask task = biased_task(0.3, 2);
  const Policy policy = small_policy();
  SelectionOptions options = few_steps();
  options.rounds = 0;
  const Vector adapted = policy_score(task, adapt(policy, task, options.adapt));
  ASSERT_GT(detector_agreement(task, FeatureSet::relative), 0.3);

  SelectionOptions alone = options, clustered = options, plain = options;
  alone.blend = false;
  clustered.agreement = 1.0;
  plain.adapt.steps = 0;

  for (const SelectionOptions& each : {alone, clustered}) {
    EXPECT_FALSE(blends(task, policy, each));
    const Selection found = policy_selection(task, policy, each);
    EXPECT_EQ(found.score, adapted);
    EXPECT_EQ(found.weights, soft_weights(policy, adapted));
    EXPECT_EQ(found.hidden.group, -1);
  }
  EXPECT_EQ(policy_selection(task, policy, plain).score, policy_score(task, policy));
}

TEST(Blend, selections_of_several_fairness_weights_are_those_of_each) {
  const PreparedTask task = biased_task(0.3, 2);
  const Policy policy = small_policy();
  SelectionOptions options = few_steps();

  const std::vector<Selection> both = policy_selections(task, policy, options, {0.0, 0.7});

  ASSERT_EQ(both.size(), 2U);
  for (const auto& [k, weight] : {std::pair<std::size_t, double>{0, 0.0}, {1, 0.7}}) {
    options.adapt.outer.fairness_weight = weight;
    EXPECT_EQ(both[k].score, policy_selection(task, policy, options).score);
  }
  EXPECT_NE(both[0].score, both[1].score);
}

TEST(Blend, has_the_same_bits_on_one_thread_and_on_two) {
  const PreparedTask task = biased_task(0.3, 2);
  const int before = thread_count();
  std::vector<Vector> found;
  for (const int threads : {1, 2}) {
    set_thread_count(threads);
    found.push_back(policy_selection(task, small_policy(), few_steps()).score);
  }
  set_thread_count(before);

  EXPECT_EQ(found[0], found[1]);
}

TEST(Blend, scores_are_finite_where_keep_weights_are_zero_or_one_to_rounding) {
  PreparedTask task = biased_task(0.0, 2);
  task.features.row(0).setConstant(1e4F);
  task.features.row(1).setConstant(-1e4F);
  Policy policy = small_policy();
  policy.temperature = 1e-3;

  const Selection found = policy_selection(task, policy, few_steps());

  EXPECT_EQ(found.weights.maxCoeff(), 1.0);
  EXPECT_TRUE(found.score.allFinite());
}

} // namespace
} // namespace metasieve
