#pragma once

#include "base/columns.hpp"
#include "inner/inner_fit.hpp"

namespace metasieve {

/// descend and reverse_sweep (inner/unrolled.hpp), rows in T, coefficients and sums in double; one pass over
/// x a step. Keeps its memory. Instances for float, and for double: the preconditioner makes 1,000 times as
/// much of what rounding leaves along directions that the rows do not have.
template <class T>
class FastUnrolled {
public:
  using View = Eigen::Map<const Vector>;
  using Input = Eigen::Ref<const Vector>;

  struct Rows {
    simd::Columns<T> x; ///< [n, p], intercept last
    simd::Buffer<T> y;  ///< [n], 0 or 1; zeros up to x.stride()
  };

  /// weights [n] > 0, zeros up to x.stride(); probe [p] -> beta_K [p]; its status says whether it is finite.
  [[nodiscard]] View fit(const Rows& rows, const T* weights, const Input& probe, double ridge,
                         const Unrolled& options);
  [[nodiscard]] FitStatus status() const noexcept { return status_; }

  /// d_beta [p] -> d_weights [n], zeros up to x.stride(). Of the last fit.
  [[nodiscard]] const T* pullback(const Rows& rows, const T* weights, const Input& d_beta,
                                  const Unrolled& options);

private:
  void precondition(const Input& direction);

  FitStatus status_ = FitStatus::converged;
  simd::Buffer<double> beta_, ridge_, sums_, direction_, adjoint_; ///< [p]
  simd::Buffer<T> coefficients_;                                   ///< [p]
  Eigen::MatrixXd preconditioner_;
  double total_ = 1;
  Index steps_ = 0;
  simd::Buffer<T> predictions_; ///< [steps, stride]
  simd::Buffer<T> along_, scratch_, d_weights_;
};

} // namespace metasieve
