#include "numerics/damped_newton.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace metasieve {
namespace {

/// A function of one point, and its derivatives there.
struct Function {
  std::function<double(const Vector&)> value;
  std::function<Derivatives(const Vector&)> derivatives;

  [[nodiscard]] Minimum minimum(const Vector& start, double tolerance = 1e-10, int step_limit = 100) const {
    Vector last;
    const auto value_at = [&](const Vector& x) { return value(last = x); };
    return minimise_damped(
        value_at, [&] { return derivatives(last); }, start, tolerance, step_limit);
  }
};

/// A curved valley with its minimum 0 at (1, 1), indefinite above it.
const Function rosenbrock{
    [](const Vector& x) { return std::pow(1.0 - x(0), 2) + 100.0 * std::pow(x(1) - x(0) * x(0), 2); },
    [](const Vector& x) -> Derivatives {
      const double off = x(1) - x(0) * x(0);
      return {Vector{{-2.0 * (1.0 - x(0)) - 400.0 * x(0) * off, 200.0 * off}},
              Eigen::MatrixXd{{2.0 - 400.0 * off + 800.0 * x(0) * x(0), 0.0}, {-400.0 * x(0), 200.0}}};
    }};

/// cos x: concave around 0, with minima -1 at odd multiples of pi.
const Function cosine{[](const Vector& x) { return std::cos(x(0)); },
                      [](const Vector& x) -> Derivatives {
                        return {Vector{{-std::sin(x(0))}}, Eigen::MatrixXd{{-std::cos(x(0))}}};
                      }};

TEST(DampedNewton, follows_a_curved_valley) {
  for (const Vector& start : {Vector{{-1.2, 1.0}}, Vector{{0.0, 5.0}}, Vector{{3.0, -2.0}}}) {
    const Minimum minimum = rosenbrock.minimum(start);

    EXPECT_EQ(minimum.status, FitStatus::converged);
    EXPECT_LT((minimum.point - Vector::Ones(2)).norm(), 1e-8);
    EXPECT_LE(minimum.iterations, 40);
  }
}

TEST(DampedNewton, leaves_a_concave_region_downwards) {
  const Minimum minimum = cosine.minimum(Vector{{0.1}});

  EXPECT_EQ(minimum.status, FitStatus::converged);
  EXPECT_NEAR(std::cos(minimum.point(0)), -1.0, 1e-12);
}

TEST(DampedNewton, of_a_quadratic_takes_a_few_steps) {
  const Eigen::MatrixXd hessian{{4.0, 1.0}, {1.0, 3.0}};
  const Vector right{{1.0, 2.0}};
  const Function quadratic{[&](const Vector& x) { return 0.5 * x.dot(hessian * x) - right.dot(x); },
                           [&](const Vector& x) -> Derivatives {
                             return {hessian * x - right, hessian};
                           }};

  const Minimum minimum = quadratic.minimum(Vector{{50.0, -70.0}});

  EXPECT_LT((hessian * minimum.point - right).norm(), 1e-9);
  EXPECT_LE(minimum.iterations, 6);
}

TEST(DampedNewton, at_a_minimum_stays) {
  const Minimum minimum = rosenbrock.minimum(Vector::Ones(2));

  EXPECT_EQ(minimum.status, FitStatus::converged);
  EXPECT_EQ(minimum.point, Vector(Vector::Ones(2)));
  EXPECT_EQ(minimum.iterations, 0);
}

TEST(DampedNewton, says_that_it_stopped_and_never_goes_up) {
  const Vector start{{-1.2, 1.0}};

  const Minimum stopped = rosenbrock.minimum(start, 1e-10, 3);
  const Minimum exact = rosenbrock.minimum(start, 0.0); // which rounding forbids

  EXPECT_EQ(stopped.status, FitStatus::step_limit);
  EXPECT_EQ(stopped.iterations, 3);
  EXPECT_LT(rosenbrock.value(stopped.point), rosenbrock.value(start));
  EXPECT_LT(rosenbrock.value(exact.point), 1e-20);
}

TEST(DampedNewton, steps_back_from_values_that_are_not_finite) {
  const Function logarithm{// x - log x, of x > 0 alone
                           [](const Vector& x) { return x(0) - std::log(x(0)); },
                           [](const Vector& x) -> Derivatives {
                             return {Vector{{1.0 - 1.0 / x(0)}}, Eigen::MatrixXd{{1.0 / (x(0) * x(0))}}};
                           }};

  const Minimum minimum = logarithm.minimum(Vector{{5.0}}); // the first step would end below 0

  EXPECT_NEAR(minimum.point(0), 1.0, 1e-8);
}

} // namespace
} // namespace metasieve
