#pragma once

#include "numerics/cholesky.hpp"
#include "numerics/gemv.hpp"
#include "numerics/logistic.hpp"

#include <span>

namespace metasieve {

/// Weighted logistic regressions, argmin_b (1/S) sum_i s_i loss_i(b) + 1/2 b'Rb with S = sum s, by damped
/// Newton: one after the other in the same memory, which only grows. The design is held by columns and
/// passed over in blocks of rows that stay in the cache. What is returned is a view that the next call
/// changes. A result depends on the problem alone, not on what was fitted before.
///
///     newton.load(rows, columns);
///     ... fill design(), labels() and weights() ...
///     if (newton.fit(start, ridge_diag) != FitStatus::diverged) use(newton.beta());
class NewtonFit {
public:
  using View = Eigen::Map<const Vector>;
  using Input = Eigen::Ref<const Vector>;

  /// Room for a problem, to be filled. A further fit may change any of its values.
  void load(Index rows, Index columns);
  /// Room for a problem with the design x [n, p].
  void load(const Matrix& x);
  [[nodiscard]] simd::Columns<double>& design() noexcept { return x_; } ///< [n, p]
  [[nodiscard]] std::span<double> labels() { return rows_of(y_); }      ///< [n], 0 or 1
  [[nodiscard]] std::span<double> weights() { return rows_of(s_); }     ///< [n] >= 0, not all 0

  /// From `start` [p] until the largest gradient component is below `tolerance`. ridge_diag [p]. Diverged:
  /// beta = start, and nothing else is defined.
  FitStatus fit(const Input& start, const Input& ridge_diag, double tolerance = 1e-9);

  [[nodiscard]] View beta() const { return {beta_.data(), x_.columns()}; }
  [[nodiscard]] View logits() const { return {f_.data(), x_.rows()}; }      ///< X beta, [n]
  [[nodiscard]] View predictions() const { return {p_.data(), x_.rows()}; } ///< sigmoid(X beta), [n]
  [[nodiscard]] int iterations() const noexcept { return iterations_; }

  /// H^-1 v, with H = (1/S) X' diag(s p (1-p)) X + R at beta. v [p]; NaN where H is not positive definite.
  [[nodiscard]] View solve(const Input& v);

  /// d_beta [p] -> d_weights [n] by the implicit function theorem on F(beta, s) = (1/S) X'(s (p - y)) + R
  /// beta = 0: with a = H^-1 d_beta, d_weights_i = -((p_i - y_i) x_i'a + (R beta)'a) / S.
  [[nodiscard]] View pullback(const Input& d_beta);

  /// (1/S) X'(s (p - y)) at beta [p], without the penalty; 0 without weights. Forgets the last fit.
  [[nodiscard]] View gradient(const Input& beta);

private:
  enum class Hessian { absent, summed, factorised };

  [[nodiscard]] std::span<double> rows_of(simd::Buffer<double>& values) const {
    return {values.data(), static_cast<std::size_t>(x_.rows())};
  }
  [[nodiscard]] bool start_at(const double* beta, bool with_hessian);
  FitStatus minimise(double tolerance);
  double evaluate(const double* direction, bool with_hessian);
  void take_step(bool with_hessian);
  [[nodiscard]] bool halve_until_lower(const double* direction, double decrease);
  [[nodiscard]] double value(const double* f, const double* beta) const;
  [[nodiscard]] Index hessian_registers() const;
  void add_curvature(Index begin, Index end);
  void store_hessian();
  [[nodiscard]] bool factorise();

  int iterations_ = 0;
  double total_ = 0;                   // S
  Hessian state_ = Hessian::absent;    // of hessian_ as that at beta
  simd::Columns<double> x_;            // the problem
  simd::Buffer<double> y_, s_;         // of it
  simd::Buffer<double> start_, ridge_; // the problem of fit
  simd::Buffer<double> beta_, f_, p_, gradient_;
  simd::Buffer<double> before_beta_, before_f_;
  simd::Buffer<double> rowwise_, scaled_; // of a block
  simd::Buffer<double> gradient_sums_, hessian_sums_, added_;
  Cholesky hessian_;
};

struct LogisticFit {
  Vector beta; ///< [p]
  FitStatus status = FitStatus::converged;
  int iterations = 0;
};

/// argmin_b (1/S) sum_i s_i loss_i(b) + 1/2 b'Rb, S = sum s, by damped Newton from `start` until the largest
/// gradient component is below `tolerance`. x [n, p], y [n] in {0, 1}, weights [n] >= 0 with S > 0, start
/// [p], ridge_diag [p].
[[nodiscard]] LogisticFit fit_logistic(const Matrix& x, const Vector& y, const Vector& weights,
                                       const Vector& start, const Vector& ridge_diag,
                                       double tolerance = 1e-9);

} // namespace metasieve
