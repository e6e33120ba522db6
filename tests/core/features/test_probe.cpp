#include "features/probe.hpp"

#include "support/random_tasks.hpp"

#include <gtest/gtest.h>

namespace metasieve {
namespace {

using test::random_task;

/// The largest component of the gradient of mean loss + 1/2 w'Rw, from raw x by scalar loops.
double largest_gradient(const Split& train, const Probe& probe, double ridge) {
  const Index n = train.rows(), d = train.columns(), inputs = probe.beta.size() - 1;
  std::vector<std::vector<double>> column(static_cast<std::size_t>(inputs + 1),
                                          std::vector<double>(static_cast<std::size_t>(n), 1.0));
  for (Index j = 0; j < inputs; ++j) {
    auto& values = column[static_cast<std::size_t>(j)];
    double mean = 0, square = 0;
    for (Index i = 0; i < n; ++i) {
      values[static_cast<std::size_t>(i)] = j < d ? train.x(i, j) : train.group(i);
      mean += values[static_cast<std::size_t>(i)] / static_cast<double>(n);
    }
    for (double& v : values) square += (v - mean) * (v - mean) / static_cast<double>(n);
    for (double& v : values) v = square < 1e-20 ? 0.0 : (v - mean) / std::sqrt(square);
  }
  double largest = 0;
  for (Index j = 0; j <= inputs; ++j) {
    double gradient = (j < inputs ? ridge : 1e-6) * probe.beta(j);
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      double f = 0;
      for (Index k = 0; k <= inputs; ++k) f += column[static_cast<std::size_t>(k)][i] * probe.beta(k);
      gradient += (1.0 / (1.0 + std::exp(-f)) - train.y(static_cast<Index>(i))) *
                  column[static_cast<std::size_t>(j)][i] / static_cast<double>(n);
    }
    largest = std::max(largest, std::abs(gradient));
  }
  return largest;
}

TEST(Probe, gradient_vanishes) {
  const Split train = random_task(400, 6);

  for (const bool use_group : {false, true}) {
    const Probe probe = fit_probe(train, use_group, 1e-3);

    EXPECT_EQ(probe.status, FitStatus::converged);
    EXPECT_EQ(probe.beta.size(), use_group ? 8 : 7);
    EXPECT_LT(largest_gradient(train, probe, 1e-3), 1e-8);
  }
}

TEST(Probe, gradient_vanishes_on_separable_labels) {
  Split train = random_task(300, 4);
  for (Index i = 0; i < train.rows(); ++i) train.y(i) = train.x(i, 0) > 0.1F ? 1 : 0;

  const Probe probe = fit_probe(train, true, 1e-3);

  EXPECT_EQ(probe.status, FitStatus::converged);
  EXPECT_LT(largest_gradient(train, probe, 1e-3), 1e-8);
}

TEST(Probe, constant_column_and_constant_group_get_no_weight) {
  Split train = random_task(300, 4);
  train.x.col(2).setConstant(0.1F);
  train.group.setOnes();

  const Probe probe = fit_probe(train, true, 1e-3);

  EXPECT_EQ(probe.status, FitStatus::converged);
  EXPECT_LT(largest_gradient(train, probe, 1e-3), 1e-8);
  EXPECT_EQ(probe.beta(2), 0.0);
  EXPECT_EQ(probe.beta(4), 0.0);
}

TEST(Probe, one_class_converges) {
  Split train = random_task(50, 3);
  train.y.setOnes();

  const Probe probe = fit_probe(train, true, 1e-3);

  EXPECT_EQ(probe.status, FitStatus::converged);
  EXPECT_LT(largest_gradient(train, probe, 1e-3), 1e-8);
}

TEST(Probe, zero_rows_are_reported_not_thrown) {
  const Probe probe = fit_probe(random_task(0, 3), true, 1e-3);

  EXPECT_EQ(probe.status, FitStatus::diverged);
  EXPECT_EQ(probe.beta, Vector(Vector::Zero(5)));
}

TEST(RowLogits, equal_rows_get_equal_bits) {
  Matrix design = Matrix::Random(37, 11);
  for (Index i = 1; i < design.rows(); ++i) design.row(i) = design.row(0);

  const Vector logits = row_logits(design, Vector::Random(11));

  EXPECT_TRUE((logits.array() == logits(0)).all());
}

} // namespace
} // namespace metasieve
