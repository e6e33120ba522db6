#pragma once

#include "base/random.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace metasieve::test {

/// Standard normals, reproducible.
inline Vector normals(Index size, std::uint64_t salt) {
  const Stream stream(Seed{salt}, Draw::covariates, TaskId{0});
  return Vector::NullaryExpr(size, [&](Index i) { return stream.normal(i); });
}

inline Matrix normals(Index rows, Index columns, std::uint64_t salt) {
  const Vector flat = normals(rows * columns, salt);
  return Eigen::Map<const Matrix>(flat.data(), rows, columns);
}

inline Labels coin(Index size, std::uint64_t salt, double share = 0.5) {
  const Stream stream(Seed{salt}, Draw::groups, TaskId{0});
  return Labels::NullaryExpr(size,
                             [&](Index i) { return static_cast<std::uint8_t>(stream.uniform(i) < share); });
}

/// Gradient of f at x by central differences of fourth order: error O(h^4).
inline Vector central_difference(const std::function<double(const Vector&)>& f, const Vector& x,
                                 double h = 1e-3) {
  Vector gradient(x.size());
  for (Index i = 0; i < x.size(); ++i) {
    const auto at = [&](double step) {
      Vector moved = x;
      moved(i) += step;
      return f(moved);
    };
    gradient(i) = (8.0 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12.0 * h);
  }
  return gradient;
}

/// Derivative along one direction, the same way.
inline double directional_difference(const std::function<double(const Vector&)>& f, const Vector& x,
                                     const Vector& direction, double h = 1e-3) {
  const auto g = [&](const Vector& t) { return f(x + t(0) * direction); };
  return central_difference(g, Vector::Zero(1), h)(0);
}

inline double relative_error(const Vector& actual, const Vector& expected) {
  return (actual - expected).norm() / expected.norm();
}

} // namespace metasieve::test
