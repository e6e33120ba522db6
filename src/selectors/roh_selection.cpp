#include "selectors/roh_selection.hpp"

#include "inner/logistic.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace metasieve {
namespace {

using PerCell = std::array<double, 4>; ///< [2y + z]

double share(const RohLambda& lambda, std::size_t cell) {
  return cell % 2 == 1 ? lambda[cell / 2] : 1.0 - lambda[cell / 2];
}

/// Sum of values over the rows of each cell.
PerCell sum_by_cell(const Vector& values, const Labels& cell, const std::vector<Index>& rows) {
  PerCell sum{};
  for (const Index i : rows) sum[cell(i)] += values(i);
  return sum;
}

PerCell count_by_cell(const Labels& cell, const std::vector<Index>& rows) {
  return sum_by_cell(Vector::Ones(cell.size()), cell, rows);
}

/// Positive where group 1 should get more of the batch; 0 where a cell has no rows. [y]
std::array<double, 2> signed_gaps(const Vector& score, const Labels& cell, const std::vector<Index>& rows,
                                  RohFairness fairness) {
  const PerCell count = count_by_cell(cell, rows);
  const bool parity = fairness == RohFairness::dp;
  const Vector target = parity ? Vector(Vector::Ones(score.size()))
                               : Vector((cell.array() / 2).cast<double>()); // against label 1, or y
  const PerCell loss = sum_by_cell(logistic_loss(score, target), cell, rows);
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

} // namespace

RohLambda observed_lambda(const Labels& cell) {
  std::vector<Index> all(static_cast<std::size_t>(cell.size()));
  std::iota(all.begin(), all.end(), Index{0});
  const PerCell count = count_by_cell(cell, all);
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
  std::vector<Index> order(static_cast<std::size_t>(loss.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return loss(a) < loss(b); });
  // The slack makes floor(0.7 * 10) seven, whatever the rounding of 0.7.
  const double wanted = std::max(1.0, std::floor(tau * static_cast<double>(loss.size()) + 1e-9));
  PerCell count{};
  const auto spent = [&](double taken) {
    if (taken >= wanted) return true;
    if (fairness == RohFairness::none) return false;
    for (std::size_t c = 0; c < 4; ++c) {
      const double of_label = count[c] + count[c ^ 1];
      if (taken - share(lambda, c) * of_label + count[c] >= wanted) return true;
    }
    return false;
  };
  std::size_t taken = 0;
  for (; taken < order.size() && !spent(static_cast<double>(taken)); ++taken) ++count[cell(order[taken])];
  order.resize(taken);
  std::sort(order.begin(), order.end());
  return order;
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

} // namespace metasieve
