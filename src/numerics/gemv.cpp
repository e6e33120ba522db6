#include "numerics/gemv.hpp"

namespace metasieve::simd {
namespace {

using P = Register<double>;
constexpr Index step = lanes<P>;
constexpr int tile = syrk_scratch; // columns of a tile: tile^2 sums stay in registers

/// A tile of the product: `height` scaled columns by `tile` columns, or on the diagonal by themselves.
template <int height, bool diagonal>
void add_tile(const ColumnBlock<double>& block, const double* scaled, const double* x, double* sums) {
  constexpr int width = diagonal ? height : tile;
  P sum[height][width]; // in registers, once the loops are unrolled
#pragma GCC unroll 4
  for (int k = 0; k < height; ++k)
#pragma GCC unroll 4
    for (int l = 0; l < width; ++l) sum[k][l] = load<P>(sums + (k * tile + l) * step);
  for (Index i = 0; i < block.rows; i += step) {
    P left[height];
    for (int k = 0; k < height; ++k) left[k] = load<P>(scaled + k * block.rows + i);
    for (int l = 0; l < width; ++l) {
      const P right = load<P>(x + l * block.stride + i);
      for (int k = 0; k < height; ++k)
        if (!diagonal || k >= l) sum[k][l] = fma(left[k], right, sum[k][l]);
    }
  }
#pragma GCC unroll 4
  for (int k = 0; k < height; ++k)
#pragma GCC unroll 4
    for (int l = 0; l < width; ++l) store(sums + (k * tile + l) * step, sum[k][l]);
}

/// All tiles of the rows j .. j + height of the product; returns the sums after them.
template <int height>
double* add_tile_row(const ColumnBlock<double>& block, Index j, const double* c, double* scaled,
                     double* sums) {
  const double* own = block.x + j * block.stride;
  for (Index i = 0; i < block.rows; i += step)
    for (int k = 0; k < height; ++k)
      store(scaled + k * block.rows + i, P(load<P>(c + i) * load<P>(own + k * block.stride + i)));
  for (Index l = 0; l < j; l += tile, sums += tile * tile * step)
    add_tile<height, false>(block, scaled, block.x + l * block.stride, sums);
  add_tile<height, true>(block, scaled, own, sums);
  return sums + tile * tile * step;
}

} // namespace

Index syrk_sums(Index columns) {
  const Index tiles = (columns + tile - 1) / tile;
  return tiles * (tiles + 1) / 2 * tile * tile;
}

void syrk(const ColumnBlock<double>& block, const double* c, double* scratch, double* sums) {
  static_assert(tile <= 4);
  Index j = 0;
  for (; j + tile <= block.columns; j += tile) sums = add_tile_row<tile>(block, j, c, scratch, sums);
  switch (block.columns - j) {
  case 3: add_tile_row<3>(block, j, c, scratch, sums); break;
  case 2: add_tile_row<2>(block, j, c, scratch, sums); break;
  case 1: add_tile_row<1>(block, j, c, scratch, sums); break;
  default: break;
  }
}

void store_syrk(Index columns, const double* sums, double total, double* h, Index stride) {
  for (Index first = 0; first < columns; first += tile)
    for (Index left = 0; left <= first; left += tile, sums += tile * tile)
      for (Index k = 0; k < tile && first + k < columns; ++k)
        for (Index l = 0; l < tile && left + l <= first + k; ++l)
          h[(left + l) * stride + first + k] = sums[k * tile + l] / total;
}

void reduce_lanes(const double* sums, Index count, double* out) {
  for (Index k = 0; k < count; k += step) {
    RegisterBlock<P> square;
    for (Index l = 0; l < step; ++l) square.packet[l] = load<P>(sums + (k + l) * step);
    transpose<P>(square);
    P total = square.packet[0];
    for (Index l = 1; l < step; ++l) total = total + square.packet[l];
    store(out + k, total);
  }
}

} // namespace metasieve::simd
