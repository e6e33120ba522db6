#include "inner/design.hpp"
#include "numerics/logistic.hpp"
#include "numerics/newton.hpp"
#include "tasks/corruption.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace metasieve {
namespace {

/// Two Gaussian classes one unit apart in each of two columns; the group leans on the label.
Split gaussian_split(Index rows) {
  const Matrix noise = Stream(Seed{5}, Draw::covariates, TaskId{0}).normals(rows, 3);
  Split split{MatrixF(rows, 2), Labels(rows), Labels(rows), Labels(rows)};
  for (Index i = 0; i < rows; ++i) {
    split.y_clean(i) = static_cast<std::uint8_t>(i % 2);
    split.group(i) = noise(i, 2) + static_cast<double>(i % 2) > 0.5 ? 1 : 0;
    for (Index j = 0; j < 2; ++j)
      split.x(i, j) = static_cast<float>(noise(i, j) + static_cast<double>(i % 2));
  }
  split.y = split.y_clean;
  return split;
}

TEST(FlipCount, is_the_floor) {
  EXPECT_EQ(flip_count(0.3, 99), 29);
  EXPECT_EQ(flip_count(0.0, 100), 0);
  EXPECT_EQ(flip_count(0.25, 100), 25);
}

TEST(UniformRows, are_distinct_and_uniform) {
  constexpr Index repeats = 3000, rows = 20, count = 6;
  Vector seen = Vector::Zero(rows);

  for (Index id = 0; id < repeats; ++id) {
    const auto chosen = uniform_rows(rows, count, Seed{1}, TaskId(id));
    ASSERT_EQ(std::set<Index>(chosen.begin(), chosen.end()).size(), static_cast<std::size_t>(count));
    for (const Index row : chosen) seen(row) += 1;
  }

  for (Index i = 0; i < rows; ++i) EXPECT_NEAR(seen(i), 0.3 * repeats, 4 * std::sqrt(0.21 * repeats)) << i;
}

TEST(LowestLossRows, have_lower_loss_than_all_others_under_the_fit_without_group) {
  Split train = gaussian_split(400);
  const Matrix x = design_matrix(train, fit_standardizer(train, false));
  const Vector y = to_vector(train.y_clean);
  const Vector beta = fit_logistic(x, y, Vector::Ones(400), Vector::Zero(3), ridge_diagonal(3, 1e-3)).beta;
  const Vector loss = logistic_loss(x * beta, y);
  train.y.setZero(); // must not matter: the fit is to the clean labels

  const auto rows = lowest_loss_rows(train, 60);

  const std::set<Index> chosen(rows.begin(), rows.end());
  ASSERT_EQ(chosen.size(), 60U);
  double highest_chosen = 0, lowest_other = 1e9;
  for (Index i = 0; i < 400; ++i)
    if (chosen.contains(i))
      highest_chosen = std::max(highest_chosen, loss(i));
    else
      lowest_other = std::min(lowest_other, loss(i));
  EXPECT_LT(highest_chosen, lowest_other);
}

TEST(LowestLossRows, breaks_ties_by_index) {
  Split train = gaussian_split(40);
  train.x.setZero(); // constant columns: within a label all losses are equal
  train.y_clean.setZero();
  train.y_clean.tail(10).setOnes();

  const auto rows = lowest_loss_rows(train, 5);

  EXPECT_EQ(rows, (std::vector<Index>{0, 1, 2, 3, 4}));
}

TEST(LowestLossRows, survives_one_class_and_a_separable_problem) {
  Split one_class = gaussian_split(40), separable = gaussian_split(40);
  one_class.y_clean.setOnes();
  for (Index i = 0; i < 40; ++i) separable.x(i, 0) = separable.y_clean(i) == 1 ? 5.0F : -5.0F;

  EXPECT_EQ(lowest_loss_rows(one_class, 40).size(), 40U);
  EXPECT_EQ(lowest_loss_rows(separable, 40).size(), 40U);
}

TEST(FlipLabels, turns_over_the_listed_rows_only) {
  Labels y(5), expected(5);
  y << 0, 1, 0, 1, 1;
  expected << 1, 1, 0, 0, 1;

  EXPECT_EQ(flip_labels(y, {3, 0}), expected);
}

TEST(HidePositives, hides_each_positive_of_the_disadvantaged_group_with_the_probability) {
  constexpr Index rows = 8000;
  Labels y(rows), group(rows);
  for (Index i = 0; i < rows; ++i) {
    y(i) = static_cast<std::uint8_t>(i % 2);
    group(i) = static_cast<std::uint8_t>(i / 2 % 2);
  }

  for (const int disadvantaged : {0, 1}) {
    const Labels hidden =
        hide_positives(y, group, {disadvantaged == 0, disadvantaged == 1}, 0.3, Seed{1}, TaskId{2});

    Index changed = 0;
    for (Index i = 0; i < rows; ++i) {
      if (hidden(i) == y(i)) continue;
      ++changed;
      EXPECT_EQ(y(i), 1);
      EXPECT_EQ(group(i), disadvantaged);
    }
    EXPECT_NEAR(static_cast<double>(changed), 600, 4 * std::sqrt(2000 * 0.21));
  }
  EXPECT_EQ(hide_positives(y, group, {false, true}, 0.0, Seed{1}, TaskId{2}), y);
  EXPECT_EQ(hide_positives(y, group, {false, true}, 1.0, Seed{1}, TaskId{2}).cast<int>().sum(), 2000);
}

TEST(HidePositives, hides_those_of_every_group_that_is_disadvantaged) {
  const Labels y = Labels::Ones(8);
  Labels group(8), expected(8);
  group << 0, 1, 2, 3, 3, 2, 1, 0;
  expected << 1, 0, 1, 0, 0, 1, 0, 1;

  EXPECT_EQ(hide_positives(y, group, {false, true, false, true}, 1.0, Seed{1}, TaskId{2}), expected);
}

} // namespace
} // namespace metasieve
