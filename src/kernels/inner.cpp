#include "kernels/inner.hpp"

#include "numerics/registers.hpp"

#include <Eigen/Cholesky>

#include <array>
#include <cstring>

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
  alignas(EIGEN_MAX_ALIGN_BYTES) std::array<float, size> lane;
  store(lane.data(), values);
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
                 std::span<T* const> columns) {
  const Index n = rows.empty() ? split.rows() : std::ssize(rows), d = split.columns();
  const auto inputs = static_cast<std::size_t>(standardizer.mean.size());
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
        store_scaled(columns[static_cast<std::size_t>(j)] + begin, block.packet[j - first],
                     standardizer.mean(j), standardizer.inverse_scale(j), count);
    }
  }
  if (standardizer.use_group) {
    const double mean = standardizer.mean(d), scale = standardizer.inverse_scale(d);
    const std::array<T, 2> of{static_cast<T>((0.0 - mean) * scale), static_cast<T>((1.0 - mean) * scale)};
    T* const to = columns[inputs - 1];
    for (Index i = 0; i < n; ++i) to[i] = of[split.group(row(i))];
  }
  std::fill_n(columns[inputs], n, T{1});
}

template void fill_design(const Split&, const Standardizer&, std::span<const Index>, std::span<float* const>);
template void fill_design(const Split&, const Standardizer&, std::span<const Index>,
                          std::span<double* const>);

namespace {

using namespace simd;

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
typename UnrolledSteps<T>::View UnrolledSteps<T>::fit(const Rows& rows, const T* weights, const Input& probe,
                                                      double ridge, const Unrolled& options) {
  const Columns<T>& x = rows.x;
  using P = Register<T>;
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
  predictions_.resize_uninitialized(steps_ * stride);
  T* const residual = scratch_.resize_uninitialized(stride);
  along_.resize_uninitialized(stride);
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
      gemv(x, coefficients.data(), begin, end, predicted);
      for (Index i = begin; i < end; i += lanes<P>) {
        const P probability = sigmoid(load<P>(predicted + i));
        store(predicted + i, probability);
        store(residual + i, load<P>(weights + i) * (probability - load<P>(rows.y.data() + i)));
      }
      gemv_transposed(x, residual, begin, end, sums.data());
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
const T* UnrolledSteps<T>::pullback(const Rows& rows, const T* weights, const Input& d_beta,
                                    const Unrolled& options) {
  const Columns<T>& x = rows.x;
  using P = Register<T>;
  const Index n = x.rows(), p = x.columns(), stride = x.stride();
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
    x.for_each_block([&](Index begin, Index end) {
      gemv(x, coefficients.data(), begin, end, along);
      P sum = broadcast<P>(T{0});
      for (Index i = begin; i < end; i += lanes<P>) {
        const P probability = load<P>(predicted + i), direction = load<P>(along + i),
                weight = load<P>(weights + i);
        const P share = (probability - load<P>(rows.y.data() + i)) * direction;
        store(d_weights + i, load<P>(d_weights + i) + share);
        sum = fma(weight, share, sum);
        store(curvature + i, weight * direction * (probability - probability * probability));
      }
      weighted += static_cast<double>(reduce_lanes(sum));
      if (!options.first_order) gemv_transposed(x, curvature, begin, end, sums.data());
    });
    common += weighted / total_;
    if (!options.first_order) adjoint += sums / total_ + penalty.cwiseProduct(d_gradient);
  }
  const P shift = broadcast<P>(static_cast<T>(common)), scale = broadcast<P>(static_cast<T>(1.0 / total_));
  for (Index i = 0; i < n; i += lanes<P>) store(d_weights + i, (load<P>(d_weights + i) - shift) * scale);
  std::fill(d_weights + n, d_weights + stride, T{0});
  return d_weights;
}

template class UnrolledSteps<float>;
template class UnrolledSteps<double>;

namespace {

using simd::vector_in;

constexpr Index step = simd::lanes<simd::Register<float>>;

/// Labels of the rows `rows`, of all where it is empty, to out[0..n-1].
template <class T>
void copy_labels(const Labels& y, std::span<const Index> rows, Index n, T* out) {
  if (rows.empty())
    for (Index i = 0; i < n; ++i) out[i] = static_cast<T>(y(i));
  else
    for (Index i = 0; i < n; ++i) out[i] = static_cast<T>(y(rows[static_cast<std::size_t>(i)]));
}

} // namespace

void InnerModel::load(const Split& split, const Standardizer& standardizer, std::span<const Index> rows,
                      const Vector& probe, const InnerOptions& options) {
  rows_ = rows.empty() ? split.rows() : std::ssize(rows);
  columns_of_x_ = probe.size();
  options_ = options;
  vector_in(probe_, columns_of_x_) = probe;
  const auto* const unrolled = std::get_if<Unrolled>(&options.method);
  if (unrolled == nullptr)
    load_newton(split, standardizer, rows);
  else if (unrolled->precondition)
    load(preconditioned_, split, standardizer, rows);
  else
    load(steps_, split, standardizer, rows);
}

template <class T>
void InnerModel::load(Steps<T>& steps, const Split& split, const Standardizer& standardizer,
                      std::span<const Index> rows) {
  auto& [x, y] = steps.rows;
  x.resize(rows_, columns_of_x_);
  steps.columns.clear();
  for (Index j = 0; j < x.columns(); ++j) steps.columns.push_back(x.column(j));
  fill_design<T>(split, standardizer, rows, steps.columns);
  copy_labels(split.y, rows, rows_, y.resize_uninitialized(x.stride()));
  std::fill(y.data() + rows_, y.data() + x.stride(), T{0});
}

void InnerModel::load_newton(const Split& split, const Standardizer& standardizer,
                             std::span<const Index> rows) {
  newton_.load(rows_, columns_of_x_);
  columns_.clear();
  for (Index j = 0; j < columns_of_x_; ++j) columns_.push_back(newton_.column(j).data());
  fill_design<double>(split, standardizer, rows, columns_);
  copy_labels(split.y, rows, rows_, newton_.labels().data());
}

FitStatus InnerModel::fit(const float* weights) {
  const auto* const unrolled = std::get_if<Unrolled>(&options_.method);
  if (unrolled == nullptr) return fit_newton(weights);
  return unrolled->precondition ? fit(preconditioned_, *unrolled, weights) : fit(steps_, *unrolled, weights);
}

template <class T>
FitStatus InnerModel::fit(Steps<T>& steps, const Unrolled& options, const float* weights) {
  const Index stride = steps.rows.x.stride();
  T* const own = steps.weights.resize_uninitialized(stride);
  for (Index i = 0; i < rows_; ++i) own[i] = static_cast<T>(weights[i]);
  std::fill(own + rows_, own + stride, T{0});
  vector_in(beta_, columns_of_x_) =
      steps.unrolled.fit(steps.rows, own, vector_in(probe_, columns_of_x_), options_.ridge, options);
  return steps.unrolled.status();
}

FitStatus InnerModel::fit_newton(const float* weights) {
  double* const own = newton_.weights().data();
  for (Index i = 0; i < rows_; ++i) own[i] = static_cast<double>(weights[i]);
  auto ridge = vector_in(ridge_, columns_of_x_);
  set_ridge_diagonal(ridge, options_.ridge);
  const FitStatus status = newton_.fit(vector_in(probe_, columns_of_x_), ridge);
  vector_in(beta_, columns_of_x_) = newton_.beta();
  return status;
}

const float* InnerModel::pullback(const Input& d_beta) {
  const auto* const unrolled = std::get_if<Unrolled>(&options_.method);
  if (unrolled == nullptr) return rounded(newton_.pullback(d_beta).data());
  if (unrolled->precondition)
    return rounded(preconditioned_.unrolled.pullback(preconditioned_.rows, preconditioned_.weights.data(),
                                                     d_beta, *unrolled));
  return steps_.unrolled.pullback(steps_.rows, steps_.weights.data(), d_beta, *unrolled);
}

template <class T>
const float* InnerModel::rounded(const T* d_weights) {
  const Index stride = simd::padded(rows_, step);
  float* const out = d_weights_.resize_uninitialized(stride);
  for (Index i = 0; i < rows_; ++i) out[i] = static_cast<float>(d_weights[i]);
  std::fill(out + rows_, out + stride, 0.0F);
  return out;
}

} // namespace metasieve::kernels
