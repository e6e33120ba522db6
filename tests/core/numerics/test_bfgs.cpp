#include "numerics/bfgs.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace metasieve {
namespace {

Minimum minimum(const std::function<Objective(const Vector&)>& f, const Vector& start,
                double tolerance = 1e-10, int step_limit = 500) {
  return minimise(f, start, Eigen::MatrixXd::Identity(start.size(), start.size()), tolerance, step_limit);
}

/// A curved valley with its minimum 0 at (1, 1), not convex above it.
Objective rosenbrock(const Vector& x) {
  const double off = x(1) - x(0) * x(0);
  return {std::pow(1.0 - x(0), 2) + 100.0 * off * off,
          Vector{{-2.0 * (1.0 - x(0)) - 400.0 * x(0) * off, 200.0 * off}}};
}

TEST(Bfgs, follows_a_curved_valley) {
  for (const Vector& start : {Vector{{-1.2, 1.0}}, Vector{{0.0, 5.0}}, Vector{{3.0, -2.0}}}) {
    const Minimum found = minimum(rosenbrock, start);

    EXPECT_EQ(found.status, FitStatus::converged);
    EXPECT_LT((found.point - Vector::Ones(2)).norm(), 1e-8);
    EXPECT_LE(found.iterations, 60);
  }
}

TEST(Bfgs, leaves_a_concave_region_downwards) {
  // cos x: concave around 0, with minima -1 at odd multiples of pi.
  const auto cosine = [](const Vector& x) -> Objective {
    return {std::cos(x(0)), Vector{{-std::sin(x(0))}}};
  };

  const Minimum found = minimum(cosine, Vector{{0.1}});

  EXPECT_EQ(found.status, FitStatus::converged);
  EXPECT_NEAR(std::cos(found.point(0)), -1.0, 1e-12);
}

TEST(Bfgs, with_the_inverse_of_the_hessian_takes_one_step) {
  const Eigen::MatrixXd hessian{{4.0, 1.0}, {1.0, 3.0}},
      inverse{{3.0 / 11, -1.0 / 11}, {-1.0 / 11, 4.0 / 11}};
  const Vector right{{1.0, 2.0}};
  const auto quadratic = [&](const Vector& x) -> Objective {
    return {0.5 * x.dot(hessian * x) - right.dot(x), hessian * x - right};
  };

  const Minimum found = minimise(quadratic, Vector{{50.0, -70.0}}, inverse, 1e-9);

  EXPECT_LT((hessian * found.point - right).norm(), 1e-9);
  EXPECT_EQ(found.iterations, 1);
}

TEST(Bfgs, at_a_minimum_stays) {
  const Minimum found = minimum(rosenbrock, Vector::Ones(2));

  EXPECT_EQ(found.status, FitStatus::converged);
  EXPECT_EQ(found.point, Vector(Vector::Ones(2)));
  EXPECT_EQ(found.iterations, 0);
}

TEST(Bfgs, says_that_it_stopped_and_never_goes_up) {
  const Vector start{{-1.2, 1.0}};

  const Minimum stopped = minimum(rosenbrock, start, 1e-10, 3);
  const Minimum exact = minimum(rosenbrock, start, 0.0); // which rounding forbids

  EXPECT_EQ(stopped.status, FitStatus::step_limit);
  EXPECT_EQ(stopped.iterations, 3);
  EXPECT_LT(rosenbrock(stopped.point).value, rosenbrock(start).value);
  EXPECT_LT(rosenbrock(exact.point).value, 1e-20);
}

TEST(Bfgs, steps_back_from_values_that_are_not_finite) {
  // x - log x, of x > 0 alone
  const auto logarithm = [](const Vector& x) -> Objective {
    return {x(0) - std::log(x(0)), Vector{{1.0 - 1.0 / x(0)}}};
  };

  const Minimum found =
      minimise(logarithm, Vector{{5.0}}, Eigen::MatrixXd{{25.0}}, 1e-10); // at first below 0

  EXPECT_NEAR(found.point(0), 1.0, 1e-8);
}

TEST(Bfgs, says_that_the_start_is_not_finite) {
  const auto root = [](const Vector& x) -> Objective {
    return {std::sqrt(x(0)), Vector{{0.5 / std::sqrt(x(0))}}};
  };

  const Minimum found = minimum(root, Vector{{-1.0}});

  EXPECT_EQ(found.status, FitStatus::diverged);
  EXPECT_EQ(found.point, (Vector{{-1.0}}));
}

} // namespace
} // namespace metasieve
