#include "kernels/neighbours.hpp"

#include "support/random_tasks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace metasieve {
namespace {

using test::duplicated_task;
using test::random_task;

/// Of all references.
Vector fast_agreement(const Split& train, const Standardizer& s) {
  return kernels::neighbour_agreement(train, s, neighbour_references(train.rows(), {}));
}

/// The same by a full sort of all distances, column by column in double precision.
Vector slow_agreement(const Split& train, const Standardizer& s) {
  return neighbour_agreement(train, s, neighbour_references(train.rows(), {}));
}

TEST(NeighbourAgreement, equals_a_full_sort) {
  for (const Index rows : {2, 7, 15, 16, 17, 64, 301}) {
    const Split train = random_task(rows, 5);
    const Standardizer s = fit_standardizer(train, true);

    EXPECT_EQ(fast_agreement(train, s), slow_agreement(train, s)) << rows;
  }
}

TEST(NeighbourAgreement, equals_a_full_sort_when_most_rows_have_duplicates) {
  for (const Index levels : {1, 2, 3, 6}) {
    const Split train = duplicated_task(403, 4, levels);
    const Standardizer s = fit_standardizer(train, false);

    EXPECT_EQ(fast_agreement(train, s), slow_agreement(train, s)) << levels;
  }
}

TEST(NeighbourAgreement,
     equal_rows_with_equal_labels_and_more_than_fifteen_twins_agree_with_the_first_twins) {
  Split train = random_task(100, 3);
  for (Index i = 0; i < 40; ++i) train.x.row(i) = train.x.row(0);
  train.y.head(16).setOnes();
  train.y.tail(84).setZero();

  const Vector agreement = fast_agreement(train, fit_standardizer(train, true));

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

  const Vector agreement = fast_agreement(train, fit_standardizer(train, false));

  // Row 16: 9..15 and 17..23, then 8 and 24 are equally far, and 8 comes first.
  EXPECT_DOUBLE_EQ(agreement(16), 7.0 / 15.0);
}

TEST(NeighbourAgreement, ignores_the_group_and_constant_columns) {
  Split train = random_task(120, 4);
  const Vector before = fast_agreement(train, fit_standardizer(train, true));
  MatrixF wider(120, 5);
  wider << train.x, MatrixF::Constant(120, 1, 7.5F);
  train.x = wider;
  train.group = 1 - train.group.array();

  EXPECT_EQ(fast_agreement(train, fit_standardizer(train, true)), before);
}

TEST(NeighbourAgreement, large_tasks_are_compared_with_a_fixed_sample) {
  const NeighbourOptions options{.exact_rows = 200, .reference_rows = 60, .seed = Seed{3}, .id = TaskId{4}};
  const Split train = random_task(205, 4);
  const Standardizer s = fit_standardizer(train, true);

  const std::vector<Index> references = neighbour_references(train.rows(), options);

  EXPECT_EQ(std::set<Index>(references.begin(), references.end()).size(), 60U);
  EXPECT_TRUE(std::is_sorted(references.begin(), references.end()));
  EXPECT_NE(references, neighbour_references(train.rows(), {200, 60, Seed{3}, TaskId{5}}));
  EXPECT_EQ(kernels::neighbour_agreement(train, s, references), neighbour_agreement(train, s, references));
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

  EXPECT_EQ(fast_agreement(train, s), slow_agreement(train, s));
}

TEST(NeighbourAgreement, equals_a_full_sort_of_more_rows_than_fill_the_groups_of_the_search) {
  for (const Index columns : {1, 13, 40})
    for (const Index rows : {192, 193, 1003}) {
      const Split train = random_task(rows, columns);
      const Standardizer s = fit_standardizer(train, true);

      EXPECT_EQ(fast_agreement(train, s), slow_agreement(train, s)) << rows << " " << columns;
    }
}

TEST(NeighbourAgreement, equals_a_full_sort_when_rows_are_sorted) {
  Split train = random_task(900, 2);
  std::vector<float> first(train.x.col(0).begin(), train.x.col(0).end());
  std::ranges::sort(first);
  for (Index i = 0; i < 900; ++i) train.x(i, 0) = first[static_cast<std::size_t>(i)];
  const Standardizer s = fit_standardizer(train, true);

  EXPECT_EQ(fast_agreement(train, s), slow_agreement(train, s));
}

TEST(NeighbourAgreement, equals_a_full_sort_on_a_lattice_where_most_distances_are_equal) {
  for (const Index levels : {2, 5, 40}) {
    const Split train = duplicated_task(700, 3, levels);
    const Standardizer s = fit_standardizer(train, false);

    EXPECT_EQ(fast_agreement(train, s), slow_agreement(train, s)) << levels;
  }
}

TEST(NeighbourAgreement, equals_a_full_sort_where_single_precision_tells_no_rows_apart) {
  // Two rows are so far away that the others differ in their last bits only.
  Split train = random_task(400, 2);
  for (Index i = 0; i < 400; ++i) train.x(i, 0) = static_cast<float>(i % 7) + (i < 2 ? 1e9F : 0.0F);
  const Standardizer s = fit_standardizer(train, true);

  EXPECT_EQ(fast_agreement(train, s), slow_agreement(train, s));
}

TEST(NeighbourAgreement, equals_a_full_sort_at_any_offset_and_scale) {
  for (const float offset : {0.0F, 1e6F, -3e7F})
    for (const float scale : {1e-30F, 1.0F, 1e30F}) {
      Split train = random_task(300, 3);
      train.x.col(1) = (train.x.col(1).array() * 100.0F + offset) * scale;
      const Standardizer s = fit_standardizer(train, true);

      EXPECT_EQ(fast_agreement(train, s), slow_agreement(train, s)) << offset << " " << scale;
    }
}

TEST(NeighbourAgreement, equals_a_full_sort_under_a_standardizer_of_other_rows) {
  for (const double inverse_scale : {1e-20, 1e18, 1e25, 1e100}) { // beyond the range of single precision
    const Split train = random_task(300, 3);
    Standardizer s = fit_standardizer(train, true);
    s.mean(0) += 5.0;
    s.inverse_scale(1) = inverse_scale;

    EXPECT_EQ(fast_agreement(train, s), slow_agreement(train, s)) << inverse_scale;
  }
}

TEST(NeighbourAgreement, among_some_rows_is_that_of_a_full_sort_of_these) {
  for (const Index levels : {3, 1000}) {
    const Split train = duplicated_task(600, 4, levels);
    const Standardizer s = fit_standardizer(train, true);
    for (const Index step : {1, 2, 3, 100, 599}) {
      std::vector<Index> references;
      for (Index i = 0; i < 600; i += step) references.push_back(i);

      EXPECT_EQ(kernels::neighbour_agreement(train, s, references), neighbour_agreement(train, s, references))
          << step;
    }
    EXPECT_EQ(kernels::neighbour_agreement(train, s, {}), Vector(Vector::Zero(600)));
  }
}

TEST(NeighbourFilter, leaves_few_rows_open_and_these_with_few_candidates) {
  const Split train = random_task(2000, 8);
  const Standardizer s = fit_standardizer(train, true);
  kernels::NeighbourFilter filter(train, s, neighbour_references(2000, {}));
  constexpr Index block = kernels::NeighbourFilter::block;
  Index open = 0;
  std::size_t most = 0;

  for (Index begin = 0; begin < 2000; begin += block) {
    filter.search(begin);
    for (Index i = 0; i < std::min(block, 2000 - begin); ++i)
      if (!filter.positives(i)) {
        ++open;
        most = std::max(most, filter.candidates(i).size());
      }
  }

  EXPECT_GT(open, 0); // or the candidates of a row are not tested
  EXPECT_LT(open, 200);
  EXPECT_LT(most, 100U);
}

TEST(NeighbourAgreement, a_single_row_has_no_neighbour) {
  const Split train = random_task(1, 3);

  EXPECT_EQ(fast_agreement(train, fit_standardizer(train, true))(0), 0.0);
}

} // namespace
} // namespace metasieve
