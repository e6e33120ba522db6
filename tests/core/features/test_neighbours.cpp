#include "features/neighbours.hpp"

#include "core/features/feature_data.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

namespace metasieve {
namespace {

using testing::duplicated_task;
using testing::random_task;

double squared_distance(const Split& train, const Standardizer& s, Index a, Index b) {
  double sum = 0;
  for (Index j = 0; j < train.columns(); ++j) {
    const double difference = static_cast<double>(train.x(a, j)) - static_cast<double>(train.x(b, j));
    sum += difference * difference * (s.inverse_scale(j) * s.inverse_scale(j));
  }
  return sum;
}

/// By a full sort of all distances.
Vector slow_agreement(const Split& train, const Standardizer& s, const std::vector<Index>& references) {
  Vector agreement = Vector::Zero(train.rows());
  for (Index i = 0; i < train.rows(); ++i) {
    std::vector<std::pair<double, Index>> others;
    for (const Index j : references)
      if (j != i) others.emplace_back(squared_distance(train, s, i, j), j);
    std::sort(others.begin(), others.end());
    others.resize(std::min<std::size_t>(others.size(), 15));
    double same = 0;
    for (const auto& [distance, j] : others) same += train.y(j) == train.y(i) ? 1 : 0;
    if (!others.empty()) agreement(i) = same / static_cast<double>(others.size());
  }
  return agreement;
}

Vector slow_agreement(const Split& train, const Standardizer& s) {
  return slow_agreement(train, s, neighbour_references(train.rows(), {}));
}

TEST(NeighbourAgreement, equals_a_full_sort) {
  for (const Index rows : {2, 7, 15, 16, 17, 64, 301}) {
    const Split train = random_task(rows, 5);
    const Standardizer s = fit_standardizer(train, true);

    EXPECT_EQ(neighbour_agreement(train, s, {}), slow_agreement(train, s)) << rows;
  }
}

TEST(NeighbourAgreement, equals_a_full_sort_when_most_rows_have_duplicates) {
  for (const Index levels : {1, 2, 3, 6}) {
    const Split train = duplicated_task(403, 4, levels);
    const Standardizer s = fit_standardizer(train, false);

    EXPECT_EQ(neighbour_agreement(train, s, {}), slow_agreement(train, s)) << levels;
  }
}

TEST(NeighbourAgreement,
     equal_rows_with_equal_labels_and_more_than_fifteen_twins_agree_with_the_first_twins) {
  Split train = random_task(100, 3);
  for (Index i = 0; i < 40; ++i) train.x.row(i) = train.x.row(0);
  train.y.head(16).setOnes();
  train.y.tail(84).setZero();

  const Vector agreement = neighbour_agreement(train, fit_standardizer(train, true), {});

  // The nearest of a twin are rows 0..14, or 0..15 without itself: all positive.
  EXPECT_EQ(agreement.head(16), Vector(Vector::Ones(16)));
  EXPECT_EQ(agreement.segment(16, 24), Vector(Vector::Zero(24)));
}

TEST(NeighbourAgreement, equal_steps_of_an_integer_column_are_ties_though_its_mean_is_not_an_integer) {
  Split train{MatrixF(33, 1), Labels(33), Labels::Zero(33), Labels::Zero(33)};
  for (Index i = 0; i < 33; ++i) {
    train.x(i, 0) = static_cast<float>(i < 32 ? i : 100);
    train.y(i) = i < 16 ? 1 : 0;
  }

  const Vector agreement = neighbour_agreement(train, fit_standardizer(train, false), {});

  // Row 16: 9..15 and 17..23, then 8 and 24 are equally far, and 8 comes first.
  EXPECT_DOUBLE_EQ(agreement(16), 7.0 / 15.0);
}

TEST(NeighbourAgreement, ignores_the_group_and_constant_columns) {
  Split train = random_task(120, 4);
  const Vector before = neighbour_agreement(train, fit_standardizer(train, true), {});
  MatrixF wider(120, 5);
  wider << train.x, MatrixF::Constant(120, 1, 7.5F);
  train.x = wider;
  train.group = 1 - train.group.array();

  EXPECT_EQ(neighbour_agreement(train, fit_standardizer(train, true), {}), before);
}

TEST(NeighbourAgreement, large_tasks_are_compared_with_a_fixed_sample) {
  const NeighbourOptions options{.exact_rows = 200, .reference_rows = 60, .seed = Seed{3}, .id = TaskId{4}};
  const Split train = random_task(205, 4);
  const Standardizer s = fit_standardizer(train, true);

  const std::vector<Index> references = neighbour_references(train.rows(), options);

  EXPECT_EQ(std::set<Index>(references.begin(), references.end()).size(), 60U);
  EXPECT_TRUE(std::is_sorted(references.begin(), references.end()));
  EXPECT_NE(references, neighbour_references(train.rows(), {200, 60, Seed{3}, TaskId{5}}));
  EXPECT_EQ(neighbour_agreement(train, s, options), slow_agreement(train, s, references));
}

TEST(NeighbourAgreement, ten_thousand_rows_are_all_references_and_one_more_samples_four_thousand) {
  EXPECT_EQ(neighbour_references(10000, {}).size(), 10000U);
  EXPECT_EQ(neighbour_references(10001, {}).size(), 4000U);
}

TEST(NeighbourAgreement, a_chunk_that_is_not_full_adds_no_neighbour_at_the_origin) {
  Split train = random_task(17, 2); // 7 places of the last chunk are empty, and hold zeros
  for (Index i = 0; i < 17; ++i) {
    train.x(i, 0) = static_cast<float>(1000 * i);
    train.x(i, 1) = static_cast<float>(i % 2);
  }
  const Standardizer s = fit_standardizer(train, true);

  EXPECT_EQ(neighbour_agreement(train, s, {}), slow_agreement(train, s));
}

TEST(NeighbourAgreement, a_single_row_has_no_neighbour) {
  const Split train = random_task(1, 3);

  EXPECT_EQ(neighbour_agreement(train, fit_standardizer(train, true), {})(0), 0.0);
}

} // namespace
} // namespace metasieve
