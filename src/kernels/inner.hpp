#pragma once

#include "base/split.hpp"
#include "inner/design.hpp"
#include "inner/inner_fit.hpp"
#include "numerics/gemv.hpp"
#include "numerics/newton.hpp"

#include <span>

namespace metasieve::kernels {

/// design_matrix by columns, standardised in T: the rows `rows` of `split`, or all where it is empty, to
/// `design`, which has room for them and inputs() columns. Instances for float and double.
template <class T>
void fill_design(const Split& split, const Standardizer& standardizer, std::span<const Index> rows,
                 simd::Columns<T>& design);

/// descend and reverse_sweep (inner/inner_fit.hpp), rows in T, coefficients and sums in double; one pass over
/// x a step. Keeps its memory. Instances for float, and for double: the preconditioner makes 1,000 times as
/// much of what rounding leaves along directions that the rows do not have.
template <class T>
class UnrolledSteps {
public:
  using View = Eigen::Map<const Vector>;
  using Input = Eigen::Ref<const Vector>;

  /// Copies the rows `rows` of `split`, all where it is empty.
  void assign(const Split& split, const Standardizer& standardizer, std::span<const Index> rows);
  [[nodiscard]] const simd::Columns<T>& design() const noexcept { return x_; } ///< [n, p], intercept last

  /// weights [n] > 0, probe [p] -> beta_K [p]; its status says whether it is finite.
  [[nodiscard]] View fit(const float* weights, const Input& probe, double ridge, const Unrolled& options);
  [[nodiscard]] FitStatus status() const noexcept { return status_; }

  /// d_beta [p] -> d_weights [n], 0 beyond up to whole registers. For the last fit.
  [[nodiscard]] const float* pullback(const Input& d_beta, const Unrolled& options);

private:
  void precondition(const Input& direction);

  simd::Columns<T> x_;
  simd::Buffer<T> y_, weights_; ///< [n], 0 beyond up to whole registers
  FitStatus status_ = FitStatus::converged;
  simd::Buffer<double> beta_, ridge_, sums_, direction_, adjoint_; ///< [p]
  simd::Buffer<T> coefficients_;                                   ///< [p]
  Eigen::MatrixXd preconditioner_;
  double total_ = 1;
  Index steps_ = 0;
  simd::Buffer<T> predictions_; ///< [steps, n in whole registers]
  simd::Buffer<T> along_, scratch_, d_weights_;
  simd::Buffer<float> rounded_;
};

/// `fit` and `pullback` of inner/inner_fit.hpp for one thread, one problem after the other in the same
/// memory: the unrolled steps in float32, and in double where the problem is ill-conditioned: for the
/// implicit method and with the preconditioner.
class InnerModel {
public:
  using View = Eigen::Map<const Vector>;
  using Input = Eigen::Ref<const Vector>;

  /// The problem of the rows `rows` of `split`, all where it is empty. probe [p].
  void load(const Split& split, const Standardizer& standardizer, std::span<const Index> rows,
            const Vector& probe, const InnerOptions& options);

  /// weights [n] > 0, of the last load. Its beta() is valid unless it diverged.
  FitStatus fit(const float* weights);
  [[nodiscard]] View beta() const { return {beta_.data(), columns_}; }

  /// d_beta [p] -> d_weights [n], 0 beyond up to whole registers; of the last fit.
  [[nodiscard]] const float* pullback(const Input& d_beta);

private:
  Index rows_ = 0, columns_ = 0;
  InnerOptions options_;
  simd::Buffer<double> probe_, beta_, ridge_; ///< [p]
  UnrolledSteps<float> steps_;
  UnrolledSteps<double> preconditioned_;
  NewtonFit newton_;
  simd::Buffer<float> d_weights_;
};

} // namespace metasieve::kernels
