#include "methods/threshold.hpp"

#include "fairness/metrics.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <tuple>

namespace metasieve {
namespace {

constexpr std::size_t cut_limit = 400; // of a group

/// A threshold of one group, and what it accepts of the rows of each label.
struct Cut {
  double threshold = 0;
  std::array<Rate, 2> accepted{}; ///< [y]

  [[nodiscard]] double correct() const { return accepted[1].hits + accepted[0].rows - accepted[0].hits; }
};

double false_positives(const Cut& cut) { return cut.accepted[0].value(); }
double true_positives(const Cut& cut) { return cut.accepted[1].value(); }
double positives(const Cut& cut) { return (cut.accepted[0] + cut.accepted[1]).value(); }

/// A rate that groups are compared by; it falls, or stays, from one cut of a group to the next. NaN without
/// rows.
using RateOf = double (*)(const Cut&);

std::vector<RateOf> compared(Gap gap) {
  switch (gap) {
  case Gap::dp: return {positives};
  case Gap::eo: return {false_positives, true_positives};
  case Gap::both: return {false_positives, true_positives, positives};
  case Gap::none: break;
  }
  return {};
}

/// A number t with low <= t < high: 0 if it is one, else the middle. An end without a row is infinite.
double between(double low, double high) {
  if (low <= 0.0 && 0.0 < high) return 0.0;
  if (std::isinf(low)) return high - 1.0; // one logit beyond the last row
  if (std::isinf(high)) return low + 1.0;
  const double middle = std::midpoint(low, high);
  return middle < high ? middle : low;
}

/// Where the share of rejected rows first reaches k / (limit - 1), for each k, and the cut at 0.
std::vector<Cut> thinned(const std::vector<Cut>& cuts) {
  if (cuts.size() <= cut_limit) return cuts;
  std::vector<Cut> kept;
  double steps = 0; // taken
  for (const Cut& cut : cuts) {
    const auto [accepted, rows] = cut.accepted[0] + cut.accepted[1];
    const bool reached = (rows - accepted) * (cut_limit - 1) >= steps * rows;
    if (reached || cut.threshold == 0.0) kept.push_back(cut);
    if (reached) steps = std::floor((rows - accepted) * (cut_limit - 1) / rows) + 1;
  }
  return kept;
}

/// From all accepted to none; empty without rows.
std::vector<Cut> cuts_of(const Vector& score, const Labels& y, const Labels& group, Index z) {
  std::vector<Index> order;
  Cut cut;
  for (Index i = 0; i < score.size(); ++i)
    if (group(i) == z) {
      order.push_back(i);
      cut.accepted[y(i)] = cut.accepted[y(i)] + Rate{1, 1};
    }
  if (order.empty()) return {};
  std::ranges::sort(order, {}, [&](Index i) { return score(i); });

  constexpr double infinity = std::numeric_limits<double>::infinity();
  cut.threshold = between(-infinity, score(order.front()));
  std::vector<Cut> all{cut};
  for (std::size_t k = 0; k < order.size(); ++k) {
    const double here = score(order[k]), next = k + 1 < order.size() ? score(order[k + 1]) : infinity;
    --cut.accepted[y(order[k])].hits;
    if (here == next) continue; // ties are accepted or rejected together
    cut.threshold = between(here, next);
    all.push_back(cut);
  }
  return thinned(all);
}

/// The cuts of a group with rows, and the best of each range of them: of highest accuracy, then nearest to 0.
class Group {
public:
  explicit Group(std::vector<Cut> from_all_to_none)
      : cuts(std::move(from_all_to_none)), by_rank_(cuts.size()) {
    std::iota(by_rank_.begin(), by_rank_.end(), std::uint16_t{0});
    std::ranges::stable_sort(by_rank_, {}, [&](std::uint16_t c) {
      return std::pair(-cuts[c].correct(), std::abs(cuts[c].threshold));
    });
    std::vector<std::uint16_t> rank(by_rank_.size());
    for (std::size_t r = 0; r < rank.size(); ++r) rank[by_rank_[r]] = static_cast<std::uint16_t>(r);
    // least_[k][i]: over the cuts i ... i + 2^k - 1.
    for (least_.push_back(std::move(rank)); least_.back().size() > std::size_t{1} << (least_.size() - 1);) {
      const std::vector<std::uint16_t>& half = least_.back();
      const std::size_t width = std::size_t{1} << (least_.size() - 1);
      std::vector<std::uint16_t> least(half.size() - width);
      for (std::size_t i = 0; i < least.size(); ++i) least[i] = std::min(half[i], half[i + width]);
      least_.push_back(std::move(least));
    }
  }

  /// range: not empty.
  [[nodiscard]] const Cut& best(Range range) const {
    const auto begin = static_cast<std::size_t>(range.begin), end = static_cast<std::size_t>(range.end);
    const auto k = static_cast<std::size_t>(std::bit_width(end - begin) - 1);
    return cuts[by_rank_[std::min(least_[k][begin], least_[k][end - (std::size_t{1} << k)])]];
  }

  std::vector<Cut> cuts;

private:
  std::vector<std::uint16_t> by_rank_;            // cuts, the best first
  std::vector<std::vector<std::uint16_t>> least_; // ranks
};

/// Cuts of each group.
using Ranges = std::vector<Range>;

/// What a window of one rate leaves of each group, and the rows that the best of it decides correctly.
struct Window {
  Ranges cuts;
  double correct = 0;
};

/// A cut of each group; of several, the better has more rows correct, then the smaller gap, then thresholds
/// nearer to 0.
struct Choice {
  double correct = -1, gap = 0, distance = 0;
  std::vector<double> threshold;

  [[nodiscard]] bool better_than(const Choice& other) const {
    return std::tuple(-correct, gap, distance) < std::tuple(-other.correct, other.gap, other.distance);
  }
};

double sum_of_magnitudes(std::vector<double> values) {
  for (double& value : values) value = std::abs(value);
  std::ranges::sort(values); // so that the numbers of the groups do not matter
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// Branch and bound over the windows of the rates that a gap compares.
class Search {
public:
  Search(const std::vector<Group>& groups, Gap gap) : groups_(groups) {
    for (const RateOf rate : compared(gap)) {
      const auto has_rows = [&](const Group& group) { return !std::isnan(rate(group.cuts.front())); };
      if (std::ranges::count_if(groups, has_rows) >= 2) rates_.push_back(rate);
    }
    constexpr std::array<std::size_t, 4> most{0, 4096, 1024, 101}; // about 2^20 windows in all
    for (const RateOf rate : rates_) begins_.push_back(begins(rate, most[rates_.size()]));
    allowed_.resize(rates_.size() + 1);
    for (const Group& group : groups) allowed_[0].push_back({0, std::ssize(group.cuts)});
    for (Ranges& ranges : allowed_) ranges.resize(groups.size());
  }

  /// Looks for a better choice in windows of this width. Whether there is one.
  bool improve(double width) {
    windows_.clear();
    for (std::size_t k = 0; k < rates_.size(); ++k) windows_.push_back(windows(k, width));
    improved_ = false;
    search(0);
    return improved_;
  }

  [[nodiscard]] const Choice& best() const { return best_; }

private:
  /// Rates of all cuts of all groups, ascending, thinned to `most`.
  [[nodiscard]] std::vector<double> begins(RateOf rate, std::size_t most) const {
    std::vector<double> all;
    for (const Group& group : groups_)
      for (const Cut& cut : group.cuts)
        if (const double r = rate(cut); !std::isnan(r)) all.push_back(r);
    std::ranges::sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    if (all.size() <= most) return all;
    std::vector<double> kept(most);
    for (std::size_t k = 0; k < most; ++k) kept[k] = all[k * (all.size() - 1) / (most - 1)];
    return kept;
  }

  /// The windows of rate `k` in which each group has a cut, the most promising first.
  [[nodiscard]] std::vector<Window> windows(std::size_t k, double width) const {
    const RateOf rate = rates_[k];
    std::vector<Window> out;
    for (const double begin : begins_[k]) {
      Window window;
      for (const Group& group : groups_) { // an undefined rate is in every window
        const auto first = std::ranges::partition_point(
            group.cuts, [&](const Cut& cut) { return rate(cut) - begin > width; });
        const auto last =
            std::ranges::partition_point(group.cuts, [&](const Cut& cut) { return !(rate(cut) < begin); });
        window.cuts.push_back({first - group.cuts.begin(), last - group.cuts.begin()});
      }
      window.correct = correct(window.cuts);
      if (window.correct >= 0) out.push_back(std::move(window));
    }
    std::ranges::stable_sort(out, std::greater{}, &Window::correct);
    return out;
  }

  /// -1 if a range is empty.
  [[nodiscard]] double correct(const Ranges& ranges) const {
    double sum = 0;
    for (std::size_t g = 0; g < ranges.size(); ++g) {
      if (ranges[g].size() <= 0) return -1;
      sum += groups_[g].best(ranges[g]).correct();
    }
    return sum;
  }

  void search(std::size_t level) {
    const Ranges& allowed = allowed_[level];
    if (level == windows_.size()) return consider(allowed);
    Ranges& narrowed = allowed_[level + 1];
    for (const Window& window : windows_[level]) {
      if (window.correct < best_.correct) break; // nor is any of the others better
      for (std::size_t g = 0; g < allowed.size(); ++g)
        narrowed[g] = {std::max(allowed[g].begin, window.cuts[g].begin),
                       std::min(allowed[g].end, window.cuts[g].end)};
      if (correct(narrowed) >= std::max(0.0, best_.correct)) search(level + 1);
    }
  }

  void consider(const Ranges& ranges) {
    Choice choice{correct(ranges), 0, 0, {}};
    for (const RateOf rate : rates_) {
      double low = 1, high = 0;
      for (std::size_t g = 0; g < ranges.size(); ++g) {
        const double r = rate(groups_[g].best(ranges[g]));
        low = std::fmin(low, r), high = std::fmax(high, r);
      }
      choice.gap = std::max(choice.gap, high - low);
    }
    for (std::size_t g = 0; g < ranges.size(); ++g)
      choice.threshold.push_back(groups_[g].best(ranges[g]).threshold);
    choice.distance = sum_of_magnitudes(choice.threshold);
    if (!choice.better_than(best_)) return;
    best_ = std::move(choice);
    improved_ = true;
  }

  const std::vector<Group>& groups_;
  std::vector<RateOf> rates_;
  std::vector<std::vector<double>> begins_;  // of the windows of each rate
  std::vector<std::vector<Window>> windows_; // of each rate
  std::vector<Ranges> allowed_;              // by the windows of the first k rates
  Choice best_;
  bool improved_ = false;
};

} // namespace

GroupThresholds choose_thresholds(const Vector& score, const Labels& y, const Labels& group, Index groups,
                                  Gap gap, double tolerance) {
  std::vector<Group> with_rows;
  std::vector<Index> number;
  for (Index z = 0; z < groups; ++z)
    if (std::vector<Cut> cuts = cuts_of(score, y, group, z); !cuts.empty()) {
      with_rows.emplace_back(std::move(cuts));
      number.push_back(z);
    }
  Search search(with_rows, gap);
  search.improve(std::max(0.0, tolerance) + 1e-12); // slack for rounding
  while (search.improve(std::nextafter(search.best().gap, -1.0))) {
  }
  search.improve(search.best().gap);

  const Choice& best = search.best();
  // A group without rows takes the threshold of the largest; of equals, the lowest.
  std::pair<double, double> largest{0, 0};
  for (std::size_t g = 0; g < with_rows.size(); ++g) {
    const auto& [zero, one] = with_rows[g].cuts.front().accepted;
    largest = std::min(largest, {-(zero.rows + one.rows), best.threshold[g]});
  }
  GroupThresholds out{std::vector<double>(static_cast<std::size_t>(groups), largest.second),
                      best.correct / static_cast<double>(score.size()), best.gap};
  for (std::size_t g = 0; g < number.size(); ++g) out.threshold[number[g]] = best.threshold[g];
  return out;
}

Vector apply(const GroupThresholds& thresholds, const Vector& score, const Labels& group) {
  Vector shifted(score.size());
  for (Index i = 0; i < score.size(); ++i) shifted(i) = score(i) - thresholds.threshold[group(i)];
  return shifted;
}

} // namespace metasieve
