#include "policy/adam.hpp"

#include <cmath>

namespace metasieve {

void Adam::move(Vector& theta, const Vector& gradient, double learning_rate) {
  constexpr double decay_first = 0.9, decay_second = 0.999, epsilon = 1e-8;
  ++step;
  first_moment = decay_first * first_moment + (1.0 - decay_first) * gradient;
  second_moment = decay_second * second_moment + (1.0 - decay_second) * gradient.cwiseAbs2();
  const double correction_first = 1.0 - std::pow(decay_first, static_cast<double>(step));
  const double correction_second = 1.0 - std::pow(decay_second, static_cast<double>(step));
  theta.array() -= learning_rate * ((first_moment.array() / correction_first) /
                                    ((second_moment.array() / correction_second).sqrt() + epsilon));
}

Vector Adam::update(const Vector& theta, const Vector& gradient, double learning_rate) {
  Vector moved = theta;
  move(moved, gradient, learning_rate);
  return moved;
}

double clip_factor(const Vector& gradient, double limit) {
  const double norm = gradient.norm();
  return limit > 0.0 && norm > limit ? limit / norm : 1.0;
}

Vector clipped(const Vector& gradient, double limit) { return gradient * clip_factor(gradient, limit); }

} // namespace metasieve
