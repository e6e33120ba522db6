#include "inner/design.hpp"
#include "methods/exponentiated.hpp"
#include "methods/penalised.hpp"
#include "support/groups.hpp"
#include "support/peer_tasks.hpp"

#include <gtest/gtest.h>

namespace metasieve {
namespace {

using namespace test;

/// The gap of decisions that are random: positive [n] is P(yhat = 1).
double gap_of(const Vector& positive, const Split& rows, Gap gap) {
  Cells cells;
  for (auto& of_label : cells) of_label.resize(static_cast<std::size_t>(rows.groups));
  for (Index i = 0; i < positive.size(); ++i) {
    Rate& cell = cells[rows.y(i)][rows.group(i)];
    cell = cell + Rate{positive(i), 1};
  }
  const Metrics metrics = metrics_of(cells, false);
  return gap == Gap::dp ? metrics.dp_gap : metrics.eo_gap;
}

double accuracy_of(const Vector& positive, const Labels& y) {
  return (y.array() == 1).select(positive.array(), 1.0 - positive.array()).mean();
}

struct Fitted {
  PreparedTask task;
  Matrix x;
  RandomisedClassifier classifier;

  Fitted(Index rows, Index groups, Gap gap, double tolerance)
      : task(with_probe(grouped_task(rows, groups))), x(design_matrix(task.train, task.probe.standardizer)),
        classifier(fit_exponentiated(x, task.train.y, task.train.group, {gap, tolerance, 1e-3})) {}

  /// P(yhat = 1) of each row, [n].
  [[nodiscard]] Vector positive() const {
    Vector out = Vector::Zero(x.rows());
    for (std::size_t t = 0; t < classifier.beta.size(); ++t)
      out += classifier.probability[t] * predictions(x * classifier.beta[t]).cast<double>();
    return out;
  }
};

// What the paper claims: the constraints hold to within epsilon, at an error close to the least.
TEST(Exponentiated, meets_the_constraint_and_is_as_accurate_as_a_penalised_fit_that_does) {
  for (const Index groups : {2, 3})
    for (const Gap gap : {Gap::dp, Gap::eo}) {
      const double tolerance = 0.05;
      const Fitted fit(3000, groups, gap, tolerance);
      const Split& train = fit.task.train;

      const Vector positive = fit.positive();

      EXPECT_LE(gap_of(positive, train, gap), tolerance + 1e-6) << groups;
      for (const double weight : {0.3, 1.0, 3.0, 10.0}) {
        const LogisticFit penalised = fit_penalised(fit.x, train.y, train.group, {gap, weight, 1e-3});
        const Vector decisions = predictions(fit.x * penalised.beta).cast<double>();
        if (gap_of(decisions, train, gap) > tolerance) continue;
        EXPECT_GT(accuracy_of(positive, train.y), accuracy_of(decisions, train.y) - 0.005) << weight;
      }
    }
}

TEST(Exponentiated, a_wider_tolerance_costs_less_accuracy) {
  double last = 0.0;
  for (const double tolerance : {0.0, 0.1, 0.3, 1.0}) {
    const Fitted fit(2000, 2, Gap::dp, tolerance);
    const double accuracy = accuracy_of(fit.positive(), fit.task.train.y);
    EXPECT_GT(accuracy, last + 0.005) << tolerance;
    last = accuracy;
  }
}

TEST(Exponentiated, drawn_decisions_have_the_expected_rates) {
  const Fitted fit(3000, 3, Gap::dp, 0.05);
  const Split& train = fit.task.train;
  ASSERT_GT(fit.classifier.beta.size(), 1U);

  const Vector score = fit.classifier.drawn_score(fit.x, Stream(Seed{1}, Draw::decisions, TaskId{1}));

  const Vector decisions = predictions(score).cast<double>(), positive = fit.positive();
  EXPECT_TRUE(score.allFinite());
  EXPECT_NEAR(decisions.mean(), positive.mean(), 0.02);
  EXPECT_LT(gap_of(decisions, train, Gap::dp), 0.12);
  for (Index i = 0; i < score.size(); ++i) {
    EXPECT_LE(decisions(i), positive(i) > 0.0 ? 1.0 : 0.0);
    EXPECT_GE(decisions(i), positive(i) < 1.0 - 1e-12 ? 0.0 : 1.0);
  }
}

TEST(Exponentiated, of_one_group_or_a_wide_tolerance_is_the_plain_fit) {
  for (const Fitted& fit : {Fitted(500, 1, Gap::eo, 0.0), Fitted(500, 3, Gap::eo, 2.0)}) {
    ASSERT_EQ(fit.classifier.beta.size(), 1U);
    EXPECT_LT((fit.classifier.beta[0] - fit.task.probe.beta).cwiseAbs().maxCoeff(), 1e-6);
  }
}

TEST(Exponentiated, does_not_depend_on_the_numbers_of_groups) {
  const Fitted fit(600, 4, Gap::eo, 0.02);
  for (const std::vector<Index>& numbers : other_numbers(4)) {
    const RandomisedClassifier other = fit_exponentiated(
        fit.x, fit.task.train.y, renumbered(fit.task.train.group, numbers), {Gap::eo, 0.02, 1e-3});
    EXPECT_EQ(other.beta, fit.classifier.beta);
    EXPECT_EQ(other.probability, fit.classifier.probability);
  }
}

TEST(Exponentiated, degenerate_tasks_are_fitted_or_said_to_have_diverged) {
  for (const PreparedTask& task : degenerate_tasks())
    for (const Gap gap : {Gap::dp, Gap::eo}) {
      const Matrix x = design_matrix(task.train, task.probe.standardizer);
      const RandomisedClassifier fit =
          fit_exponentiated(x, task.train.y, task.train.group, {gap, 0.05, 1e-3});
      if (fit.status != FitStatus::diverged) {
        EXPECT_TRUE(fit.drawn_score(x, Stream(Seed{1}, Draw::decisions, TaskId{1})).allFinite());
      }
    }
}

} // namespace
} // namespace metasieve
