#include "features/probe.hpp"

#include "numerics/newton.hpp"
#include "support/random_tasks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace metasieve {
namespace {

using test::random_task;

const Stream stream(Seed{9}, Draw::folds, TaskId{2});

struct Problem {
  explicit Problem(const Split& split)
      : train(split), probe(fit_probe(train, true, 1e-3)), design(design_matrix(train, probe.standardizer)) {}
  [[nodiscard]] Vector logits() const {
    return out_of_fold_logits(design, train.y, probe.beta, 1e-3, stream);
  }
  Split train;
  Probe probe;
  Matrix design;
};

TEST(StratifiedFolds, sizes_are_even_in_each_class_and_in_all) {
  for (const Index rows : {11, 50, 263}) {
    const Labels y = random_task(rows, 2).y;
    std::array<std::array<Index, 5>, 3> count{};

    const std::vector<Index> fold = stratified_folds(y, 5, stream);

    for (Index i = 0; i < rows; ++i) {
      const auto k = static_cast<std::size_t>(fold[static_cast<std::size_t>(i)]);
      ++count[y(i)][k];
      ++count[2][k];
    }
    for (const auto& c : count)
      EXPECT_LE(*std::max_element(c.begin(), c.end()) - *std::min_element(c.begin(), c.end()), 1);
  }
}

TEST(StratifiedFolds, depend_on_the_stream) {
  const Labels y = random_task(100, 2).y;

  EXPECT_EQ(stratified_folds(y, 5, stream), stratified_folds(y, 5, stream));
  EXPECT_NE(stratified_folds(y, 5, stream), stratified_folds(y, 5, Stream(Seed{9}, Draw::folds, TaskId{3})));
}

TEST(OutOfFold, equals_refits_from_zero_without_the_fold) {
  const Problem problem(random_task(203, 5));
  const std::vector<Index> fold = stratified_folds(problem.train.y, 5, stream);

  const Vector logits = problem.logits();

  for (Index i = 0; i < 203; i += 7) {
    std::vector<Index> others;
    for (Index j = 0; j < 203; ++j)
      if (fold[static_cast<std::size_t>(j)] != fold[static_cast<std::size_t>(i)]) others.push_back(j);
    const Matrix x = problem.design(others, Eigen::all);
    const Vector y = problem.train.y(others).cast<double>();
    const LogisticFit refit = fit_logistic(x, y, Vector::Ones(x.rows()), Vector::Zero(x.cols()),
                                           ridge_diagonal(x.cols(), 1e-3), 1e-12);
    EXPECT_NEAR(logits(i), problem.design.row(i).dot(refit.beta), 1e-6);
  }
}

TEST(OutOfFold, rows_of_a_fold_do_not_influence_each_other) {
  Problem problem(random_task(100, 3));
  Problem swapped = problem;
  const std::vector<Index> fold = stratified_folds(problem.train.y, 5, stream);
  Index a = 0, b = 1; // of one fold, with different labels
  while (fold[static_cast<std::size_t>(b)] != fold[static_cast<std::size_t>(a)] ||
         problem.train.y(b) == problem.train.y(a))
    ++b;
  std::swap(swapped.design.row(a).coeffRef(0), swapped.design.row(b).coeffRef(0));

  const Vector before = problem.logits(), after = swapped.logits();

  for (Index i = 0; i < 100; ++i) {
    if (i == a || i == b || fold[static_cast<std::size_t>(i)] != fold[static_cast<std::size_t>(a)]) continue;
    EXPECT_EQ(before(i), after(i));
  }
}

TEST(OutOfFold, rare_class_reduces_the_number_of_folds) {
  Problem problem(random_task(40, 3));
  problem.train.y.setZero();
  for (const Index rare : {2, 3, 4}) {
    problem.train.y.head(rare).setOnes();
    problem = Problem(problem.train);

    EXPECT_EQ(fold_count(problem.train.y), rare);
    EXPECT_TRUE(problem.logits().allFinite());
    EXPECT_NE(problem.logits(), row_logits(problem.design, problem.probe.beta));
  }
}

TEST(OutOfFold, fewer_than_two_rows_of_a_class_keep_the_logit_of_the_probe) {
  for (const Index rare : {0, 1}) {
    Split train = random_task(12, 3);
    train.y.setZero();
    train.y.head(rare).setOnes();
    const Problem problem(train);

    EXPECT_EQ(problem.logits(), row_logits(problem.design, problem.probe.beta));
  }
}

TEST(OutOfFold, a_fit_that_diverges_keeps_the_logit_of_the_probe) {
  Split train = random_task(60, 2);
  for (Index i = 0; i < 60; ++i) train.y(i) = train.x(i, 0) > 0.0F ? 1 : 0; // separable, and no ridge
  const Problem problem(train);
  Matrix design = problem.design;
  design.col(1).setZero(); // singular without a ridge

  const Vector logits = out_of_fold_logits(design, train.y, problem.probe.beta, 0.0, stream);

  EXPECT_EQ(logits, row_logits(design, problem.probe.beta));
}

} // namespace
} // namespace metasieve
