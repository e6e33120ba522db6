#include "features/cells.hpp"

#include "features/meta_features.hpp"
#include "support/random_tasks.hpp"

#include <gtest/gtest.h>

namespace metasieve {
namespace {

using test::random_task;
using test::same_bits;

const FeatureOptions options{.set = FeatureSet::context, .ridge = 1e-3, .seed = Seed{3}, .id = TaskId{8}};

Labels labels(std::initializer_list<int> values) {
  Labels out(static_cast<Index>(values.size()));
  Index at = 0;
  for (const int value : values) out(at++) = static_cast<std::uint8_t>(value);
  return out;
}

Vector vector(std::initializer_list<double> values) {
  return Eigen::Map<const Vector>(values.begin(), static_cast<Index>(values.size()));
}

/// Label and group of the cells 2y + z.
Labels y_of(const Labels& cell) {
  return cell.unaryExpr([](std::uint8_t c) { return static_cast<std::uint8_t>(c / 2); });
}
Labels group_of(const Labels& cell) {
  return cell.unaryExpr([](std::uint8_t c) { return static_cast<std::uint8_t>(c % 2); });
}

Index column(std::string_view name) { return feature_column(options.set, name); }

Matrix features_of(const Split& train) { return meta_features(train, fit_probe(train, true, 1e-3), options); }

TEST(Context, cell_means_by_hand) {
  // Cells are 2y + z. Mean of all: 2. Cell 0: (1 + 5 * 2) / 6; cell 1: (2 + 4 + 10) / 7; cell 2: (1 + 10) /
  // 6; cell 3 is empty: 2.
  const Labels cell = labels({0, 1, 1, 2});
  const Matrix seen = cell_means(vector({1, 2, 4, 1}), y_of(cell), group_of(cell));

  const double zero = 11.0 / 6, one = 16.0 / 7, two = 11.0 / 6, three = 2;
  Matrix expected(4, 4);
  expected << zero, one, two, three, //
      one, zero, three, two,         //
      one, zero, three, two,         //
      two, three, zero, one;
  EXPECT_LT((seen - expected).cwiseAbs().maxCoeff(), 1e-15);
}

TEST(Context, cell_means_of_a_constant_are_that_constant) {
  const Labels cell = labels({0, 1, 2, 3, 3, 3, 0});
  const Matrix seen = cell_means(Vector::Constant(7, -0.25), y_of(cell), group_of(cell));

  EXPECT_LT((seen.array() + 0.25).abs().maxCoeff(), 1e-15);
}

TEST(Context, ranks_are_among_rows_of_the_same_cell) {
  const Vector rank = rank_in_cell(vector({5, 1, 3, 9, 2, 4}), labels({0, 0, 0, 1, 3, 3}));

  EXPECT_EQ(rank, vector({1, 0, 0.5, 0, 0, 1}));
}

TEST(Context, log_odds_by_hand) {
  // Counts by cell: 2, 1, 0, 4; with one added: 3 * 5 / (2 * 1).
  const Labels cell = labels({0, 0, 1, 3, 3, 3, 3});
  const double log_odds = std::log(7.5);

  const Vector odds = signed_log_odds(y_of(cell), group_of(cell));

  EXPECT_LT((odds - log_odds * vector({1, 1, -1, 1, 1, 1, 1})).cwiseAbs().maxCoeff(), 1e-15);
}

TEST(Context, log_odds_of_independent_label_and_group_are_zero) {
  EXPECT_EQ(signed_log_odds(labels({0, 0, 1, 1}), labels({0, 1, 0, 1})), Vector::Zero(4));
}

TEST(Context, columns_shared_with_full_have_the_same_bits) {
  const Split train = random_task(150, 5);
  const Probe probe = fit_probe(train, true, 1e-3);
  FeatureOptions full = options;
  full.set = FeatureSet::full;

  const Matrix context = meta_features(train, probe, options), expected = meta_features(train, probe, full);

  int shared = 0;
  for (Index j = 0; j < context.cols(); ++j)
    for (Index k = 0; k < expected.cols(); ++k) {
      if (feature_name(options.set, j) != feature_name(full.set, k)) continue;
      ++shared;
      EXPECT_TRUE(same_bits(context.col(j), expected.col(k))) << feature_name(full.set, k);
    }
  EXPECT_EQ(shared, 9);
}

TEST(Context, common_scales_are_those_of_the_evidence) {
  const Split train = random_task(200, 4);
  const Probe probe = fit_probe(train, true, 1e-3);
  const Matrix design = design_matrix(train, probe.standardizer);

  const Matrix features = meta_features(train, probe, options);

  const Vector sign = 2.0 * train.y.cast<double>().array() - 1.0;
  const Vector f = design * probe.beta;
  const Vector decision = 2.0 * sigmoid(4.0 * sign.array() * f.array()) - 1.0;
  EXPECT_TRUE((features.col(column("knn_common")).array().abs() <= 1.0).all());
  EXPECT_TRUE((features.col(column("oof_common")).array().abs() <= 1.0).all());
  // z-scoring the common columns gives the full set's, but for the squashed one.
  const auto scaled = [](const Vector& v) -> Vector {
    const Vector centred = v.array() - v.mean();
    return centred / std::sqrt(centred.squaredNorm() / static_cast<double>(v.size()));
  };
  EXPECT_LT((scaled(features.col(column("knn_common"))) - features.col(column("knn"))).cwiseAbs().maxCoeff(),
            1e-9);
  EXPECT_LT(
      (scaled(features.col(column("rff_common"))) - features.col(column("rff_margin"))).cwiseAbs().maxCoeff(),
      1e-9);
  EXPECT_LT((scaled((features.col(column("oof_common")).array().atanh() * 2.0).matrix()) -
             features.col(column("oof_margin")))
                .cwiseAbs()
                .maxCoeff(),
            1e-9);
  EXPECT_LT((features.middleCols(column("cell_decision"), 4) - cell_means(decision, train.y, train.group))
                .cwiseAbs()
                .maxCoeff(),
            1e-9);
}

TEST(Context, swapping_the_groups_changes_the_group_column_alone) {
  Split train = random_task(180, 4);
  const Matrix before = features_of(train);
  train.group = 1 - train.group.array();

  const Matrix after = features_of(train);

  const Index group = column("group");
  EXPECT_EQ(before.col(group) + after.col(group), Vector::Ones(before.rows()));
  for (Index j = 0; j < before.cols(); ++j) {
    if (j == group) continue;
    EXPECT_LT((before.col(j) - after.col(j)).cwiseAbs().maxCoeff(), 1e-6) << feature_name(options.set, j);
  }
}

TEST(Context, hidden_positives_show_in_the_cell_that_hides_them) {
  // Labels follow the first column; then every second positive of group 1 is hidden.
  Split train = random_task(800, 3);
  Index positives = 0;
  for (Index i = 0; i < train.rows(); ++i) {
    train.y(i) = train.x(i, 0) > 0.0F ? 1 : 0;
    if (train.y(i) == 1 && train.group(i) == 1 && ++positives % 2 == 0) train.y(i) = 0;
  }

  const Matrix features = features_of(train);

  for (Index i = 0; i < train.rows(); ++i)
    if (train.y(i) == 0 && train.group(i) == 1) {
      // The row's own cell against the same label in the other group.
      EXPECT_LT(features(i, column("cell_knn")), features(i, column("cell_knn_group")) - 0.2);
      EXPECT_LT(features(i, column("cell_rff")), features(i, column("cell_rff_group")) - 0.2);
      EXPECT_LT(features(i, column("cell_decision")), features(i, column("cell_decision_group")) - 0.1);
    }
}

TEST(Context, sets_have_names_for_all_their_columns) {
  for (const FeatureSet set : feature_sets)
    for (Index j = 0; j < feature_count(set); ++j) EXPECT_FALSE(feature_name(set, j).empty());
}

} // namespace
} // namespace metasieve
