#pragma once

#include "base/tiles.hpp"

/// The tile of matrix products that most of the time of the features is spent in.
namespace metasieve::tile {

using Packet = Eigen::internal::packet_traits<float>::type;
inline constexpr Index lanes = simd::lanes<Packet>;
inline constexpr Index columns = simd::panel<Packet>;
inline constexpr Index rows = simd::tile_rows<Packet>;
using Sums = simd::Tile<Packet, simd::tile_rows<Packet>>;

[[nodiscard]] inline Sums zeros() {
  Sums sums;
  for (auto& row : sums.value) row[0] = row[1] = Eigen::internal::pset1<Packet>(0.0F);
  return sums;
}

} // namespace metasieve::tile
