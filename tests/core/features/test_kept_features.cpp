#include "features/cells.hpp"
#include "features/meta_features.hpp"
#include "features/probe.hpp"
#include "features/random_fourier.hpp"
#include "numerics/newton.hpp"
#include "support/numerics.hpp"
#include "tasks/generate.hpp"

#include <Eigen/LU>
#include <algorithm>

namespace metasieve {
namespace {

using namespace test;

constexpr double ridge = 1e-2;

struct Fixture {
  PreparedTask task;
  Vector weights; ///< about 7 of 10 rows
  FeatureOptions options{FeatureSet::full, ridge, Seed{4}, TaskId{1}};

  explicit Fixture(double samples = 130) {
    Family family;
    family.samples = {samples, samples};
    family.features = {5, 5};
    family.label_noise = {0.2, 0.2};
    family.minority = family.positive = {0.4, 0.4};
    task = prepare(generate_task(family, Seed{4}, TaskId{1}), {FeatureSet::full, true, ridge, Seed{4}});
    weights = coin(task.train.rows(), 8, 0.7).cast<double>();
  }
  [[nodiscard]] Probe refitted() const { return refit_probe(task.train, task.probe, weights, ridge); }
  [[nodiscard]] std::vector<Index> rows(bool kept) const {
    std::vector<Index> out;
    for (Index i = 0; i < weights.size(); ++i)
      if ((weights(i) > 0) == kept) out.push_back(i);
    return out;
  }
};

Vector column_of(const Matrix& features, const Fixture& f, std::string_view name) {
  return features.col(feature_column(f.options.set, name));
}

TEST(KeptFeatures, with_every_row_kept_are_the_meta_features) {
  Fixture f;
  f.weights.setOnes();
  for (const FeatureSet set : feature_sets) {
    f.options.set = set;

    const Matrix features = meta_features(f.task.train, f.task.probe, f.options, f.rows(true));

    const Matrix expected = meta_features(f.task.train, f.task.probe, f.options);
    EXPECT_LT((features - expected).cwiseAbs().maxCoeff(), 1e-10) << to_string(set);
  }
}

TEST(KeptFeatures, probe_is_the_fit_to_the_kept_rows) {
  const Fixture f;
  const std::vector<Index> kept = f.rows(true);
  const Matrix design = design_matrix(f.task.train, f.task.probe.standardizer, kept);

  const Probe probe = f.refitted();

  const LogisticFit expected =
      fit_logistic(design, to_vector(f.task.train.y(kept)), Vector::Ones(design.rows()),
                   Vector::Zero(design.cols()), ridge_diagonal(design.cols(), ridge));
  EXPECT_LT((probe.beta - expected.beta).cwiseAbs().maxCoeff(), 1e-7);
  EXPECT_EQ(probe.standardizer.mean, f.task.probe.standardizer.mean);
}

TEST(KeptFeatures, neighbours_are_kept_rows) {
  const Fixture f;
  const Split& train = f.task.train;
  const std::vector<Index> kept = f.rows(true);
  const Matrix x = design_matrix(train, f.task.probe.standardizer).leftCols(train.columns());
  Vector expected(train.rows());
  for (Index i = 0; i < train.rows(); ++i) {
    std::vector<Index> others = kept;
    std::erase(others, i);
    std::ranges::stable_sort(others, {}, [&](Index k) { return (x.row(k) - x.row(i)).norm(); });
    double same = 0;
    for (std::size_t k = 0; k < 15; ++k) same += train.y(others[k]) == train.y(i);
    expected(i) = same / 15;
  }

  const Matrix features = meta_features(train, f.refitted(), f.options, kept);

  EXPECT_LT((column_of(features, f, "knn") - z_scored(expected)).cwiseAbs().maxCoeff(), 1e-10);
}

TEST(KeptFeatures, rejected_rows_are_predicted_by_fits_to_the_kept_rows) {
  const Fixture f;
  const Split& train = f.task.train;
  const std::vector<Index> kept = f.rows(true), others = f.rows(false);
  const Probe probe = f.refitted();
  const Matrix design = design_matrix(train, probe.standardizer), x = design.leftCols(train.columns());
  const Vector target = 2.0 * to_vector(train.y).array() - 1.0;
  // Ridge regression in its dual form: k'(K + ridge I)^-1 t.
  const FourierBasis basis = draw_fourier_basis(x, f.options.seed, f.options.id);
  const Eigen::MatrixXd z = fourier_features(basis, x);
  const Eigen::MatrixXd inside = z(kept, Eigen::all), outside = z(others, Eigen::all);
  const Vector kept_target = target(kept);
  const LeaveOneOut loo = leave_one_out_ridge(inside, kept_target, fourier_ridges);
  Eigen::MatrixXd kernel = inside * inside.transpose();
  kernel.diagonal().array() += loo.ridge;
  Vector fourier(train.rows()), folds(train.rows());
  fourier(kept) = loo.prediction;
  fourier(others) = outside * (inside.transpose() * kernel.inverse() * kept_target);
  const Matrix kept_design = design(kept, Eigen::all);
  const Labels kept_y = train.y(kept);
  folds(kept) = out_of_fold_logits(kept_design, kept_y, probe.beta, ridge,
                                   Stream(f.options.seed, Draw::folds, f.options.id));
  folds(others) = design(others, Eigen::all) * probe.beta;

  const Matrix features = meta_features(train, probe, f.options, kept);

  const Vector fourier_margin = target.cwiseProduct(fourier), fold_margin = target.cwiseProduct(folds);
  EXPECT_LT((column_of(features, f, "oof_margin") - z_scored(fold_margin)).cwiseAbs().maxCoeff(), 1e-9);
  EXPECT_LT((column_of(features, f, "rff_margin") - z_scored(fourier_margin)).cwiseAbs().maxCoeff(), 1e-7);
}

TEST(KeptFeatures, base_rates_are_those_of_all_rows) {
  const Fixture f;

  const Matrix features = meta_features(f.task.train, f.refitted(), f.options, f.rows(true));

  const Matrix before = meta_features(f.task.train, f.task.probe, f.options);
  for (const char* name : {"group", "label", "log_cell_weight", "cell_share"})
    EXPECT_EQ(column_of(features, f, name), column_of(before, f, name)) << name;
  for (const char* name : {"loss", "confidence", "knn", "oof_margin", "rff_margin", "cell_loss"})
    EXPECT_NE(column_of(features, f, name), column_of(before, f, name)) << name;
}

TEST(KeptFeatures, of_the_context_set_know_the_base_rates_of_all_rows_and_the_evidence_of_the_kept) {
  Fixture f;
  f.options.set = FeatureSet::context;

  const Matrix features = meta_features(f.task.train, f.refitted(), f.options, f.rows(true));

  const Matrix before = meta_features(f.task.train, f.task.probe, f.options);
  for (const char* name : {"group", "label", "log_cell_weight", "cell_share", "log_odds"})
    EXPECT_EQ(column_of(features, f, name), column_of(before, f, name)) << name;
  for (const char* name : {"knn_common", "rff_common", "oof_common", "cell_knn", "cell_rff", "cell_decision"})
    EXPECT_NE(column_of(features, f, name), column_of(before, f, name)) << name;
}

TEST(KeptFeatures, of_the_relative_set_know_the_groups_of_all_rows) {
  Fixture f;
  f.options.set = FeatureSet::relative;

  const Matrix features = meta_features(f.task.train, f.refitted(), f.options, f.rows(true));

  const Matrix before = meta_features(f.task.train, f.task.probe, f.options);
  for (const char* name : {"log_group_share", "group_rate_difference", "log_cell_weight", "log_odds"})
    EXPECT_EQ(column_of(features, f, name), column_of(before, f, name)) << name;
  for (const char* name : {"cell_knn_group", "cell_rff_group", "cell_decision_both"})
    EXPECT_NE(column_of(features, f, name), column_of(before, f, name)) << name;
}

TEST(KeptFeatures, the_label_of_a_rejected_row_teaches_nothing) {
  Fixture f;
  const Vector beta = f.refitted().beta;
  for (const Index i : f.rows(false)) f.task.train.y(i) ^= 1;

  EXPECT_EQ(f.refitted().beta, beta);
}

TEST(KeptFeatures, one_class_one_row_and_one_group_stay_finite) {
  Fixture f(20);
  const auto finite = [&] {
    return std::ranges::all_of(feature_sets, [&](FeatureSet set) {
      f.options.set = set;
      return meta_features(f.task.train, f.refitted(), f.options, f.rows(true)).allFinite();
    });
  };

  f.weights = to_vector(f.task.train.y); // positives only
  EXPECT_TRUE(finite());
  f.weights.setZero();
  f.weights(3) = 1;
  EXPECT_TRUE(finite());
  f.weights.setOnes();
  f.task.train.group.setZero();
  EXPECT_TRUE(finite());
}

} // namespace
} // namespace metasieve
