#include "selectors/roh.hpp"

#include "base/error.hpp"
#include "base/sampler.hpp"
#include "features/cells.hpp"
#include "inner/newton_kernels.hpp"
#include "policy/adam.hpp"

#include <algorithm>
#include <numeric>
#include <sstream>

namespace metasieve {
namespace {

constexpr Index most_steps = 250; // of an epoch

void require(bool legal, const char* name, double value, const char* domain) {
  if (legal) return;
  std::ostringstream message;
  message << "roh." << name << " = " << value << ": must be " << domain;
  throw ConfigError(message.str());
}

void check(const RohOptions& options) {
  const auto number = [](Index value) { return static_cast<double>(value); };
  require(options.tau > 0.0 && options.tau <= 1.0, "tau", options.tau, "in (0, 1]");
  require(options.alpha >= 0.0 && options.alpha <= 1.0, "alpha", options.alpha, "in [0, 1]");
  require(options.epochs >= 1, "epochs", number(options.epochs), ">= 1");
  require(options.warm_start >= 0, "warm_start", number(options.warm_start), ">= 0");
  require(options.batch >= 1, "batch", number(options.batch), ">= 1");
  require(options.learning_rate > 0.0, "learning_rate", options.learning_rate, "> 0");
}

/// Normal weights, no intercept. [p]
Vector start(Index columns, const RohOptions& options) {
  constexpr double spread = 0.4;
  const Stream stream(options.seed, Draw::roh_start, options.task);
  Vector beta = Vector::NullaryExpr(columns, [&](Index j) { return spread * stream.normal(j); });
  beta(columns - 1) = 0.0;
  return beta;
}

/// The batches of one epoch after the other, in memory that is kept.
class Batches {
public:
  Batches(const Matrix& x, const Vector& y, const RohOptions& options) : x_(x), y_(y), options_(options) {}

  /// Draws the rows of an epoch of `steps` batches: each pool's in random order, and from the first again
  /// after the last.
  void draw(const std::vector<RohPool>& pools, Index epoch, Index steps) {
    pools_.clear();
    for (std::size_t k = 0; k < pools.size(); ++k) {
      const auto step = static_cast<std::uint64_t>(epoch) * 4 + k;
      const Index size = std::ssize(pools[k].rows), used = std::min(size, pools[k].count * steps);
      RohPool drawn{{}, pools[k].count};
      for (const Index i : sampler_.draw({options_.seed, Draw::roh_batches, options_.task, step}, size, used))
        drawn.rows.push_back(pools[k].rows[static_cast<std::size_t>(i)]);
      pools_.push_back(std::move(drawn));
    }
  }

  /// Of the mean logistic loss over batch number `batch`; zero if the pools' counts are all rounded to none.
  /// [p]
  Vector gradient(const Vector& beta, Index batch) {
    const Index rows = gather(batch), padded = simd::padded(rows, newton::lanes), columns = x_.cols();
    const Vector against = -beta;
    double *const f = f_.sized(padded), *const residual = residual_.sized(padded);
    const newton::Block block{columns_.data(), stride_, columns, padded};
    std::fill_n(f, padded, 0.0);
    newton::move_logits(block, against.data(), f, f);
    newton::derive(padded, f, labels_.data(), used_.data(), p_.sized(padded), residual);
    const Index sums = simd::padded(columns, newton::lanes);
    std::fill_n(sums_.sized(sums * newton::lanes), sums * newton::lanes, 0.0);
    newton::add_products(block, residual, sums_.data());
    newton::add_up(sums_.data(), sums, total_.sized(sums));
    return Eigen::Map<const Vector>(total_.data(), columns) / static_cast<double>(std::max<Index>(1, rows));
  }

private:
  /// The rows of a batch by columns; returns how many.
  Index gather(Index batch) {
    Index most = 0, to = 0;
    for (const RohPool& pool : pools_) most += pool.count;
    stride_ = simd::padded(most, newton::lanes);
    double* const columns = columns_.sized(stride_ * x_.cols());
    for (simd::Buffer<double>* const each : {&labels_, &used_})
      std::fill_n(each->sized(stride_), stride_, 0.0);
    for (const RohPool& pool : pools_)
      for (Index k = 0; k < pool.count; ++k, ++to) {
        const Index i = pool.rows[static_cast<std::size_t>(batch * pool.count + k) % pool.rows.size()];
        for (Index j = 0; j < x_.cols(); ++j) columns[j * stride_ + to] = x_(i, j);
        labels_.data()[to] = y_(i);
        used_.data()[to] = 1.0;
      }
    for (Index j = 0; j < x_.cols(); ++j)
      std::fill(columns + j * stride_ + to, columns + (j + 1) * stride_, 0.0);
    return to;
  }

  const Matrix& x_;
  const Vector& y_;
  const RohOptions& options_;
  Sampler sampler_;
  std::vector<RohPool> pools_;
  Index stride_ = 0;
  simd::Buffer<double> columns_, labels_, used_, f_, p_, residual_, sums_, total_;
};

/// How often the pools' rows are taken, as weights with sum `total`. [n]
Vector pool_weights(const std::vector<RohPool>& pools, Index size, double total) {
  Vector weights = Vector::Zero(size);
  for (const RohPool& pool : pools)
    for (const Index i : pool.rows)
      weights(i) = static_cast<double>(pool.count) / static_cast<double>(pool.rows.size());
  const double sum = weights.sum();
  return sum > 0.0 ? Vector(weights * (total / sum)) : weights;
}

} // namespace

RohOptions scaled_to(Index rows, RohOptions options) {
  constexpr Index their_steps = 20;
  const Index steps = std::max<Index>(1, rows / std::max<Index>(1, options.batch));
  if (steps < their_steps)
    options.learning_rate *= static_cast<double>(their_steps) / static_cast<double>(steps);
  return options;
}

RohFit fit_roh(const Matrix& x, const Labels& y, const Labels& group, const RohOptions& options) {
  check(options);
  const Labels cell = cell_of(y, group);
  const Vector target = y.cast<double>();
  std::vector<Index> rows(static_cast<std::size_t>(x.rows()));
  std::iota(rows.begin(), rows.end(), Index{0});
  std::vector<RohPool> pools;
  RohFit fit{start(x.cols(), options), {}, {}, observed_lambda(cell), FitStatus::step_limit};
  Adam adam(x.cols());
  Batches batches(x, target, options);

  for (Index epoch = 0; epoch < options.epochs && fit.status != FitStatus::diverged; ++epoch) {
    const bool warm = epoch < options.warm_start;
    if (!warm) {
      const Vector score = x * fit.beta;
      fit.lambda = adjusted_lambda(fit.lambda, score, cell, rows, options.fairness, options.alpha);
      rows = select_rows(logistic_loss(score, target), cell, fit.lambda, options.tau, options.fairness);
    }
    const auto kept = static_cast<Index>(rows.size());
    const Index batch = std::max<Index>(1, std::min(options.batch, kept));
    pools = batch_pools(rows, cell, fit.lambda, batch, warm ? RohFairness::none : options.fairness);
    const Index steps = std::min(kept / batch, most_steps);
    batches.draw(pools, epoch, steps);
    for (Index step = 0; step < steps; ++step)
      fit.beta = adam.update(fit.beta, batches.gradient(fit.beta, step), options.learning_rate);
    if (!fit.beta.allFinite()) fit.status = FitStatus::diverged;
  }

  fit.selected = Vector::Zero(x.rows());
  for (const Index i : rows) fit.selected(i) = 1.0;
  fit.weights = pool_weights(pools, x.rows(), static_cast<double>(rows.size()));
  return fit;
}

} // namespace metasieve
