#include "features/fourier_tiles.hpp"

#include <algorithm>
#include <numbers>
#include <numeric>

namespace metasieve {
namespace {

using tile::lanes;
using tile::Packet;
using namespace Eigen::internal;

constexpr float linear_scale = 0.3F;
static_assert(fourier_count % tile::columns == 0);

/// Of these sums in place, to out, `stride` between rows.
void store_cosines(const tile::Sums& sums, float* out, Index stride) {
  for (Index i = 0; i < tile::rows; ++i)
    for (Index half = 0; half < 2; ++half)
      pstore(out + i * stride + half * lanes, scaled_cosine(sums[i][half]));
}

} // namespace

FourierTiles::FourierTiles(const FourierBasis& basis, const RowBlock& x, const Vector& target)
    : x_(x), target_(target), size_(fourier_count + x.cols() + 1),
      width_(simd::padded(size_ + 1, std::lcm(tile::rows, tile::columns))) {
  const Index d = x.cols();
  constexpr double turn = 2.0 * std::numbers::pi;
  std::fill_n(frequency_.sized(d * width_), d * width_, 0.0F);
  std::fill_n(phase_.sized(width_), width_, 0.0F);
  for (Index k = 0; k < fourier_count; ++k) {
    phase_.data()[k] = static_cast<float>(basis.phase(k) / turn);
    for (Index j = 0; j < d; ++j)
      frequency_.data()[j * width_ + k] = static_cast<float>(basis.frequency(j, k) / turn);
  }
  std::fill_n(x_rows_.sized(block_rows * d), block_rows * d, 0.0F);
  std::fill_n(x_columns_.sized(d * tile::columns), d * tile::columns, 0.0F);
  std::fill_n(rows_.sized(block_rows * width_), block_rows * width_, 0.0F);
  std::fill_n(columns_.sized(width_ * tile::columns), width_ * tile::columns, 0.0F);
}

const float* FourierTiles::by_rows(const std::vector<Index>& rows, Index begin, Index end) {
  const Index d = x_.cols();
  float* const x = x_rows_.data();
  float* const out = rows_.data();
  for (Index i = begin; i < end; ++i) {
    const Index row = rows[static_cast<std::size_t>(i)];
    float* const linear = out + (i - begin) * width_ + fourier_count;
    for (Index j = 0; j < d; ++j) {
      const auto value = static_cast<float>(x_(row, j));
      x[(i - begin) * d + j] = value;
      linear[j] = linear_scale * value;
    }
    linear[d] = linear_scale;
    linear[d + 1] = static_cast<float>(target_(row));
  }
  for (Index first = 0; first < end - begin; first += tile::rows)
    for (Index k = 0; k < fourier_count; k += tile::columns) {
      tile::Sums sums;
      for (auto& row : sums.value) {
        row[0] = pload<Packet>(phase_.data() + k);
        row[1] = pload<Packet>(phase_.data() + k + lanes);
      }
      simd::multiply_add(sums, {x + first * d, d, 1}, frequency_.data() + k, width_, d);
      store_cosines(sums, out + first * width_ + k, width_);
    }
  return out;
}

const float* FourierTiles::by_columns(Index begin) {
  const Index d = x_.cols(), filled = std::min(tile::columns, x_.rows() - begin);
  float* const x = x_columns_.data();
  float* const out = columns_.data();
  for (Index i = 0; i < tile::columns; ++i)
    for (Index j = 0; j < d; ++j)
      x[j * tile::columns + i] = i < filled ? static_cast<float>(x_(begin + i, j)) : 0.0F;
  for (Index k = 0; k < fourier_count; k += tile::rows) {
    tile::Sums sums;
    for (Index i = 0; i < tile::rows; ++i) sums[i][0] = sums[i][1] = pset1<Packet>(phase_.data()[k + i]);
    simd::multiply_add(sums, {frequency_.data() + k, 1, width_}, x, tile::columns, d);
    store_cosines(sums, out + k * tile::columns, tile::columns);
  }
  float* const linear = out + fourier_count * tile::columns;
  for (Index i = 0; i < d * tile::columns; ++i) linear[i] = linear_scale * x[i];
  std::fill_n(linear + d * tile::columns, tile::columns, linear_scale);
  return out;
}

} // namespace metasieve
