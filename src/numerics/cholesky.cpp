#include "numerics/cholesky.hpp"

#include <algorithm>
#include <cmath>

namespace metasieve {
namespace {

using namespace simd;
using P = Register<double>;
constexpr Index step = lanes<P>;

/// y -= a x over the whole registers that hold rows begin to end - 1: others of these change as well.
void subtract(Index begin, Index end, double a, const double* x, double* y) {
  const P factor = broadcast<P>(-a);
  for (Index i = begin / step * step; i < end; i += step)
    store(y + i, fma(factor, load<P>(x + i), load<P>(y + i)));
}

} // namespace

void Cholesky::resize(Index size) {
  size_ = size;
  stride_ = padded(size, step);
  factor_.resize_uninitialized(size * stride_);
  rest_.resize_uninitialized(stride_);
  solution_.resize_uninitialized(stride_);
}

/// Column by column, the reciprocal of the diagonal on it. At last L' is written above the diagonal, so that
/// both substitutions run down columns.
bool Cholesky::factorise() {
  double* const l = factor_.data();
  for (Index k = 0; k < size_; ++k) {
    double* const column = l + k * stride_;
    if (!(column[k] > 0.0)) return false;
    const double inverse = 1.0 / std::sqrt(column[k]);
    column[k] = inverse;
    for (Index i = k + 1; i < size_; ++i) column[i] *= inverse;
    for (Index j = k + 1; j < size_; ++j) subtract(j, size_, column[j], column, l + j * stride_);
  }
  for (Index j = 0; j < size_; ++j)
    for (Index i = j + 1; i < size_; ++i) l[i * stride_ + j] = l[j * stride_ + i];
  return true;
}

const double* Cholesky::solve(const double* b) {
  const double* const l = factor_.data();
  double *const rest = rest_.data(), *const x = solution_.data();
  std::copy_n(b, size_, rest);
  for (Index k = 0; k < size_; ++k) {
    x[k] = rest[k] * l[k * stride_ + k];
    subtract(k + 1, size_, x[k], l + k * stride_, rest);
  }
  std::copy_n(x, size_, rest);
  for (Index k = size_ - 1; k >= 0; --k) {
    x[k] = rest[k] * l[k * stride_ + k];
    subtract(0, k, x[k], l + k * stride_, rest);
  }
  return x;
}

} // namespace metasieve
