#include "numerics/newton.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

namespace metasieve::simd {

void residuals(Index rows, const double* f, const double* y, const double* s, double* p, double* residual) {
  using P = Register<double>;
  for (Index i = 0; i < rows; i += lanes<P>) {
    const P prediction = sigmoid(load<P>(f + i));
    store(p + i, prediction);
    store(residual + i, P(load<P>(s + i) * (prediction - load<P>(y + i))));
  }
}

void logistic_curvature(Index rows, const double* p, const double* s, double* curvature) {
  using P = Register<double>;
  const P one = broadcast<P>(1.0);
  for (Index i = 0; i < rows; i += lanes<P>) {
    const P prediction = load<P>(p + i);
    store(curvature + i, P(load<P>(s + i) * (prediction * (one - prediction))));
  }
}

} // namespace metasieve::simd

namespace metasieve {
namespace {

using namespace simd;
using P = Register<double>;
constexpr Index step = lanes<P>;

/// Rows that are worked on while they stay in the first-level cache.
constexpr Index block_rows = 128;
constexpr int step_limit = 100, halving_limit = 40;

std::array<double, step> values_of(const P& a) {
  alignas(P) std::array<double, step> values;
  store(values.data(), a);
  return values;
}

/// The sum of the values in their order.
double in_order(const P& a) {
  const std::array<double, step> values = values_of(a);
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// moved = f - change; returns the largest |change|. [rows] each.
double move_logits(Index rows, const double* f, const double* change, double* moved) {
  P largest = broadcast<P>(0.0);
  for (Index i = 0; i < rows; i += step) {
    store(moved + i, P(load<P>(f + i) - load<P>(change + i)));
    largest = max(largest, abs(load<P>(change + i)));
  }
  return std::ranges::max(values_of(largest));
}

/// Sum of s loss(f, y) over the rows.
double loss(Index rows, const double* f, const double* y, const double* s) {
  const P zero = broadcast<P>(0.0), one = broadcast<P>(1.0), two = broadcast<P>(2.0);
  P total = zero;
  for (Index i = 0; i < rows; i += step) {
    const P margin = (two * load<P>(y + i) - one) * load<P>(f + i);
    const P of_size = log(P(one + exp(P(-abs(margin)))));
    total = fma(load<P>(s + i), P(of_size + max(P(-margin), zero)), total);
  }
  return in_order(total);
}

double sum(Index rows, const double* v) {
  P total = broadcast<P>(0.0);
  for (Index i = 0; i < rows; i += step) total = total + load<P>(v + i);
  return in_order(total);
}

/// So that columns start in different sets of the cache, whatever the number of rows.
Index column_stride(Index rows) {
  constexpr Index page = 512, shift = 264;
  return padded(std::max<Index>(rows - shift, 0), page) + shift;
}

/// Calls body(begin, count) for each block of rows.
template <class Body>
void for_each_block(Index rows, const Body& body) {
  for (Index begin = 0; begin < rows; begin += block_rows) body(begin, std::min(block_rows, rows - begin));
}

/// Room for `registers` sums, all zero.
void clear(Buffer<double>& sums, Index registers) {
  std::fill_n(sums.resize_uninitialized(registers * step), registers * step, 0.0);
}

} // namespace

Index NewtonFit::padded_rows() const { return padded(rows_, step); }

ColumnBlock<double> NewtonFit::block(Index begin, Index count) const {
  return {x_.data() + begin, stride_, columns_, count};
}

void NewtonFit::load(Index rows, Index columns) {
  rows_ = rows, columns_ = columns, stride_ = column_stride(rows);
  state_ = Hessian::absent;
  const Index end = padded_rows();
  x_.resize_uninitialized(stride_ * columns);
  for (Buffer<double>* const each : {&y_, &s_, &f_, &p_, &before_f_}) each->resize_uninitialized(end);
  for (Buffer<double>* const each : {&start_, &ridge_, &beta_, &gradient_, &before_beta_})
    each->resize_uninitialized(columns);
  rowwise_.resize_uninitialized(block_rows);
  scaled_.resize_uninitialized(block_rows * syrk_scratch);
  added_.resize_uninitialized(padded(std::max(columns, syrk_sums(columns)), step));
  hessian_.resize(columns);
  // Rows that fill up the last register have no weight.
  const auto end_with_zeros = [&](double* values) { std::fill(values + rows, values + end, 0.0); };
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
  total_ = sum(padded_rows(), s_.data());
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
    take_step(slope * slope > 1e-2 * tolerance);
  }
}

/// Logits, predictions, gradient and, if asked for, the Hessian at beta, in one pass over x. The logits are
/// those before less X direction; without a direction, those that are there. Returns the largest |X
/// direction|.
double NewtonFit::evaluate(const double* direction, bool with_hessian) {
  double *const f = f_.data(), *const residual = rowwise_.data();
  const Index gradient_registers = padded(columns_, step);
  clear(gradient_sums_, gradient_registers);
  clear(hessian_sums_, padded(syrk_sums(columns_), step));
  state_ = Hessian::absent;
  double most = 0;
  for_each_block(padded_rows(), [&](Index begin, Index count) {
    const ColumnBlock<double> rows = block(begin, count);
    if (direction != nullptr) {
      gemv(rows, direction, residual); // in memory that is free until the residuals
      most = std::max(most, move_logits(count, before_f_.data() + begin, residual, f + begin));
    }
    residuals(count, f + begin, y_.data() + begin, s_.data() + begin, p_.data() + begin, residual);
    gemv_transposed(rows, residual, gradient_sums_.data());
    if (with_hessian) add_curvature(begin, count);
  });
  reduce_lanes(gradient_sums_.data(), gradient_registers, added_.data());
  for (Index j = 0; j < columns_; ++j)
    gradient_.data()[j] = added_.data()[j] / total_ + ridge_.data()[j] * beta_.data()[j];
  if (with_hessian) store_hessian();
  return most;
}

void NewtonFit::add_curvature(Index begin, Index count) {
  logistic_curvature(count, p_.data() + begin, s_.data() + begin, rowwise_.data());
  syrk(block(begin, count), rowwise_.data(), scaled_.data(), hessian_sums_.data());
}

void NewtonFit::store_hessian() {
  reduce_lanes(hessian_sums_.data(), padded(syrk_sums(columns_), step), added_.data());
  double* const h = hessian_.matrix();
  store_syrk(columns_, added_.data(), total_, h, hessian_.stride());
  for (Index j = 0; j < columns_; ++j) h[j * hessian_.stride() + j] += ridge_.data()[j];
  state_ = Hessian::summed;
}

bool NewtonFit::factorise() {
  if (state_ == Hessian::absent) {
    clear(hessian_sums_, padded(syrk_sums(columns_), step));
    for_each_block(padded_rows(), [&](Index begin, Index count) { add_curvature(begin, count); });
    store_hessian();
  }
  if (state_ == Hessian::summed) state_ = hessian_.factorise() ? Hessian::factorised : Hessian::absent;
  return state_ == Hessian::factorised;
}

/// To the next point along Newton's direction; the step is halved until it meets Armijo's condition.
void NewtonFit::take_step(bool with_hessian) {
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
  return loss(padded_rows(), f, y_.data(), s_.data()) / total_ + 0.5 * penalty;
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
  for_each_block(padded_rows(),
                 [&](Index begin, Index count) { gemv(block(begin, count), adjoint.data(), out + begin); });
  for (Index i = 0; i < rows_; ++i) out[i] = ((p[i] - y[i]) * -out[i] - shared) / total_;
  return {out, rows_};
}

} // namespace metasieve
