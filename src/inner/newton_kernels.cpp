#include "inner/newton_kernels.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace metasieve::newton {
namespace {

using namespace Eigen::internal;

Packet load(const double* from) { return pload<Packet>(from); }
Packet all(double value) { return pset1<Packet>(value); }

/// The lanes of a register, one by one.
std::array<double, lanes> values_of(Packet packet) {
  std::array<double, lanes> values;
  pstoreu(values.data(), packet);
  return values;
}

double add_lanes(Packet packet) {
  const std::array<double, lanes> values = values_of(packet);
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// exp(-f) = 2^n e^r with r = -f - n log 2, and e^r = (q + p) / (q - p) by the rational form of Cephes
/// (Moshier, netlib.org/cephes), as in Eigen's pexp; here its quotient and that of 1 / (1 + exp(-f)) are one.
Packet sigmoid(Packet f) {
  const Packet x = pmax(pmin(pnegate(f), all(708.0)), all(-708.0));
  const Packet n = pfloor(pmadd(x, all(1.4426950408889634), all(0.5)));
  const Packet r = pmadd(n, all(-1.42860682030941723212e-6), pmadd(n, all(-0.693145751953125), x));
  const Packet square = pmul(r, r);
  Packet p = pmadd(all(1.26177193074810590878e-4), square, all(3.02994407707441961300e-2));
  p = pmul(r, pmadd(p, square, all(1.0)));
  Packet q = pmadd(all(3.00198505138664455042e-6), square, all(2.52448340349684104192e-3));
  q = pmadd(pmadd(q, square, all(2.27265548208155028766e-1)), square, all(2.0));
  const Packet below = psub(q, p);
  return pdiv(below, padd(below, pldexp(padd(q, p), n)));
}

constexpr int tile = gram_scratch; // columns of a tile of the Hessian: tile^2 sums stay in registers

/// X d for `width` registers of rows from row i on.
template <int width>
Packet move_some(const Block& block, const double* d, const double* f, double* moved, Index i,
                 Packet largest) {
  Packet sum[width];
  for (int k = 0; k < width; ++k) sum[k] = all(0.0);
  const double* column = block.x + i;
  for (Index j = 0; j < block.columns; ++j, column += block.stride) {
    const Packet factor = all(d[j]);
    for (int k = 0; k < width; ++k) sum[k] = pmadd(load(column + k * lanes), factor, sum[k]);
  }
  for (int k = 0; k < width; ++k) {
    pstore(moved + i + k * lanes, psub(load(f + i + k * lanes), sum[k]));
    largest = pmax(largest, pabs(sum[k]));
  }
  return largest;
}

template <int width>
void add_some_products(const Block& block, Index j, const double* v, double* sums) {
  const double* x = block.x + j * block.stride;
  Packet sum[width];
  for (int k = 0; k < width; ++k) sum[k] = load(sums + (j + k) * lanes);
  for (Index i = 0; i < block.rows; i += lanes) {
    const Packet factor = load(v + i);
    for (int k = 0; k < width; ++k) sum[k] = pmadd(load(x + k * block.stride + i), factor, sum[k]);
  }
  for (int k = 0; k < width; ++k) pstore(sums + (j + k) * lanes, sum[k]);
}

/// A tile of the Hessian: `height` scaled columns by `tile` columns, or on the diagonal by themselves.
template <int height, bool diagonal>
void add_tile(const Block& block, const double* scaled, const double* x, double* sums) {
  constexpr int width = diagonal ? height : tile;
  Packet sum[height][width]; // in registers, once the loops are unrolled
#pragma GCC unroll 4
  for (int k = 0; k < height; ++k)
#pragma GCC unroll 4
    for (int l = 0; l < width; ++l) sum[k][l] = load(sums + (k * tile + l) * lanes);
  for (Index i = 0; i < block.rows; i += lanes) {
    Packet left[height];
    for (int k = 0; k < height; ++k) left[k] = load(scaled + k * block_rows + i);
    for (int l = 0; l < width; ++l) {
      const Packet right = load(x + l * block.stride + i);
      for (int k = 0; k < height; ++k)
        if (!diagonal || k >= l) sum[k][l] = pmadd(left[k], right, sum[k][l]);
    }
  }
#pragma GCC unroll 4
  for (int k = 0; k < height; ++k)
#pragma GCC unroll 4
    for (int l = 0; l < width; ++l) pstore(sums + (k * tile + l) * lanes, sum[k][l]);
}

/// All tiles of the rows j .. j + height of the Hessian; returns the sums after them.
template <int height>
double* add_tile_row(const Block& block, Index j, const double* c, double* scaled, double* sums) {
  const double* own = block.x + j * block.stride;
  for (Index i = 0; i < block.rows; i += lanes)
    for (int k = 0; k < height; ++k)
      pstore(scaled + k * block_rows + i, pmul(load(c + i), load(own + k * block.stride + i)));
  for (Index l = 0; l < j; l += tile, sums += tile * tile * lanes)
    add_tile<height, false>(block, scaled, block.x + l * block.stride, sums);
  add_tile<height, true>(block, scaled, own, sums);
  return sums + tile * tile * lanes;
}

} // namespace

double move_logits(const Block& block, const double* d, const double* f, double* moved) {
  constexpr int width = 4;
  Packet largest = all(0.0);
  Index i = 0;
  for (; i + width * lanes <= block.rows; i += width * lanes)
    largest = move_some<width>(block, d, f, moved, i, largest);
  for (; i < block.rows; i += lanes) largest = move_some<1>(block, d, f, moved, i, largest);
  return std::ranges::max(values_of(largest));
}

void derive(Index rows, const double* f, const double* y, const double* s, double* p, double* residual) {
  for (Index i = 0; i < rows; i += lanes) {
    const Packet prediction = sigmoid(load(f + i));
    pstore(p + i, prediction);
    pstore(residual + i, pmul(load(s + i), psub(prediction, load(y + i))));
  }
}

void curve(Index rows, const double* p, const double* s, double* curvature) {
  const Packet one = all(1.0);
  for (Index i = 0; i < rows; i += lanes) {
    const Packet prediction = load(p + i);
    pstore(curvature + i, pmul(load(s + i), pmul(prediction, psub(one, prediction))));
  }
}

double loss(Index rows, const double* f, const double* y, const double* s) {
  const Packet zero = all(0.0), one = all(1.0), two = all(2.0);
  Packet total = zero;
  for (Index i = 0; i < rows; i += lanes) {
    const Packet margin = pmul(psub(pmul(two, load(y + i)), one), load(f + i));
    const Packet of_size = plog(padd(one, pexp(pnegate(pabs(margin)))));
    total = pmadd(load(s + i), padd(of_size, pmax(pnegate(margin), zero)), total);
  }
  return add_lanes(total);
}

double sum(Index rows, const double* v) {
  Packet total = all(0.0);
  for (Index i = 0; i < rows; i += lanes) total = padd(total, load(v + i));
  return add_lanes(total);
}

void add_products(const Block& block, const double* v, double* sums) {
  constexpr int width = 8;
  Index j = 0;
  for (; j + width <= block.columns; j += width) add_some_products<width>(block, j, v, sums);
  if (j + 4 <= block.columns) {
    add_some_products<4>(block, j, v, sums);
    j += 4;
  }
  for (; j < block.columns; ++j) add_some_products<1>(block, j, v, sums);
}

Index gram_sums(Index columns) {
  const Index tiles = (columns + tile - 1) / tile;
  return tiles * (tiles + 1) / 2 * tile * tile;
}

void add_gram(const Block& block, const double* c, double* scratch, double* sums) {
  static_assert(tile == 4);
  Index j = 0;
  for (; j + tile <= block.columns; j += tile) sums = add_tile_row<tile>(block, j, c, scratch, sums);
  switch (block.columns - j) {
  case 3: add_tile_row<3>(block, j, c, scratch, sums); break;
  case 2: add_tile_row<2>(block, j, c, scratch, sums); break;
  case 1: add_tile_row<1>(block, j, c, scratch, sums); break;
  default: break;
  }
}

void store_gram(Index columns, const double* sums, double total, double* h, Index stride) {
  for (Index first = 0; first < columns; first += tile)
    for (Index left = 0; left <= first; left += tile, sums += tile * tile)
      for (Index k = 0; k < tile && first + k < columns; ++k)
        for (Index l = 0; l < tile && left + l <= first + k; ++l)
          h[(left + l) * stride + first + k] = sums[k * tile + l] / total;
}

void add_up(const double* sums, Index count, double* out) {
  for (Index k = 0; k < count; k += lanes) {
    PacketBlock<Packet, lanes> square;
    for (Index l = 0; l < lanes; ++l) square.packet[l] = load(sums + (k + l) * lanes);
    ptranspose(square);
    Packet total = square.packet[0];
    for (Index l = 1; l < lanes; ++l) total = padd(total, square.packet[l]);
    pstore(out + k, total);
  }
}

} // namespace metasieve::newton
