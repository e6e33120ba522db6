#include "features/cells.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace metasieve {
namespace {

constexpr std::size_t key_count = 4;

} // namespace

Labels cell_of(const Labels& y, const Labels& group) {
  return y.binaryExpr(
      group, [](std::uint8_t label, std::uint8_t z) { return static_cast<std::uint8_t>(2 * label + z); });
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
  const Vector cell = share_by_key(cell_of(y, group));
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

constexpr std::size_t cell_count = 4;
constexpr double pseudo_rows = 5.0; // that cell_means draws each cell to the mean of all rows with

std::array<double, cell_count> counts(const Labels& cell) {
  std::array<double, cell_count> count{};
  for (const std::uint8_t c : cell) count[c] += 1.0;
  return count;
}

} // namespace

Matrix cell_means(const Vector& values, const Labels& cell) {
  const std::array<double, cell_count> count = counts(cell);
  const double prior = values.mean();
  std::array<double, cell_count> mean{};
  for (Index i = 0; i < values.size(); ++i) mean[cell(i)] += values(i);
  for (std::size_t c = 0; c < cell_count; ++c)
    mean[c] = (mean[c] + pseudo_rows * prior) / (count[c] + pseudo_rows);

  // With cell = 2y + z, flipping bit 0 is the other group and bit 1 the other label.
  Matrix seen(values.size(), static_cast<Index>(cell_count));
  for (Index i = 0; i < seen.rows(); ++i)
    for (std::size_t flip = 0; flip < cell_count; ++flip)
      seen(i, static_cast<Index>(flip)) = mean[cell(i) ^ flip];
  return seen;
}

Vector rank_in_cell(const Vector& values, const Labels& cell) {
  std::array<std::vector<Index>, cell_count> rows;
  for (Index i = 0; i < values.size(); ++i) rows[cell(i)].push_back(i);
  Vector rank(values.size());
  for (const std::vector<Index>& own : rows) rank(own) = rank_fraction(values(own));
  return rank;
}

Vector signed_log_odds(const Labels& cell) {
  const std::array<double, cell_count> count = counts(cell);
  const double log_odds =
      std::log((count[3] + 1.0) * (count[0] + 1.0)) - std::log((count[1] + 1.0) * (count[2] + 1.0));
  return cell.unaryExpr([&](std::uint8_t c) { return c == 0 || c == 3 ? log_odds : -log_odds; });
}

} // namespace metasieve
