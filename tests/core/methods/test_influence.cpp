#include "fairness/outer_loss.hpp"
#include "methods/influence.hpp"
#include "numerics/linear_program.hpp"
#include "support/groups.hpp"
#include "support/numerics.hpp"
#include "support/peer_tasks.hpp"

namespace metasieve {
namespace {

using namespace test;

/// The linear program, plainly: w <= 1, both constraints, and a variable that makes it feasible.
double least_sum(const Vector& gap, const Vector& loss, double reduction) {
  const Index n = gap.size();
  LinearProgram program{Matrix::Zero(n + 2, n + 1), Vector::Ones(n + 2), Vector::Ones(n + 1)};
  program.rows.topLeftCorner(n, n).setIdentity();
  program.rows.row(n).head(n) = loss.transpose();
  program.rows.row(n + 1).head(n) = gap.transpose();
  program.limit.tail(2) << 0.0, -reduction;
  program.rows(n + 1, n) = -reduction;
  program.cost(n) = 1e6;
  return minimise(program).sum();
}

TEST(LeastRemoval, meets_both_constraints_with_as_few_rows_as_a_linear_program) {
  for (std::uint64_t salt = 1; salt <= 60; ++salt) {
    const Vector gap = normals(30, salt), loss = normals(30, salt + 100);
    const double reduction = 0.1 * static_cast<double>(salt % 20 + 1);

    const Vector w = least_removal(gap, loss, reduction);

    EXPECT_GE(w.minCoeff(), 0.0);
    EXPECT_LE(w.maxCoeff(), 1.0);
    EXPECT_NEAR(std::max(gap.dot(w), -reduction), -reduction, 1e-9);
    EXPECT_LE(loss.dot(w), 1e-9);
    EXPECT_NEAR(w.sum(), least_sum(gap, loss, reduction), 1e-6) << salt;
  }
}

TEST(LeastRemoval, by_hand) {
  // Both rows 0 and 1 gain 2, row 0 at a loss of 1, which row 2 makes good.
  const Vector gap{{-2, -2, 0, 1}}, loss{{1, 0, -1, -1}};
  EXPECT_LT((least_removal(gap, loss, 1.0) - Vector{{0, 0.5, 0, 0}}).cwiseAbs().maxCoeff(), 1e-6);
  EXPECT_EQ(least_removal(gap, loss, 0.0), Vector::Zero(4));
}

TEST(LeastRemoval, aims_at_half_of_what_is_possible) {
  const Vector gap{{-1, -1, 1}}, loss{{0, 0, 1}};
  EXPECT_NEAR(gap.dot(least_removal(gap, loss, 50.0)), -1.0, 1e-12);
  EXPECT_EQ(least_removal(Vector::Ones(3), loss, 1.0), Vector::Zero(3)); // no row gains
  EXPECT_EQ(least_removal(Vector::Zero(3), Vector::Zero(3), 1.0), Vector::Zero(3));
}

double smooth_gap_of(const PreparedTask& task, const Vector& weights, Gap gap) {
  FinalFits fits(task, 1e-3);
  static_cast<void>(fits.fit(weights, task.train.y));
  return outer_loss(fits.train_score(), task.train.y, task.train.group, {AccuracyLoss::logistic, gap, 1.0})
      .fairness_loss;
}

// What the paper claims: a smaller gap at no cost in accuracy.
TEST(Influence, the_fit_of_the_weighted_rows_has_a_smaller_gap_and_keeps_its_accuracy) {
  for (const Index groups : {2, 3, 5})
    for (const Gap gap : {Gap::dp, Gap::eo}) {
      const PreparedTask task = with_probe(grouped_task(3000, groups));
      const Vector ones = Vector::Ones(3000);

      const Vector weights = influence_weights(task, gap, 1e-3);

      EXPECT_LT(smooth_gap_of(task, weights, gap), 0.75 * smooth_gap_of(task, ones, gap)) << groups;
      EXPECT_GT(on_training_rows(task, weights).accuracy, on_training_rows(task, ones).accuracy - 0.03);
      EXPECT_GT(weights.mean(), 0.8);
      EXPECT_GE(weights.minCoeff(), 0.0);
      EXPECT_LE(weights.maxCoeff(), 1.0);
    }
}

TEST(Influence, of_one_group_removes_nothing_and_numbers_of_groups_do_not_matter) {
  EXPECT_EQ(influence_weights(with_probe(grouped_task(400, 1)), Gap::eo, 1e-3), Vector::Ones(400));
  const PreparedTask task = with_probe(grouped_task(400, 4));
  const Vector weights = influence_weights(task, Gap::eo, 1e-3);
  for (const std::vector<Index>& numbers : other_numbers(4))
    EXPECT_EQ(influence_weights(renumbered_task(400, 4, numbers), Gap::eo, 1e-3), weights);
}

TEST(Influence, weights_of_degenerate_tasks_are_shares) {
  for (const PreparedTask& task : degenerate_tasks()) {
    const Vector weights = influence_weights(task, Gap::eo, 1e-3);
    EXPECT_GE(weights.minCoeff(), 0.0);
    EXPECT_LE(weights.maxCoeff(), 1.0);
    EXPECT_GT(weights.sum(), 0.0);
  }
}

} // namespace
} // namespace metasieve
