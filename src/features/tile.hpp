#pragma once

#include "base/simd.hpp"

/// The loop that most of the time of the features is spent in: a small block of a matrix product, with its
/// sums in registers.
namespace metasieve::tile {

using Packet = Eigen::internal::packet_traits<float>::type;
inline constexpr Index lanes = Eigen::internal::packet_traits<float>::size;

/// Columns of a tile: two registers.
inline constexpr Index columns = 2 * lanes;

/// Rows of a tile: its 2 * rows sums, two registers of b and one entry of a fill the 32 (or 16) there are.
inline constexpr Index rows = lanes >= 16 ? 12 : 6;

struct Sums {
  Packet at[rows][2];
};

[[nodiscard]] inline Sums zeros() {
  Sums sums;
  for (auto& row : sums.at) row[0] = row[1] = Eigen::internal::pset1<Packet>(0.0F);
  return sums;
}

/// A factor's entries: (i, k) stands at data[i * row + k * step].
struct Factor {
  const float* data;
  Index row, step;
};

/// sums(i, :) += sum_k a(i, k) b(k, :) over k = 0..depth-1 in this order for every entry, so that equal rows
/// have equal sums. b [depth, columns], aligned, its rows `stride` apart.
inline void add_product(Sums& sums, const Factor& a, const float* b, Index stride, Index depth) {
  using namespace Eigen::internal;
  Sums s = sums;
  for (Index k = 0; k < depth; ++k) {
    const Packet left = pload<Packet>(b + k * stride), right = pload<Packet>(b + k * stride + lanes);
    const float* const entry = a.data + k * a.step;
#pragma GCC unroll 12
    for (Index i = 0; i < rows; ++i) {
      const Packet x = pset1<Packet>(entry[i * a.row]);
      s.at[i][0] = pmadd(x, left, s.at[i][0]);
      s.at[i][1] = pmadd(x, right, s.at[i][1]);
    }
  }
  sums = s;
}

} // namespace metasieve::tile
