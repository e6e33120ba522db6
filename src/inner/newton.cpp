#include "inner/newton.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

namespace metasieve {
namespace {

using newton::block_rows, newton::lanes;

constexpr int step_limit = 100, halving_limit = 40;

/// So that columns start in different sets of the cache, whatever the number of rows.
Index column_stride(Index rows) {
  constexpr Index page = 512, shift = 264;
  return simd::padded(std::max<Index>(rows - shift, 0), page) + shift;
}

/// Calls body(begin, count) for each block of rows.
template <class Body>
void for_each_block(Index rows, const Body& body) {
  for (Index begin = 0; begin < rows; begin += block_rows) body(begin, std::min(block_rows, rows - begin));
}

/// Room for `registers` sums, all zero.
void clear(simd::Buffer<double>& sums, Index registers) {
  std::fill_n(sums.sized(registers * lanes), registers * lanes, 0.0);
}

} // namespace

Index NewtonFit::padded_rows() const { return simd::padded(rows_, lanes); }

newton::Block NewtonFit::block(Index begin, Index count) const {
  return {x_.data() + begin, stride_, columns_, count};
}

void NewtonFit::load(Index rows, Index columns) {
  rows_ = rows, columns_ = columns, stride_ = column_stride(rows);
  state_ = Hessian::absent;
  const Index padded = padded_rows();
  x_.sized(stride_ * columns);
  for (simd::Buffer<double>* const each : {&y_, &s_, &f_, &p_, &before_f_}) each->sized(padded);
  for (simd::Buffer<double>* const each : {&start_, &ridge_, &beta_, &gradient_, &before_beta_})
    each->sized(columns);
  rowwise_.sized(block_rows);
  scaled_.sized(block_rows * newton::gram_scratch);
  added_.sized(simd::padded(std::max(columns, newton::gram_sums(columns)), lanes));
  hessian_.resize(columns);
  // Rows that fill up the last register have no weight.
  const auto end_with_zeros = [&](double* values) { std::fill(values + rows, values + padded, 0.0); };
  for (Index j = 0; j < columns; ++j) end_with_zeros(x_.data() + j * stride_);
  end_with_zeros(y_.data());
  end_with_zeros(s_.data());
}

void NewtonFit::load(const Matrix& x) {
  load(x.rows(), x.cols());
  for_each_block(rows_, [&](Index begin, Index count) {
    for (Index j = 0; j < columns_; ++j)
      for (Index i = begin; i < begin + count; ++i) x_.data()[j * stride_ + i] = x(i, j);
  });
}

FitStatus NewtonFit::fit(const Input& start, const Input& ridge_diag, double tolerance) {
  std::copy_n(start.data(), columns_, start_.data());
  std::copy_n(ridge_diag.data(), columns_, ridge_.data());
  const FitStatus status = minimise(tolerance);
  if (status == FitStatus::diverged) std::copy_n(start_.data(), columns_, beta_.data());
  return status;
}

FitStatus NewtonFit::minimise(double tolerance) {
  iterations_ = 0;
  total_ = newton::sum(padded_rows(), s_.data());
  if (!(total_ > 0.0)) return FitStatus::diverged;
  std::copy_n(start_.data(), columns_, beta_.data());
  std::transform(start_.data(), start_.data() + columns_, before_beta_.data(), std::negate<>());
  std::fill_n(before_f_.data(), padded_rows(), 0.0);
  evaluate(before_beta_.data(), true);
  for (;; ++iterations_) {
    const double slope =
        Eigen::Map<const Vector>(gradient_.data(), columns_).cwiseAbs().maxCoeff<Eigen::PropagateNaN>();
    if (!std::isfinite(slope)) return FitStatus::diverged;
    if (slope < tolerance) return FitStatus::converged;
    if (iterations_ == step_limit) return FitStatus::step_limit;
    if (!factorise()) return FitStatus::diverged;
    // Convergence is quadratic: it tells whether the next point will need its Hessian.
    step(slope * slope > 1e-2 * tolerance);
  }
}

/// Logits, predictions, gradient and, if asked for, the Hessian at beta, in one pass over x. The logits are
/// those before less X direction; without a direction, those that are there. Returns the largest |X
/// direction|.
double NewtonFit::evaluate(const double* direction, bool with_hessian) {
  double *const f = f_.data(), *const residual = rowwise_.data();
  const Index gradient_registers = simd::padded(columns_, lanes);
  clear(gradient_sums_, gradient_registers);
  clear(hessian_sums_, simd::padded(newton::gram_sums(columns_), lanes));
  state_ = Hessian::absent;
  double most = 0;
  for_each_block(padded_rows(), [&](Index begin, Index count) {
    const newton::Block rows = block(begin, count);
    if (direction != nullptr)
      most = std::max(most, newton::move_logits(rows, direction, before_f_.data() + begin, f + begin));
    newton::derive(count, f + begin, y_.data() + begin, s_.data() + begin, p_.data() + begin, residual);
    newton::add_products(rows, residual, gradient_sums_.data());
    if (with_hessian) add_curvature(begin, count);
  });
  newton::add_up(gradient_sums_.data(), gradient_registers, added_.data());
  for (Index j = 0; j < columns_; ++j)
    gradient_.data()[j] = added_.data()[j] / total_ + ridge_.data()[j] * beta_.data()[j];
  if (with_hessian) store_hessian();
  return most;
}

void NewtonFit::add_curvature(Index begin, Index count) {
  newton::curve(count, p_.data() + begin, s_.data() + begin, rowwise_.data());
  newton::add_gram(block(begin, count), rowwise_.data(), scaled_.data(), hessian_sums_.data());
}

void NewtonFit::store_hessian() {
  newton::add_up(hessian_sums_.data(), simd::padded(newton::gram_sums(columns_), lanes), added_.data());
  double* const h = hessian_.matrix();
  newton::store_gram(columns_, added_.data(), total_, h, hessian_.stride());
  for (Index j = 0; j < columns_; ++j) h[j * hessian_.stride() + j] += ridge_.data()[j];
  state_ = Hessian::summed;
}

bool NewtonFit::factorise() {
  if (state_ == Hessian::absent) {
    clear(hessian_sums_, simd::padded(newton::gram_sums(columns_), lanes));
    for_each_block(padded_rows(), [&](Index begin, Index count) { add_curvature(begin, count); });
    store_hessian();
  }
  if (state_ == Hessian::summed) state_ = hessian_.factorise() ? Hessian::factorised : Hessian::absent;
  return state_ == Hessian::factorised;
}

/// To the next point along Newton's direction; the step is halved until it meets Armijo's condition.
void NewtonFit::step(bool with_hessian) {
  // Along a step that changes no logit by more than r, phi''' <= r phi'' (Bach 2010, doi:10.1214/09-EJS521),
  // so phi(1) <= phi(0) - D + D (e^r - r - 1) / r^2, as Newton's direction has phi''(0) = -phi'(0) = D: up to
  // this r the full step meets the condition for sure, and no logarithm is needed to see it.
  constexpr double surely_lower = 1.5;
  const double* const direction = hessian_.solve(gradient_.data());
  const double decrease = View(gradient_.data(), columns_).dot(View(direction, columns_));
  std::swap(beta_, before_beta_);
  std::swap(f_, before_f_);
  for (Index j = 0; j < columns_; ++j) beta_.data()[j] = before_beta_.data()[j] - direction[j];
  if (evaluate(direction, with_hessian) <= surely_lower) return;
  if (halve_until_lower(direction, decrease)) evaluate(nullptr, with_hessian);
}

/// Whether the step was too long.
bool NewtonFit::halve_until_lower(const double* direction, double decrease) {
  const double before = value(before_f_.data(), before_beta_.data());
  // With slack for rounding: near the optimum the full step is right though the value cannot show it.
  const double slack = 1e-14 * (1.0 + std::abs(before));
  double size = 1.0;
  for (int halving = 0; halving < halving_limit; ++halving) {
    if (value(f_.data(), beta_.data()) <= before - 1e-4 * size * decrease + slack) break;
    size *= 0.5;
    for (Index i = 0; i < padded_rows(); ++i) f_.data()[i] = 0.5 * (f_.data()[i] + before_f_.data()[i]);
    for (Index j = 0; j < columns_; ++j) beta_.data()[j] = before_beta_.data()[j] - size * direction[j];
  }
  return size < 1.0;
}

double NewtonFit::value(const double* f, const double* beta) const {
  double penalty = 0;
  for (Index j = 0; j < columns_; ++j) penalty += ridge_.data()[j] * beta[j] * beta[j];
  return newton::loss(padded_rows(), f, y_.data(), s_.data()) / total_ + 0.5 * penalty;
}

NewtonFit::View NewtonFit::solve(const Input& v) {
  if (factorise()) return {hessian_.solve(v.data()), columns_};
  std::fill_n(before_beta_.data(), columns_, std::numeric_limits<double>::quiet_NaN());
  return {before_beta_.data(), columns_};
}

NewtonFit::View NewtonFit::pullback(const Input& d_beta) {
  const View adjoint = solve(d_beta);
  const double shared = View(ridge_.data(), columns_).cwiseProduct(beta()).dot(adjoint);
  const double *const p = p_.data(), *const y = y_.data();
  double* const out = before_f_.data();
  std::fill_n(out, padded_rows(), 0.0);
  for_each_block(padded_rows(), [&](Index begin, Index count) {
    newton::move_logits(block(begin, count), adjoint.data(), out + begin, out + begin); // to -X a
  });
  for (Index i = 0; i < rows_; ++i) out[i] = ((p[i] - y[i]) * out[i] - shared) / total_;
  return {out, rows_};
}

} // namespace metasieve
