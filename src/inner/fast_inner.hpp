#pragma once

#include "base/split.hpp"
#include "inner/design.hpp"
#include "inner/fast_unrolled.hpp"
#include "inner/newton.hpp"

namespace metasieve {

/// `fit` and `pullback` of inner/inner_fit.hpp for one thread, one problem after the other in the same
/// memory: the unrolled steps in float32, and in double where the problem is ill-conditioned: for the
/// implicit method and with the preconditioner.
class FastInner {
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
    FastUnrolled<T> unrolled;
    typename FastUnrolled<T>::Rows rows;
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

} // namespace metasieve
