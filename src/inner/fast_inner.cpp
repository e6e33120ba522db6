#include "inner/fast_inner.hpp"

#include "inner/fast_design.hpp"

namespace metasieve {
namespace {

using simd::vector_in;

constexpr Index step = simd::lanes<simd::Packet<float>>;

/// Labels of the rows `rows`, of all where it is empty, to out[0..n-1].
template <class T>
void copy_labels(const Labels& y, std::span<const Index> rows, Index n, T* out) {
  if (rows.empty())
    for (Index i = 0; i < n; ++i) out[i] = static_cast<T>(y(i));
  else
    for (Index i = 0; i < n; ++i) out[i] = static_cast<T>(y(rows[static_cast<std::size_t>(i)]));
}

} // namespace

void FastInner::load(const Split& split, const Standardizer& standardizer, std::span<const Index> rows,
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
void FastInner::load(Steps<T>& steps, const Split& split, const Standardizer& standardizer,
                     std::span<const Index> rows) {
  auto& [x, y] = steps.rows;
  x.resize(rows_, columns_of_x_);
  steps.columns.clear();
  for (Index j = 0; j < x.columns(); ++j) steps.columns.push_back(x.column(j));
  fill_design<T>(split, standardizer, rows, steps.columns);
  copy_labels(split.y, rows, rows_, y.sized(x.stride()));
  std::fill(y.data() + rows_, y.data() + x.stride(), T{0});
}

void FastInner::load_newton(const Split& split, const Standardizer& standardizer,
                            std::span<const Index> rows) {
  newton_.load(rows_, columns_of_x_);
  columns_.clear();
  for (Index j = 0; j < columns_of_x_; ++j) columns_.push_back(newton_.column(j).data());
  fill_design<double>(split, standardizer, rows, columns_);
  copy_labels(split.y, rows, rows_, newton_.labels().data());
}

FitStatus FastInner::fit(const float* weights) {
  const auto* const unrolled = std::get_if<Unrolled>(&options_.method);
  if (unrolled == nullptr) return fit_newton(weights);
  return unrolled->precondition ? fit(preconditioned_, *unrolled, weights) : fit(steps_, *unrolled, weights);
}

template <class T>
FitStatus FastInner::fit(Steps<T>& steps, const Unrolled& options, const float* weights) {
  const Index stride = steps.rows.x.stride();
  T* const own = steps.weights.sized(stride);
  for (Index i = 0; i < rows_; ++i) own[i] = static_cast<T>(weights[i]);
  std::fill(own + rows_, own + stride, T{0});
  vector_in(beta_, columns_of_x_) =
      steps.unrolled.fit(steps.rows, own, vector_in(probe_, columns_of_x_), options_.ridge, options);
  return steps.unrolled.status();
}

FitStatus FastInner::fit_newton(const float* weights) {
  double* const own = newton_.weights().data();
  for (Index i = 0; i < rows_; ++i) own[i] = static_cast<double>(weights[i]);
  auto ridge = vector_in(ridge_, columns_of_x_);
  set_ridge_diagonal(ridge, options_.ridge);
  const FitStatus status = newton_.fit(vector_in(probe_, columns_of_x_), ridge);
  vector_in(beta_, columns_of_x_) = newton_.beta();
  return status;
}

const float* FastInner::pullback(const Input& d_beta) {
  const auto* const unrolled = std::get_if<Unrolled>(&options_.method);
  if (unrolled == nullptr) return rounded(newton_.pullback(d_beta).data());
  if (unrolled->precondition)
    return rounded(preconditioned_.unrolled.pullback(preconditioned_.rows, preconditioned_.weights.data(),
                                                     d_beta, *unrolled));
  return steps_.unrolled.pullback(steps_.rows, steps_.weights.data(), d_beta, *unrolled);
}

template <class T>
const float* FastInner::rounded(const T* d_weights) {
  const Index stride = simd::padded(rows_, step);
  float* const out = d_weights_.sized(stride);
  for (Index i = 0; i < rows_; ++i) out[i] = static_cast<float>(d_weights[i]);
  std::fill(out + rows_, out + stride, 0.0F);
  return out;
}

} // namespace metasieve
