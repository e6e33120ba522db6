#pragma once

#include "base/split.hpp"
#include "inner/design.hpp"
#include "inner/inner_fit.hpp"
#include "numerics/columns.hpp"
#include "numerics/newton.hpp"

#include <span>

namespace metasieve::kernels {

/// design_matrix by columns, standardised in T: the rows `rows` of `split`, or all where it is empty,
/// to columns[j][i], of mean.size() + 1 columns. Instances for float and double.
template <class T>
void fill_design(const Split& split, const Standardizer& standardizer, std::span<const Index> rows,
                 std::span<T* const> columns);

/// descend and reverse_sweep (inner/unrolled.hpp), rows in T, coefficients and sums in double; one pass over
/// x a step. Keeps its memory. Instances for float, and for double: the preconditioner makes 1,000 times as
/// much of what rounding leaves along directions that the rows do not have.
template <class T>
class UnrolledSteps {
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
  [[nodiscard]] View beta() const { return {beta_.data(), columns_of_x_}; }

  /// d_beta [p] -> d_weights [n], 0 beyond up to whole packets; of the last fit.
  [[nodiscard]] const float* pullback(const Input& d_beta);

private:
  /// The steps in T, and what they read.
  template <class T>
  struct Steps {
    UnrolledSteps<T> unrolled;
    typename UnrolledSteps<T>::Rows rows;
    simd::Buffer<T> weights;
    std::vector<T*> columns;
  };
  template <class T>
  void load(Steps<T>& steps, const Split& split, const Standardizer& standardizer,
            std::span<const Index> rows);
  void load_newton(const Split& split, const Standardizer& standardizer, std::span<const Index> rows);
  template <class T>
  FitStatus fit(Steps<T>& steps, const Unrolled& options, const float* weights);
  FitStatus fit_newton(const float* weights);
  template <class T>
  const float* rounded(const T* d_weights);

  Index rows_ = 0, columns_of_x_ = 0;
  InnerOptions options_;
  simd::Buffer<double> probe_, beta_, ridge_; ///< [p]
  Steps<float> steps_;
  Steps<double> preconditioned_;
  NewtonFit newton_;
  std::vector<double*> columns_;
  simd::Buffer<float> d_weights_;
};

} // namespace metasieve::kernels
