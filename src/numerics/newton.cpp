#include "numerics/newton.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

namespace metasieve {
namespace {

using namespace simd;
using P = Register<double>;
constexpr Index step = lanes<P>;

constexpr Index block_rows = 128;   // worked on while they stay in the first-level cache
constexpr Index column_shift = 264; // of the design
constexpr int step_limit = 100, halving_limit = 40;

/// The sum of the values in their order.
double in_order(const P& a) {
  const auto values = lane_values(a);
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// p = sigmoid(f) and residual = s (p - y) of rows with logits f, labels y and weights s. [rows] each.
void residuals(Index rows, const double* f, const double* y, const double* s, double* p, double* residual) {
  for (Index i = 0; i < rows; i += step) {
    const P prediction = sigmoid(load<P>(f + i));
    store(p + i, prediction);
    store(residual + i, P(load<P>(s + i) * (prediction - load<P>(y + i))));
  }
}

/// curvature = s p (1 - p). [rows] each.
void logistic_curvature(Index rows, const double* p, const double* s, double* curvature) {
  const P one = broadcast<P>(1.0);
  for (Index i = 0; i < rows; i += step) {
    const P prediction = load<P>(p + i);
    store(curvature + i, P(load<P>(s + i) * (prediction * (one - prediction))));
  }
}

/// moved = f - change; returns the largest |change|. [rows] each.
double subtract(Index rows, const double* f, const double* change, double* moved) {
  P largest = broadcast<P>(0.0);
  for (Index i = 0; i < rows; i += step) {
    store(moved + i, P(load<P>(f + i) - load<P>(change + i)));
    largest = max(largest, abs(load<P>(change + i)));
  }
  return std::ranges::max(lane_values(largest));
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

} // namespace

void NewtonFit::load(Index rows, Index columns) {
  x_.resize(rows, columns, column_shift);
  state_ = Hessian::absent;
  const Index end = x_.padded_rows();
  for (Buffer<double>* const each : {&y_, &s_, &f_, &p_, &before_f_}) each->resize_uninitialized(end);
  for (Buffer<double>* const each : {&start_, &ridge_, &beta_, &gradient_, &before_beta_})
    each->resize_uninitialized(columns);
  rowwise_.resize_uninitialized(block_rows);
  scaled_.resize_uninitialized(block_rows * syrk_scratch);
  added_.resize_uninitialized(padded(std::max(columns, syrk_sums(columns)), step));
  hessian_.resize(columns);
  clear_beyond(y_.data(), rows);
  clear_beyond(s_.data(), rows); // rows that fill up the last register have no weight
}

void NewtonFit::load(const Matrix& x) {
  load(x.rows(), x.cols());
  for (Index begin = 0; begin < x.rows(); begin += block_rows)
    for (Index j = 0; j < x.cols(); ++j)
      for (Index i = begin; i < std::min(begin + block_rows, x.rows()); ++i) x_.column(j)[i] = x(i, j);
}

FitStatus NewtonFit::fit(const Input& start, const Input& ridge_diag, double tolerance) {
  std::copy_n(start.data(), x_.columns(), start_.data());
  std::copy_n(ridge_diag.data(), x_.columns(), ridge_.data());
  const FitStatus status = minimise(tolerance);
  if (status == FitStatus::diverged) std::copy_n(start_.data(), x_.columns(), beta_.data());
  return status;
}

FitStatus NewtonFit::minimise(double tolerance) {
  iterations_ = 0;
  if (!start_at(start_.data(), true)) return FitStatus::diverged;
  for (;; ++iterations_) {
    const double slope = View(gradient_.data(), x_.columns()).cwiseAbs().maxCoeff<Eigen::PropagateNaN>();
    if (!std::isfinite(slope)) return FitStatus::diverged;
    if (slope < tolerance) return FitStatus::converged;
    if (iterations_ == step_limit) return FitStatus::step_limit;
    if (!factorise()) return FitStatus::diverged;
    // Convergence is quadratic, which says whether the next point will need its Hessian.
    take_step(slope * slope > 1e-2 * tolerance);
  }
}

/// Evaluates at `beta` [p] from nothing that is known; false if all weights are 0.
bool NewtonFit::start_at(const double* beta, bool with_hessian) {
  total_ = sum(x_.padded_rows(), s_.data());
  if (!(total_ > 0.0)) return false;
  std::copy_n(beta, x_.columns(), beta_.data());
  std::transform(beta, beta + x_.columns(), before_beta_.data(), std::negate<>());
  std::fill_n(before_f_.data(), x_.padded_rows(), 0.0);
  evaluate(before_beta_.data(), with_hessian);
  return true;
}

NewtonFit::View NewtonFit::gradient(const Input& beta) {
  std::fill_n(ridge_.data(), x_.columns(), 0.0);
  if (!start_at(beta.data(), false)) std::fill_n(gradient_.data(), x_.columns(), 0.0);
  return {gradient_.data(), x_.columns()};
}

Index NewtonFit::hessian_registers() const { return padded(syrk_sums(x_.columns()), step); }

/// Logits, predictions, gradient and, if asked for, the Hessian at beta, in one pass over x. The logits are
/// those before less X direction; without a direction, they stay. Returns the largest |X
/// direction|.
double NewtonFit::evaluate(const double* direction, bool with_hessian) {
  double *const f = f_.data(), *const residual = rowwise_.data();
  const Index columns = x_.columns(), gradient_registers = padded(columns, step);
  gradient_sums_.fill(gradient_registers * step, 0.0);
  if (with_hessian) hessian_sums_.fill(hessian_registers() * step, 0.0);
  state_ = Hessian::absent;
  double most = 0;
  const auto body = [&](Index begin, Index end) {
    const ColumnBlock<double> rows = x_.block(begin, end);
    const Index count = rows.rows;
    if (direction != nullptr) {
      gemv(rows, direction, residual); // in memory that is free until the residuals
      most = std::max(most, subtract(count, before_f_.data() + begin, residual, f + begin));
    }
    residuals(count, f + begin, y_.data() + begin, s_.data() + begin, p_.data() + begin, residual);
    gemv_transposed(rows, residual, gradient_sums_.data());
    if (with_hessian) add_curvature(begin, end);
  };
  x_.for_each_block(body, block_rows);
  reduce_lanes(gradient_sums_.data(), gradient_registers, added_.data());
  for (Index j = 0; j < columns; ++j)
    gradient_.data()[j] = added_.data()[j] / total_ + ridge_.data()[j] * beta_.data()[j];
  if (with_hessian) store_hessian();
  return most;
}

void NewtonFit::add_curvature(Index begin, Index end) {
  logistic_curvature(end - begin, p_.data() + begin, s_.data() + begin, rowwise_.data());
  syrk(x_.block(begin, end), rowwise_.data(), scaled_.data(), hessian_sums_.data());
}

void NewtonFit::store_hessian() {
  const Index columns = x_.columns();
  reduce_lanes(hessian_sums_.data(), hessian_registers(), added_.data());
  double* const h = hessian_.matrix();
  store_syrk(columns, added_.data(), total_, h, hessian_.stride());
  for (Index j = 0; j < columns; ++j) h[j * hessian_.stride() + j] += ridge_.data()[j];
  state_ = Hessian::summed;
}

bool NewtonFit::factorise() {
  if (state_ == Hessian::absent) {
    hessian_sums_.fill(hessian_registers() * step, 0.0);
    x_.for_each_block([&](Index begin, Index end) { add_curvature(begin, end); }, block_rows);
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
  const double decrease = View(gradient_.data(), x_.columns()).dot(View(direction, x_.columns()));
  std::swap(beta_, before_beta_);
  std::swap(f_, before_f_);
  for (Index j = 0; j < x_.columns(); ++j) beta_.data()[j] = before_beta_.data()[j] - direction[j];
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
    for (Index i = 0; i < x_.padded_rows(); ++i) f_.data()[i] = 0.5 * (f_.data()[i] + before_f_.data()[i]);
    for (Index j = 0; j < x_.columns(); ++j) beta_.data()[j] = before_beta_.data()[j] - size * direction[j];
  }
  return size < 1.0;
}

double NewtonFit::value(const double* f, const double* beta) const {
  double penalty = 0;
  for (Index j = 0; j < x_.columns(); ++j) penalty += ridge_.data()[j] * beta[j] * beta[j];
  return loss(x_.padded_rows(), f, y_.data(), s_.data()) / total_ + 0.5 * penalty;
}

NewtonFit::View NewtonFit::solve(const Input& v) {
  if (factorise()) return {hessian_.solve(v.data()), x_.columns()};
  std::fill_n(before_beta_.data(), x_.columns(), std::numeric_limits<double>::quiet_NaN());
  return {before_beta_.data(), x_.columns()};
}

NewtonFit::View NewtonFit::pullback(const Input& d_beta) {
  const View adjoint = solve(d_beta);
  const double shared = View(ridge_.data(), x_.columns()).cwiseProduct(beta()).dot(adjoint);
  const double *const p = p_.data(), *const y = y_.data();
  double* const out = before_f_.data();
  x_.for_each_block([&](Index begin, Index end) { gemv(x_, adjoint.data(), begin, end, out); }, block_rows);
  for (Index i = 0; i < x_.rows(); ++i) out[i] = ((p[i] - y[i]) * -out[i] - shared) / total_;
  return {out, x_.rows()};
}

LogisticFit fit_logistic(const Matrix& x, const Vector& y, const Vector& weights, const Vector& start,
                         const Vector& ridge_diag, double tolerance) {
  constexpr Index kept_size = 1 << 20; // 8 MB a thread; what is larger costs more to fit than to allocate
  thread_local NewtonFit kept;
  NewtonFit large;
  NewtonFit& newton = x.size() <= kept_size ? kept : large;
  newton.load(x);
  std::copy_n(y.data(), y.size(), newton.labels().data());
  std::copy_n(weights.data(), weights.size(), newton.weights().data());
  const FitStatus status = newton.fit(start, ridge_diag, tolerance);
  return {newton.beta(), status, newton.iterations()};
}

} // namespace metasieve
