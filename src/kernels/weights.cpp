#include "kernels/weights.hpp"

#include "numerics/gemv.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace metasieve::kernels {
namespace {

using namespace simd;

using P = Register<float>;
constexpr Index step = lanes<P>;

P sigmoid_at(const float* v, double q, double temperature) {
  const P inverse = broadcast<P>(static_cast<float>(1.0 / temperature));
  return sigmoid((load<P>(v) - broadcast<P>(static_cast<float>(q))) * inverse);
}

/// q with mean sigmoid((v - q)/T) = keep: Newton's method, kept inside a shrinking bracket by bisection.
double threshold(const float* v, Index n, double keep, double temperature) {
  const auto [least, most] = std::minmax_element(v, v + n);
  double low = static_cast<double>(*least) - 40.0 * temperature;
  double high = static_cast<double>(*most) + 40.0 * temperature;
  double q = 0.0;
  const double rows = static_cast<double>(n);
  for (int i = 0; i < 60; ++i) {
    const auto [sum, slopes] = row_sums<P, 2>(n, [&](Index at) {
      const P s = sigmoid_at(v + at, q, temperature);
      return std::array<P, 2>{s, s - s * s};
    });
    const double excess = sum / rows - keep;
    (excess > 0.0 ? low : high) = q;
    if (std::abs(excess) < 1e-7 || high - low < 1e-7 * (1.0 + std::abs(q))) break;
    const double newton = q + excess * rows * temperature / slopes;
    q = newton > low && newton < high ? newton : 0.5 * (low + high);
  }
  return q;
}

} // namespace

const float* Weighting::forward(const float* u, Index n, double keep, double temperature) {
  rows_ = n, temperature_ = static_cast<float>(temperature);
  float *const v = whole_registers(standardised_, n), *const s = whole_registers(weights_, n);
  const double rows = static_cast<double>(n);
  const double mean = row_sums<P, 1>(n, [&](Index i) { return std::array<P, 1>{load<P>(u + i)}; })[0] / rows;
  const P centre = broadcast<P>(static_cast<float>(mean));
  const double squares = row_sums<P, 1>(n, [&](Index i) {
    const P difference = load<P>(u + i) - centre;
    return std::array<P, 1>{difference * difference};
  })[0];
  scale_ = static_cast<float>(std::sqrt(squares / rows));
  // Equal scores differ from their rounded mean by half a unit in the last place.
  if (!(scale_ > 1e-7F * std::abs(static_cast<float>(mean)) && scale_ > 1e-12F)) {
    scale_ = 0.0F;
    std::fill_n(v, padded(n, step), 0.0F);
    std::fill_n(s, n, static_cast<float>(keep));
    clear_beyond(s, n);
    return s;
  }
  const P inverse = broadcast<P>(1.0F / scale_);
  for (Index i = 0; i < n; i += step) store(v + i, (load<P>(u + i) - centre) * inverse);
  clear_beyond(v, n);
  const double q = threshold(v, n, keep, temperature);
  for (Index i = 0; i < n; i += step) store(s + i, sigmoid_at(v + i, q, temperature));
  clear_beyond(s, n);
  return s;
}

const float* Weighting::pullback(const float* d_weights) {
  const Index n = rows_;
  const float* const v = standardised_.data();
  const float* const s = weights_.data();
  float* const d_u = whole_registers(d_u_, n);
  std::fill_n(d_u, padded(n, step), 0.0F);
  if (scale_ == 0.0F) return d_u;
  const P inverse = broadcast<P>(1.0F / temperature_);
  const auto slope = [&](Index i) { // h
    const P weight = load<P>(s + i);
    return (weight - weight * weight) * inverse;
  };
  const auto [slopes, upstream] = row_sums<P, 2>(n, [&](Index i) {
    const P h = slope(i);
    return std::array<P, 2>{h, h * load<P>(d_weights + i)};
  });
  if (slopes == 0.0) return d_u; // every weight is saturated
  const P common = broadcast<P>(static_cast<float>(upstream / slopes));
  const auto d_v = [&](Index i) { return slope(i) * (load<P>(d_weights + i) - common); };
  const auto [sum, along] = row_sums<P, 2>(n, [&](Index i) {
    const P d = d_v(i);
    return std::array<P, 2>{d, d * load<P>(v + i)};
  });
  const P mean = broadcast<P>(static_cast<float>(sum / static_cast<double>(n)));
  const P tilt = broadcast<P>(static_cast<float>(along / static_cast<double>(n)));
  const P unscale = broadcast<P>(1.0F / scale_);
  for (Index i = 0; i < n; i += step) store(d_u + i, (d_v(i) - mean - load<P>(v + i) * tilt) * unscale);
  clear_beyond(d_u, n);
  return d_u;
}

} // namespace metasieve::kernels
