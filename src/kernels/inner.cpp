#include "kernels/inner.hpp"

#include <Eigen/Cholesky>

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

namespace metasieve::kernels {
namespace {

using namespace simd;

using PF = Register<float>;
constexpr int size = static_cast<int>(lanes<PF>);
using Block = RegisterBlock<PF>;

/// Up to `size` values of a row, zeros beyond.
PF load_part(const float* from, Index values) {
  if (values >= size) return load_unaligned<PF>(from);
  alignas(EIGEN_MAX_ALIGN_BYTES) std::array<float, size> part{};
  std::memcpy(part.data(), from, static_cast<std::size_t>(values) * sizeof(float));
  return load<PF>(part.data());
}

/// to[i] = (values[i] - mean) scale, in T.
template <class T>
void store_scaled(T* to, const PF& values, double mean, double scale, Index count) {
  const auto lane = lane_values(values);
  const T centre = static_cast<T>(mean), factor = static_cast<T>(scale);
  const auto of = [&](std::size_t i) { return (static_cast<T>(lane[i]) - centre) * factor; };
  if (count == size)
    for (std::size_t i = 0; i < size; ++i) to[i] = of(i);
  else
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) to[i] = of(i);
}

} // namespace

template <class T>
void fill_design(const Split& split, const Standardizer& standardizer, std::span<const Index> rows,
                 Columns<T>& design) {
  const Index n = rows.empty() ? split.rows() : std::ssize(rows), d = split.columns();
  const Index inputs = standardizer.inputs();
  const auto row = [&](Index i) { return rows.empty() ? i : rows[static_cast<std::size_t>(i)]; };
  const float* const x = split.x.data();
  const float* const end = x + split.x.size();
  for (Index begin = 0; begin < n; begin += size) {
    const Index count = std::min<Index>(size, n - begin);
    for (Index first = 0; first < d; first += size) {
      Block block;
      for (int i = 0; i < size; ++i) {
        const float* const from = x + row(std::min(begin + i, n - 1)) * d + first;
        // What is read beyond the row is another column's, and left out.
        block.packet[i] =
            end - from >= size ? load_unaligned<PF>(from) : load_part(from, std::min<Index>(size, d - first));
      }
      transpose(block);
      for (Index j = first; j < std::min(first + size, d); ++j)
        store_scaled(design.column(j) + begin, block.packet[j - first], standardizer.mean(j),
                     standardizer.inverse_scale(j), count);
    }
  }
  std::array<T, most_groups> of{};
  for (Index j = d; j < inputs - 1; ++j) {
    for (Index k = 0; k < split.groups; ++k)
      of[static_cast<std::size_t>(k)] = static_cast<T>(standardizer.group_values(k, j - d));
    T* const to = design.column(j);
    for (Index i = 0; i < n; ++i) to[i] = of[split.group(row(i))];
  }
  std::fill_n(design.column(inputs - 1), n, T{1});
}

template void fill_design(const Split&, const Standardizer&, std::span<const Index>, Columns<float>&);
template void fill_design(const Split&, const Standardizer&, std::span<const Index>, Columns<double>&);

namespace {

/// Labels of the rows `rows`, of all where it is empty, to out[0..n-1].
template <class T>
void copy_labels(const Labels& y, std::span<const Index> rows, Index n, T* out) {
  for (Index i = 0; i < n; ++i)
    out[i] = static_cast<T>(y(rows.empty() ? i : rows[static_cast<std::size_t>(i)]));
}

/// out[0..n-1] in another precision, zeros beyond up to whole registers.
template <class From, class To>
To* convert(const From* from, Index n, Buffer<To>& buffer) {
  To* const out = whole_registers(buffer, n);
  for (Index i = 0; i < n; ++i) out[i] = static_cast<To>(from[i]);
  clear_beyond(out, n);
  return out;
}

template <class T>
double sum_of(const T* values, Index begin, Index end) {
  using P = Register<T>;
  P sum = broadcast<P>(T{0});
  for (Index i = begin; i < end; i += lanes<P>) sum = sum + load<P>(values + i);
  return static_cast<double>(reduce_lanes(sum));
}

/// (X'X/n + 1e-3 I)^-1, [p, p].
template <class T>
Eigen::MatrixXd inverse_gram(const Columns<T>& x) {
  const Index p = x.columns();
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(p, p);
  x.for_each_block([&](Index begin, Index end) {
    for (Index j = 0; j < p; ++j) gemv_transposed(x, x.column(j), begin, end, gram.col(j).data());
  });
  gram /= static_cast<double>(x.rows());
  gram.diagonal().array() += 1e-3;
  return gram.llt().solve(Eigen::MatrixXd::Identity(p, p));
}

} // namespace

template <class T>
void UnrolledSteps<T>::assign(const Split& split, const Standardizer& standardizer,
                              std::span<const Index> rows) {
  const Index n = rows.empty() ? split.rows() : std::ssize(rows);
  x_.resize(n, standardizer.inputs());
  fill_design(split, standardizer, rows, x_);
  T* const y = whole_registers(y_, n);
  copy_labels(split.y, rows, n, y);
  clear_beyond(y, n);
}

/// direction_ = P direction.
template <class T>
void UnrolledSteps<T>::precondition(const Input& direction) {
  auto out = vector_in(direction_, direction.size());
  if (preconditioner_.size() == 0)
    out = direction;
  else
    out.noalias() = preconditioner_ * direction;
}

template <class T>
typename UnrolledSteps<T>::View UnrolledSteps<T>::fit(const float* given_weights, const Input& probe,
                                                      double ridge, const Unrolled& options) {
  using P = Register<T>;
  const Index p = x_.columns(), stride = x_.padded_rows();
  const T* const weights = convert(given_weights, x_.rows(), weights_);
  if (options.precondition)
    preconditioner_ = inverse_gram(x_);
  else
    preconditioner_.resize(0, 0);
  auto penalty = vector_in(ridge_, p), beta = vector_in(beta_, p), sums = vector_in(sums_, p);
  auto direction = vector_in(direction_, p);
  auto coefficients = vector_in(coefficients_, p);
  set_ridge_diagonal(penalty, ridge);
  steps_ = options.steps;
  predictions_.resize_uninitialized(steps_ * stride);
  T* const residual = scratch_.resize_uninitialized(stride);
  along_.resize_uninitialized(stride);
  total_ = 0.0;
  x_.for_each_block([&](Index begin, Index end) { total_ += sum_of(weights, begin, end); });

  if (options.start == Start::probe)
    beta = probe;
  else
    beta.setZero();
  for (Index k = 0; k < steps_; ++k) {
    coefficients = beta.template cast<T>();
    sums.setZero();
    T* const predicted = predictions_.data() + k * stride;
    x_.for_each_block([&](Index begin, Index end) {
      gemv(x_, coefficients.data(), begin, end, predicted);
      for (Index i = begin; i < end; i += lanes<P>) {
        const P probability = sigmoid(load<P>(predicted + i));
        store(predicted + i, probability);
        store(residual + i, load<P>(weights + i) * (probability - load<P>(y_.data() + i)));
      }
      gemv_transposed(x_, residual, begin, end, sums.data());
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
const float* UnrolledSteps<T>::pullback(const Input& d_beta, const Unrolled& options) {
  using P = Register<T>;
  const Index n = x_.rows(), p = x_.columns(), stride = x_.padded_rows();
  const T* const weights = weights_.data();
  T* const d_weights = d_weights_.resize_uninitialized(stride);
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
    x_.for_each_block([&](Index begin, Index end) {
      gemv(x_, coefficients.data(), begin, end, along);
      P sum = broadcast<P>(T{0});
      for (Index i = begin; i < end; i += lanes<P>) {
        const P probability = load<P>(predicted + i), direction = load<P>(along + i),
                weight = load<P>(weights + i);
        const P share = (probability - load<P>(y_.data() + i)) * direction;
        store(d_weights + i, load<P>(d_weights + i) + share);
        sum = fma(weight, share, sum);
        store(curvature + i, weight * direction * (probability - probability * probability));
      }
      weighted += static_cast<double>(reduce_lanes(sum));
      if (!options.first_order) gemv_transposed(x_, curvature, begin, end, sums.data());
    });
    common += weighted / total_;
    if (!options.first_order) adjoint += sums / total_ + penalty.cwiseProduct(d_gradient);
  }
  const P shift = broadcast<P>(static_cast<T>(common)), scale = broadcast<P>(static_cast<T>(1.0 / total_));
  for (Index i = 0; i < n; i += lanes<P>) store(d_weights + i, (load<P>(d_weights + i) - shift) * scale);
  clear_beyond(d_weights, n);
  if constexpr (std::is_same_v<T, float>)
    return d_weights;
  else
    return convert(d_weights, n, rounded_);
}

template class UnrolledSteps<float>;
template class UnrolledSteps<double>;

void InnerModel::load(const Split& split, const Standardizer& standardizer, std::span<const Index> rows,
                      const Vector& probe, const InnerOptions& options) {
  rows_ = rows.empty() ? split.rows() : std::ssize(rows);
  columns_ = probe.size();
  options_ = options;
  vector_in(probe_, columns_) = probe;
  const auto* const unrolled = std::get_if<Unrolled>(&options.method);
  if (unrolled != nullptr && unrolled->precondition) return preconditioned_.assign(split, standardizer, rows);
  if (unrolled != nullptr) return steps_.assign(split, standardizer, rows);
  newton_.load(rows_, columns_);
  fill_design(split, standardizer, rows, newton_.design());
  copy_labels(split.y, rows, rows_, newton_.labels().data());
}

FitStatus InnerModel::fit(const float* weights) {
  const auto probe = vector_in(probe_, columns_);
  auto beta = vector_in(beta_, columns_), ridge = vector_in(ridge_, columns_);
  if (const auto* const unrolled = std::get_if<Unrolled>(&options_.method)) {
    const auto fit = [&](auto& steps) {
      beta = steps.fit(weights, probe, options_.ridge, *unrolled);
      return steps.status();
    };
    return unrolled->precondition ? fit(preconditioned_) : fit(steps_);
  }
  std::copy_n(weights, rows_, newton_.weights().data());
  set_ridge_diagonal(ridge, options_.ridge);
  const FitStatus status = newton_.fit(probe, ridge);
  beta = newton_.beta();
  return status;
}

const float* InnerModel::pullback(const Input& d_beta) {
  const auto* const unrolled = std::get_if<Unrolled>(&options_.method);
  if (unrolled == nullptr) return convert(newton_.pullback(d_beta).data(), rows_, d_weights_);
  return unrolled->precondition ? preconditioned_.pullback(d_beta, *unrolled)
                                : steps_.pullback(d_beta, *unrolled);
}

} // namespace metasieve::kernels
