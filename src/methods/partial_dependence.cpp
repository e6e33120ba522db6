#include "methods/partial_dependence.hpp"

#include "kernels/network.hpp"
#include "policy/weights.hpp"

#include <algorithm>
#include <cmath>

namespace metasieve {
namespace {

/// What turns u into v and s, fixed by the unchanged sample.
struct Response {
  double mean, scale, threshold, temperature, keep;

  Response(const Policy& policy, const Vector& u)
      : mean(u.mean()), threshold(0.0), temperature(policy.temperature), keep(policy.keep) {
    const WeightsTrace trace = keep_weights(u, policy.keep, policy.temperature);
    scale = trace.scale;
    if (scale == 0.0) return;
    // Where s is nearest to 1/2, s = sigmoid((v - q)/T) gives q with the least rounding.
    Index i = 0;
    (trace.weights.array() - 0.5).abs().minCoeff(&i);
    const double s = trace.weights(i);
    threshold = trace.standardised(i) - temperature * std::log(s / (1.0 - s));
  }

  [[nodiscard]] Eigen::ArrayXd score(const Vector& u) const {
    if (scale == 0.0) return Eigen::ArrayXd::Zero(u.size());
    return (u.array() - mean) / scale;
  }
  [[nodiscard]] Eigen::ArrayXd weights(const Eigen::ArrayXd& v) const {
    if (scale == 0.0) return Eigen::ArrayXd::Constant(v.size(), keep);
    return sigmoid((v - threshold) / temperature);
  }
};

} // namespace

Matrix quantile_grid(const Matrix& features, Index points) {
  Matrix grid(features.cols(), points);
  for (Index j = 0; j < features.cols(); ++j) {
    Vector sorted = features.col(j);
    std::sort(sorted.begin(), sorted.end());
    for (Index g = 0; g < points; ++g) grid(j, g) = sorted(g * (sorted.size() - 1) / (points - 1));
  }
  return grid;
}

PartialDependence partial_dependence(const Policy& policy, const Matrix& features, const Matrix& grid,
                                     Precision precision) {
  kernels::Scorer score_of(policy, precision);
  const Response response(policy, score_of(features));
  PartialDependence out{Matrix(grid.rows(), grid.cols()), Matrix(grid.rows(), grid.cols())};
  Matrix changed = features;
  for (Index j = 0; j < grid.rows(); ++j) {
    for (Index g = 0; g < grid.cols(); ++g) {
      changed.col(j).setConstant(grid(j, g));
      const Eigen::ArrayXd v = response.score(score_of(changed));
      out.score(j, g) = v.mean();
      out.keep(j, g) = response.weights(v).mean();
    }
    changed.col(j) = features.col(j);
  }
  return out;
}

} // namespace metasieve
