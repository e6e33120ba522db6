#pragma once

#include "numerics/registers.hpp"

#include <array>
#include <utility>

/// Small dense products in registers: C [rows, panel] += A [rows, depth] B [depth, panel], where a panel is
/// two registers wide, and A is read value by value. What is summed is summed in order of depth, from what C
/// was: so equal rows have equal results, whatever rows stand beside them.
namespace metasieve::simd {

/// Columns of a panel.
template <class P = Register<float>>
inline constexpr Index panel_width = 2 * lanes<P>;

/// Rows of the largest tile: with 32 registers, or with 16.
template <class P = Register<float>>
inline constexpr int tile_rows = lanes<P> >= 16 || EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 12 : 6;

/// C of a tile.
template <class P = Register<float>, int rows = tile_rows<P>>
struct Tile {
  std::array<std::array<P, 2>, static_cast<std::size_t>(rows)> value;
  EIGEN_ALWAYS_INLINE std::array<P, 2>& operator[](Index row) { return value[static_cast<std::size_t>(row)]; }
  EIGEN_ALWAYS_INLINE const std::array<P, 2>& operator[](Index row) const {
    return value[static_cast<std::size_t>(row)];
  }
};

/// A of a tile: row r at step k stands at data[r * row + k * step].
template <class T>
struct Factor {
  const T* data;
  Index row, step;
};

/// body(0), body(1) ... body(count - 1), with constants as arguments.
template <int count, class Body>
EIGEN_ALWAYS_INLINE void static_for(Body&& body) {
  [&]<int... i>(std::integer_sequence<int, i...>) { (body(std::integral_constant<Index, i>{}), ...); }
  (std::make_integer_sequence<int, count>{});
}

/// C += A B; row k of B is b[k * stride ...], aligned.
template <class P, int rows>
EIGEN_ALWAYS_INLINE void multiply_add(Tile<P, rows>& c, Factor<Scalar<P>> a, const Scalar<P>* b, Index stride,
                                      Index depth) {
  Tile<P, rows> sum = c; // in registers, whatever the caller does with c
  for (Index k = 0; k < depth; ++k) {
    const P low = load<P>(b), high = load<P>(b + lanes<P>);
#pragma GCC unroll 12
    for (Index r = 0; r < rows; ++r) {
      const P value = broadcast<P>(a.data[r * a.row]);
      sum[r][0] = fma(value, low, sum[r][0]);
      sum[r][1] = fma(value, high, sum[r][1]);
    }
    a.data += a.step;
    b += stride;
  }
  c = sum;
}

/// task(std::integral_constant<int, rows>{}) for a number of rows that is known at run time, 1..tile_rows<P>.
template <class P, class Task>
EIGEN_ALWAYS_INLINE void with_rows(Index rows, Task&& task) {
  [&]<int... r>(std::integer_sequence<int, r...>) {
    static_cast<void>(((rows == r + 1 ? (task(std::integral_constant<int, r + 1>{}), true) : false) || ...));
  }
  (std::make_integer_sequence<int, tile_rows<P>>{});
}

/// task(begin, rows as a constant) for tiles that cover 0..count-1, as even as can be: few are few rows
/// short.
template <class P, class Task>
EIGEN_ALWAYS_INLINE void over_tiles(Index count, Task&& task) {
  const Index tiles = (count + tile_rows<P> - 1) / tile_rows<P>;
  for (Index t = 0; t < tiles; ++t) {
    const Index begin = t * count / tiles;
    with_rows<P>((t + 1) * count / tiles - begin, [&](auto rows) { task(begin, rows); });
  }
}

} // namespace metasieve::simd
