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
void FastUnrolled<T>::precondition(const Vector& direction) {
  if (preconditioner_.size() == 0)
    direction_ = direction;
  else
    direction_.noalias() = preconditioner_ * direction;
}

template <class T>
const Vector& FastUnrolled<T>::fit(const Rows& rows, const T* weights, const Vector& probe, double ridge,
                                   const Unrolled& options) {
  const Columns<T>& x = rows.x;
  using P = Packet<T>;
  const Index p = x.columns(), stride = x.stride();
  if (options.precondition)
    preconditioner_ = inverse_gram(x);
  else
    preconditioner_.resize(0, 0);
  ridge_.setConstant(p, ridge);
  ridge_(p - 1) = 1e-6;
  iterates_.resize(static_cast<std::size_t>(options.steps));
  predictions_.sized(options.steps * stride);
  scratch_.sized(stride);
  along_.sized(stride);
  total_ = 0.0;
  x.for_each_block([&](Index begin, Index end) { total_ += sum_of(weights, begin, end); });

  if (options.start == Start::probe)
    beta_ = probe;
  else
    beta_.setZero(p);
  for (Index k = 0; k < options.steps; ++k) {
    iterates_[static_cast<std::size_t>(k)] = beta_;
    coefficients_ = beta_.template cast<T>();
    sums_.setZero(p);
    T* const predicted = predictions_.data() + k * stride;
    T* const residual = scratch_.data();
    x.for_each_block([&](Index begin, Index end) {
      combine(x, coefficients_.data(), begin, end, predicted);
      for (Index i = begin; i < end; i += lanes<P>) {
        const P probability = logistic(pload<P>(predicted + i));
        pstore(predicted + i, probability);
        pstore(residual + i, pmul(pload<P>(weights + i), psub(probability, pload<P>(rows.y.data() + i))));
      }
      correlate(x, residual, begin, end, sums_.data());
    });
    sums_ = sums_ / total_ + ridge_.cwiseProduct(beta_);
    precondition(sums_);
    beta_ -= options.step_size * direction_;
  }
  // A fixed number of steps is the model itself, not a failure to converge.
  status_ = beta_.allFinite() ? FitStatus::converged : FitStatus::diverged;
  return beta_;
}

template <class T>
const T* FastUnrolled<T>::pullback(const Rows& rows, const T* weights, const Vector& d_beta,
                                   const Unrolled& options) {
  const Columns<T>& x = rows.x;
  using P = Packet<T>;
  const Index n = x.rows(), p = x.columns(), stride = x.stride();
  T* const d_weights = d_weights_.sized(stride);
  std::fill_n(d_weights, stride, T{0});
  double common = 0.0; // of all rows: through the sum of the weights
  adjoint_ = d_beta;   // d outer / d beta_{k+1}
  for (std::size_t k = iterates_.size(); k-- > 0;) {
    precondition(adjoint_);
    direction_ *= -options.step_size; // d gradient
    coefficients_ = direction_.template cast<T>();
    sums_.setZero(p);
    const T* const predicted = predictions_.data() + static_cast<Index>(k) * stride;
    T* const along = along_.data();
    T* const curvature = scratch_.data();
    double weighted = 0.0;
    x.for_each_block([&](Index begin, Index end) {
      combine(x, coefficients_.data(), begin, end, along);
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
      if (!options.first_order) correlate(x, curvature, begin, end, sums_.data());
    });
    common += weighted / total_;
    if (!options.first_order) adjoint_ += sums_ / total_ + ridge_.cwiseProduct(direction_);
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
