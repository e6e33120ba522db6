#include "features/meta_features.hpp"
#include "methods/assess.hpp"
#include "methods/methods.hpp"
#include "methods/selection.hpp"
#include "support/numerics.hpp"
#include "tasks/generate.hpp"

#include <array>
#include <cmath>

namespace metasieve {
namespace {

using namespace test;

constexpr PrepareOptions prepare_options{FeatureSet::full, true, 1e-3, Seed{4}};

SelectionOptions rounds_of(Index rounds) {
  SelectionOptions options{rounds, 1.0, prepare_options.ridge};
  options.adapt.steps = 0;
  return options;
}

PreparedTask make_task(std::uint64_t id = 1, double samples = 600, double adversarial = 0) {
  Family family;
  family.samples = {samples, samples};
  family.features = {8, 8};
  family.label_noise = {0.2, 0.2};
  family.minority = {0.3, 0.3};
  family.separability = {1.5, 1.5};
  family.adversarial_fraction = adversarial;
  return prepare(generate_task(family, Seed{4}, TaskId{id}), prepare_options);
}

/// u = sum_j coefficient_j features_j: two hidden units, relu(x) - relu(-x) = x.
Policy linear_policy(const Vector& coefficients) {
  Policy policy;
  policy.hidden = {2};
  policy.theta = Vector::Zero(parameter_count(policy));
  const std::vector<LayerView> views = layers(policy);
  for (Index j = 0; j < coefficients.size(); ++j) {
    policy.theta(views[0].weight_offset + 2 * j) = coefficients(j);
    policy.theta(views[0].weight_offset + 2 * j + 1) = -coefficients(j);
  }
  policy.theta(views[1].weight_offset) = 1.0;
  policy.theta(views[1].weight_offset + 1) = -1.0;
  return policy;
}

/// Trusts rows whose label the neighbours and the cross-validated models share.
Policy trusting_agreement() {
  Vector coefficients = Vector::Zero(16);
  coefficients.segment(10, 3).setOnes();
  return linear_policy(coefficients);
}

TEST(Rounds, none_is_the_hard_selection) {
  const PreparedTask task = make_task();
  const Policy policy = initialise({}, Seed{1});

  const RoundsSelection selection = select_in_rounds(task, policy, rounds_of(0));

  EXPECT_EQ(selection.score, forward(policy, task.features.cast<double>()).u);
  EXPECT_EQ(selection.weights, highest(selection.score, 0.7));
  EXPECT_EQ(selection.features, task.features);
  EXPECT_EQ(selection.rounds, 0);
}

TEST(Rounds, each_selects_among_all_rows_with_what_the_kept_rows_teach) {
  const PreparedTask task = make_task();
  const Policy policy = trusting_agreement();
  const Vector first = select_in_rounds(task, policy, rounds_of(0)).weights;
  const Probe probe = refit_probe(task.train, task.probe, first, 1e-3);
  std::vector<Index> kept;
  for (Index i = 0; i < first.size(); ++i)
    if (first(i) > 0) kept.push_back(i);
  const Matrix features = meta_features(task.train, probe, {FeatureSet::full, 1e-3, Seed{4}, task.id}, kept);

  const RoundsSelection second = select_in_rounds(task, policy, rounds_of(1));

  const Matrix seen = features.cast<float>().cast<double>();
  EXPECT_EQ(second.features.cast<double>(), seen);
  EXPECT_EQ(second.score, forward(policy, seen).u);
  EXPECT_EQ(second.weights, highest(second.score, 0.7));
  EXPECT_EQ(second.weights.sum(), first.sum());
  EXPECT_GT(((second.weights - first).array() > 0).count(), 0); // rejected rows return
}

TEST(Rounds, touch_no_test_row_and_no_clean_label) {
  const PreparedTask task = make_task();
  PreparedTask other = task;
  other.test.x.setConstant(3.0F);
  other.test.y = 1 - other.test.y.array();
  other.test.group.setZero();
  other.train.y_clean.setZero();

  EXPECT_EQ(select_in_rounds(task, trusting_agreement(), rounds_of(2)).score,
            select_in_rounds(other, trusting_agreement(), rounds_of(2)).score);
}

/// Four rows whose out-of-fold and Fourier margins are these.
PreparedTask with_margins(std::array<float, 4> linear, std::array<float, 4> nonlinear) {
  PreparedTask task;
  task.features = MatrixF::Zero(4, 16);
  for (Index i = 0; i < 4; ++i) {
    task.features(i, feature_column(FeatureSet::full, "oof_margin")) = linear[static_cast<std::size_t>(i)];
    task.features(i, feature_column(FeatureSet::full, "rff_margin")) = nonlinear[static_cast<std::size_t>(i)];
  }
  return task;
}

TEST(DetectorAgreement, is_the_correlation_of_the_margins) {
  EXPECT_NEAR(detector_agreement(with_margins({1, 2, 3, 4}, {10, 20, 30, 40}), FeatureSet::full), 1.0, 1e-12);
  EXPECT_NEAR(detector_agreement(with_margins({1, 2, 3, 4}, {4, 3, 2, 1}), FeatureSet::full), -1.0, 1e-12);
  EXPECT_NEAR(detector_agreement(with_margins({1, 2, 3, 4}, {1, 0, 0, 1}), FeatureSet::full), 0.0, 1e-12);
  EXPECT_NEAR(detector_agreement(with_margins({0, 0, 1, 1}, {0, 1, 1, 1}), FeatureSet::full),
              1.0 / std::sqrt(3.0), 1e-12);
}

TEST(DetectorAgreement, is_full_where_it_is_undefined) {
  EXPECT_EQ(detector_agreement(with_margins({1, 1, 1, 1}, {1, 2, 3, 4}), FeatureSet::full), 1.0);
  PreparedTask ten = with_margins({1, 2, 3, 4}, {4, 3, 2, 1});
  ten.features.conservativeResize(4, 10);
  EXPECT_EQ(detector_agreement(ten, FeatureSet::basic), 1.0);
}

TEST(Rounds, are_made_only_where_the_detectors_contradict_each_other) {
  const PreparedTask task = make_task();
  const double found = detector_agreement(task, FeatureSet::full);
  const auto rounds = [&](double agreement) {
    SelectionOptions options = rounds_of(2);
    options.agreement = agreement;
    return select_in_rounds(task, trusting_agreement(), options).rounds;
  };

  EXPECT_GT(found, 0.3); // a generated task
  EXPECT_EQ(rounds(0.3), 0);
  EXPECT_EQ(rounds(found), 2);
  EXPECT_EQ(rounds(1.0), 2);
}

TEST(Rounds, same_input_gives_the_same_selection) {
  const PreparedTask task = make_task();
  const Policy policy = initialise({}, Seed{1});
  const auto select = [&] { return select_in_rounds(task, policy, rounds_of(3)).weights; };

  EXPECT_EQ(select(), select());
}

TEST(Rounds, end_when_the_selection_repeats_itself) {
  Vector coefficients = Vector::Zero(16);
  coefficients(13) = 1.0; // log_cell_weight: no selection changes it
  const PreparedTask task = make_task();

  const RoundsSelection selection = select_in_rounds(task, linear_policy(coefficients), rounds_of(50));

  EXPECT_EQ(selection.rounds, 1);
}

TEST(Rounds, one_round_finds_more_of_the_flips_that_mislead_the_probe) {
  const Policy policy = trusting_agreement();
  Detection before, after;
  for (std::uint64_t id = 0; id < 6; ++id) {
    const PreparedTask task = make_task(id, 600, 1.0);
    const auto detection = [&](Index rounds) {
      const Vector weights = select_in_rounds(task, policy, rounds_of(rounds)).weights;
      return detect(weights, task.train).all();
    };
    before = before + detection(0);
    after = after + detection(1);
  }

  EXPECT_GT(after.recall(), before.recall() + 0.05);
  EXPECT_EQ(after.rejected, before.rejected);
}

TEST(Rounds, tiny_tasks_stay_defined) {
  for (const double samples : {20.0, 30.0, 40.0}) {
    const PreparedTask task = make_task(2, samples);
    for (const std::uint64_t seed : {1, 2, 3}) {
      Policy policy = initialise({}, Seed{seed});
      policy.keep = 0.2;
      const RoundsSelection selection = select_in_rounds(task, policy, rounds_of(4));
      EXPECT_TRUE(selection.weights.allFinite());
      EXPECT_GE(selection.weights.sum(), 1.0);
    }
  }
}

} // namespace
} // namespace metasieve
