#include "selectors/roh.hpp"

#include "base/error.hpp"
#include "features/cells.hpp"
#include "policy/adam.hpp"

#include <algorithm>
#include <numeric>
#include <sstream>

namespace metasieve {
namespace {

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

/// The rows of each pool in random order: batch b takes the next `count` of them, and begins again at the
/// end.
void shuffle(std::vector<RohPool>& pools, Index epoch, const RohOptions& options) {
  for (std::size_t k = 0; k < pools.size(); ++k) {
    const auto step = static_cast<std::uint64_t>(epoch) * 4 + k;
    const std::vector<Index> order = permutation({options.seed, Draw::roh_batches, options.task, step},
                                                 static_cast<Index>(pools[k].rows.size()));
    std::vector<Index> shuffled(order.size());
    std::transform(order.begin(), order.end(), shuffled.begin(),
                   [&](Index i) { return pools[k].rows[static_cast<std::size_t>(i)]; });
    pools[k].rows = std::move(shuffled);
  }
}

/// Of the mean logistic loss over batch number `batch`; zero if the pools' counts are all rounded to none.
/// [p]
Vector batch_gradient(const Matrix& x, const Vector& y, const Vector& beta, const std::vector<RohPool>& pools,
                      Index batch) {
  Vector gradient = Vector::Zero(beta.size());
  Index rows = 0;
  for (const RohPool& pool : pools)
    for (Index k = 0; k < pool.count; ++k, ++rows) {
      const auto at = static_cast<std::size_t>(batch * pool.count + k) % pool.rows.size();
      const Index i = pool.rows[at];
      gradient += (sigmoid(x.row(i).dot(beta)) - y(i)) * x.row(i).transpose();
    }
  return gradient / static_cast<double>(std::max<Index>(1, rows));
}

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
    shuffle(pools, epoch, options);
    for (Index step = 0; step < kept / batch; ++step)
      fit.beta =
          adam.update(fit.beta, batch_gradient(x, target, fit.beta, pools, step), options.learning_rate);
    if (!fit.beta.allFinite()) fit.status = FitStatus::diverged;
  }

  fit.selected = Vector::Zero(x.rows());
  for (const Index i : rows) fit.selected(i) = 1.0;
  fit.weights = pool_weights(pools, x.rows(), static_cast<double>(rows.size()));
  return fit;
}

} // namespace metasieve
