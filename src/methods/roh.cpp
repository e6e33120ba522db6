#include "methods/roh.hpp"

#include "base/error.hpp"
#include "base/random.hpp"
#include "base/split.hpp"
#include "numerics/logistic.hpp"
#include "numerics/newton.hpp"
#include "policy/adam.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <numeric>
#include <span>
#include <sstream>

namespace metasieve {
namespace {

using PerCell = std::vector<double>; ///< [K y + z]

std::size_t groups_of(const RohLambda& lambda) { return lambda[0].size(); }

/// How badly off each group is among the rows of each label: the group of a higher value should get more of
/// the batch. NaN for a cell without rows. [y][z]
std::array<std::vector<double>, 2> criteria(const Vector& score, const Labels& cell, std::size_t groups,
                                            const std::vector<Index>& rows, RohFairness fairness) {
  const bool parity = fairness == RohFairness::dp;
  const auto label = [&](std::uint8_t c) { return c < groups ? 0.0 : 1.0; };
  const Vector target = parity ? Vector(Vector::Ones(score.size())) // against label 1, or y
                               : Vector(cell.unaryExpr(label));
  const Vector of_row = logistic_loss(score, target);
  PerCell loss(2 * groups), count(2 * groups);
  for (const Index i : rows) {
    loss[cell(i)] += of_row(i);
    ++count[cell(i)];
  }
  std::array<std::vector<double>, 2> out;
  for (std::size_t y = 0; y < 2; ++y)
    for (std::size_t z = 0; z < groups; ++z) {
      const std::size_t c = groups * y + z;
      const double mean = loss[c] / (parity ? count[z] + count[groups + z] : count[c]);
      // A negative that is far from label 1 pulls its group's positive rate down: it needs less weight.
      const double value = parity && y == 0 ? -mean : mean;
      out[y].push_back(count[c] > 0.0 ? value : std::nan(""));
    }
  return out;
}

/// The groups of the lowest and the highest of the criteria that are defined, and how far these are apart.
struct Extremes {
  std::size_t low = 0, high = 0;
  double spread = 0;
};

Extremes extremes(const std::vector<double>& criterion) {
  Extremes out;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (std::size_t z = 0; z < criterion.size(); ++z) {
    if (criterion[z] < low) low = criterion[z], out.low = z;
    if (criterion[z] > high) high = criterion[z], out.high = z;
  }
  out.spread = std::max(0.0, high - low);
  return out;
}

/// What select_rows has taken so far.
struct Taken {
  double rows = 0;
  std::array<double, 2> of_label{};
  PerCell of_cell;

  void add(std::size_t cell, double more) {
    rows += more;
    of_label[2 * cell / of_cell.size()] += more;
    of_cell[cell] += more;
  }
};

/// The rows counted against the budget that is spent most, which ends the selection when it reaches C. Never
/// falls as rows are added.
double spent(const Taken& taken, const RohLambda& lambda, RohFairness fairness) {
  double most = taken.rows;
  if (fairness == RohFairness::none) return most;
  const std::size_t groups = groups_of(lambda);
  for (std::size_t y = 0; y < 2; ++y)
    for (std::size_t z = 0; z < groups; ++z)
      most = std::max(most, taken.rows - lambda[y][z] * taken.of_label[y] + taken.of_cell[groups * y + z]);
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
  const std::size_t cells = 2 * groups_of(lambda);
  std::vector<double> members(loss_classes * cells);
  for (std::size_t i = 0; i < class_of.size(); ++i)
    ++members[class_of[i] * cells + cell(static_cast<Index>(i))];
  WholeClasses out{0, {0, {}, PerCell(cells)}};
  for (; out.classes < loss_classes; ++out.classes) {
    const double* const more = &members[out.classes * cells];
    for (std::size_t c = 0; c < cells; ++c) out.taken.add(c, more[c]);
    if (spent(out.taken, lambda, fairness) <= wanted - rounding) continue;
    for (std::size_t c = 0; c < cells; ++c) out.taken.add(c, -more[c]);
    break;
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

RohLambda observed_lambda(const Labels& cell, Index groups) {
  const auto size = static_cast<std::size_t>(groups);
  PerCell count(2 * size);
  for (const std::uint8_t c : cell) ++count[c];
  RohLambda lambda;
  for (std::size_t y = 0; y < 2; ++y) {
    const auto of_label = std::span(count).subspan(y * size, size);
    const double rows = std::accumulate(of_label.begin(), of_label.end(), 0.0);
    double others = 0;
    lambda[y].resize(size);
    for (std::size_t z = 1; z < size; ++z) {
      lambda[y][z] = rows > 0.0 ? of_label[z] / rows : 1.0 / static_cast<double>(groups);
      others += lambda[y][z];
    }
    lambda[y][0] = std::max(0.0, 1.0 - others);
  }
  return lambda;
}

RohLambda adjusted_lambda(const RohLambda& lambda, const Vector& score, const Labels& cell,
                          const std::vector<Index>& rows, RohFairness fairness, double alpha) {
  if (fairness == RohFairness::none) return lambda;
  const auto criterion = criteria(score, cell, groups_of(lambda), rows, fairness);
  const std::array<Extremes, 2> of_label{extremes(criterion[0]), extremes(criterion[1])};
  const std::size_t y = of_label[1].spread > of_label[0].spread ? 1 : 0;
  const auto [low, high, spread] = of_label[y];
  RohLambda moved = lambda;
  if (spread == 0.0) return moved;
  double &first = moved[y][std::min(low, high)], &second = moved[y][std::max(low, high)];
  const double both = first + second;
  second = std::clamp(second + (high > low ? alpha : -alpha), 0.0, both);
  first = both - second;
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
  const std::size_t groups = groups_of(lambda);
  std::vector<RohPool> pools(2 * groups);
  for (const Index i : rows) pools[cell(i)].rows.push_back(i);
  for (std::size_t y = 0; y < 2; ++y) {
    const auto of_label = std::span(pools).subspan(y * groups, groups);
    double size = 0;
    for (const RohPool& pool : of_label) size += static_cast<double>(pool.rows.size());
    const double slots = static_cast<double>(batch) * size / static_cast<double>(rows.size());
    for (std::size_t z = 0; z < groups; ++z)
      if (!of_label[z].rows.empty())
        of_label[z].count = static_cast<Index>(std::nearbyint(lambda[y][z] * slots));
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
  /// At most `pools` pools in an epoch.
  Batches(const Matrix& x, const Vector& y, Index pools, const RohOptions& options)
      : x_(x), y_(y), most_pools_(static_cast<std::uint64_t>(pools)), options_(options) {}

  /// Draws the rows of an epoch of `steps` batches: each pool's in random order, and from the first again
  /// after the last.
  void draw(const std::vector<RohPool>& pools, Index epoch, Index steps) {
    pools_.clear();
    for (std::size_t k = 0; k < pools.size(); ++k) {
      const auto step = static_cast<std::uint64_t>(epoch) * most_pools_ + k;
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
  std::uint64_t most_pools_;
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

RohFit fit_roh(const Matrix& x, const Labels& y, const Labels& group, Index groups,
               const RohOptions& options) {
  check(options);
  const RohFairness fairness = groups > 1 ? options.fairness : RohFairness::none;
  // Two keep their numbers.
  const Labels cell = y * static_cast<std::uint8_t>(groups) + (groups > 2 ? by_first_row(group) : group);
  const Vector target = y.cast<double>();
  std::vector<Index> rows(static_cast<std::size_t>(x.rows()));
  std::iota(rows.begin(), rows.end(), Index{0});
  std::vector<RohPool> pools;
  RohFit fit{start(x.cols(), options), {}, {}, observed_lambda(cell, groups), FitStatus::step_limit};
  Adam adam(x.cols());
  Batches batches(x, target, 2 * groups, options);

  for (Index epoch = 0; epoch < options.epochs && fit.status != FitStatus::diverged; ++epoch) {
    const bool warm = epoch < options.warm_start;
    if (!warm) {
      const Vector score = x * fit.beta;
      fit.lambda = adjusted_lambda(fit.lambda, score, cell, rows, fairness, options.alpha);
      rows = select_rows(logistic_loss(score, target), cell, fit.lambda, options.tau, fairness);
    }
    const auto kept = static_cast<Index>(rows.size());
    const Index batch = std::max<Index>(1, std::min(options.batch, kept));
    pools = batch_pools(rows, cell, fit.lambda, batch, warm ? RohFairness::none : fairness);
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
