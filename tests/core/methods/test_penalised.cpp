#include "inner/design.hpp"
#include "methods/penalised.hpp"
#include "support/groups.hpp"
#include "support/numerics.hpp"

#include <algorithm>
#include <tuple>
#include <vector>

namespace metasieve {
namespace {

using namespace test;

/// Later groups have a feature of their own and lower labels: an accurate fit is unfair.
struct Biased {
  Matrix x; // three columns, each group but group 0, intercept
  Labels y{400}, group = coin(400, 3, 0.4);

  explicit Biased(std::uint64_t salt = 1, Index groups = 2) : x(400, 3 + groups) {
    if (groups != 2) group = random_groups(400, groups, 3);
    x.leftCols(3) = normals(400, 3, salt);
    for (Index k = 1; k < groups; ++k)
      x.col(2 + k) = group.unaryExpr([&](std::uint8_t z) { return z == k ? 1.0 : -1.0; });
    x.col(2 + groups).setOnes();
    const double last = static_cast<double>(std::max<Index>(1, groups - 1));
    const Vector level = 2.0 / last * to_vector(group).array() - 1.0;
    x.col(1) += 0.7 * level;
    const Vector score = x.col(0) + x.col(1) - 1.2 * level + 0.7 * normals(400, salt + 100);
    y = (score.array() > 0).cast<std::uint8_t>();
  }
};

double objective(const Biased& task, const Vector& beta, const PenalisedOptions& options) {
  const Vector ridge = ridge_diagonal(beta.size(), options.ridge);
  const OuterOptions outer{AccuracyLoss::logistic, options.gap, options.weight};
  return outer_loss(task.x * beta, task.y, task.group, outer).loss + 0.5 * beta.dot(ridge.cwiseProduct(beta));
}

double gap_of(const Biased& task, const Vector& beta, Gap gap) {
  return outer_loss(task.x * beta, task.y, task.group, {AccuracyLoss::logistic, gap, 1.0}).fairness_loss;
}

/// By gap and number of groups.
class Penalised : public ::testing::TestWithParam<std::tuple<Gap, Index>> {
protected:
  static Gap gap() { return std::get<0>(GetParam()); }
  static Biased biased() { return Biased(1, std::get<1>(GetParam())); }
};

TEST_P(Penalised, gradient_is_zero_at_the_solution) {
  const Biased task = biased();
  const PenalisedOptions options{gap(), 0.7, 1e-2};

  const LogisticFit fit = fit_penalised(task.x, task.y, task.group, options);

  EXPECT_EQ(fit.status, FitStatus::converged);
  const auto value = [&](const Vector& beta) { return objective(task, beta, options); };
  EXPECT_LT(central_difference(value, fit.beta, 1e-4).cwiseAbs().maxCoeff(), 1e-7);
}

TEST_P(Penalised, solution_is_a_minimum_below_the_plain_fit) {
  const Biased task = biased();
  const PenalisedOptions options{gap(), 0.7, 1e-2};
  const Vector beta = fit_penalised(task.x, task.y, task.group, options).beta;
  const Vector plain = fit_penalised(task.x, task.y, task.group, {gap(), 0.0, 1e-2}).beta;

  const double value = objective(task, beta, options);

  EXPECT_LT(value, objective(task, plain, options) - 1e-3);
  for (std::uint64_t k = 0; k < 20; ++k)
    EXPECT_GT(objective(task, beta + 0.01 * normals(beta.size(), k), options), value) << k;
}

TEST_P(Penalised, gap_falls_and_the_loss_rises_with_the_weight) {
  const Biased task = biased();
  double last_gap = 1.0, last_loss = 0.0, first_gap = 0.0;

  for (const double weight : {0.0, 0.03, 0.1, 0.2, 0.5, 1.0, 3.0, 10.0}) {
    const Vector beta = fit_penalised(task.x, task.y, task.group, {gap(), weight, 1e-2}).beta;
    const double value = gap_of(task, beta, gap());
    const double loss = objective(task, beta, {Gap::none, 0.0, 1e-2});
    EXPECT_LT(value, last_gap) << weight;
    EXPECT_GE(loss, last_loss) << weight;
    if (weight == 0.0) first_gap = value;
    last_gap = value;
    last_loss = loss;
  }
  EXPECT_LT(last_gap, (std::get<1>(GetParam()) == 2 ? 0.2 : 0.4) * first_gap); // smaller ones at first
}

INSTANTIATE_TEST_SUITE_P(gaps, Penalised,
                         ::testing::Combine(::testing::Values(Gap::dp, Gap::eo, Gap::both),
                                            ::testing::Values<Index>(2, 3, 5)));

TEST(PenalisedFit, without_a_weight_or_a_gap_is_the_plain_fit) {
  const Biased task;
  const Vector plain =
      fit_logistic(task.x, to_vector(task.y), Vector::Ones(400), Vector::Zero(5), ridge_diagonal(5, 1e-3))
          .beta;

  EXPECT_EQ(fit_penalised(task.x, task.y, task.group, {Gap::eo, 0.0, 1e-3}).beta, plain);
  EXPECT_EQ(fit_penalised(task.x, task.y, task.group, {Gap::none, 5.0, 1e-3}).beta, plain);
}

TEST(PenalisedFit, one_group_has_no_gap_to_close) {
  const Biased task(1, 1);
  const Vector plain = fit_penalised(task.x, task.y, task.group, {Gap::none, 0.0, 1e-3}).beta;
  for (const Gap gap : {Gap::dp, Gap::eo, Gap::both}) {
    const LogisticFit fit = fit_penalised(task.x, task.y, task.group, {gap, 5.0, 1e-3});
    EXPECT_EQ(fit.status, FitStatus::converged);
    EXPECT_LT((fit.beta - plain).cwiseAbs().maxCoeff(), 1e-6);
  }
}

TEST(PenalisedFit, does_not_depend_on_the_numbers_of_groups) {
  for (const Index groups : {2, 4}) {
    const Biased task(1, groups);
    for (const Gap gap : {Gap::dp, Gap::eo}) {
      const PenalisedOptions options{gap, 2.0, 1e-3};
      const Vector beta = fit_penalised(task.x, task.y, task.group, options).beta;
      for (const std::vector<Index>& numbers : other_numbers(groups))
        EXPECT_EQ(fit_penalised(task.x, task.y, renumbered(task.group, numbers), options).beta, beta);
    }
  }
}

TEST(PenalisedFit, same_input_gives_the_same_bits) {
  const Biased task;
  const auto fit = [&] { return fit_penalised(task.x, task.y, task.group, {Gap::eo, 2.0, 1e-3}).beta; };

  EXPECT_EQ(fit(), fit());
}

TEST(PenalisedFit, converges_on_many_tasks_and_weights) {
  for (std::uint64_t salt = 1; salt <= 20; ++salt)
    for (const double weight : {0.1, 1.0, 10.0}) {
      const Biased task(salt);
      const LogisticFit fit = fit_penalised(task.x, task.y, task.group, {Gap::eo, weight, 1e-3});
      EXPECT_EQ(fit.status, FitStatus::converged) << salt << " " << weight;
      EXPECT_LT(fit.iterations, 400) << salt << " " << weight;
    }
}

TEST(PenalisedFit, empty_groups_cells_and_classes_stay_finite) {
  Biased task;
  const auto fit = [&](const Labels& y, const Labels& group, Gap gap) {
    return fit_penalised(task.x, y, group, {gap, 1.0, 1e-3});
  };
  const Labels none = Labels::Zero(400), all = Labels::Ones(400);
  Labels no_positive_in_one = task.y;
  no_positive_in_one = (task.group.array() == 1).select(none, task.y);

  for (const Gap gap : {Gap::dp, Gap::eo, Gap::both}) {
    const Vector plain = fit(task.y, none, Gap::none).beta;
    EXPECT_LT((fit(task.y, none, gap).beta - plain).cwiseAbs().maxCoeff(), 1e-6); // no gap to close
    EXPECT_TRUE(fit(no_positive_in_one, task.group, gap).beta.allFinite());
    EXPECT_TRUE(fit(all, task.group, gap).beta.allFinite());
  }
  const LogisticFit nothing = fit_penalised(Matrix(0, 3), Labels(0), Labels(0), {});
  EXPECT_EQ(nothing.status, FitStatus::diverged);
  EXPECT_EQ(nothing.beta, Vector::Zero(3));
}

} // namespace
} // namespace metasieve
