#include "numerics/bfgs.hpp"

#include <cmath>
#include <limits>
#include <optional>

namespace metasieve {
namespace {

struct State {
  Vector point;
  Objective at;
};

bool is_finite(const Objective& at) { return std::isfinite(at.value) && at.gradient.allFinite(); }

/// Bisection and doubling: an upper bound fails the decrease, a lower bound the curvature condition.
std::optional<State> line_search(const std::function<Objective(const Vector&)>& f, const State& from,
                                 const Vector& direction) {
  constexpr double decrease = 1e-4, curvature = 0.9;
  const double slope = from.at.gradient.dot(direction);
  // Near the optimum the value cannot show the decrease that the slopes do.
  const double slack = 1e-14 * (1.0 + std::abs(from.at.value));
  double low = 0.0, high = std::numeric_limits<double>::infinity(), step = 1.0;
  for (int trial = 0; trial < 60; ++trial) {
    State next{from.point + step * direction, {}};
    next.at = f(next.point);
    if (!is_finite(next.at) || next.at.value > from.at.value + decrease * step * slope + slack)
      high = step;
    else if (next.at.gradient.dot(direction) < curvature * slope)
      low = step;
    else
      return next;
    step = std::isinf(high) ? 2.0 * low : 0.5 * (low + high);
  }
  return std::nullopt;
}

/// H <- (I - r s g') H (I - r g s') + r s s', r = 1 / s'g: H is the inverse Hessian along the step s, over
/// which the gradient changed by g.
void update(Eigen::MatrixXd& inverse_hessian, const Vector& s, const Vector& g) {
  const double curvature = s.dot(g);
  if (!(curvature > 1e-12 * s.norm() * g.norm())) return; // would lose positive definiteness to rounding
  const double r = 1.0 / curvature;
  const Vector hg = inverse_hessian * g;
  inverse_hessian += r * (1.0 + r * g.dot(hg)) * s * s.transpose();
  inverse_hessian -= r * (hg * s.transpose() + s * hg.transpose());
}

} // namespace

Minimum minimise(const std::function<Objective(const Vector&)>& f, const Vector& start,
                 Eigen::MatrixXd inverse_hessian, double tolerance, int step_limit) {
  const Eigen::MatrixXd first_guess = inverse_hessian;
  State state{start, f(start)};
  if (!is_finite(state.at)) return {start, FitStatus::diverged, 0};
  bool fresh = true; // whether inverse_hessian is still the first guess
  for (int i = 0; i < step_limit; ++i) {
    if (state.at.gradient.cwiseAbs().maxCoeff() < tolerance) return {state.point, FitStatus::converged, i};
    const Vector direction = -(inverse_hessian * state.at.gradient);
    const std::optional<State> next =
        direction.dot(state.at.gradient) < 0.0 ? line_search(f, state, direction) : std::nullopt;
    if (!next) {
      if (fresh) return {state.point, FitStatus::step_limit, i};
      inverse_hessian = first_guess; // what was learnt misleads: forget it
      fresh = true;
      continue;
    }
    update(inverse_hessian, next->point - state.point, next->at.gradient - state.at.gradient);
    fresh = false;
    state = *next;
  }
  return {state.point, FitStatus::step_limit, step_limit};
}

} // namespace metasieve
