#pragma once

#include "numerics/cholesky.hpp"
#include "numerics/gemv.hpp"
#include "numerics/logistic.hpp"

#include <span>

namespace metasieve::simd {

/// p = sigmoid(f) and residual = s (p - y) of rows with logits f, labels y and weights s. [rows] each, in
/// whole registers.
void residuals(Index rows, const double* f, const double* y, const double* s, double* p, double* residual);

/// curvature = s p (1 - p). [rows] each.
void logistic_curvature(Index rows, const double* p, const double* s, double* curvature);

} // namespace metasieve::simd

namespace metasieve {

/// Weighted logistic regressions, argmin_b (1/S) sum_i s_i loss_i(b) + 1/2 b'Rb with S = sum s, by damped
/// Newton: one after the other in the same memory, which only grows. The design is held by columns and
/// passed over in blocks of rows that stay in the cache. What is returned is a view that the next call
/// changes. A result depends on the problem alone, not on what was fitted before.
///
///     newton.load(rows, columns);
///     ... fill column(j) of each column, labels() and weights() ...
///     if (newton.fit(start, ridge_diag) != FitStatus::diverged) use(newton.beta());
class NewtonFit {
public:
  using View = Eigen::Map<const Vector>;
  using Input = Eigen::Ref<const Vector>;

  /// Room for a problem, to be filled. A further fit may change any of its values.
  void load(Index rows, Index columns);
  /// The same with the columns of x [n, p] filled.
  void load(const Matrix& x);
  [[nodiscard]] std::span<double> column(Index j) { return {x_.data() + j * stride_, size(rows_)}; } ///< [n]
  [[nodiscard]] std::span<double> labels() { return {y_.data(), size(rows_)}; }  ///< [n], 0 or 1
  [[nodiscard]] std::span<double> weights() { return {s_.data(), size(rows_)}; } ///< [n] >= 0, not all 0

  /// From `start` [p] until the largest gradient component is below `tolerance`. ridge_diag [p]. Diverged:
  /// beta = start, and nothing else is defined.
  FitStatus fit(const Input& start, const Input& ridge_diag, double tolerance = 1e-9);

  [[nodiscard]] View beta() const { return {beta_.data(), columns_}; }
  [[nodiscard]] View logits() const { return {f_.data(), rows_}; }      ///< X beta, [n]
  [[nodiscard]] View predictions() const { return {p_.data(), rows_}; } ///< sigmoid(X beta), [n]
  [[nodiscard]] int iterations() const noexcept { return iterations_; }

  /// H^-1 v, with H = (1/S) X' diag(s p (1-p)) X + R at beta. v [p]; NaN where H is not positive definite.
  [[nodiscard]] View solve(const Input& v);

  /// d_beta [p] -> d_weights [n] by the implicit function theorem on F(beta, s) = (1/S) X'(s (p - y)) + R
  /// beta = 0: with a = H^-1 d_beta, d_weights_i = -((p_i - y_i) x_i'a + (R beta)'a) / S.
  [[nodiscard]] View pullback(const Input& d_beta);

private:
  enum class Hessian { absent, summed, factorised };

  static std::size_t size(Index count) { return static_cast<std::size_t>(count); }
  [[nodiscard]] Index padded_rows() const;
  [[nodiscard]] simd::ColumnBlock<double> block(Index begin, Index count) const;

  FitStatus minimise(double tolerance);
  double evaluate(const double* direction, bool with_hessian);
  void take_step(bool with_hessian);
  [[nodiscard]] bool halve_until_lower(const double* direction, double decrease);
  [[nodiscard]] double value(const double* f, const double* beta) const;
  void add_curvature(Index begin, Index count);
  void store_hessian();
  [[nodiscard]] bool factorise();

  Index rows_ = 0, columns_ = 0, stride_ = 0;
  int iterations_ = 0;
  double total_ = 0;                   // S
  Hessian state_ = Hessian::absent;    // of hessian_ as that at beta
  simd::Buffer<double> x_, y_, s_;     // the problem
  simd::Buffer<double> start_, ridge_; // the problem of fit
  simd::Buffer<double> beta_, f_, p_, gradient_;
  simd::Buffer<double> before_beta_, before_f_;
  simd::Buffer<double> rowwise_, scaled_; // of a block
  simd::Buffer<double> gradient_sums_, hessian_sums_, added_;
  Cholesky hessian_;
};

} // namespace metasieve
