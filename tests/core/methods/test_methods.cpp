#include "base/error.hpp"
#include "methods/compare_methods.hpp"
#include "methods/confident.hpp"
#include "methods/error_parity.hpp"
#include "methods/exponentiated.hpp"
#include "methods/influence.hpp"
#include "methods/jiang_nachum.hpp"
#include "methods/massaging.hpp"
#include "methods/penalised.hpp"
#include "methods/reweight_meta.hpp"
#include "methods/roh.hpp"
#include "methods/selection.hpp"
#include "methods/threshold.hpp"
#include "numerics/newton.hpp"
#include "policy/weights.hpp"
#include "support/numerics.hpp"
#include "tasks/generate.hpp"

namespace metasieve {
namespace {

using namespace test;

PreparedTask noisy_task() {
  Family family;
  family.samples = {1000, 1000};
  family.features = {8, 8};
  family.label_noise = {0.2, 0.2};
  family.minority = {0.3, 0.3};
  family.separability = {1.5, 1.5};
  return prepare(generate_task(family, Seed{4}, TaskId{1}), {FeatureSet::full, true, 1e-3, Seed{4}});
}

struct Fixture {
  PreparedTask task = noisy_task();
  ComparisonOptions options;

  Fixture() {
    options.policies = {initialise({}, Seed{1})};
    options.untrained = initialise({}, Seed{2});
    options.seed = Seed{9};
    options.selection.rounds = options.selection.adapt.steps = 0;
  }
  [[nodiscard]] Assessment compete(Method method) const {
    return compare_methods(task, {method}, options).front().assessment;
  }
};

Matrix train_design(const PreparedTask& task) { return design_matrix(task.train, task.probe.standardizer); }
Matrix test_design(const PreparedTask& task) { return design_matrix(task.test, task.probe.standardizer); }

TEST(Methods, names_round_trip_and_unknown_ones_are_refused) {
  for (const std::string& name : method_names()) EXPECT_EQ(to_string(parse_method(name)), name);
  EXPECT_EQ(method_names().size(), 24U);
  EXPECT_EQ(to_string(Method::oracle_penalised), method_names().back());
  EXPECT_THROW(static_cast<void>(parse_method("magic")), ConfigError);
}

TEST(Highest, keeps_the_floor_and_breaks_ties_by_index) {
  EXPECT_EQ(highest(Vector{{1, 3, 2, 3}}, 0.5), (Vector{{0, 1, 0, 1}}));
  EXPECT_EQ(highest(Vector::Constant(5, 1.0), 0.5), (Vector{{1, 1, 0, 0, 0}}));
  EXPECT_EQ(highest(Vector::Constant(10, 1.0), 0.7).sum(), 7.0);
  EXPECT_EQ(highest(Vector{{1, 2}}, 0.1), (Vector{{0, 1}}));
}

TEST(Methods, greedy_keeps_the_rows_of_lowest_probe_loss) {
  const Fixture f;
  const Vector loss = logistic_loss(train_design(f.task) * f.task.probe.beta, to_vector(f.task.train.y));

  const Vector weights = greedy_weights(f.task, 0.7);

  EXPECT_EQ(weights.sum(), static_cast<double>(f.task.train.rows() * 7 / 10));
  const Vector kept = (weights.array() > 0).select(loss, 0.0),
               dropped = (weights.array() > 0).select(1e9, loss);
  EXPECT_LE(kept.maxCoeff(), dropped.minCoeff());
}

TEST(Methods, group_weighted_weights_group_one_by_one_and_a_half) {
  const Fixture f;
  const Vector plain = greedy_weights(f.task, 0.7);

  const Vector weighted = group_weighted(f.task, plain);

  for (Index i = 0; i < plain.size(); ++i)
    EXPECT_EQ(weighted(i), plain(i) * (f.task.train.group(i) == 1 ? 1.5 : 1.0));
}

TEST(Methods, reweighing_makes_label_and_group_independent) {
  const Fixture f;

  const Vector w = reweighing_weights(f.task);

  const Vector y = to_vector(f.task.train.y), z = f.task.train.group.cast<double>();
  const double rows = static_cast<double>(y.size());
  EXPECT_NEAR(w.sum(), rows, 1e-8);
  EXPECT_NEAR(w.dot(y.cwiseProduct(z)) / rows, y.mean() * z.mean(), 1e-12);
}

TEST(Methods, random_keeps_other_rows_for_another_seed) {
  const Fixture f;
  EXPECT_EQ(random_weights(f.task, 0.7, Seed{1}).sum(), static_cast<double>(f.task.train.rows() * 7 / 10));
  EXPECT_NE(random_weights(f.task, 0.7, Seed{1}), random_weights(f.task, 0.7, Seed{2}));
}

TEST(Methods, soft_weights_are_the_policy_s_keep_weights) {
  const Fixture f;
  const Vector u = policy_score(f.task, f.options.untrained);

  const Vector weights = soft_weights(f.options.untrained, u);

  EXPECT_NEAR(weights.mean(), 0.7, 1e-12);
  EXPECT_EQ(u, forward(f.options.untrained, f.task.features.cast<double>()).u);
  EXPECT_EQ(weights, keep_weights(u, 0.7, f.options.untrained.temperature).weights);
}

TEST(CompareMethods, gives_one_entry_a_method_and_one_a_policy_where_it_asks_one) {
  Fixture f;
  f.options.policies.push_back(initialise({}, Seed{3}));

  const std::vector<MethodResult> entries =
      compare_methods(f.task, {Method::baseline, Method::meta_hard, Method::oracle}, f.options);

  EXPECT_EQ(entries.size(), 4U);
  EXPECT_EQ(entries[0].policy, -1);
  EXPECT_EQ(entries[1].policy, 0);
  EXPECT_EQ(entries[2].policy, 1);
  EXPECT_EQ(entries[2].method, Method::meta_hard);
  EXPECT_NE(entries[1].assessment.metrics.auc, entries[2].assessment.metrics.auc);
}

TEST(CompareMethods, tells_of_each_method_as_it_is_finished) {
  Fixture f;
  f.options.policies.push_back(initialise({}, Seed{3}));
  const std::vector<Method> methods{Method::baseline, Method::meta_hard, Method::oracle};
  std::vector<Method> finished;

  static_cast<void>(
      compare_methods(f.task, methods, f.options, [&](Method method) { finished.push_back(method); }));

  EXPECT_EQ(finished, methods); // once each, however many policies it asks
}

TEST(CompareMethods, each_method_does_what_its_name_says) {
  const Fixture f;
  const auto fitted = [&](const Vector& weights) {
    return assess(f.task, fit_model(f.task, weights, f.task.train.y, 1e-3)).metrics.auc;
  };
  const Policy &trained = f.options.policies[0], &untrained = f.options.untrained;
  const Vector u = policy_score(f.task, trained), v = policy_score(f.task, untrained);

  EXPECT_EQ(f.compete(Method::baseline).metrics.auc, fitted(Vector::Ones(u.size())));
  EXPECT_EQ(f.compete(Method::greedy).metrics.auc, fitted(greedy_weights(f.task, 0.7)));
  EXPECT_EQ(f.compete(Method::reweighing).metrics.auc, fitted(reweighing_weights(f.task)));
  EXPECT_EQ(f.compete(Method::random).metrics.auc, fitted(random_weights(f.task, 0.7, Seed{9})));
  EXPECT_EQ(f.compete(Method::untrained_hard).metrics.auc, fitted(highest(v, 0.7)));
  EXPECT_EQ(f.compete(Method::untrained_soft).metrics.auc, fitted(soft_weights(untrained, v)));
  EXPECT_EQ(f.compete(Method::trained_hard).metrics.auc, fitted(highest(u, 0.7)));
  EXPECT_EQ(f.compete(Method::trained_soft).metrics.auc, fitted(soft_weights(trained, u)));
  EXPECT_EQ(f.compete(Method::meta_hard).metrics.auc, fitted(highest(u, 0.7))); // neither rounds nor steps
  EXPECT_EQ(f.compete(Method::meta_soft).metrics.auc, fitted(soft_weights(trained, u)));
}

TEST(CompareMethods, further_peers_do_what_their_names_say) {
  Fixture f;
  f.options.selection.adapt.outer.fairness_weight = 0.3;
  f.options.tolerance = 0.0; // which the plain fit does not meet
  const Split& train = f.task.train;
  const auto auc = [&](const Model& model) { return assess(f.task, model).metrics.auc; };
  const auto fitted = [&](const Vector& weights) { return auc(fit_model(f.task, weights, train.y, 1e-3)); };
  const Stream decisions(Seed{9}, Draw::decisions, f.task.id);
  const Matrix x = train_design(f.task), test = test_design(f.task);
  for (const Gap gap : {Gap::dp, Gap::eo}) {
    f.options.fairness = gap;
    const RandomisedClassifier reductions = fit_exponentiated(x, train.y, train.group, {gap, 0.0, 1e-3});
    const Model plain = fit_model(f.task, Vector::Ones(train.rows()), train.y, 1e-3);
    const ErrorParity odds = choose_error_parity(x * f.task.probe.beta, train.y, train.group, 2, gap, 0.0);
    const Labels massaged = massaged_labels(x * f.task.probe.beta, train.y, train.group);

    EXPECT_EQ(f.compete(Method::jiang_nachum).metrics.auc, fitted(jiang_nachum_weights(f.task, gap, 1e-3)));
    EXPECT_EQ(f.compete(Method::confident).metrics.auc, fitted(confident_weights(f.task, 1e-3)));
    EXPECT_EQ(f.compete(Method::confident_group).metrics.auc, fitted(confident_group_weights(f.task, 1e-3)));
    EXPECT_EQ(f.compete(Method::influence).metrics.auc, fitted(influence_weights(f.task, gap, 1e-3)));
    EXPECT_EQ(f.compete(Method::reweight_meta).metrics.auc,
              fitted(reweight_meta_weights(f.task, f.options.selection.adapt)));
    EXPECT_EQ(f.compete(Method::exponentiated).metrics.auc,
              auc({plain.weights, reductions.drawn_score(test, decisions)}));
    EXPECT_EQ(f.compete(Method::error_parity).metrics.auc,
              auc({plain.weights, apply(odds, plain.score, f.task.test.group, decisions)}));
    EXPECT_EQ(f.compete(Method::massaging).metrics.auc,
              auc(fit_model(f.task, plain.weights, massaged, 1e-3)));
  }
}

TEST(CompareMethods, weights_of_the_rows_are_kept_if_asked_for) {
  Fixture f;
  const std::vector<Method> asked{Method::baseline, Method::reweighing, Method::trained_hard,
                                  Method::trained_soft};
  EXPECT_EQ(compare_methods(f.task, asked, f.options)[1].weights.size(), 0);
  f.options.keep_weights = true;

  const std::vector<MethodResult> results = compare_methods(f.task, asked, f.options);

  const Policy& policy = f.options.policies[0];
  const Vector u = policy_score(f.task, policy);
  EXPECT_EQ(results[0].weights, Vector::Ones(f.task.train.rows()));
  EXPECT_EQ(results[1].weights, reweighing_weights(f.task));
  EXPECT_EQ(results[2].weights, highest(u, policy.keep));
  EXPECT_EQ(results[3].weights, soft_weights(policy, u));
}

TEST(CompareMethods, meta_is_the_recommended_selection_and_trained_is_not) {
  Fixture f;
  f.options.selection.adapt.steps = 5;
  f.options.selection.adapt.learning_rate = 0.01;
  const Selection selection = policy_selection(f.task, f.options.policies[0], f.options.selection);
  const auto auc = [&](const Vector& weights) {
    return assess(f.task, fit_model(f.task, weights, f.task.train.y, 1e-3)).metrics.auc;
  };

  const std::vector<MethodResult> entries =
      compare_methods(f.task, {Method::trained_hard, Method::meta_hard, Method::meta_soft}, f.options);

  EXPECT_NE(highest(selection.score, 0.7), highest(policy_score(f.task, f.options.policies[0]), 0.7));
  EXPECT_EQ(entries[0].assessment.metrics.auc, Fixture().compete(Method::meta_hard).metrics.auc);
  EXPECT_EQ(entries[1].assessment.metrics.auc, auc(highest(selection.score, 0.7)));
  EXPECT_EQ(entries[2].assessment.metrics.auc, auc(selection.weights));
}

TEST(CompareMethods, roh_is_its_own_model_told_the_share_of_clean_labels) {
  Fixture f;
  f.options.fairness = Gap::dp;
  RohOptions roh;
  roh.fairness = RohFairness::dp;
  roh.tau = 0.8; // 20 % are flipped
  roh.seed = Seed{9};
  roh.task = f.task.id;
  const RohFit fit = fit_roh(train_design(f.task), f.task.train.y, f.task.train.group, 2,
                             scaled_to(f.task.train.rows(), roh));

  const Assessment told = f.compete(Method::roh);
  f.options.roh_tau = 0.6;

  EXPECT_EQ(told.metrics.auc,
            evaluate_predictor(test_design(f.task) * fit.beta, f.task.test.y, f.task.test.group).auc);
  EXPECT_EQ(told.selected, fit.selected.sum());
  EXPECT_LT(f.compete(Method::roh).selected, told.selected);
}

TEST(CompareMethods, penalised_and_its_ceiling_differ_by_their_labels) {
  Fixture f;
  f.options.penalty = 2;
  const auto auc = [&](const Labels& y) {
    const LogisticFit fit = fit_penalised(train_design(f.task), y, f.task.train.group, {Gap::eo, 2.0, 1e-3});
    return evaluate_predictor(test_design(f.task) * fit.beta, f.task.test.y, f.task.test.group).auc;
  };

  EXPECT_EQ(f.compete(Method::penalised).metrics.auc, auc(f.task.train.y));
  EXPECT_EQ(f.compete(Method::oracle_penalised).metrics.auc, auc(f.task.train.y_clean));
  EXPECT_EQ(f.compete(Method::oracle_penalised).noise_rate_selected, 0.0);
}

TEST(CompareMethods, thresholds_are_chosen_on_noisy_training_rows) {
  Fixture f;
  f.options.tolerance = 0.01;
  const Vector ones = Vector::Ones(f.task.train.rows());
  const Matrix x = train_design(f.task);
  const LogisticFit fit =
      fit_logistic(x, to_vector(f.task.train.y), ones, f.task.probe.beta, ridge_diagonal(x.cols(), 1e-3));
  const GroupThresholds chosen =
      choose_thresholds(x * fit.beta, f.task.train.y, f.task.train.group, 2, Gap::eo, 0.01);

  const Assessment a = f.compete(Method::threshold);

  const Vector score = apply(chosen, test_design(f.task) * fit.beta, f.task.test.group);
  EXPECT_EQ(a.metrics.accuracy, evaluate_predictor(score, f.task.test.y, f.task.test.group).accuracy);
  EXPECT_EQ(a.selected, ones.sum());
}

TEST(CompareMethods, test_rows_and_clean_labels_change_nothing_in_what_is_selected) {
  Fixture f;
  f.options.selection.adapt.steps = 3;
  f.options.selection.rounds = 1;
  PreparedTask other = f.task;
  other.test = gather(f.task.test, std::vector<Index>{0, 1, 2});
  other.test.x.setConstant(7.0F);
  other.train.y_clean = 1 - f.task.train.y_clean.array();

  EXPECT_EQ(policy_selection(f.task, f.options.policies[0], f.options.selection).weights,
            policy_selection(other, f.options.policies[0], f.options.selection).weights);
}

TEST(Frontier, has_every_point_and_weight_zero_of_penalised_is_the_baseline) {
  Fixture f;
  f.options.selection.adapt.steps = 2;

  const std::vector<MethodResult> points = frontier(f.task, {{0.0, 1.0}, {0.02, 1.0}}, f.options);

  EXPECT_EQ(points.size(), 2U * 3 + 2);
  for (const MethodResult& point : points) {
    if (point.method == Method::penalised && point.setting == 0.0) {
      EXPECT_EQ(point.assessment.metrics.accuracy, f.compete(Method::baseline).metrics.accuracy);
    }
    if (point.method == Method::threshold && point.setting == 0.02) {
      f.options.tolerance = 0.02;
      EXPECT_EQ(point.assessment.metrics.accuracy, f.compete(Method::threshold).metrics.accuracy);
    }
    if (point.method == Method::meta_soft && point.setting == 1.0) {
      f.options.selection.adapt.outer.fairness_weight = 1.0;
      EXPECT_EQ(point.assessment.metrics.accuracy, f.compete(Method::meta_soft).metrics.accuracy);
    }
  }
}

TEST(Assess, baseline_and_oracle_bracket_what_noise_costs) {
  const Fixture f;

  const Assessment baseline = f.compete(Method::baseline), oracle = f.compete(Method::oracle),
                   greedy = f.compete(Method::greedy);

  EXPECT_NEAR(baseline.noise_rate_all, 0.2, 1e-12);
  EXPECT_EQ(baseline.noise_rate_selected, baseline.noise_rate_all);
  EXPECT_EQ(baseline.noise_reduction, 0.0);
  EXPECT_EQ(baseline.selected, static_cast<double>(f.task.train.rows()));
  EXPECT_EQ(baseline.detection.all().rejected, 0);
  EXPECT_EQ(oracle.noise_rate_selected, 0.0);
  EXPECT_LT(greedy.noise_rate_selected, 0.5 * baseline.noise_rate_all);
  EXPECT_EQ(greedy.detection.all().rejected, f.task.train.rows() - f.task.train.rows() * 7 / 10);
  EXPECT_GT(oracle.metrics.accuracy, 0.7);
}

TEST(Assess, noise_and_group_shares_by_hand) {
  const Fixture f;
  const Vector w = soft_weights(f.options.untrained, policy_score(f.task, f.options.untrained));
  double noisy = 0, ones = 0;
  for (Index i = 0; i < w.size(); ++i) {
    if (f.task.train.y(i) != f.task.train.y_clean(i)) noisy += w(i);
    if (f.task.train.group(i) == 1) ones += w(i);
  }

  const Assessment a = f.compete(Method::untrained_soft);

  EXPECT_NEAR(a.noise_rate_selected, noisy / w.sum(), 1e-12);
  EXPECT_NEAR(a.minority_share, ones / w.sum(), 1e-12);
  EXPECT_NEAR(a.noise_reduction, 1 - a.noise_rate_selected / a.noise_rate_all, 1e-12);
}

TEST(Assess, without_flips_the_noise_reduction_is_undefined) {
  Fixture f;
  f.task.train.y = f.task.train.y_clean;

  EXPECT_TRUE(std::isnan(f.compete(Method::greedy).noise_reduction));
}

TEST(Assess, a_score_that_is_not_finite_is_a_failure) {
  Fixture f;
  f.task.test.x(3, 2) = std::nanf("");

  for (const Method method : {Method::baseline, Method::roh, Method::penalised, Method::threshold,
                              Method::exponentiated, Method::massaging, Method::error_parity}) {
    const Assessment a = f.compete(method);
    EXPECT_TRUE(a.failed) << to_string(method);
    EXPECT_TRUE(std::isnan(a.metrics.accuracy)) << to_string(method);
  }
}

} // namespace
} // namespace metasieve
