#include "features/meta_features.hpp"

#include "features/neighbours.hpp"
#include "features/probe.hpp"
#include "features/random_fourier.hpp"
#include "support/random_tasks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <thread>

namespace metasieve {
namespace {

using test::Degenerate;
using test::degenerate_tasks;
using test::duplicated_task;
using test::random_task;
using test::same_bits;

const FeatureOptions options{.set = FeatureSet::full, .ridge = 1e-3, .seed = Seed{3}, .id = TaskId{8}};

Index column(std::string_view name) { return feature_column(FeatureSet::full, name); }

Matrix features_of(const Split& train, FeatureSet set = FeatureSet::full) {
  FeatureOptions of_set = options;
  of_set.set = set;
  return meta_features(train, fit_probe(train, true, 1e-3), of_set);
}

double mean_where(Index n, const std::function<bool(Index)>& member,
                  const std::function<double(Index)>& value) {
  double sum = 0, count = 0;
  for (Index i = 0; i < n; ++i)
    if (member(i)) {
      sum += value(i);
      count += 1;
    }
  return sum / count;
}

void scale_slowly(Matrix& features, Index j) {
  const Index n = features.rows();
  double mean = 0, square = 0;
  for (Index i = 0; i < n; ++i) mean += features(i, j) / static_cast<double>(n);
  for (Index i = 0; i < n; ++i) square += std::pow(features(i, j) - mean, 2) / static_cast<double>(n);
  for (Index i = 0; i < n; ++i) features(i, j) = (features(i, j) - mean) / std::sqrt(square);
}

/// The definitions by scalar loops; knn, out-of-fold and Fourier parts, which have their own slow forms, from
/// their functions.
Matrix slow_features(const Split& train, const Probe& probe) {
  const Index n = train.rows();
  const Matrix design = design_matrix(train, probe.standardizer);
  const Vector oof = out_of_fold_logits(design, train.y, probe.beta, options.ridge,
                                        Stream(options.seed, Draw::folds, options.id));
  const Matrix x = design.leftCols(train.columns());
  const Vector target = 2.0 * to_vector(train.y).array() - 1.0;
  const Vector rff = target.cwiseProduct(
      fourier_ridge(draw_fourier_basis(x, options.seed, options.id), x, target, all_rows(n), fourier_ridges)
          .prediction);
  const Vector knn = neighbour_agreement(train, probe.standardizer, all_rows(n));
  std::vector<double> loss, confidence;
  Matrix out(n, 16);
  for (Index i = 0; i < n; ++i) {
    const double f = design.row(i).dot(probe.beta), p = 1.0 / (1.0 + std::exp(-f));
    loss.push_back(train.y(i) == 1 ? -std::log(p) : -std::log(1.0 - p));
    confidence.push_back(std::max(p, 1.0 - p));
    out(i, column("entropy")) = -p * std::log(p) - (1.0 - p) * std::log(1.0 - p);
    out(i, column("prediction")) = p > 0.5 ? 1.0 : 0.0;
    out(i, column("margin")) = std::abs(p - 0.5);
  }
  const auto loss_of = [&](Index i) { return loss[static_cast<std::size_t>(i)]; };
  const auto confidence_of = [&](Index i) { return confidence[static_cast<std::size_t>(i)]; };
  const auto everywhere = [](Index) { return true; };
  for (Index i = 0; i < n; ++i) {
    const double t = train.y(i) == 1 ? 1.0 : -1.0;
    const auto same_group = [&](Index k) { return train.group(k) == train.group(i); };
    const auto same_label = [&](Index k) { return train.y(k) == train.y(i); };
    const auto same_cell = [&](Index k) { return same_group(k) && same_label(k); };
    const double p_z = mean_where(n, everywhere, same_group), p_y = mean_where(n, everywhere, same_label);
    const double p_yz = mean_where(n, everywhere, same_cell);
    out(i, column("loss")) = loss_of(i);
    out(i, column("confidence")) = confidence_of(i);
    out(i, column("group")) = train.group(i);
    out(i, column("group_loss")) = mean_where(n, same_group, loss_of);
    out(i, column("group_confidence")) = mean_where(n, same_group, confidence_of);
    out(i, column("label")) = train.y(i);
    out(i, column("loss_rank")) =
        mean_where(n, everywhere, [&](Index k) { return loss_of(k) < loss_of(i) ? 1.0 : 0.0; }) *
        static_cast<double>(n) / static_cast<double>(n - 1);
    out(i, column("knn")) = knn(i);
    out(i, column("oof_margin")) = t * oof(i);
    out(i, column("rff_margin")) = rff(i);
    out(i, column("log_cell_weight")) = std::log(p_y * p_z / p_yz) / 0.3;
    out(i, column("cell_loss")) = mean_where(n, same_cell, loss_of);
    out(i, column("cell_share")) = (std::log(p_yz) + 1.4) / 0.6;
  }
  for (const char* name : {"loss", "confidence", "entropy", "group_loss", "group_confidence", "margin", "knn",
                           "oof_margin", "rff_margin", "cell_loss"})
    scale_slowly(out, column(name));
  return out;
}

TEST(MetaFeatures, equal_their_definitions) {
  for (const bool use_group : {true, false}) {
    const Split train = random_task(250, 6);
    const Probe probe = fit_probe(train, use_group, 1e-3);

    const Matrix fast = meta_features(train, probe, options), slow = slow_features(train, probe);

    for (Index j = 0; j < 16; ++j)
      EXPECT_LT((fast.col(j) - slow.col(j)).cwiseAbs().maxCoeff(), 1e-9) << feature_name(options.set, j);
  }
}

TEST(MetaFeatures, basic_is_the_first_ten_columns_of_full) {
  const Split train = random_task(123, 5);
  const Probe probe = fit_probe(train, true, 1e-3);
  FeatureOptions basic = options;
  basic.set = FeatureSet::basic;

  EXPECT_TRUE(
      same_bits(meta_features(train, probe, basic), meta_features(train, probe, options).leftCols(10)));
}

TEST(MetaFeatures, never_read_the_clean_labels) {
  for (const FeatureSet set : feature_sets) {
    Split train = random_task(150, 5);
    const Matrix before = features_of(train, set);
    train.y_clean = 1 - train.y_clean.array();
    const Matrix flipped = features_of(train, set);
    train.y_clean.resize(0);

    EXPECT_TRUE(same_bits(before, flipped));
    EXPECT_TRUE(same_bits(before, features_of(train, set)));
  }
}

TEST(MetaFeatures, are_the_same_bits_from_any_thread) {
  const Split train = random_task(700, 7);
  const Matrix expected = features_of(train);
  std::vector<Matrix> found(4);
  std::vector<std::thread> threads;

  for (std::size_t k = 0; k < found.size(); ++k)
    threads.emplace_back([&, k] {
      // Allocations of other sizes first, so that addresses differ.
      const std::vector<char> padding(1 + 977 * k);
      const Split copy = train;
      found[k] = features_of(copy);
    });
  for (std::thread& thread : threads) thread.join();

  for (const Matrix& matrix : found) EXPECT_TRUE(same_bits(matrix, expected));
}

TEST(MetaFeatures, depend_on_seed_and_task_in_the_random_columns_only) {
  const Split train = random_task(200, 5);
  const Probe probe = fit_probe(train, true, 1e-3);
  const Matrix before = meta_features(train, probe, options);

  for (const auto& [seed, id] : {std::pair{Seed{4}, TaskId{8}}, std::pair{Seed{3}, TaskId{9}}}) {
    const Matrix after = meta_features(train, probe, {options.set, options.ridge, seed, id});

    for (Index j = 0; j < 16; ++j)
      EXPECT_EQ(before.col(j) == after.col(j), j != column("oof_margin") && j != column("rff_margin")) << j;
  }
}

TEST(MetaFeatures, equal_rows_have_equal_features_but_for_rank_folds_and_neighbours) {
  Split train = duplicated_task(120, 3, 2);
  const Matrix features = features_of(train);

  for (Index i = 0; i < 120; ++i)
    for (Index k = 0; k < i; ++k)
      if (train.x.row(i) == train.x.row(k) && train.y(i) == train.y(k) && train.group(i) == train.group(k)) {
        for (const char* name : {"loss", "confidence", "entropy", "group_loss", "group_confidence", "margin",
                                 "log_cell_weight", "cell_loss", "cell_share"})
          EXPECT_EQ(features(i, column(name)), features(k, column(name)));
        EXPECT_LT(features(k, column("loss_rank")),
                  features(i, column("loss_rank"))); // ties in order of index
      }
}

TEST(MetaFeatures, columns_without_variation_are_zero) {
  Split train = random_task(40, 3);
  train.group.setZero();
  train.y.setOnes();

  const Matrix features = features_of(train);

  for (const char* name : {"group", "group_loss", "group_confidence", "knn", "log_cell_weight", "cell_loss"})
    EXPECT_TRUE((features.col(column(name)).array() == 0.0).all()) << name;
  EXPECT_TRUE((features.col(column("cell_share")).array() == 1.4 / 0.6).all());
}

class MetaFeaturesDegenerate : public ::testing::TestWithParam<Degenerate> {};

TEST_P(MetaFeaturesDegenerate, are_finite_and_repeatable) {
  for (const bool use_group : {true, false}) {
    Split train = random_task(GetParam().rows, 4);
    GetParam().change(train);

    const Probe probe = fit_probe(train, use_group, 1e-3);
    for (const FeatureSet set : feature_sets) {
      FeatureOptions of_set = options;
      of_set.set = set;

      const Matrix features = meta_features(train, probe, of_set);

      EXPECT_EQ(features.rows(), GetParam().rows);
      EXPECT_EQ(features.cols(), feature_count(set));
      EXPECT_TRUE(features.allFinite()) << to_string(set);
      EXPECT_TRUE(same_bits(features, meta_features(train, probe, of_set)));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, MetaFeaturesDegenerate, ::testing::ValuesIn(degenerate_tasks),
                         [](const auto& test) { return std::string(test.param.name); });

} // namespace
} // namespace metasieve
