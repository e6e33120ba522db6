#include "methods/threshold.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>
#include <vector>

namespace metasieve {
namespace {

constexpr std::size_t cut_limit = 400; // of a group

/// A threshold of one group, and the rows of each label that it accepts.
struct Cut {
  double threshold = 0;
  std::array<double, 2> accepted{}; ///< [y]
};

struct GroupCuts {
  std::vector<Cut> cuts;        ///< from all accepted to none; empty without rows
  std::array<double, 2> rows{}; ///< [y]
};

/// A number t with low <= t < high: 0 if it is one, else the middle. An end without a row is infinite.
double between(double low, double high) {
  if (low <= 0.0 && 0.0 < high) return 0.0;
  if (std::isinf(low)) return high - 1.0; // one logit beyond the last row
  if (std::isinf(high)) return low + 1.0;
  const double middle = std::midpoint(low, high);
  return middle < high ? middle : low;
}

/// Where the share of rejected rows first reaches k / (limit - 1), for each k, and the cut at 0.
std::vector<Cut> thinned(const std::vector<Cut>& cuts, double rows) {
  if (cuts.size() <= cut_limit) return cuts;
  std::vector<Cut> kept;
  double steps = 0; // taken
  for (const Cut& cut : cuts) {
    const double rejected = rows - cut.accepted[0] - cut.accepted[1];
    const bool reached = rejected * (cut_limit - 1) >= steps * rows;
    if (reached || cut.threshold == 0.0) kept.push_back(cut);
    if (reached) steps = std::floor(rejected * (cut_limit - 1) / rows) + 1;
  }
  return kept;
}

GroupCuts cuts_of(const Vector& score, const Labels& y, const Labels& group, int z) {
  std::vector<Index> order;
  GroupCuts out;
  for (Index i = 0; i < score.size(); ++i)
    if (group(i) == z) {
      order.push_back(i);
      ++out.rows[y(i)];
    }
  if (order.empty()) return out;
  std::ranges::sort(order, {}, [&](Index i) { return score(i); });

  constexpr double infinity = std::numeric_limits<double>::infinity();
  Cut cut{between(-infinity, score(order.front())), out.rows};
  std::vector<Cut> all{cut};
  for (std::size_t k = 0; k < order.size(); ++k) {
    const double here = score(order[k]), next = k + 1 < order.size() ? score(order[k + 1]) : infinity;
    --cut.accepted[y(order[k])];
    if (here == next) continue; // ties are accepted or rejected together
    cut.threshold = between(here, next);
    all.push_back(cut);
  }
  out.cuts = thinned(all, out.rows[0] + out.rows[1]);
  return out;
}

/// |a/m - b/n|; 0 where a group has no rows.
double difference(double a, double m, double b, double n) {
  return m > 0.0 && n > 0.0 ? std::abs(a / m - b / n) : 0.0;
}

double gap_of(const GroupCuts& zero, const Cut& a, const GroupCuts& one, const Cut& b, Gap kind) {
  const auto of_label = [&](std::size_t y) {
    return difference(a.accepted[y], zero.rows[y], b.accepted[y], one.rows[y]);
  };
  const double dp = difference(a.accepted[0] + a.accepted[1], zero.rows[0] + zero.rows[1],
                               b.accepted[0] + b.accepted[1], one.rows[0] + one.rows[1]);
  const double eo = std::max(of_label(0), of_label(1));
  switch (kind) {
  case Gap::dp: return dp;
  case Gap::eo: return eo;
  case Gap::both: return std::max(dp, eo);
  case Gap::none: break;
  }
  return 0.0;
}

double correct(const GroupCuts& group, const Cut& cut) {
  return cut.accepted[1] + group.rows[0] - cut.accepted[0];
}

} // namespace

GroupThresholds choose_thresholds(const Vector& score, const Labels& y, const Labels& group, Gap gap,
                                  double tolerance) {
  GroupCuts zero = cuts_of(score, y, group, 0), one = cuts_of(score, y, group, 1);
  const bool only_zero = one.cuts.empty(), only_one = zero.cuts.empty();
  for (GroupCuts* const empty : {&zero, &one})
    if (empty->cuts.empty()) empty->cuts.emplace_back();

  // Least first: what exceeds the tolerance (with slack for rounding), errors, gap, distance from 0.
  using Cost = std::tuple<double, double, double, double>;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Cost least{infinity, infinity, infinity, infinity};
  GroupThresholds best;
  const double rows = static_cast<double>(score.size());
  for (const Cut& a : zero.cuts)
    for (const Cut& b : one.cuts) {
      const double g = gap_of(zero, a, one, b, gap), right = correct(zero, a) + correct(one, b);
      const Cost cost{g <= tolerance + 1e-12 ? 0.0 : g, rows - right, g,
                      std::abs(a.threshold) + std::abs(b.threshold)};
      if (!(cost < least)) continue;
      least = cost;
      best = {{a.threshold, b.threshold}, right / rows, g};
    }
  if (only_zero) best.threshold[1] = best.threshold[0];
  if (only_one) best.threshold[0] = best.threshold[1];
  return best;
}

Vector apply(const GroupThresholds& thresholds, const Vector& score, const Labels& group) {
  Vector shifted(score.size());
  for (Index i = 0; i < score.size(); ++i) shifted(i) = score(i) - thresholds.threshold[group(i)];
  return shifted;
}

} // namespace metasieve
