#include "tasks/groups.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace metasieve {
namespace {

/// Indices in the stream Draw::group_count of the draws of group k >= 1; index 0 is the number of groups.
/// Append only, or old seeds change meaning.
struct GroupDraws {
  static constexpr Index of_each = 4;
  Index gamma, odds, disadvantaged; // gamma takes two
  explicit GroupDraws(Index group)
      : gamma(of_each * group), odds(of_each * group + 2), disadvantaged(of_each * group + 3) {}
};

/// Gamma variate of shape 2, from two draws. 1 - u is in (0, 1].
double gamma_two(const Stream& stream, Index first) {
  return -std::log(1.0 - stream.uniform(first)) - std::log(1.0 - stream.uniform(first + 1));
}

std::vector<GroupParameters> two_groups(const TaskParameters& drawn) {
  const bool one = drawn.disadvantaged == 1;
  return {{1.0 - drawn.minority, 1.0, !one},
          {drawn.minority, one ? drawn.group_odds : 1.0 / drawn.group_odds, one}};
}

} // namespace

std::vector<GroupParameters> draw_groups(const Family& family, const TaskParameters& drawn, Seed seed,
                                         TaskId id) {
  if (drawn.groups == 2) return two_groups(drawn);
  const Stream stream(seed, Draw::group_count, id);
  std::vector<GroupParameters> groups{{1.0 - drawn.minority, 1.0, false}};
  double gammas = 0;
  bool any = false;
  for (Index k = 1; k < drawn.groups; ++k) {
    const GroupDraws at(k);
    const bool lower =
        family.disadvantaged == Disadvantaged::minority || stream.uniform(at.disadvantaged) < 0.5;
    const double odds = drawn.biased ? log_uniform(stream, at.odds, family.group_odds) : 1.0;
    groups.push_back(
        {gamma_two(stream, at.gamma), lower ? odds : 1.0 / odds, lower && (odds > 1.0 || !drawn.biased)});
    gammas += groups.back().share;
    any = any || groups.back().disadvantaged;
  }
  groups[0].disadvantaged = !any;
  const double left = drawn.minority - least_group_share * static_cast<double>(drawn.groups - 1);
  for (std::size_t k = 1; k < groups.size(); ++k)
    groups[k].share = least_group_share + std::max(left, 0.0) * groups[k].share / gammas;
  return groups;
}

double joint_share(double positive, double group1, double odds) {
  // (1 - odds) a^2 - b a + positive * group1 = 0, in the form of the root that does not cancel.
  const double b = odds + (positive + group1) * (1.0 - odds);
  const double product = positive * group1;
  const double root = std::sqrt(b * b + 4.0 * (odds - 1.0) * product);
  const double share = b > 0 ? 2.0 * product / (b + root) : (root - b) / (2.0 * (odds - 1.0));
  return std::clamp(share, std::max(0.0, positive + group1 - 1.0), std::min(positive, group1));
}

namespace {

/// Whole numbers with this total, each within least..most, nearest to `quotas` by largest remainders; a tie
/// goes to the first. quotas, most [k]; the total must be within their bounds.
std::vector<Index> apportion(const std::vector<double>& quotas, Index least, const std::vector<Index>& most,
                             Index total) {
  std::vector<Index> counts;
  for (std::size_t k = 0; k < quotas.size(); ++k) {
    counts.push_back(std::clamp(static_cast<Index>(std::floor(quotas[k])), least, most[k]));
    total -= counts.back();
  }
  for (const Index step = total < 0 ? -1 : 1; total != 0; total -= step) {
    const auto lack = [&](std::size_t k) { // none where a count is at its bound
      const double own = static_cast<double>(step) * (quotas[k] - static_cast<double>(counts[k]));
      return counts[k] == (step > 0 ? most[k] : least) ? -std::numeric_limits<double>::infinity() : own;
    };
    std::size_t next = 0;
    for (std::size_t k = 1; k < counts.size(); ++k)
      if (lack(k) > lack(next)) next = k;
    counts[next] += step;
  }
  return counts;
}

/// [K] rows of each group.
std::vector<Index> group_sizes(Index rows, const std::vector<GroupParameters>& groups) {
  const Index others = std::ssize(groups) - 1;
  std::vector<double> quotas;
  double share = 0;
  for (std::size_t k = 1; k < groups.size(); ++k) {
    quotas.push_back(groups[k].share * static_cast<double>(rows));
    share += groups[k].share;
  }
  const Index total = std::clamp<Index>(std::llround(share * static_cast<double>(rows)), others, rows - 1);
  std::vector<Index> sizes = apportion(quotas, 1, std::vector<Index>(quotas.size(), rows), total);
  sizes.insert(sizes.begin(), rows - total);
  return sizes;
}

/// [2] positives of two groups.
std::vector<Index> positives_of_two(const std::vector<Index>& sizes, Index positives, double odds) {
  const Index rows = sizes[0] + sizes[1];
  const double count = static_cast<double>(rows);
  const double share =
      joint_share(static_cast<double>(positives) / count, static_cast<double>(sizes[1]) / count, odds);
  const Index both = std::clamp<Index>(std::llround(share * count), std::max<Index>(0, positives - sizes[0]),
                                       std::min(positives, sizes[1]));
  return {positives - both, both};
}

/// [K] expected positives of each group, where the base log-odds is a: sizes_k sigmoid(a - log(odds_k)).
std::vector<double> expected_positives(const std::vector<Index>& sizes,
                                       const std::vector<GroupParameters>& groups, double a) {
  std::vector<double> expected;
  for (std::size_t k = 0; k < sizes.size(); ++k)
    expected.push_back(static_cast<double>(sizes[k]) / (1.0 + groups[k].odds * std::exp(-a)));
  return expected;
}

/// [K] positives of each group.
std::vector<Index> group_positives(const std::vector<Index>& sizes, Index positives,
                                   const std::vector<GroupParameters>& groups) {
  if (groups.size() == 2) return positives_of_two(sizes, positives, groups[1].odds);
  const double rows = static_cast<double>(std::accumulate(sizes.begin(), sizes.end(), Index{0}));
  const double count = static_cast<double>(positives), all = std::log(count / (rows - count));
  double low = all, high = all; // at these, no group's rate is above, or below, that of all rows
  for (const GroupParameters& group : groups) {
    low = std::min(low, all + std::log(group.odds));
    high = std::max(high, all + std::log(group.odds));
  }
  for (int halving = 0; halving < 64; ++halving) {
    const double middle = 0.5 * (low + high);
    const std::vector<double> expected = expected_positives(sizes, groups, middle);
    (std::accumulate(expected.begin(), expected.end(), 0.0) < count ? low : high) = middle;
  }
  return apportion(expected_positives(sizes, groups, 0.5 * (low + high)), 0, sizes, positives);
}

} // namespace

std::vector<GroupRows> joint_table(Index rows, Index positives, const std::vector<GroupParameters>& groups) {
  const std::vector<Index> sizes = group_sizes(rows, groups);
  const std::vector<Index> of_group = group_positives(sizes, positives, groups);
  std::vector<GroupRows> table;
  for (std::size_t k = 0; k < groups.size(); ++k) table.push_back({sizes[k] - of_group[k], of_group[k]});
  return table;
}

Labels assign_groups(const Labels& y, const std::vector<GroupRows>& table, Seed seed, TaskId id) {
  Labels group = Labels::Zero(y.size());
  for (const int label : {0, 1}) {
    const auto rows_of = [&](std::size_t k) { return label == 1 ? table[k].positives : table[k].negatives; };
    std::vector<Index> rows;
    for (Index i = 0; i < y.size(); ++i)
      if (y(i) == label) rows.push_back(i);
    const Stream stream(seed, Draw::groups, id, static_cast<std::uint64_t>(label));
    const auto size = static_cast<Index>(rows.size());
    const auto members = sample_without_replacement(stream, size, size - rows_of(0));
    auto member = members.begin();
    for (std::size_t k = 1; k < table.size(); ++k)
      for (Index i = 0; i < rows_of(k); ++i)
        group(rows[static_cast<std::size_t>(*member++)]) = static_cast<std::uint8_t>(k);
  }
  return group;
}

Matrix group_shifts(Index groups, Index columns, Seed seed, TaskId id) {
  const auto direction = [&](Draw draw, Index k) {
    const Matrix normals = Stream(seed, draw, id, static_cast<std::uint64_t>(k)).normals(1, columns);
    return Eigen::RowVectorXd(normals.row(0) / normals.norm());
  };
  Matrix shifts(groups, columns);
  if (groups == 2) {
    shifts.row(1) = 0.5 * direction(Draw::shift_direction, 0);
    shifts.row(0) = -shifts.row(1);
    return shifts;
  }
  for (Index k = 0; k < groups; ++k) shifts.row(k) = direction(Draw::group_shift, k);
  const Eigen::RowVectorXd mean = shifts.colwise().mean();
  return (shifts.rowwise() - mean) / std::numbers::sqrt2;
}

Matrix shift_groups(const Matrix& x, const Labels& group, double shift, const Matrix& shifts) {
  const double distance = shift * std::sqrt(static_cast<double>(x.cols())) / 2.0;
  Matrix moved = x;
  for (Index i = 0; i < x.rows(); ++i) moved.row(i) += distance * shifts.row(group(i));
  return moved;
}

} // namespace metasieve
