// The meta-features in single precision against those in double.

#include "features/cells.hpp"
#include "kernels/meta_features.hpp"
#include "support/groups.hpp"
#include "support/random_tasks.hpp"
#include "tasks/generate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

namespace metasieve {
namespace {

using test::Degenerate;
using test::degenerate_tasks;
using test::duplicated_task;
using test::random_task;
using test::same_bits;

constexpr double tolerance = 1e-4;

FeatureOptions options(FeatureSet set) {
  return {.set = set, .ridge = 1e-3, .seed = Seed{3}, .id = TaskId{8}};
}

Matrix features_of(const Split& train, FeatureSet set, Precision precision) {
  return kernels::meta_features(train, fit_probe(train, true, 1e-3), options(set), precision);
}

double spread(const Vector& values) {
  return values.size() == 0 ? 0.0 : std::sqrt((values.array() - values.mean()).square().mean());
}

/// Ranks in a cell may differ only where the values differ by less than the tolerance.
void expect_same_order(const Vector& fast_rank, const Vector& slow_rank, const Vector& slow_value,
                       const Labels& cell) {
  const double near = 2.0 * tolerance * spread(slow_value);
  for (Index i = 0; i < fast_rank.size(); ++i)
    for (Index k = 0; k < i; ++k)
      if (cell(i) == cell(k) && (fast_rank(i) < fast_rank(k)) != (slow_rank(i) < slow_rank(k))) {
        EXPECT_LT(std::abs(slow_value(i) - slow_value(k)), near) << i << " " << k;
      }
}

/// A column of ranks, of what, and whether within cells.
struct RankColumn {
  const char *rank, *value;
  bool in_cell;
};
constexpr std::array<RankColumn, 5> rank_columns{{{"rff_rank_in_cell", "rff_common", true},
                                                  {"p01_rank", "p01_common", false},
                                                  {"pboth_rank", "pboth_common", false},
                                                  {"pbothd_rank", "pbothd_common", false},
                                                  {"q1dp_rank", "q1dp_common", false}}};

void expect_near(const Split& train, const Matrix& fast, const Matrix& slow, FeatureSet set) {
  ASSERT_EQ(fast.rows(), slow.rows());
  ASSERT_EQ(fast.cols(), slow.cols());
  for (Index j = 0; j < fast.cols(); ++j) {
    if (std::ranges::any_of(rank_columns, [&](const auto& of) { return of.rank == feature_name(set, j); }))
      continue;
    const double worst = fast.rows() == 0 ? 0.0 : (fast.col(j) - slow.col(j)).cwiseAbs().maxCoeff();
    EXPECT_LE(worst, tolerance * std::max(spread(slow.col(j)), 1e-3)) << feature_name(set, j);
  }
  const Labels cell = cell_of(train.y, train.group, train.groups), all = Labels::Zero(train.rows());
  for (const auto& [rank, value, in_cell] : rank_columns)
    if (const Index at = feature_column(set, rank); at >= 0) {
      SCOPED_TRACE(rank);
      expect_same_order(fast.col(at), slow.col(at), slow.col(feature_column(set, value)),
                        in_cell ? cell : all);
    }
}

void expect_near_in_all_sets(const Split& train) {
  for (const FeatureSet set : feature_sets)
    expect_near(train, features_of(train, set, Precision::float32),
                features_of(train, set, Precision::float64), set);
}

Family family(bool biased, double samples) {
  Family out;
  out.samples = {samples, samples};
  out.features = {5, 20};
  out.label_noise = {0.0, 0.3};
  out.minority = {0.1, 0.9};
  out.positive = {0.2, 0.8};
  if (biased) {
    out.feature_shift = {0.0, 1.5};
    out.label_bias = {0.0, 0.5};
    out.adversarial_fraction = 0.3;
  }
  return out;
}

TEST(FeaturePrecision, single_is_near_double_on_generated_tasks) {
  for (const bool biased : {false, true})
    for (const double samples : {40, 150, 700, 2000})
      for (const std::uint64_t id : {1, 2}) {
        SCOPED_TRACE(std::to_string(samples) + (biased ? " biased " : " seed ") + std::to_string(id));
        expect_near_in_all_sets(generate_task(family(biased, samples), Seed{5}, TaskId{id}).train);
      }
}

TEST(FeaturePrecision, single_is_near_double_for_any_number_of_groups) {
  for (const Index groups : {1, 3, 5}) {
    const Split train =
        test::with_groups(generate_task(family(true, 700), Seed{5}, TaskId{1}).train, groups, 6);
    for (const FeatureSet set : {FeatureSet::relative, FeatureSet::fair})
      expect_near(train, features_of(train, set, Precision::float32),
                  features_of(train, set, Precision::float64), set);
  }
}

TEST(FeaturePrecision, single_is_near_double_on_duplicated_rows) {
  for (const Index levels : {2, 3, 8}) expect_near_in_all_sets(duplicated_task(405, 4, levels));
}

class FeaturePrecisionDegenerate : public ::testing::TestWithParam<Degenerate> {};

TEST_P(FeaturePrecisionDegenerate, single_is_near_double) {
  Split train = random_task(GetParam().rows, 4);
  GetParam().change(train);
  expect_near_in_all_sets(train);
}

INSTANTIATE_TEST_SUITE_P(Cases, FeaturePrecisionDegenerate, ::testing::ValuesIn(degenerate_tasks),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(FeaturePrecision, of_kept_features_single_is_near_double) {
  for (const bool biased : {false, true}) {
    const Split train = generate_task(family(biased, 500), Seed{5}, TaskId{3}).train;
    const Probe probe = fit_probe(train, true, 1e-3);
    std::vector<Index> kept;
    for (Index i = 0; i < train.rows(); ++i)
      if (i % 3 != 0) kept.push_back(i);
    for (const FeatureSet set : feature_sets) {
      const Matrix fast = kernels::meta_features(train, probe, options(set), Precision::float32, kept);
      const Matrix slow = meta_features(train, probe, options(set), kept);

      expect_near(train, fast, slow, set);
    }
  }
}

TEST(FeaturePrecision, single_gives_equal_rows_equal_fourier_margins) {
  const Split train = duplicated_task(400, 3, 3);
  const Matrix features = features_of(train, FeatureSet::full, Precision::float32);
  const Index margin = feature_column(FeatureSet::full, "rff_margin");
  for (Index i = 0; i < 400; ++i)
    for (Index k = 0; k < i; ++k)
      if (train.x.row(i) == train.x.row(k) && train.y(i) == train.y(k)) {
        EXPECT_EQ(features(i, margin), features(k, margin));
      }
}

TEST(FeaturePrecision, of_prepared_tasks_is_passed_on) {
  const Task task = generate_task(family(true, 600), Seed{5}, TaskId{3});
  PrepareOptions prepare_options;
  const PreparedTask slow = kernels::prepare(task, prepare_options);
  prepare_options.precision = Precision::float32;

  const PreparedTask fast = kernels::prepare(task, prepare_options);

  const FeatureOptions same{.id = task.id};
  EXPECT_EQ(fast.features,
            kernels::meta_features(task.train, fast.probe, same, Precision::float32).cast<float>());
  EXPECT_EQ(fast.precision, Precision::float32);
  EXPECT_EQ(slow.features, prepare(task, {}).features);
  EXPECT_EQ(slow.precision, Precision::float64);
  EXPECT_NE(fast.features, slow.features);
}

} // namespace
} // namespace metasieve
