#include "methods/hidden_positives.hpp"

#include <Eigen/Cholesky>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

namespace metasieve {
namespace {

using Parameters = Eigen::Vector4d; // s, a_g, a_other, log k

constexpr double flip_rate = 0.05, slope_variance = 0.15 * 0.15, largest_logit = 30.0;
constexpr std::size_t shares = 13; // 0, 0.05, ..., 0.6
constexpr double prior_of_none = 0.8;
constexpr int most_steps = 25, most_halvings = 12;
constexpr double least_gain = 1e-3;

double share_of(std::size_t k) { return 0.05 * static_cast<double>(k); }

/// The group of the lowest positive rate; -1 if fewer than two have rows.
Index disadvantaged_group(const Labels& y, const Labels& group) {
  struct Count {
    Index rows = 0, positives = 0, first = 0;
  };
  std::array<Count, most_groups> counts{};
  for (Index i = y.size(); i-- > 0;) {
    Count& own = counts[group(i)];
    ++own.rows, own.positives += y(i), own.first = i;
  }
  Index lowest = -1, groups = 0;
  for (std::size_t z = 0; z < counts.size(); ++z) {
    const Count& own = counts[z];
    if (own.rows == 0) continue;
    ++groups;
    const Count& other = counts[static_cast<std::size_t>(std::max(lowest, Index{0}))];
    if (lowest < 0 || std::tuple(own.positives * other.rows, other.rows, own.first) <
                          std::tuple(other.positives * own.rows, own.rows, other.first))
      lowest = static_cast<Index>(z);
  }
  return groups < 2 ? -1 : lowest;
}

/// The least loss at `beta` by Fisher scoring from `parameters`, which become those of the minimum.
double least_loss(const HiddenPositivesData& data, double beta, Parameters& parameters) {
  HiddenPositivesLoss now = hidden_positives_loss(data, parameters, beta);
  for (int step = 0; step < most_steps; ++step) {
    Eigen::Matrix4d matrix = now.information;
    matrix.diagonal().array() += 1e-6 * (1.0 + now.information.trace());
    Parameters move = matrix.ldlt().solve(now.gradient);
    const double before = now.value;
    for (int halvings = 0; halvings <= most_halvings; ++halvings, move *= 0.5) {
      const Parameters tried = parameters - move;
      HiddenPositivesLoss there = hidden_positives_loss(data, tried, beta);
      if (!(there.value < before)) continue;
      parameters = tried;
      now = std::move(there);
      break;
    }
    if (!(before - now.value >= least_gain)) break;
  }
  return now.value;
}

} // namespace

HiddenPositivesLoss hidden_positives_loss(const HiddenPositivesData& data, const Eigen::Vector4d& parameters,
                                          double beta) {
  const double s = parameters(0), log_k = parameters(3), k = std::exp(log_k);
  HiddenPositivesLoss out{log_k * log_k / (2.0 * slope_variance), Eigen::Vector4d::Zero(),
                          Eigen::Matrix4d::Zero()};
  out.gradient(3) = log_k / slope_variance;
  out.information(3, 3) = 1.0 / slope_variance;
  for (Index i = 0; i < data.y.size(); ++i) {
    const bool own = data.d(i) != 0;
    const double slope = own ? k * data.logit(i) : data.logit(i), y = data.y(i);
    const Eigen::Vector4d x(slope, own ? 1.0 : 0.0, own ? 0.0 : 1.0, own ? s * slope : 0.0);
    const double eta =
        std::clamp(s * slope + (own ? parameters(1) : parameters(2)), -largest_logit, largest_logit);
    const double m = sigmoid(eta), h = (1.0 - 2.0 * flip_rate) * (own ? 1.0 - beta : 1.0);
    const double q = flip_rate + h * m, curvature = h * m * (1.0 - m), variance = q * (1.0 - q);
    out.value -= y * std::log(q) + (1.0 - y) * std::log(1.0 - q);
    out.gradient += curvature * (q - y) / variance * x;
    out.information += curvature * curvature / variance * x * x.transpose();
  }
  return out;
}

HiddenPositives hidden_positives(const Vector& logit, const Labels& y, const Labels& group) {
  const Index lowest = disadvantaged_group(y, group);
  if (lowest < 0 || y.minCoeff() == y.maxCoeff() || !logit.allFinite()) return {};
  const auto is_own = group.array() == static_cast<std::uint8_t>(lowest);
  const HiddenPositivesData data{logit, y.cast<double>(), is_own.cast<std::uint8_t>()};

  std::array<double, shares> loss{};
  Parameters parameters(1.0, 0.0, 0.0, 0.0); // each share starts where the one before ended
  for (std::size_t k = 0; k < shares; ++k) loss[k] = least_loss(data, share_of(k), parameters);

  const double least = *std::ranges::min_element(loss);
  double sum = 0.0, mean = 0.0;
  for (std::size_t k = 0; k < shares; ++k) {
    const double prior = k == 0 ? prior_of_none : (1.0 - prior_of_none) / static_cast<double>(shares - 1);
    const double posterior = prior * std::exp(least - loss[k]);
    sum += posterior;
    mean += posterior * share_of(k);
  }
  return {lowest, mean / sum, loss[0] - least};
}

HiddenPositives hidden_positives(const PreparedTask& task, FeatureSet set) {
  const Index column = feature_column(set, "oof_common");
  if (column < 0) return {};
  const Index rows = task.train.rows();
  Vector logit(rows);
  for (Index i = 0; i < rows; ++i) { // oof_common = tanh(t r / 2), t = 2y - 1
    const double margin = 2.0 * std::atanh(std::clamp<double>(task.features(i, column), -0.9999, 0.9999));
    logit(i) = task.train.y(i) == 1 ? margin : -margin;
  }
  return hidden_positives(logit, task.train.y, task.train.group);
}

} // namespace metasieve
