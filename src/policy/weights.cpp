#include "policy/weights.hpp"

#include <cmath>

namespace metasieve {
namespace {

/// q with mean sigmoid((v - q)/T) = keep: Newton's method, kept inside a shrinking bracket by bisection.
double threshold(const Vector& v, double keep, double temperature) {
  double low = v.minCoeff() - 40.0 * temperature, high = v.maxCoeff() + 40.0 * temperature;
  double q = 0.0;
  for (int i = 0; i < 200; ++i) {
    const Eigen::ArrayXd s = sigmoid((v.array() - q) / temperature);
    const double excess = s.mean() - keep;
    (excess > 0.0 ? low : high) = q;
    if (std::abs(excess) < 1e-15 || high - low < 1e-15 * (1.0 + std::abs(q))) break;
    const double slope = (s * (1.0 - s)).mean() / temperature;
    const double newton = q + excess / slope;
    q = newton > low && newton < high ? newton : 0.5 * (low + high);
  }
  return q;
}

} // namespace

WeightsTrace keep_weights(const Vector& u, double keep, double temperature) {
  const Vector centred = u.array() - u.mean();
  const double scale = std::sqrt(centred.squaredNorm() / static_cast<double>(u.size()));
  if (!(scale > 1e-12)) // NaN included: the caller sees it in u
    return {Vector::Constant(u.size(), keep), Vector::Zero(u.size()), 0.0, temperature};
  WeightsTrace trace{{}, centred / scale, scale, temperature};
  const double q = threshold(trace.standardised, keep, temperature);
  trace.weights = sigmoid((trace.standardised.array() - q) / temperature);
  return trace;
}

Vector pullback(const WeightsTrace& trace, const Vector& d_weights) {
  if (trace.scale == 0.0) return Vector::Zero(d_weights.size());
  const auto s = trace.weights.array();
  const Eigen::ArrayXd h = s * (1.0 - s) / trace.temperature;
  if (h.sum() == 0.0) return Vector::Zero(d_weights.size()); // every weight is saturated
  const Eigen::ArrayXd d_v = h * (d_weights.array() - (d_weights.array() * h).sum() / h.sum());
  const auto v = trace.standardised.array();
  return (d_v - d_v.mean() - v * (d_v * v).mean()) / trace.scale;
}

} // namespace metasieve
