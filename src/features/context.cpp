#include "features/context.hpp"

#include "features/scaling.hpp"

#include <array>
#include <cmath>
#include <vector>

namespace metasieve {
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
