// The generator against scikit-learn: mean test accuracy of a logistic fit, cell by cell, on the same
// protocol as tests/golden/make_classification_accuracy.py, which wrote the expected values.

#include "inner/design.hpp"
#include "numerics/logistic.hpp"
#include "numerics/newton.hpp"
#include "tasks/generate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

namespace metasieve {
namespace {

struct Cell {
  double separability, columns, positive, rows, seeds;
  double accuracy, accuracy_error, balanced, balanced_error, deviation;
};

std::vector<Cell> golden_cells() {
  std::ifstream file(METASIEVE_SOURCE_DIR "/tests/golden/make_classification_accuracy.csv");
  std::vector<Cell> cells;
  for (std::string line; std::getline(file, line);) {
    for (char& c : line) c = c == ',' ? ' ' : c;
    std::istringstream fields(line);
    Cell c{};
    if (fields >> c.separability >> c.columns >> c.positive >> c.rows >> c.seeds >> c.accuracy >>
        c.accuracy_error >> c.balanced >> c.balanced_error >> c.deviation)
      cells.push_back(c);
  }
  return cells;
}

struct Score {
  double accuracy, balanced;
};

Score score(const Task& task) {
  const Standardizer standardizer = fit_standardizer(task.train, false);
  const Matrix x = design_matrix(task.train, standardizer);
  const Vector beta = fit_logistic(x, to_vector(task.train.y), Vector::Ones(x.rows()), Vector::Zero(x.cols()),
                                   ridge_diagonal(x.cols(), 1e-3))
                          .beta;
  const Vector f = design_matrix(task.test, standardizer) * beta;
  double right[2] = {0, 0}, rows[2] = {0, 0};
  for (Index i = 0; i < f.size(); ++i) {
    rows[task.test.y(i)] += 1;
    right[task.test.y(i)] += (f(i) > 0) == (task.test.y(i) == 1) ? 1 : 0;
  }
  return {(right[0] + right[1]) / (rows[0] + rows[1]), (right[0] / rows[0] + right[1] / rows[1]) / 2};
}

struct Sample {
  double mean, error, deviation;
};

Sample summary(const Vector& values) {
  const double count = static_cast<double>(values.size());
  const double deviation = std::sqrt((values.array() - values.mean()).square().sum() / (count - 1));
  return {values.mean(), deviation / std::sqrt(count), deviation};
}

TEST(Difficulty, accuracy_of_a_logistic_fit_is_that_of_scikit_learn) {
  constexpr Index tasks = 250;
  const std::vector<Cell> cells = golden_cells();
  ASSERT_EQ(cells.size(), 24U);
  double chi_square = 0;
  std::uint64_t next_id = 0; // no two cells share a stream

  for (const Cell& cell : cells) {
    const Family family{.name = "cell",
                        .samples = {cell.rows, cell.rows},
                        .features = {cell.columns, cell.columns},
                        .label_noise = {0, 0},
                        .positive = {cell.positive, cell.positive},
                        .separability = {cell.separability, cell.separability},
                        .biased_fraction = 0};
    Vector accuracies(tasks), balanced(tasks);
    for (Index id = 0; id < tasks; ++id) {
      const Score s = score(generate_task(family, Seed{11}, TaskId(next_id++)));
      accuracies(id) = s.accuracy;
      balanced(id) = s.balanced;
    }
    const Sample ours = summary(accuracies), ours_balanced = summary(balanced);
    const std::string name = std::to_string(cell.separability) + ' ' + std::to_string(cell.columns) + ' ' +
                             std::to_string(cell.positive);

    // Four standard errors of the difference.
    const double error = std::hypot(ours.error, cell.accuracy_error);
    EXPECT_NEAR(ours.mean, cell.accuracy, 4 * error) << name;
    EXPECT_NEAR(ours_balanced.mean, cell.balanced, 4 * std::hypot(ours_balanced.error, cell.balanced_error))
        << name;
    // Spread between problems. A standard deviation of N near-normal values is known to 1/sqrt(2N); the
    // accuracies have heavier tails, hence six of them.
    EXPECT_NEAR(ours.deviation / cell.deviation, 1.0, 6 * std::sqrt(0.5 / tasks)) << name;
    chi_square += std::pow((ours.mean - cell.accuracy) / error, 2);
  }

  // All cells together: a bias of one standard error in each would double it. Mean 24, deviation sqrt(48).
  EXPECT_LT(chi_square, 24 + 4 * std::sqrt(48.0));
}

} // namespace
} // namespace metasieve
