// The fair probes: their objectives against the outer loss and central differences, and what they learn from.

#include "fairness/outer_loss.hpp"
#include "features/cells.hpp"
#include "features/fair_probes.hpp"
#include "features/meta_features.hpp"
#include "features/raw_signals.hpp"
#include "numerics/logistic.hpp"
#include "support/groups.hpp"
#include "support/numerics.hpp"
#include "support/random_tasks.hpp"

#include <Eigen/Eigenvalues>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>

namespace metasieve {
namespace {

using namespace test;

struct Terms {
  const char* name;
  bool balanced;
  FairGap gap;
};
constexpr std::array<Terms, 5> all_terms{{{"p01", false, FairGap::none},
                                          {"pboth", false, FairGap::both},
                                          {"pbothd", false, FairGap::denoised},
                                          {"q1", true, FairGap::none},
                                          {"q1dp", true, FairGap::dp}}};

/// Rows of a task with `groups` groups, a design, and any agreement of neighbours.
struct Fixture {
  Split train;
  Matrix design;
  Vector agreement;
  std::vector<Index> kept;

  explicit Fixture(Index groups, Index rows = 200, std::uint64_t salt = 3)
      : train(with_groups(random_task(rows, 4, salt), groups, salt)),
        design(design_matrix(train, fit_standardizer(train, true))),
        agreement(sigmoid(normals(rows, salt).array())), kept(all_rows(rows)) {}
  [[nodiscard]] FairRows rows() const { return fair_rows(design, train, agreement, kept); }
};

double value_at(const FairRows& rows, const FairObjective& objective, const Vector& beta) {
  return objective.value(rows.decision_sums().at(beta, sharpness));
}

Vector gradient_at(const FairRows& rows, const FairObjective& objective, const Vector& beta) {
  SigmoidSums sums = rows.decision_sums();
  return sums.gradient(objective.gradient(sums.at(beta, sharpness)));
}

class FairProbes : public ::testing::TestWithParam<Index> {};

TEST_P(FairProbes, gradients_are_those_of_central_differences) {
  const Fixture f(GetParam());
  const FairRows rows = f.rows();
  const Vector beta = 0.5 * normals(f.design.cols(), 8);
  for (const auto& [name, balanced, gap] : all_terms) {
    SCOPED_TRACE(name);
    const FairObjective objective(rows, balanced, gap);
    const auto value = [&](const Vector& b) { return value_at(rows, objective, b); };
    EXPECT_LT(relative_error(gradient_at(rows, objective, beta), central_difference(value, beta, 1e-4)),
              1e-8);
  }
}

TEST_P(FairProbes, objectives_are_the_outer_loss) {
  const Fixture f(GetParam());
  const FairRows rows = f.rows();
  const Vector beta = normals(f.design.cols(), 8), score = f.design * beta;
  const auto loss = [&](Gap gap) {
    return outer_loss(score, f.train.y, f.train.group, {AccuracyLoss::zero_one, gap, 0.35});
  };

  EXPECT_NEAR(value_at(rows, {rows, false, FairGap::none}, beta), loss(Gap::none).loss, 1e-12);
  EXPECT_NEAR(value_at(rows, {rows, false, FairGap::both}, beta), loss(Gap::both).loss, 1e-12);
  const double accuracy = value_at(rows, {rows, true, FairGap::none}, beta);
  EXPECT_NEAR(value_at(rows, {rows, true, FairGap::dp}, beta), accuracy + 0.35 * loss(Gap::dp).fairness_loss,
              1e-12);
}

TEST_P(FairProbes, denoised_gaps_are_those_of_the_labels_of_most_neighbours) {
  const Fixture f(GetParam());
  const FairRows rows = f.rows();
  const Vector beta = normals(f.design.cols(), 8), score = f.design * beta;
  const Labels of_most = Labels::NullaryExpr(200, [&](Index i) {
    return static_cast<std::uint8_t>(f.agreement(i) > 0.5 ? f.train.y(i) : 1 - f.train.y(i));
  });

  const double found = value_at(rows, {rows, false, FairGap::denoised}, beta);

  const double gap =
      outer_loss(score, of_most, f.train.group, {AccuracyLoss::zero_one, Gap::both, 1.0}).fairness_loss;
  EXPECT_NEAR(found, value_at(rows, {rows, false, FairGap::none}, beta) + 0.35 * gap, 1e-12);
}

TEST_P(FairProbes, end_at_minima) {
  const Fixture f(GetParam());
  const FairRows rows = f.rows();
  const Vector start = fit_probe(f.train, true, 1e-3).beta, ridge = ridge_diagonal(start.size(), 2.5e-4);

  const Matrix probes = fit_fair_probes(rows, start);

  const std::array<Terms, 4> terms{all_terms[0], all_terms[1], all_terms[2], all_terms[4]};
  for (Index k = 0; k < 4; ++k) {
    SCOPED_TRACE(terms[static_cast<std::size_t>(k)].name);
    const FairObjective objective(rows, terms[static_cast<std::size_t>(k)].balanced,
                                  terms[static_cast<std::size_t>(k)].gap);
    const Vector beta = probes.row(k);
    const auto gradient = [&](const Vector& b) -> Vector {
      return gradient_at(rows, objective, b) + ridge.cwiseProduct(b);
    };
    EXPECT_LT(gradient(beta).cwiseAbs().maxCoeff(), 1e-6);
    Eigen::MatrixXd hessian(beta.size(), beta.size());
    for (Index j = 0; j < beta.size(); ++j) {
      const auto slope = [&](const Vector& b) { return gradient(b)(j); };
      hessian.col(j) = central_difference(slope, beta, 1e-4);
    }
    EXPECT_GT(Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(hessian).eigenvalues()(0), 0.0);
    const auto penalised = [&](const Vector& b) {
      return value_at(rows, objective, b) + 0.5 * b.dot(ridge.cwiseProduct(b));
    };
    if (k == 1 || k == 2) // from p01, which they are where one group has no gap
      EXPECT_LE(penalised(beta), penalised(probes.row(0)));
    else
      EXPECT_LT(penalised(beta), penalised(start));
  }
}

INSTANTIATE_TEST_SUITE_P(groups, FairProbes, ::testing::Values<Index>(1, 2, 3, 5),
                         [](const auto& test) { return std::to_string(test.param); });

TEST(FairProbes, sixty_four_groups_are_served) {
  const Fixture f(64, 900);
  const FairRows rows = f.rows();

  const Matrix probes = fit_fair_probes(rows, Vector::Zero(f.design.cols()));

  EXPECT_TRUE(probes.allFinite());
  EXPECT_NE(probes.row(0), probes.row(1));
}

TEST(FairProbes, balanced_labels_count_the_same_in_each_group) {
  const Fixture f(2);
  const FairRows rows = f.rows();
  std::array<double, 4> weight{}; // of cell 2 y + z
  for (const Index z : {0, 1}) {
    const auto count = [&](Index y) {
      double found = 0;
      for (Index i = 0; i < 200; ++i) found += f.train.y(i) == y && rows.group(i) == z;
      return found;
    };
    for (const Index y : {0, 1}) weight[2 * y + z] = std::min(8.0, 0.5 * (count(0) + count(1)) / count(y));
  }
  const Vector beta = normals(f.design.cols(), 8), score = f.design * beta;
  double expected = 0;
  for (Index i = 0; i < 200; ++i) {
    const double t = 2.0 * f.train.y(i) - 1.0;
    expected += weight[2 * f.train.y(i) + rows.group(i)] * sigmoid(-4.0 * t * score(i)) / 200;
  }

  EXPECT_NEAR(value_at(rows, {rows, true, FairGap::none}, beta), expected, 1e-12);
}

TEST(FairProbes, the_weight_of_a_rare_label_is_bounded) {
  Fixture f(1);
  f.train.y.setZero();
  f.train.y(11) = 1; // balanced, it would weigh 100
  const FairRows rows = f.rows();
  const Vector beta = Vector::Zero(f.design.cols());

  EXPECT_NEAR(value_at(rows, {rows, true, FairGap::none}, beta), (8 + 199 * 100.0 / 199) / 200 / 2, 1e-12);
}

TEST(FairProbes, a_group_of_two_rows_has_no_gap) {
  Fixture f(1);
  f.train.groups = 2;
  f.train.group(3) = f.train.group(90) = 1;
  const FairRows two = f.rows();
  const Vector beta = normals(f.design.cols(), 8);
  const auto gaps = [&](const FairRows& rows) {
    return value_at(rows, {rows, false, FairGap::both}, beta) -
           value_at(rows, {rows, false, FairGap::none}, beta);
  };

  EXPECT_EQ(gaps(two), 0.0);
  f.train.group(91) = 1;
  EXPECT_GT(gaps(f.rows()), 0.0);
}

TEST(FairProbes, denoised_labels_are_those_of_most_neighbours) {
  Fixture f(2);
  f.train.y.head(6) << 0, 0, 1, 1, 0, 1;
  f.agreement.head(6) << 1.0, 7.0 / 15, 8.0 / 15, 0.0, 0.5, 0.5;

  EXPECT_EQ(Labels(f.rows().denoised.head(6)), (Labels{{0, 1, 1, 0, 0, 0}}));
}

TEST(FairProbes, learn_from_the_kept_rows_alone) {
  Fixture f(3);
  for (Index i = 0; i < 200; ++i)
    if (i % 3 == 0) std::erase(f.kept, i);
  const Vector start = fit_probe(f.train, true, 1e-3).beta;
  const auto probes = [&] {
    const FairRows rows = f.rows();
    return fit_fair_probes(rows, start);
  };
  const Matrix before = probes();
  for (Index i = 0; i < 200; i += 3) {
    f.train.y(i) ^= 1;
    f.train.group(i) = 2;
    f.agreement(i) = 1.0 - f.agreement(i);
  }

  EXPECT_EQ(probes(), before);
  f.train.y(1) ^= 1;
  EXPECT_NE(probes(), before);
}

// ---------------------------------------------------------------- the feature set

FeatureOptions options() {
  return {.set = FeatureSet::fair, .ridge = 1e-3, .seed = Seed{3}, .id = TaskId{8}};
}

Index column(std::string_view name) { return feature_column(FeatureSet::fair, name); }

TEST(Fair, columns_of_a_probe_by_hand) {
  const Labels y{{0, 0, 1, 1, 0, 1}}, group{{0, 0, 0, 1, 1, 1}};
  const Split train{MatrixF::Zero(6, 1), y, group, y};
  Matrix margins = Matrix::Zero(6, 4);
  margins.col(1) << -2.0, 1.0, 3.0, 1e-9, -1.0, 0.5; // the fourth is 0 but for rounding

  const Matrix features = assemble_features(
      train, {Vector::Zero(6), Vector::Constant(6, 0.5), Vector::Zero(6), Vector::Zero(6), margins},
      FeatureSet::fair);

  const auto at = [&](Index row, const char* name) { return features(row, column(name)); };
  EXPECT_NEAR(at(2, "pboth_common"), std::tanh(1.5), 1e-15);
  EXPECT_EQ(at(3, "pboth_common"), 0.0);
  EXPECT_NEAR(at(0, "pboth_margin"), (-2.0 - 0.25) / std::sqrt(15.25 / 6 - 0.0625), 1e-12);
  EXPECT_EQ(at(0, "pboth_rank"), -1.0);
  EXPECT_NEAR(at(3, "pboth_rank"), 2.0 * 2 / 5 - 1, 1e-15);
  const double mean = 1.0 / 6; // of the signs -1, 1, 1, 0, -1, 1
  const auto drawn = [&](double sum, double rows) { return (sum + 5 * mean) / (rows + 5); };
  EXPECT_NEAR(at(0, "cell_pboth"), drawn(-1 + 1, 2), 1e-15);
  EXPECT_NEAR(at(0, "cell_pboth_group"), drawn(-1, 1), 1e-15);
  EXPECT_NEAR(at(0, "cell_pboth_label"), drawn(1, 1), 1e-15);
  EXPECT_NEAR(at(0, "cell_pboth_both"), drawn(0 + 1, 2), 1e-15);
  EXPECT_EQ(at(5, "q1dp_common"), 0.0);
}

TEST(Fair, z_scores_are_clipped) {
  Split train = random_task(100, 2);
  Matrix margins = Matrix::Zero(100, 4);
  margins(7, 0) = 100.0;
  const Vector none = Vector::Zero(100);

  const Matrix features = assemble_features(train, {none, none, none, none, margins}, FeatureSet::fair);

  EXPECT_EQ(features(7, column("p01_margin")), 4.0);
}

TEST(Fair, begins_with_the_columns_of_relative) {
  for (const Index groups : {1, 2, 4}) {
    const Split train = with_groups(random_task(150, 4), groups, 2);
    const Probe probe = fit_probe(train, true, 1e-3);
    FeatureOptions relative = options();
    relative.set = FeatureSet::relative;

    const Matrix features = meta_features(train, probe, options());

    EXPECT_EQ(features.cols(), 56);
    EXPECT_EQ(features.leftCols(28), meta_features(train, probe, relative));
  }
  for (Index j = 0; j < 28; ++j)
    EXPECT_EQ(feature_name(FeatureSet::fair, j), feature_name(FeatureSet::relative, j));
}

TEST(Fair, names_are_different) {
  for (Index j = 0; j < 56; ++j) EXPECT_EQ(column(feature_name(FeatureSet::fair, j)), j);
}

TEST(Fair, of_blind_tasks_has_probes_without_the_group) {
  Split train = with_groups(random_task(250, 4), 2, 2);
  const auto features = [&](bool use_group) {
    return meta_features(train, fit_probe(train, use_group, 1e-3), options());
  };
  const Matrix blind = features(false), seeing = features(true);
  train.group = random_groups(250, 2, 9);
  const Matrix blind_after = features(false), seeing_after = features(true);

  // p01 has no gap, so of a blind task it does not depend on the groups at all.
  for (const char* name : {"p01_common", "p01_margin", "p01_rank"}) {
    EXPECT_EQ(blind.col(column(name)), blind_after.col(column(name))) << name;
    EXPECT_NE(seeing.col(column(name)), seeing_after.col(column(name))) << name;
  }
  EXPECT_NE(blind.col(column("pboth_common")), blind_after.col(column("pboth_common")));
}

TEST(Fair, rejected_rows_are_asked_and_teach_nothing) {
  Split train = with_groups(random_task(250, 4), 3, 2);
  std::vector<Index> kept;
  for (Index i = 0; i < 250; ++i)
    if (i % 4 != 0) kept.push_back(i);
  const Probe probe = fit_probe(train, true, 1e-3);
  const Matrix before = meta_features(train, probe, options(), kept);
  train.y(8) ^= 1; // a rejected row

  const Matrix after = meta_features(train, probe, options(), kept);

  for (const char* name : {"p01_common", "pboth_common", "pbothd_common", "q1dp_common"}) {
    const Vector was = before.col(column(name)), is = after.col(column(name));
    EXPECT_EQ(is(8), -was(8)) << name; // its own label alone
    EXPECT_NE(is(8), 0.0) << name;
    EXPECT_EQ(is(kept), was(kept)) << name;
  }
}

TEST(Fair, equal_rows_have_equal_margins) {
  const Split train = duplicated_task(300, 3, 3);

  const Matrix features = meta_features(train, fit_probe(train, true, 1e-3), options());

  for (Index i = 0; i < 300; ++i)
    for (Index k = 0; k < i; ++k)
      if (train.x.row(i) == train.x.row(k) && train.y(i) == train.y(k) && train.group(i) == train.group(k)) {
        EXPECT_EQ(features(i, column("pbothd_margin")), features(k, column("pbothd_margin")));
      }
}

} // namespace
} // namespace metasieve
