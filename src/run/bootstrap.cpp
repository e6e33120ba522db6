#include "run/bootstrap.hpp"

#include <algorithm>
#include <cmath>

namespace metasieve {
namespace {

constexpr Index resamples = 1000, at_once = 50;

/// How often each of `count` rows is drawn in resamples [first, first + at_once). [at_once, count]
Matrix draws(Seed seed, Index first, Index count) {
  Matrix times = Matrix::Zero(at_once, count);
  for (Index b = 0; b < at_once; ++b) {
    const Stream stream(seed, Draw::bootstrap, TaskId{static_cast<std::uint64_t>(first + b)});
    for (Index i = 0; i < count; ++i) ++times(b, static_cast<Index>(stream.below(i, count)));
  }
  return times;
}

/// [resamples, k], NaN where a resample has no defined value.
Matrix resampled_means(const Matrix& known, const Matrix& defined, Seed seed) {
  Matrix means(resamples, known.cols());
  for (Index first = 0; first < resamples; first += at_once) {
    const Matrix times = draws(seed, first, known.rows());
    means.middleRows(first, at_once) = (times * known).array() / (times * defined).array();
  }
  return means;
}

Estimate estimate(double sum, double count, const Vector& means) {
  if (count == 0) return {};
  if (count == 1) return {.mean = sum, .count = 1}; // one value says nothing of its spread
  std::vector<double> sorted;
  for (const double mean : means)
    if (!std::isnan(mean)) sorted.push_back(mean);
  std::sort(sorted.begin(), sorted.end());
  const std::size_t tail = sorted.size() * 25 / 1000;
  return {sum / count, sorted[tail], sorted[sorted.size() - 1 - tail], static_cast<Index>(count)};
}

} // namespace

std::vector<Estimate> bootstrap(const Matrix& values, Seed seed) {
  const Matrix defined = values.array().isNaN().select(0.0, Matrix::Ones(values.rows(), values.cols()));
  const Matrix known = values.array().isNaN().select(0.0, values);
  const Matrix means = resampled_means(known, defined, seed);
  std::vector<Estimate> out;
  for (Index k = 0; k < values.cols(); ++k)
    out.push_back(estimate(known.col(k).sum(), defined.col(k).sum(), means.col(k)));
  return out;
}

} // namespace metasieve
