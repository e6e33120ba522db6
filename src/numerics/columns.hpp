#pragma once

#include "numerics/gemv.hpp"

#include <array>

namespace metasieve::simd {

/// A matrix [rows, columns] by columns, for loops over rows: every column begins aligned and ends with zeros
/// up to whole blocks of rows, which such loops run over too. Keeps its memory.
template <class T>
class Columns {
public:
  /// Rows that are worked on together, while they are in the first cache.
  static constexpr Index block_rows = 256;

  /// The values are those of before, or anything; the zeros beyond the last row are there.
  void resize(Index rows, Index columns) {
    rows_ = rows, columns_ = columns, stride_ = padded(rows, lanes<Register<T>>);
    values_.resize_uninitialized(stride_ * columns);
    for (Index j = 0; j < columns; ++j) std::fill(column(j) + rows, column(j) + stride_, T{0});
  }

  [[nodiscard]] Index rows() const noexcept { return rows_; }
  [[nodiscard]] Index columns() const noexcept { return columns_; }
  /// Rows with the zeros.
  [[nodiscard]] Index stride() const noexcept { return stride_; }
  [[nodiscard]] T* column(Index j) noexcept { return values_.data() + j * stride_; }
  [[nodiscard]] const T* column(Index j) const noexcept { return values_.data() + j * stride_; }

  /// Rows begin to end - 1, in whole registers.
  [[nodiscard]] ColumnBlock<T> block(Index begin, Index end) const noexcept {
    return {values_.data() + begin, stride_, columns_, end - begin};
  }

  /// body(begin, end) for each block of rows, in order, in whole registers.
  template <class Body>
  void for_each_block(Body&& body) const {
    for (Index begin = 0; begin < stride_; begin += block_rows)
      body(begin, std::min(begin + block_rows, stride_));
  }

private:
  Buffer<T> values_;
  Index rows_ = 0, columns_ = 0, stride_ = 0;
};

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
      alignas(EIGEN_MAX_ALIGN_BYTES) std::array<Scalar<P>, static_cast<std::size_t>(step)> lane;
      store(lane.data(), last[k]);
      for (Index i = 0; i < end - whole; ++i)
        total[k] += static_cast<double>(lane[static_cast<std::size_t>(i)]);
    }
  }
  return total;
}

} // namespace metasieve::simd
