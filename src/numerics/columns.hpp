#pragma once

#include "numerics/registers.hpp"

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
    rows_ = rows, columns_ = columns, stride_ = padded(rows, lanes<Packet<T>>);
    values_.sized(stride_ * columns);
    for (Index j = 0; j < columns; ++j) std::fill(column(j) + rows, column(j) + stride_, T{0});
  }

  [[nodiscard]] Index rows() const noexcept { return rows_; }
  [[nodiscard]] Index columns() const noexcept { return columns_; }
  /// Rows with the zeros.
  [[nodiscard]] Index stride() const noexcept { return stride_; }
  [[nodiscard]] T* column(Index j) noexcept { return values_.data() + j * stride_; }
  [[nodiscard]] const T* column(Index j) const noexcept { return values_.data() + j * stride_; }

  /// body(begin, end) for each block of rows, in order, in whole packets.
  template <class Body>
  void for_each_block(Body&& body) const {
    for (Index begin = 0; begin < stride_; begin += block_rows)
      body(begin, std::min(begin + block_rows, stride_));
  }

private:
  Buffer<T> values_;
  Index rows_ = 0, columns_ = 0, stride_ = 0;
};

/// 1 / (1 + exp(-f)).
template <class P>
EIGEN_ALWAYS_INLINE P logistic(const P& f) {
  using namespace Eigen::internal;
  const P one = pset1<P>(Scalar<P>{1});
  return pdiv(one, padd(one, pexp(pnegate(f))));
}

/// out[begin..end-1] = sum over j of coefficients[j] x(row, j), in order of j.
template <class T>
void combine(const Columns<T>& x, const T* coefficients, Index begin, Index end, T* out) {
  using namespace Eigen::internal;
  using P = Packet<T>;
  constexpr Index step = lanes<P>, together = 4 * step;
  Index i = begin;
  for (; i + together <= end; i += together) {
    P a = pset1<P>(T{0}), b = a, c = a, d = a;
    for (Index j = 0; j < x.columns(); ++j) {
      const T* const column = x.column(j) + i;
      const P coefficient = pset1<P>(coefficients[j]);
      a = pmadd(coefficient, pload<P>(column), a);
      b = pmadd(coefficient, pload<P>(column + step), b);
      c = pmadd(coefficient, pload<P>(column + 2 * step), c);
      d = pmadd(coefficient, pload<P>(column + 3 * step), d);
    }
    pstore(out + i, a);
    pstore(out + i + step, b);
    pstore(out + i + 2 * step, c);
    pstore(out + i + 3 * step, d);
  }
  for (; i < end; i += step) {
    P a = pset1<P>(T{0});
    for (Index j = 0; j < x.columns(); ++j)
      a = pmadd(pset1<P>(coefficients[j]), pload<P>(x.column(j) + i), a);
    pstore(out + i, a);
  }
}

/// sums[j] += sum over rows begin..end-1 of x(row, j) values[row]: within the block in T, over blocks in
/// double.
template <class T>
void correlate(const Columns<T>& x, const T* values, Index begin, Index end, double* sums) {
  using namespace Eigen::internal;
  using P = Packet<T>;
  constexpr Index step = lanes<P>;
  Index j = 0;
  for (; j + 4 <= x.columns(); j += 4) {
    P a = pset1<P>(T{0}), b = a, c = a, d = a;
    for (Index i = begin; i < end; i += step) {
      const P value = pload<P>(values + i);
      a = pmadd(pload<P>(x.column(j) + i), value, a);
      b = pmadd(pload<P>(x.column(j + 1) + i), value, b);
      c = pmadd(pload<P>(x.column(j + 2) + i), value, c);
      d = pmadd(pload<P>(x.column(j + 3) + i), value, d);
    }
    sums[j] += static_cast<double>(predux(a));
    sums[j + 1] += static_cast<double>(predux(b));
    sums[j + 2] += static_cast<double>(predux(c));
    sums[j + 3] += static_cast<double>(predux(d));
  }
  for (; j < x.columns(); ++j) {
    P a = pset1<P>(T{0});
    for (Index i = begin; i < end; i += step) a = pmadd(pload<P>(x.column(j) + i), pload<P>(values + i), a);
    sums[j] += static_cast<double>(predux(a));
  }
}

/// Sums over rows 0..n-1 of the `count` packets that terms(i) gives for rows i..i+lanes-1: in T within a
/// block of rows, over blocks in double. Rows beyond n in the last packet count nothing.
template <class P, std::size_t count, class Terms>
std::array<double, count> row_sums(Index n, Terms&& terms) {
  using namespace Eigen::internal;
  constexpr Index step = lanes<P>, block = 64 * step;
  std::array<double, count> total{};
  for (Index begin = 0; begin < n; begin += block) {
    std::array<P, count> sum;
    sum.fill(pset1<P>(Scalar<P>{0}));
    const Index end = std::min(begin + block, n), whole = begin + (end - begin) / step * step;
    for (Index i = begin; i < whole; i += step) {
      const std::array<P, count> term = terms(i);
      for (std::size_t k = 0; k < count; ++k) sum[k] = padd(sum[k], term[k]);
    }
    for (std::size_t k = 0; k < count; ++k) total[k] += static_cast<double>(predux(sum[k]));
    if (whole == end) continue;
    const std::array<P, count> last = terms(whole);
    for (std::size_t k = 0; k < count; ++k) {
      alignas(EIGEN_MAX_ALIGN_BYTES) std::array<Scalar<P>, static_cast<std::size_t>(step)> lane;
      pstore(lane.data(), last[k]);
      for (Index i = 0; i < end - whole; ++i)
        total[k] += static_cast<double>(lane[static_cast<std::size_t>(i)]);
    }
  }
  return total;
}

} // namespace metasieve::simd
