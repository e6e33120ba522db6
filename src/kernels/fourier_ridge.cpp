#include "kernels/fourier_ridge.hpp"

#include "numerics/tridiagonal.hpp"

#include <algorithm>
#include <numbers>
#include <numeric>

namespace metasieve::kernels {
namespace {

using namespace simd;
using P = Register<float>;
constexpr Index step = lanes<P>;

constexpr float linear_scale = 0.3F;
static_assert(fourier_count % panel_width<> == 0);

/// Scaled cosines of a tile of turns, to out, `stride` between rows.
void store_cosines(const Tile<>& sums, float* out, Index stride) {
  for (Index i = 0; i < tile_rows<>; ++i)
    for (Index half = 0; half < 2; ++half)
      store(out + i * stride + half * step, scaled_cosine(sums[i][half]));
}

} // namespace

FourierTiles::FourierTiles(const FourierBasis& basis, const RowBlock& x, const Vector& target)
    : x_(x), target_(target), size_(fourier_count + x.cols() + 1),
      width_(padded(size_ + 1, std::lcm(tile_rows<>, panel_width<>))) {
  const Index d = x.cols();
  constexpr double turn = 2.0 * std::numbers::pi;
  frequency_.fill(d * width_, 0.0F);
  phase_.fill(width_, 0.0F);
  for (Index k = 0; k < fourier_count; ++k) {
    phase_.data()[k] = static_cast<float>(basis.phase(k) / turn);
    for (Index j = 0; j < d; ++j)
      frequency_.data()[j * width_ + k] = static_cast<float>(basis.frequency(j, k) / turn);
  }
  x_rows_.fill(block_rows * d, 0.0F);
  x_columns_.fill(d * panel_width<>, 0.0F);
  rows_.fill(block_rows * width_, 0.0F);
  columns_.fill(width_ * panel_width<>, 0.0F);
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
  for (Index first = 0; first < end - begin; first += tile_rows<>)
    for (Index k = 0; k < fourier_count; k += panel_width<>) {
      Tile<> sums;
      for (auto& row : sums.value) {
        row[0] = load<P>(phase_.data() + k);
        row[1] = load<P>(phase_.data() + k + step);
      }
      multiply_add(sums, {x + first * d, d, 1}, frequency_.data() + k, width_, d);
      store_cosines(sums, out + first * width_ + k, width_);
    }
  return out;
}

const float* FourierTiles::by_columns(Index begin) {
  const Index d = x_.cols(), filled = std::min(panel_width<>, x_.rows() - begin);
  float* const x = x_columns_.data();
  float* const out = columns_.data();
  for (Index i = 0; i < panel_width<>; ++i)
    for (Index j = 0; j < d; ++j)
      x[j * panel_width<> + i] = i < filled ? static_cast<float>(x_(begin + i, j)) : 0.0F;
  for (Index k = 0; k < fourier_count; k += tile_rows<>) {
    Tile<> sums;
    for (Index i = 0; i < tile_rows<>; ++i) sums[i][0] = sums[i][1] = broadcast<P>(phase_.data()[k + i]);
    multiply_add(sums, {frequency_.data() + k, 1, width_}, x, panel_width<>, d);
    store_cosines(sums, out + k * panel_width<>, panel_width<>);
  }
  float* const linear = out + fourier_count * panel_width<>;
  for (Index i = 0; i < d * panel_width<>; ++i) linear[i] = linear_scale * x[i];
  std::fill_n(linear + d * panel_width<>, panel_width<>, linear_scale);
  return out;
}

namespace {

/// basis'basis of the rows that are fitted, and basis'target.
struct NormalEquations {
  Eigen::MatrixXd gram; ///< [q, q], lower triangle
  Vector right;         ///< [q]
};

/// sum_k a_k b_k' over rows k of a block, in parts: that keeps rounding errors far below the smallest ridge.
Tile<> block_product(const float* a, const float* b, Index width, Index rows) {
  constexpr Index part_rows = 24;
  Tile<> total{};
  for (Index first = 0; first < rows; first += part_rows) {
    Tile<> part{};
    multiply_add(part, {a + first * width, 1, width}, b + first * width, width,
                 std::min(part_rows, rows - first));
    for (Index i = 0; i < tile_rows<>; ++i)
      for (Index half = 0; half < 2; ++half) total[i][half] = total[i][half] + part[i][half];
  }
  return total;
}

void add_tile(const Tile<>& sums, double* out, Index stride) {
  for (Index i = 0; i < tile_rows<>; ++i)
    for (Index half = 0; half < 2; ++half) {
      double* row = out + i * stride + half * step;
      for (const float sum : lane_values(sums[i][half])) *row++ += static_cast<double>(sum);
    }
}

NormalEquations normal_equations(FourierTiles& tiles, const std::vector<Index>& rows) {
  const Index q = tiles.size(), width = tiles.width(), n = std::ssize(rows);
  Matrix sum = Matrix::Zero(width, width); // the last row that counts is that of the target
  for (Index begin = 0; begin < n; begin += FourierTiles::block_rows) {
    const Index end = std::min(begin + FourierTiles::block_rows, n);
    const float* const basis = tiles.by_rows(rows, begin, end);
    for (Index j = 0; j < q; j += panel_width<>)
      for (Index i = j / tile_rows<> * tile_rows<>; i <= q; i += tile_rows<>) {
        add_tile(block_product(basis + i, basis + j, width, end - begin), &sum(i, j), width);
      }
  }
  return {sum.topLeftCorner(q, q), sum.row(q).head(q)};
}

/// The factors of T + ridge I for the recurrences of a row, in single precision.
struct Recurrence {
  std::vector<float> multiplier, inverse_pivot, coefficient; ///< [q]

  explicit Recurrence(const ShiftedFactor& factor) {
    for (Index k = 0; k < factor.target.size(); ++k) {
      multiplier.push_back(static_cast<float>(-factor.multiplier(k)));
      inverse_pivot.push_back(static_cast<float>(factor.inverse_pivot(k)));
      coefficient.push_back(static_cast<float>(factor.inverse_pivot(k) * factor.target(k)));
    }
  }
};

/// Leverage and fitted value of panel_width<> rows, for one ridge.
struct RowSums {
  P u[2]{}, leverage[2]{}, fitted[2]{};

  /// Entries first..end-1 of the rotated rows z.
  void add(const Tile<>& z, const Recurrence& recurrence, Index first, Index end) {
    RowSums sums = *this;
    for (Index k = first; k < end; ++k) {
      const auto at = static_cast<std::size_t>(k);
      const P multiplier = broadcast<P>(recurrence.multiplier[at]);
      const P inverse_pivot = broadcast<P>(recurrence.inverse_pivot[at]);
      const P coefficient = broadcast<P>(recurrence.coefficient[at]);
      for (Index half = 0; half < 2; ++half) {
        const P next = fma(multiplier, sums.u[half], z[k - first][half]);
        sums.leverage[half] = fma(inverse_pivot * next, next, sums.leverage[half]);
        sums.fitted[half] = fma(coefficient, next, sums.fitted[half]);
        sums.u[half] = next;
      }
    }
    *this = sums;
  }
};

/// Q' in tiles: entry (k, i) of tile t at [(t * q + i) * tile_rows<> + k].
void pack_rotation(const Eigen::MatrixXf& q, Buffer<float>& packed) {
  const Index size = q.rows(), tiles = (size + tile_rows<> - 1) / tile_rows<>;
  float* out = packed.resize_uninitialized(tiles * size * tile_rows<>);
  for (Index t = 0; t < tiles; ++t)
    for (Index i = 0; i < size; ++i)
      for (Index k = t * tile_rows<>; k < (t + 1) * tile_rows<>; ++k) *out++ = k < size ? q(i, k) : 0.0F;
}

} // namespace

FourierRidge fourier_ridge(const FourierBasis& basis, const RowBlock& x, const Vector& target,
                           const std::vector<Index>& fitted, std::span<const double> ridges) {
  if (std::ssize(fitted) <= fourier_count + 64)
    return metasieve::fourier_ridge(basis, x, target, fitted, ridges);
  const Index n = x.rows(), ridge_count = std::ssize(ridges);
  FourierTiles tiles(basis, x, target);
  const Index q = tiles.size();
  const NormalEquations equations = normal_equations(tiles, fitted);
  const TridiagonalForm form = tridiagonalise(equations.gram);
  const Vector right = rotated(form, equations.right);
  Buffer<float> rotation_tiles;
  pack_rotation(rotation(form), rotation_tiles);
  std::vector<Recurrence> recurrences;
  for (const double ridge : ridges)
    recurrences.emplace_back(factorise(form.diagonal, form.below, right, ridge));
  std::vector<bool> is_fitted(static_cast<std::size_t>(n));
  for (const Index row : fitted) is_fitted[static_cast<std::size_t>(row)] = true;

  MatrixF prediction(n, ridge_count);
  Vector error = Vector::Zero(ridge_count);
  std::vector<RowSums> sums(ridges.size());
  for (Index begin = 0; begin < n; begin += panel_width<>) {
    const float* const columns = tiles.by_columns(begin);
    std::fill(sums.begin(), sums.end(), RowSums{});
    for (Index first = 0; first < q; first += tile_rows<>) {
      Tile<> z{};
      multiply_add(z, {rotation_tiles.data() + first * q, 1, tile_rows<>}, columns, panel_width<>, q);
      for (std::size_t r = 0; r < ridges.size(); ++r)
        sums[r].add(z, recurrences[r], first, std::min(first + tile_rows<>, q));
    }
    for (Index r = 0; r < ridge_count; ++r) {
      alignas(P) float leverage[panel_width<>], fit[panel_width<>];
      for (Index half = 0; half < 2; ++half) {
        store(leverage + half * step, sums[static_cast<std::size_t>(r)].leverage[half]);
        store(fit + half * step, sums[static_cast<std::size_t>(r)].fitted[half]);
      }
      for (Index i = 0; i < std::min(panel_width<>, n - begin); ++i) {
        const Index row = begin + i;
        if (!is_fitted[static_cast<std::size_t>(row)]) {
          prediction(row, r) = fit[i];
          continue;
        }
        const double t = target(row);
        const double difference =
            (t - static_cast<double>(fit[i])) / std::max(1.0 - static_cast<double>(leverage[i]), 1e-7);
        error(r) += difference * difference;
        prediction(row, r) = static_cast<float>(t - difference);
      }
    }
  }
  Index best = 0;
  error.minCoeff(&best);
  return {prediction.col(best).cast<double>(), ridges[static_cast<std::size_t>(best)]};
}

} // namespace metasieve::kernels
