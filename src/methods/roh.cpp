#include "methods/roh.hpp"

#include "base/error.hpp"
#include "base/random.hpp"
#include "features/cells.hpp"
#include "numerics/logistic.hpp"
#include "numerics/newton.hpp"
#include "policy/adam.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <sstream>

namespace metasieve {
namespace {

using PerCell = std::array<double, 4>; ///< [2y + z]

double share(const RohLambda& lambda, std::size_t cell) {
  return cell % 2 == 1 ? lambda[cell / 2] : 1.0 - lambda[cell / 2];
}

/// Positive where group 1 should get more of the batch; 0 where a cell has no rows. [y]
std::array<double, 2> signed_gaps(const Vector& score, const Labels& cell, const std::vector<Index>& rows,
                                  RohFairness fairness) {
  const bool parity = fairness == RohFairness::dp;
  const Vector target = parity ? Vector(Vector::Ones(score.size()))
                               : Vector((cell.array() / 2).cast<double>()); // against label 1, or y
  const Vector of_row = logistic_loss(score, target);
  PerCell loss{}, count{};
  for (const Index i : rows) {
    loss[cell(i)] += of_row(i);
    ++count[cell(i)];
  }
  std::array<double, 2> gap{};
  for (std::size_t y = 0; y < 2; ++y) {
    const std::size_t z0 = 2 * y, z1 = z0 + 1;
    if (count[z0] == 0.0 || count[z1] == 0.0) continue;
    const double rows0 = parity ? count[0] + count[2] : count[z0];
    const double rows1 = parity ? count[1] + count[3] : count[z1];
    gap[y] = loss[z1] / rows1 - loss[z0] / rows0;
  }
  // A negative that is far from label 1 pulls its group's positive rate down: it needs less weight, not more.
  if (parity) gap[0] = -gap[0];
  return gap;
}

/// What select_rows has taken so far.
struct Taken {
  double rows = 0;
  PerCell of_cell{};

  void add(std::size_t cell, double more) {
    rows += more;
    of_cell[cell] += more;
  }
};

/// The rows counted against the budget that is spent most, which ends the selection when it reaches K. Never
/// falls as rows are added.
double spent(const Taken& taken, const RohLambda& lambda, RohFairness fairness) {
  double most = taken.rows;
  if (fairness == RohFairness::none) return most;
  for (std::size_t c = 0; c < 4; ++c) {
    const double of_label = taken.of_cell[c] + taken.of_cell[c ^ 1];
    most = std::max(most, taken.rows - share(lambda, c) * of_label + taken.of_cell[c]);
  }
  return most;
}

using LossClass = std::uint16_t;
constexpr LossClass loss_classes = 2048;

/// Rows in classes of ascending loss: equal losses are in one class. [n]
std::vector<LossClass> classes_of(const Vector& loss) {
  std::vector<LossClass> out(static_cast<std::size_t>(loss.size()), 0);
  const double low = loss.minCoeff(), range = loss.maxCoeff() - low, scale = (loss_classes - 1) / range;
  if (!(range > 0.0) || !std::isfinite(range) || !std::isfinite(scale)) return out;
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<LossClass>((loss(static_cast<Index>(i)) - low) * scale);
  return out;
}

/// What is taken of the first `classes` classes, all of their rows: no budget is spent after them, but one
/// may be in the next.
struct WholeClasses {
  LossClass classes = 0;
  Taken taken;
};

WholeClasses whole_classes(const std::vector<LossClass>& class_of, const Labels& cell, double wanted,
                           const RohLambda& lambda, RohFairness fairness) {
  constexpr double rounding = 1e-3; // far more than it is
  std::vector<PerCell> members(loss_classes);
  for (std::size_t i = 0; i < class_of.size(); ++i) ++members[class_of[i]][cell(static_cast<Index>(i))];
  WholeClasses out;
  for (; out.classes < loss_classes; ++out.classes) {
    Taken with = out.taken;
    for (std::size_t c = 0; c < 4; ++c) with.add(c, members[out.classes][c]);
    if (spent(with, lambda, fairness) > wanted - rounding) break;
    out.taken = with;
  }
  return out;
}

/// The rows of class `which` in the order of their loss, ties by index.
std::vector<Index> sorted_class(const std::vector<LossClass>& class_of, LossClass which, const Vector& loss) {
  std::vector<Index> order;
  for (std::size_t i = 0; i < class_of.size(); ++i)
    if (class_of[i] == which) order.push_back(static_cast<Index>(i));
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return loss(a) < loss(b); });
  return order;
}

} // namespace

RohLambda observed_lambda(const Labels& cell) {
  PerCell count{};
  for (const std::uint8_t c : cell) ++count[c];
  const auto of_label = [&](std::size_t y) {
    const double rows = count[2 * y] + count[2 * y + 1];
    return rows > 0.0 ? count[2 * y + 1] / rows : 0.5;
  };
  return {of_label(0), of_label(1)};
}

RohLambda adjusted_lambda(const RohLambda& lambda, const Vector& score, const Labels& cell,
                          const std::vector<Index>& rows, RohFairness fairness, double alpha) {
  if (fairness == RohFairness::none) return lambda;
  const std::array<double, 2> gap = signed_gaps(score, cell, rows, fairness);
  const std::size_t y = std::abs(gap[1]) > std::abs(gap[0]) ? 1 : 0;
  RohLambda moved = lambda;
  if (gap[y] != 0.0) moved[y] = std::clamp(lambda[y] + std::copysign(alpha, gap[y]), 0.0, 1.0);
  return moved;
}

std::vector<Index> select_rows(const Vector& loss, const Labels& cell, const RohLambda& lambda, double tau,
                               RohFairness fairness) {
  if (loss.size() == 0) return {};
  // The slack makes floor(0.7 * 10) seven, whatever the rounding of 0.7.
  const double wanted = std::max(1.0, std::floor(tau * static_cast<double>(loss.size()) + 1e-9));
  // Row by row only where the selection ends: no other class of losses has to be sorted.
  const std::vector<LossClass> class_of = classes_of(loss);
  const WholeClasses whole = whole_classes(class_of, cell, wanted, lambda, fairness);
  Taken taken = whole.taken;
  std::vector<Index> last;
  bool open = true;
  for (LossClass next = whole.classes; open && next < loss_classes; ++next)
    for (const Index i : sorted_class(class_of, next, loss)) {
      open = spent(taken, lambda, fairness) < wanted;
      if (!open) break;
      taken.add(cell(i), 1.0);
      last.push_back(i);
    }
  std::sort(last.begin(), last.end());

  std::vector<Index> first, rows;
  first.reserve(static_cast<std::size_t>(whole.taken.rows));
  for (std::size_t i = 0; i < class_of.size(); ++i)
    if (class_of[i] < whole.classes) first.push_back(static_cast<Index>(i));
  std::merge(first.begin(), first.end(), last.begin(), last.end(), std::back_inserter(rows));
  return rows;
}

std::vector<RohPool> batch_pools(const std::vector<Index>& rows, const Labels& cell, const RohLambda& lambda,
                                 Index batch, RohFairness fairness) {
  if (fairness == RohFairness::none) return {{rows, batch}};
  std::vector<RohPool> pools(4);
  for (const Index i : rows) pools[cell(i)].rows.push_back(i);
  for (std::size_t c = 0; c < 4; ++c) {
    if (pools[c].rows.empty()) continue;
    const double of_label = static_cast<double>(pools[c].rows.size() + pools[c ^ 1].rows.size());
    const double slots = static_cast<double>(batch) * of_label / static_cast<double>(rows.size());
    pools[c].count = static_cast<Index>(std::nearbyint(share(lambda, c) * slots));
  }
  return pools;
}

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

  /// The gradient of the mean logistic loss over batch number `batch`; zero if the pools' counts are all
  /// rounded to none. [p]
  Vector gradient(const Vector& beta, Index batch) {
    Index rows = 0, to = 0;
    for (const RohPool& pool : pools_) rows += pool.count;
    model_.load(rows, x_.cols());
    std::ranges::fill(model_.weights(), 1.0);
    for (const RohPool& pool : pools_)
      for (Index k = 0; k < pool.count; ++k, ++to) {
        const Index i = pool.rows[static_cast<std::size_t>(batch * pool.count + k) % pool.rows.size()];
        for (Index j = 0; j < x_.cols(); ++j) model_.design().column(j)[to] = x_(i, j);
        model_.labels()[static_cast<std::size_t>(to)] = y_(i);
      }
    return model_.gradient(beta);
  }

private:
  const Matrix& x_;
  const Vector& y_;
  const RohOptions& options_;
  Sampler sampler_;
  std::vector<RohPool> pools_;
  NewtonFit model_;
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
