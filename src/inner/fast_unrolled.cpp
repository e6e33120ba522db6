#include "inner/fast_unrolled.hpp"

#include <Eigen/Cholesky>

namespace metasieve {
namespace {

using namespace Eigen::internal;
using namespace simd;

template <class T>
double sum_of(const T* values, Index begin, Index end) {
  using P = Packet<T>;
  P sum = pset1<P>(T{0});
  for (Index i = begin; i < end; i += lanes<P>) sum = padd(sum, pload<P>(values + i));
  return static_cast<double>(predux(sum));
}

/// (X'X/n + 1e-3 I)^-1, [p, p].
template <class T>
Eigen::MatrixXd inverse_gram(const Columns<T>& x) {
  const Index p = x.columns();
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(p, p);
  x.for_each_block([&](Index begin, Index end) {
    for (Index j = 0; j < p; ++j) correlate(x, x.column(j), begin, end, gram.col(j).data());
  });
  gram /= static_cast<double>(x.rows());
  gram.diagonal().array() += 1e-3;
  return gram.llt().solve(Eigen::MatrixXd::Identity(p, p));
}

} // namespace

/// direction_ = P direction.
template <class T>
void FastUnrolled<T>::precondition(const Input& direction) {
  auto out = vector_in(direction_, direction.size());
  if (preconditioner_.size() == 0)
    out = direction;
  else
    out.noalias() = preconditioner_ * direction;
}

template <class T>
typename FastUnrolled<T>::View FastUnrolled<T>::fit(const Rows& rows, const T* weights, const Input& probe,
                                                    double ridge, const Unrolled& options) {
  const Columns<T>& x = rows.x;
  using P = Packet<T>;
  const Index p = x.columns(), stride = x.stride();
  if (options.precondition)
    preconditioner_ = inverse_gram(x);
  else
    preconditioner_.resize(0, 0);
  auto penalty = vector_in(ridge_, p), beta = vector_in(beta_, p), sums = vector_in(sums_, p);
  auto direction = vector_in(direction_, p);
  auto coefficients = vector_in(coefficients_, p);
  set_ridge_diagonal(penalty, ridge);
  steps_ = options.steps;
  predictions_.sized(steps_ * stride);
  T* const residual = scratch_.sized(stride);
  along_.sized(stride);
  total_ = 0.0;
  x.for_each_block([&](Index begin, Index end) { total_ += sum_of(weights, begin, end); });

  if (options.start == Start::probe)
    beta = probe;
  else
    beta.setZero();
  for (Index k = 0; k < steps_; ++k) {
    coefficients = beta.template cast<T>();
    sums.setZero();
    T* const predicted = predictions_.data() + k * stride;
    x.for_each_block([&](Index begin, Index end) {
      combine(x, coefficients.data(), begin, end, predicted);
      for (Index i = begin; i < end; i += lanes<P>) {
        const P probability = logistic(pload<P>(predicted + i));
        pstore(predicted + i, probability);
        pstore(residual + i, pmul(pload<P>(weights + i), psub(probability, pload<P>(rows.y.data() + i))));
      }
      correlate(x, residual, begin, end, sums.data());
    });
    sums = sums / total_ + penalty.cwiseProduct(beta);
    precondition(sums);
    beta -= options.step_size * direction;
  }
  // A fixed number of steps is the model itself, not a failure to converge.
  status_ = beta.allFinite() ? FitStatus::converged : FitStatus::diverged;
  return {beta.data(), p};
}

template <class T>
const T* FastUnrolled<T>::pullback(const Rows& rows, const T* weights, const Input& d_beta,
                                   const Unrolled& options) {
  const Columns<T>& x = rows.x;
  using P = Packet<T>;
  const Index n = x.rows(), p = x.columns(), stride = x.stride();
  T* const d_weights = d_weights_.sized(stride);
  std::fill_n(d_weights, stride, T{0});
  const auto penalty = vector_in(ridge_, p);
  auto sums = vector_in(sums_, p), adjoint = vector_in(adjoint_, p), d_gradient = vector_in(direction_, p);
  auto coefficients = vector_in(coefficients_, p);
  double common = 0.0; // of all rows: through the sum of the weights
  adjoint = d_beta;    // d outer / d beta_{k+1}
  for (Index k = steps_; k-- > 0;) {
    precondition(adjoint);
    d_gradient *= -options.step_size;
    coefficients = d_gradient.template cast<T>();
    sums.setZero();
    const T* const predicted = predictions_.data() + k * stride;
    T* const along = along_.data();
    T* const curvature = scratch_.data();
    double weighted = 0.0;
    x.for_each_block([&](Index begin, Index end) {
      combine(x, coefficients.data(), begin, end, along);
      P sum = pset1<P>(T{0});
      for (Index i = begin; i < end; i += lanes<P>) {
        const P probability = pload<P>(predicted + i), direction = pload<P>(along + i),
                weight = pload<P>(weights + i);
        const P share = pmul(psub(probability, pload<P>(rows.y.data() + i)), direction);
        pstore(d_weights + i, padd(pload<P>(d_weights + i), share));
        sum = pmadd(weight, share, sum);
        pstore(curvature + i,
               pmul(pmul(weight, direction), psub(probability, pmul(probability, probability))));
      }
      weighted += static_cast<double>(predux(sum));
      if (!options.first_order) correlate(x, curvature, begin, end, sums.data());
    });
    common += weighted / total_;
    if (!options.first_order) adjoint += sums / total_ + penalty.cwiseProduct(d_gradient);
  }
  const P shift = pset1<P>(static_cast<T>(common)), scale = pset1<P>(static_cast<T>(1.0 / total_));
  for (Index i = 0; i < n; i += lanes<P>)
    pstore(d_weights + i, pmul(psub(pload<P>(d_weights + i), shift), scale));
  std::fill(d_weights + n, d_weights + stride, T{0});
  return d_weights;
}

template class FastUnrolled<float>;
template class FastUnrolled<double>;

} // namespace metasieve
