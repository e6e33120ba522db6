// The figures that Roh et al. publish for their synthetic data, on their files.

#include "fairness/metrics.hpp"
#include "methods/roh.hpp"
#include "numerics/newton.hpp"
#include "support/npy.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace metasieve {
namespace {

using namespace test;

/// xz_train.npy and the others: METASIEVE_DATA/roh2021, else the folder beside the source tree.
std::filesystem::path data_folder() {
  const char* const given = std::getenv("METASIEVE_DATA");
  const std::filesystem::path root =
      given != nullptr ? std::filesystem::path(given) : METASIEVE_SOURCE_DIR "/../shared/data";
  return root / "roh2021";
}

Matrix with_intercept(const Matrix& x) {
  Matrix out(x.rows(), x.cols() + 1);
  out << x, Vector::Ones(x.rows());
  return out;
}

/// Labels -1 and 1, or groups 0 and 1.
Labels positive(const Matrix& column) { return (column.col(0).array() > 0.0).cast<std::uint8_t>(); }

class RohPublished : public ::testing::Test {
protected:
  void SetUp() override {
    const std::filesystem::path folder = data_folder();
    if (!std::filesystem::exists(folder / "xz_train.npy"))
      GTEST_SKIP() << "the data of Roh et al. 2021 are not in " << folder << ": set METASIEVE_DATA";
    const auto read = [&](const char* name) { return read_npy(folder / name); };
    x = with_intercept(read("xz_train.npy")); // the group is an input; nothing is standardised
    y = positive(read("y_noise_general.npy"));
    group = positive(read("z_train.npy"));
    x_test = with_intercept(read("xz_test.npy"));
    y_test = positive(read("y_test.npy"));
    group_test = positive(read("z_test.npy"));
  }

  /// Means over five seeds: accuracy, and the gap that is asked for.
  std::pair<double, double> mean_of_seeds(RohFairness fairness, double Metrics::*gap) const {
    std::pair<double, double> sum{0, 0};
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      RohOptions options;
      options.fairness = fairness;
      options.seed = Seed{seed};
      const Metrics metrics =
          evaluate_predictor(x_test * fit_roh(x, y, group, 2, options).beta, y_test, group_test);
      sum.first += metrics.accuracy / 5;
      sum.second += metrics.*gap / 5;
    }
    return sum;
  }

  Matrix x, x_test;
  Labels y, group, y_test, group_test;
};

TEST_F(RohPublished, data_are_theirs) {
  EXPECT_EQ(x.rows(), 2000);
  EXPECT_EQ(x_test.rows(), 1000);
  EXPECT_NEAR(group.cast<double>().mean(), 0.813, 1e-12);
  EXPECT_EQ(x.col(2), group.cast<double>());
}

TEST_F(RohPublished, logistic_regression_on_all_rows_is_inaccurate_and_unfair) {
  const LogisticFit fit = fit_logistic(x, y.cast<double>(), Vector::Ones(x.rows()), Vector::Zero(x.cols()),
                                       ridge_diagonal(x.cols(), 1e-6));

  const Metrics metrics = evaluate_predictor(x_test * fit.beta, y_test, group_test);

  EXPECT_NEAR(metrics.accuracy, 0.66, 0.01);
  EXPECT_NEAR(metrics.roh_eo, 0.58, 0.02);
  EXPECT_NEAR(metrics.roh_dp, 0.42, 0.02);
}

TEST_F(RohPublished, equalised_odds) {
  const auto [accuracy, gap] = mean_of_seeds(RohFairness::eqodds, &Metrics::roh_eo);

  RecordProperty("accuracy", std::to_string(accuracy));
  RecordProperty("gap", std::to_string(gap));
  EXPECT_NEAR(accuracy, 0.7268, 0.01);
  EXPECT_NEAR(gap, 0.0641, 0.02);
}

TEST_F(RohPublished, demographic_parity) {
  const auto [accuracy, gap] = mean_of_seeds(RohFairness::dp, &Metrics::roh_dp);

  RecordProperty("accuracy", std::to_string(accuracy));
  RecordProperty("gap", std::to_string(gap));
  EXPECT_NEAR(accuracy, 0.7196, 0.01);
  EXPECT_NEAR(gap, 0.0058, 0.02);
}

// What the fairness budgets and batches are for: clean rows of lowest loss alone leave the model unfair.
TEST_F(RohPublished, robust_selection_alone_removes_the_noise_but_not_the_unfairness) {
  RohOptions options;
  options.fairness = RohFairness::none;

  const RohFit fit = fit_roh(x, y, group, 2, options);

  const Labels y_clean = positive(read_npy(data_folder() / "y_train.npy"));
  const Vector flipped = (y.array() != y_clean.array()).cast<double>();
  EXPECT_EQ(flipped.mean(), 0.1);
  EXPECT_EQ(fit.selected.sum(), 1800.0);
  EXPECT_LT(flipped.dot(fit.selected) / 1800.0, 0.02);
  EXPECT_GT(evaluate_predictor(x_test * fit.beta, y_test, group_test).roh_eo, 0.3);
}

} // namespace
} // namespace metasieve
