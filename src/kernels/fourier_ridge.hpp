#pragma once

#include "features/random_fourier.hpp"
#include "numerics/tiles.hpp"

#include <span>
#include <vector>

namespace metasieve::kernels {

/// sqrt(2/256) cos(2 pi turns), lane by lane, to 1e-8 and the rounding of single precision.
[[nodiscard]] inline simd::Register<float> scaled_cosine(const simd::Register<float>& turns) {
  using namespace simd;
  using P = Register<float>;
  // Less the nearest integer f, for |turns| < 2^22: adding 1.5 * 2^23 leaves no bits for a fraction. Then the
  // cosine is the sine of 2 pi g, g = 1/4 - |f| in [-1/4, 1/4]: an odd polynomial, by least squares at
  // Chebyshev nodes, weighted until its largest error, 3e-9, was least.
  constexpr float scale = 0.08838834764831845F;
  constexpr float c1 = 6.283185160089457F * scale, c3 = -41.34165503141303F * scale,
                  c5 = 81.60100407307145F * scale, c7 = -76.54978228932629F * scale,
                  c9 = 39.53670603382895F * scale;
  const P shift = broadcast<P>(0x1.8p23F);
  const P fraction = turns - (turns + shift - shift);
  const P g = broadcast<P>(0.25F) - abs(fraction), s = g * g;
  P sum = fma(broadcast<P>(c9), s, broadcast<P>(c7));
  sum = fma(sum, s, broadcast<P>(c5));
  sum = fma(sum, s, broadcast<P>(c3));
  return g * fma(sum, s, broadcast<P>(c1));
}

/// The random Fourier basis of blocks of rows in single precision, either row by row or column by column: an
/// entry has the same bits in both, whatever rows stand next to it.
class FourierTiles {
public:
  /// Rows of a block that is laid out row by row.
  static constexpr Index block_rows = 10 * simd::tile_rows<>;

  /// x [n, d], target [n]; both must outlive this.
  FourierTiles(const FourierBasis& basis, const RowBlock& x, const Vector& target);

  [[nodiscard]] Index size() const { return size_; }   ///< q = 256 + d + 1
  [[nodiscard]] Index width() const { return width_; } ///< room for q + 1 columns in whole tiles, both ways

  /// Rows rows[begin..end), at most block_rows: -> [end - begin, width]: basis, target, zeros. Valid until
  /// the next call.
  const float* by_rows(const std::vector<Index>& rows, Index begin, Index end);

  /// Rows begin..begin+simd::panel_width<>-1, past the last one zeros: -> [width, simd::panel_width<>], of
  /// which q rows count. Valid until the next call.
  const float* by_columns(Index begin);

private:
  RowBlock x_;
  const Vector& target_;
  Index size_, width_;
  simd::Buffer<float> frequency_, phase_; ///< [d, width], [width], in turns
  simd::Buffer<float> x_rows_, x_columns_, rows_, columns_;
};

/// metasieve::fourier_ridge in single precision, or, up to some 320 fitted rows, itself: with fewer rows than
/// columns, a ridge leaves leverages near 1, and predictions are the quotients of small differences. Sums
/// over rows, and what depends on the difference of large numbers, are in double precision. Works through
/// blocks of rows, so that it needs a few MB besides what it returns. x [n, d], target [n].
[[nodiscard]] FourierRidge fourier_ridge(const FourierBasis& basis, const RowBlock& x, const Vector& target,
                                         const std::vector<Index>& fitted, std::span<const double> ridges);

} // namespace metasieve::kernels
