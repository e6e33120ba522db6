#include "selectors/roh_selection.hpp"

#include "inner/logistic.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>

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

/// That of the budget that is spent most: it ends the selection when it reaches K. Never falls as rows are
/// added.
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

} // namespace metasieve
