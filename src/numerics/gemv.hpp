#pragma once

#include "numerics/registers.hpp"

#include <array>

/// Products of a matrix that is held by columns, for a block of its rows in whole registers.
namespace metasieve::simd {

/// Some rows of a matrix by columns: x(i, j) = x[j * stride + i], aligned; `rows` is a multiple of lanes.
template <class T>
struct ColumnBlock {
  const T* x;
  Index stride, columns, rows;
};

/// A matrix [rows, columns] by columns, for loops over rows: every column begins aligned, and zeros fill its
/// last register, which such loops run over too. Keeps its memory.
template <class T>
class Columns {
public:
  /// Rows that are worked on together, while they are in the first cache.
  static constexpr Index block_rows = 256;

  /// Keeps no value, but for the zeros beyond the last row. `shift`: columns begin so many values after a
  /// multiple of 4 kB apart, in different sets of the cache; 0: close together.
  void resize(Index rows, Index columns, Index shift = 0) {
    constexpr Index page = 4096 / sizeof(T);
    rows_ = rows, columns_ = columns, padded_rows_ = padded(rows, lanes<Register<T>>);
    stride_ = shift == 0 ? padded_rows_ : padded(std::max<Index>(rows - shift, 0), page) + shift;
    values_.resize_uninitialized(stride_ * columns);
    for (Index j = 0; j < columns; ++j) std::fill(column(j) + rows, column(j) + padded_rows_, T{0});
  }

  [[nodiscard]] Index rows() const noexcept { return rows_; }
  [[nodiscard]] Index columns() const noexcept { return columns_; }
  [[nodiscard]] Index padded_rows() const noexcept { return padded_rows_; } ///< in whole registers
  [[nodiscard]] Index stride() const noexcept { return stride_; }
  [[nodiscard]] T* column(Index j) noexcept { return values_.data() + j * stride_; }
  [[nodiscard]] const T* column(Index j) const noexcept { return values_.data() + j * stride_; }

  /// Rows begin to end - 1, in whole registers.
  [[nodiscard]] ColumnBlock<T> block(Index begin, Index end) const noexcept {
    return {values_.data() + begin, stride_, columns_, end - begin};
  }

  /// Calls body(begin, end) for each block of `count` rows, in order, in whole registers.
  template <class Body>
  void for_each_block(Body&& body, Index count = block_rows) const {
    for (Index begin = 0; begin < padded_rows_; begin += count)
      body(begin, std::min(begin + count, padded_rows_));
  }

private:
  Buffer<T> values_;
  Index rows_ = 0, columns_ = 0, padded_rows_ = 0, stride_ = 0;
};

/// 1 / (1 + exp(-f)). In double, exp(-f) = 2^n e^r with r = -f - n log 2, and e^r = (q + p) / (q - p) by the
/// rational form of Cephes (Moshier, netlib.org/cephes): its quotient and that of the sigmoid are one.
template <class P>
EIGEN_ALWAYS_INLINE P sigmoid(const P& f) {
  const auto all = [](double value) { return broadcast<P>(static_cast<Scalar<P>>(value)); };
  if constexpr (sizeof(Scalar<P>) == sizeof(float)) {
    const P one = all(1.0);
    return one / (one + exp(P(-f)));
  } else {
    const P x = max(min(P(-f), all(708.0)), all(-708.0));
    const P n = floor(fma(x, all(1.4426950408889634), all(0.5)));
    const P r = fma(n, all(-1.42860682030941723212e-6), fma(n, all(-0.693145751953125), x));
    const P square = r * r;
    P p = fma(all(1.26177193074810590878e-4), square, all(3.02994407707441961300e-2));
    p = r * fma(p, square, all(1.0));
    P q = fma(all(3.00198505138664455042e-6), square, all(2.52448340349684104192e-3));
    q = fma(fma(q, square, all(2.27265548208155028766e-1)), square, all(2.0));
    const P below = q - p;
    return below / (below + ldexp(P(q + p), n));
  }
}

/// `unroll` registers of rows from row i on.
template <int unroll, class T>
EIGEN_ALWAYS_INLINE void gemv_rows(const ColumnBlock<T>& block, const T* c, Index i, T* y) {
  using P = Register<T>;
  P sum[unroll];
  for (int k = 0; k < unroll; ++k) sum[k] = broadcast<P>(T{0});
  const T* column = block.x + i;
  for (Index j = 0; j < block.columns; ++j, column += block.stride) {
    const P factor = broadcast<P>(c[j]);
#pragma GCC unroll 4
    for (int k = 0; k < unroll; ++k) sum[k] = fma(factor, load<P>(column + k * lanes<P>), sum[k]);
  }
  for (int k = 0; k < unroll; ++k) store(y + i + k * lanes<P>, sum[k]);
}

/// y = X c: [rows], each summed in the order of the columns; c [columns].
template <class T>
void gemv(const ColumnBlock<T>& block, const T* c, T* y) {
  constexpr Index step = lanes<Register<T>>;
  Index i = 0;
  for (; i + 4 * step <= block.rows; i += 4 * step) gemv_rows<4>(block, c, i, y);
  for (; i < block.rows; i += step) gemv_rows<1>(block, c, i, y);
}

/// `unroll` columns from column j on.
template <int unroll, class T, class Start, class Finish>
EIGEN_ALWAYS_INLINE void gemv_columns(const ColumnBlock<T>& block, const T* v, Index j, const Start& start,
                                      const Finish& finish) {
  using P = Register<T>;
  const T* const x = block.x + j * block.stride;
  P sum[unroll];
#pragma GCC unroll 8
  for (int k = 0; k < unroll; ++k) sum[k] = start(j + k);
  for (Index i = 0; i < block.rows; i += lanes<P>) {
    const P factor = load<P>(v + i);
#pragma GCC unroll 8
    for (int k = 0; k < unroll; ++k) sum[k] = fma(load<P>(x + k * block.stride + i), factor, sum[k]);
  }
#pragma GCC unroll 8
  for (int k = 0; k < unroll; ++k) finish(j + k, sum[k]);
}

/// X' v, v [rows]: of each column j, one partial sum a lane, from start(j) on and given to finish(j, sums).
template <class T, class Start, class Finish>
void gemv_transposed(const ColumnBlock<T>& block, const T* v, const Start& start, const Finish& finish) {
  Index j = 0;
  for (; j + 8 <= block.columns; j += 8) gemv_columns<8>(block, v, j, start, finish);
  for (; j + 4 <= block.columns; j += 4) gemv_columns<4>(block, v, j, start, finish);
  for (; j < block.columns; ++j) gemv_columns<1>(block, v, j, start, finish);
}

/// Adds X' v to `sums` [columns][lanes].
template <class T>
void gemv_transposed(const ColumnBlock<T>& block, const T* v, T* sums) {
  using P = Register<T>;
  gemv_transposed(
      block, v, [&](Index j) { return load<P>(sums + j * lanes<P>); },
      [&](Index j, const P& sum) { store(sums + j * lanes<P>, sum); });
}

/// y[begin..end-1] = X c: sums over the columns j of c[j] x(row, j), in order of j.
template <class T>
void gemv(const Columns<T>& x, const T* c, Index begin, Index end, T* y) {
  gemv(x.block(begin, end), c, y + begin);
}

/// sums[j] += sum over rows begin..end-1 of x(row, j) v[row]: within the block in T, over blocks in double.
template <class T>
void gemv_transposed(const Columns<T>& x, const T* v, Index begin, Index end, double* sums) {
  using P = Register<T>;
  gemv_transposed(
      x.block(begin, end), v + begin, [](Index) { return broadcast<P>(T{0}); },
      [&](Index j, const P& sum) { sums[j] += static_cast<double>(reduce_lanes(sum)); });
}

/// Sums over rows 0..n-1 of the `count` registers that terms(i) gives for rows i..i+lanes-1: in T within a
/// block of rows, over blocks in double. Rows beyond n in the last register count nothing.
template <class P, std::size_t count, class Terms>
std::array<double, count> row_sums(Index n, Terms&& terms) {
  constexpr Index step = lanes<P>, block = 64 * step;
  std::array<double, count> total{};
  for (Index begin = 0; begin < n; begin += block) {
    std::array<P, count> sum;
    sum.fill(broadcast<P>(Scalar<P>{0}));
    const Index end = std::min(begin + block, n), whole = begin + (end - begin) / step * step;
    for (Index i = begin; i < whole; i += step) {
      const std::array<P, count> term = terms(i);
      for (std::size_t k = 0; k < count; ++k) sum[k] = sum[k] + term[k];
    }
    for (std::size_t k = 0; k < count; ++k) total[k] += static_cast<double>(reduce_lanes(sum[k]));
    if (whole == end) continue;
    const std::array<P, count> last = terms(whole);
    for (std::size_t k = 0; k < count; ++k) {
      const auto values = lane_values(last[k]);
      for (Index i = 0; i < end - whole; ++i)
        total[k] += static_cast<double>(values[static_cast<std::size_t>(i)]);
    }
  }
  return total;
}

/// Registers that syrk needs for its sums.
[[nodiscard]] Index syrk_sums(Index columns);
/// Rows times this many values are the scratch memory of syrk: columns of a tile, whose sums, the square of
/// this many, stay in registers.
inline constexpr Index syrk_scratch = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 4 : 3;

/// Adds the lower half of X' diag(c) X to `sums` [syrk_sums][lanes], in an order that store_syrk knows. c
/// [rows].
void syrk(const ColumnBlock<double>& block, const double* c, double* scratch, double* sums);

/// From the sums of syrk, reduced: h(i, j) = h[j * stride + i], i >= j, is the sum divided by `total`.
void store_syrk(Index columns, const double* sums, double total, double* h, Index stride);

/// Each register of `sums` [count][lanes] becomes one number of out [count], count padded to whole registers.
void reduce_lanes(const double* sums, Index count, double* out);

} // namespace metasieve::simd
