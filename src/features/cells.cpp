#include "features/cells.hpp"

#include "base/split.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace metasieve {
namespace {

constexpr std::size_t key_count = 2 * most_groups;

} // namespace

Labels cell_of(const Labels& y, const Labels& group, Index groups) {
  return y.binaryExpr(group, [groups](std::uint8_t label, std::uint8_t z) {
    return static_cast<std::uint8_t>(groups * label + z);
  });
}

Vector mean_by_key(const Vector& values, const Labels& key) {
  std::array<double, key_count> sum{}, count{};
  for (Index i = 0; i < key.size(); ++i) {
    sum[key(i)] += values(i);
    count[key(i)] += 1.0;
  }
  Vector mean(key.size());
  for (Index i = 0; i < key.size(); ++i) mean(i) = sum[key(i)] / count[key(i)];
  return mean;
}

Vector share_by_key(const Labels& key) {
  std::array<double, key_count> count{};
  for (const std::uint8_t k : key) count[k] += 1.0;
  Vector share(key.size());
  for (Index i = 0; i < key.size(); ++i) share(i) = count[key(i)] / static_cast<double>(key.size());
  return share;
}

Vector log_cell_weight(const Labels& y, const Labels& group) {
  const Vector cell = share_by_key(cell_of(y, group, most_groups));
  return (share_by_key(y).array() * share_by_key(group).array() / cell.array()).log();
}

namespace {

struct Keyed {
  std::uint64_t key;
  Index row;
};

/// Keys in the order of the values; both zeros have the same.
std::uint64_t ascending_key(double value) {
  constexpr std::uint64_t sign = std::uint64_t{1} << 63U;
  const auto bits = std::bit_cast<std::uint64_t>(value + 0.0);
  return (bits & sign) != 0 ? ~bits : bits | sign;
}

/// By key, equal ones in the order they have: byte by byte from the last (radix sort), which for thousands of
/// rows is much faster than comparisons.
void sort_stably(std::vector<Keyed>& rows) {
  std::vector<Keyed> sorted(rows.size());
  for (unsigned shift = 0; shift < 64; shift += 8) {
    const auto digit = [&](const Keyed& row) { return (row.key >> shift) & 0xFFU; };
    std::array<std::size_t, 256> next{};
    for (const Keyed& row : rows) ++next[digit(row)];
    if (std::ranges::find(next, rows.size()) != next.end()) continue; // all have the same
    std::exclusive_scan(next.begin(), next.end(), next.begin(), std::size_t{0});
    for (const Keyed& row : rows) sorted[next[digit(row)]++] = row;
    rows.swap(sorted);
  }
}

} // namespace

Vector z_scored(const Vector& values) {
  if (values.size() == 0) return values;
  const double mean = values.mean();
  const Vector centred = values.array() - mean;
  const double deviation = std::sqrt(centred.squaredNorm() / static_cast<double>(values.size()));
  // Relative for large means: there, equal values differ from their rounded mean by more than 1e-12.
  if (deviation < 1e-12 * std::max(1.0, std::abs(mean))) return Vector::Zero(values.size());
  return centred / deviation;
}

Vector rank_fraction(const Vector& values) {
  std::vector<Keyed> order(static_cast<std::size_t>(values.size()));
  for (std::size_t i = 0; i < order.size(); ++i)
    order[i] = {ascending_key(values(static_cast<Index>(i))), static_cast<Index>(i)};
  sort_stably(order);
  const double last = static_cast<double>(std::max<Index>(values.size() - 1, 1));
  Vector rank(values.size());
  for (std::size_t place = 0; place < order.size(); ++place)
    rank(order[place].row) = static_cast<double>(place) / last;
  return rank;
}

namespace {

constexpr double pseudo_rows = 5.0; // that cell_means draws each cell to the mean of all rows with

/// One number for each cell of label and group, [y][z].
using Cells = std::array<std::array<double, most_groups>, 2>;

/// Number of groups up to the largest that has a row; n >= 1.
std::size_t groups_of(const Labels& group) { return group.maxCoeff() + std::size_t{1}; }

Cells sums_of(const Vector& values, const Labels& y, const Labels& group) {
  Cells sum{};
  for (Index i = 0; i < values.size(); ++i) sum[y(i)][group(i)] += values(i);
  return sum;
}

Cells rows_of(const Labels& y, const Labels& group) {
  Cells rows{};
  for (Index i = 0; i < y.size(); ++i) rows[y(i)][group(i)] += 1.0;
  return rows;
}

/// For each cell, the sum over the cells of its label and all other groups, in the order of their numbers.
Cells of_other_groups(const Cells& own, std::size_t groups) {
  Cells others{};
  for (std::size_t y = 0; y < 2; ++y)
    for (std::size_t z = 0; z < groups; ++z)
      for (std::size_t k = 0; k < groups; ++k)
        if (k != z) others[y][z] += own[y][k];
  return others;
}

} // namespace

Matrix cell_means(const Vector& values, const Labels& y, const Labels& given_group) {
  const Labels group = by_first_row(given_group);
  const std::size_t groups = groups_of(group);
  const double prior = values.mean();
  const auto means = [&](const Cells& sum, const Cells& rows) {
    Cells mean{};
    for (std::size_t label = 0; label < 2; ++label)
      for (std::size_t z = 0; z < groups; ++z)
        mean[label][z] = (sum[label][z] + pseudo_rows * prior) / (rows[label][z] + pseudo_rows);
    return mean;
  };
  const Cells sum = sums_of(values, y, group), rows = rows_of(y, group);
  const Cells own = means(sum, rows);
  const Cells others = means(of_other_groups(sum, groups), of_other_groups(rows, groups));

  Matrix seen(values.size(), 4);
  for (Index i = 0; i < seen.rows(); ++i) {
    const std::size_t label = y(i), z = group(i);
    seen(i, 0) = own[label][z];
    seen(i, 1) = others[label][z];
    seen(i, 2) = own[1 - label][z];
    seen(i, 3) = others[1 - label][z];
  }
  return seen;
}

Vector rank_in_cell(const Vector& values, const Labels& cell) {
  std::array<std::vector<Index>, key_count> rows;
  for (Index i = 0; i < values.size(); ++i) rows[cell(i)].push_back(i);
  Vector rank(values.size());
  for (const std::vector<Index>& own : rows)
    if (!own.empty()) rank(own) = rank_fraction(values(own));
  return rank;
}

Vector signed_log_odds(const Labels& y, const Labels& group) {
  const std::size_t groups = groups_of(group);
  const Cells own = rows_of(y, group), others = of_other_groups(own, groups);
  Cells odds{};
  for (std::size_t label = 0; label < 2; ++label)
    for (std::size_t z = 0; z < groups; ++z)
      odds[label][z] = std::log((own[label][z] + 1.0) * (others[1 - label][z] + 1.0)) -
                       std::log((others[label][z] + 1.0) * (own[1 - label][z] + 1.0));
  return Vector::NullaryExpr(y.size(), [&](Index i) { return odds[y(i)][group(i)]; });
}

Vector group_rate_difference(const Labels& y, const Labels& group) {
  const std::size_t groups = groups_of(group);
  const Cells own = rows_of(y, group), others = of_other_groups(own, groups);
  std::array<double, most_groups> difference{};
  for (std::size_t z = 0; z < groups; ++z) {
    const double mine = own[0][z] + own[1][z], rest = others[0][z] + others[1][z];
    if (mine > 0 && rest > 0) difference[z] = own[1][z] / mine - others[1][z] / rest;
  }
  return Vector::NullaryExpr(y.size(), [&](Index i) { return difference[group(i)]; });
}

} // namespace metasieve
