#include "features/scaling.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace metasieve {
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

} // namespace metasieve
