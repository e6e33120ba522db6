#include "base/error.hpp"
#include "core/numerics.hpp"
#include "policy/weights.hpp"
#include "selectors/assess.hpp"
#include "tasks/generate.hpp"
#include "tasks/resample.hpp"

#include <set>

namespace metasieve {
namespace {

using namespace testing;

PreparedTask noisy_task() {
  Family family;
  family.samples = {1000, 1000};
  family.features = {8, 8};
  family.label_noise = {0.2, 0.2};
  family.minority = {0.3, 0.3};
  family.separability = {1.5, 1.5};
  return prepare(generate_task(family, Seed{4}, TaskId{1}), {FeatureSet::full16, true, 1e-3, Seed{4}});
}

struct Fixture {
  PreparedTask task = noisy_task();
  Policy trained = initialise({}, Seed{1});
  Policy untrained = initialise({}, Seed{2});
  Selectors selectors{&trained, &untrained, 0.7, Seed{9}};
};

TEST(Methods, names_round_trip_and_unknown_ones_are_refused) {
  for (const std::string& name : method_names()) EXPECT_EQ(to_string(parse_method(name)), name);
  EXPECT_EQ(method_names().size(), 10U);
  EXPECT_THROW(static_cast<void>(parse_method("magic")), ConfigError);
}

TEST(Highest, keeps_the_floor_and_breaks_ties_by_index) {
  EXPECT_EQ(highest(Vector{{1, 3, 2, 3}}, 0.5), (Vector{{0, 1, 0, 1}}));
  EXPECT_EQ(highest(Vector::Constant(5, 1.0), 0.5), (Vector{{1, 1, 0, 0, 0}}));
  EXPECT_EQ(highest(Vector::Constant(10, 1.0), 0.7).sum(), 7.0);
  EXPECT_EQ(highest(Vector{{1, 2}}, 0.1), (Vector{{0, 1}}));
}

TEST(Methods, hard_selections_keep_floor_of_the_share) {
  const Fixture f;
  const Index rows = f.task.train.rows();

  for (const Method method : {Method::greedy, Method::random, Method::untrained_hard, Method::meta_hard}) {
    const Vector weights = training_weights(method, f.task, f.selectors);
    EXPECT_EQ(weights.sum(), static_cast<double>(rows * 7 / 10)) << to_string(method);
    EXPECT_TRUE(((weights.array() == 0.0) || (weights.array() == 1.0)).all()) << to_string(method);
  }
}

TEST(Methods, greedy_keeps_the_rows_of_lowest_probe_loss) {
  const Fixture f;
  const Vector loss = logistic_loss(
      design_matrix(f.task.train, f.task.probe.standardizer) * f.task.probe.beta, to_vector(f.task.train.y));

  const Vector weights = training_weights(Method::greedy, f.task, f.selectors);

  const Vector kept = (weights.array() > 0).select(loss, 0.0),
               dropped = (weights.array() > 0).select(1e9, loss);
  EXPECT_LE(kept.maxCoeff(), dropped.minCoeff());
}

TEST(Methods, greedy_weighted_weights_group_one_by_one_and_a_half) {
  const Fixture f;
  const Vector plain = training_weights(Method::greedy, f.task, f.selectors);

  const Vector weighted = training_weights(Method::greedy_weighted, f.task, f.selectors);

  for (Index i = 0; i < plain.size(); ++i)
    EXPECT_EQ(weighted(i), plain(i) * (f.task.train.group(i) == 1 ? 1.5 : 1.0));
}

TEST(Methods, reweighing_makes_label_and_group_independent) {
  const Fixture f;

  const Vector w = training_weights(Method::reweighing, f.task, f.selectors);

  const Vector y = to_vector(f.task.train.y), z = f.task.train.group.cast<double>();
  const double rows = static_cast<double>(y.size());
  EXPECT_NEAR(w.sum(), rows, 1e-8);
  EXPECT_NEAR(w.dot(y.cwiseProduct(z)) / rows, y.mean() * z.mean(), 1e-12);
}

TEST(Methods, soft_selections_are_the_policy_s_keep_weights) {
  const Fixture f;

  const Vector weights = training_weights(Method::meta_soft, f.task, f.selectors);

  EXPECT_NEAR(weights.mean(), 0.7, 1e-12);
  const Vector u = forward(f.trained, f.task.features.cast<double>()).u;
  EXPECT_EQ(weights, keep_weights(u, 0.7, f.trained.temperature).weights);
  EXPECT_NE(weights, training_weights(Method::untrained_soft, f.task, f.selectors));
}

TEST(Assess, baseline_and_oracle_bracket_what_noise_costs) {
  const Fixture f;

  const Assessment baseline = assess(Method::baseline, f.task, f.selectors, 1e-3);
  const Assessment oracle = assess(Method::oracle, f.task, f.selectors, 1e-3);
  const Assessment greedy = assess(Method::greedy, f.task, f.selectors, 1e-3);

  EXPECT_NEAR(baseline.noise_rate_all, 0.2, 1e-12);
  EXPECT_EQ(baseline.noise_rate_selected, baseline.noise_rate_all);
  EXPECT_EQ(baseline.noise_reduction, 0.0);
  EXPECT_EQ(baseline.selected, static_cast<double>(f.task.train.rows()));
  EXPECT_EQ(oracle.noise_rate_selected, 0.0);
  EXPECT_LT(greedy.noise_rate_selected, 0.5 * baseline.noise_rate_all);
  EXPECT_GT(oracle.metrics.accuracy, 0.7);
}

TEST(Assess, noise_and_group_shares_by_hand) {
  const Fixture f;
  const Vector w = training_weights(Method::untrained_soft, f.task, f.selectors);
  double noisy = 0, ones = 0;
  for (Index i = 0; i < w.size(); ++i) {
    if (f.task.train.y(i) != f.task.train.y_clean(i)) noisy += w(i);
    if (f.task.train.group(i) == 1) ones += w(i);
  }

  const Assessment a = assess(Method::untrained_soft, f.task, f.selectors, 1e-3);

  EXPECT_NEAR(a.noise_rate_selected, noisy / w.sum(), 1e-12);
  EXPECT_NEAR(a.minority_share, ones / w.sum(), 1e-12);
  EXPECT_NEAR(a.noise_reduction, 1 - a.noise_rate_selected / a.noise_rate_all, 1e-12);
}

TEST(Assess, without_flips_the_noise_reduction_is_undefined) {
  Fixture f;
  f.task.train.y = f.task.train.y_clean;

  EXPECT_TRUE(std::isnan(assess(Method::greedy, f.task, f.selectors, 1e-3).noise_reduction));
}

TEST(Assess, a_score_that_is_not_finite_is_a_failure) {
  Fixture f;
  f.task.test.x(3, 2) = std::nanf("");

  const Assessment a = assess(Method::baseline, f.task, f.selectors, 1e-3);

  EXPECT_TRUE(a.failed);
  EXPECT_TRUE(std::isnan(a.metrics.accuracy));
  EXPECT_TRUE(std::isnan(a.metrics.auc));
}

Split small_rows() {
  Split rows;
  rows.x = normals(200, 3, 1).cast<float>();
  rows.y = rows.y_clean = coin(200, 2, 0.3);
  rows.group = coin(200, 3);
  rows.x.col(0) = Eigen::VectorXf::LinSpaced(200, 0, 199); // a row's number
  return rows;
}

TEST(Resample, splits_all_rows_and_flips_training_labels_alone) {
  const Split rows = small_rows();

  const Task task = resample(rows, {"data", 0.1, Seed{1}, std::nullopt}, 3);

  std::set<float> seen;
  for (const Split* part : {&task.train, &task.test})
    for (Index i = 0; i < part->rows(); ++i) seen.insert(part->x(i, 0));
  EXPECT_EQ(seen.size(), 200U);
  EXPECT_EQ(task.test.rows(), 60);
  EXPECT_EQ((task.train.y.array() != task.train.y_clean.array()).count(), 14);
  EXPECT_EQ(task.test.y, task.test.y_clean);
  EXPECT_NEAR(task.test.y.cast<double>().mean(), rows.y.cast<double>().mean(), 0.5 / 60);
  EXPECT_EQ(task.metadata.family, "data");
}

TEST(Resample, repetitions_differ_and_a_given_split_is_kept) {
  const Split rows = small_rows();
  Labels split = Labels::Zero(200);
  split.tail(50).setOnes();
  const Resampling given{"data", 0.0, Seed{1}, split};

  EXPECT_NE(resample(rows, {"d", 0.1, Seed{1}, std::nullopt}, 0).train.x,
            resample(rows, {"d", 0.1, Seed{1}, std::nullopt}, 1).train.x);
  EXPECT_EQ(resample(rows, given, 0).test.x, rows.x.bottomRows(50));
  EXPECT_EQ(resample(rows, given, 0).train.y, rows.y.head(150));
}

} // namespace
} // namespace metasieve
