#pragma once

#include "numerics/registers.hpp"

namespace metasieve {

/// The Cholesky factor of small systems that are solved again and again, in memory that is kept.
class Cholesky {
public:
  /// A positive definite matrix [size, size] is to be written to the lower triangle of `matrix()`: entry (i,
  /// j), i >= j, at [j * stride() + i].
  void resize(Index size);
  [[nodiscard]] double* matrix() noexcept { return factor_.data(); }
  [[nodiscard]] Index size() const noexcept { return size_; }
  [[nodiscard]] Index stride() const noexcept { return stride_; }

  /// Replaces the matrix by its factor. False, and no factor, if it is not positive definite.
  [[nodiscard]] bool factorise();

  /// The solution [size] for the right-hand side `b` [size]; it is there until the next call.
  const double* solve(const double* b);

private:
  Index size_ = 0, stride_ = 0;
  simd::Buffer<double> factor_, rest_, solution_;
};

} // namespace metasieve
