#include "features/cells.hpp"

#include <array>

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

} // namespace metasieve
