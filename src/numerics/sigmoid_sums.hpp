#pragma once

#include "numerics/gemv.hpp"

#include <vector>

namespace metasieve {

/// Sums of sigmoid(k x'b) over parts of the rows of a matrix, for functions of b that depend on these sums
/// alone. In double, on registers, each part in blocks that stay in the cache; sums in a fixed order.
class SigmoidSums {
public:
  /// Copies rows of x [n, p]: part c has the rows `parts[c]`, which may be none.
  SigmoidSums(const Matrix& x, const std::vector<std::vector<Index>>& parts);

  /// The sums at b [p], [parts].
  [[nodiscard]] Vector at(const Vector& b, double k);
  /// The gradient by b, [p], of the sum over parts c of weights_c times sum c, where `at` was called last.
  /// weights [parts].
  [[nodiscard]] Vector gradient(const Vector& weights);

private:
  /// In whole registers: rows of zeros fill up the last one.
  struct Part {
    Index number, begin, end;
    double padding; // rows of zeros
  };

  Index count_;
  double k_ = 0;
  std::vector<Part> parts_; // that have rows
  simd::Columns<double> x_;
  simd::Buffer<double> sigmoids_; // of each row
  simd::Buffer<double> slopes_;   // of a block
  simd::Buffer<double> gradient_sums_;
};

} // namespace metasieve
