#pragma once

#include "base/linalg.hpp"
#include "numerics/logistic.hpp"

#include <variant>
#include <vector>

namespace metasieve {

/// beta* itself, by Newton's method from the probe; differentiated by the implicit function theorem.
struct Implicit {};

enum class Start { zero, probe };

/// `steps` steps of gradient descent; differentiated by an exact reverse sweep through all of them (second
/// order), or, with first_order, without the Hessian terms (as in first-order MAML, Finn et al. 2017).
struct Unrolled {
  Index steps = 5;
  double step_size = 0.5;
  Start start = Start::zero;
  bool precondition = false; ///< by (X'X/n + 1e-3 I)^-1
  bool first_order = false;
};

struct InnerOptions {
  std::variant<Implicit, Unrolled> method = Implicit{};
  double ridge = 1e-3;
};

/// min_beta (1/S) sum_i s_i loss_i(beta) + 1/2 beta'R beta, S = sum s.
struct InnerProblem {
  Matrix x;     ///< [n, p], intercept last
  Vector y;     ///< [n], 0 or 1
  Vector probe; ///< [p]: start of Newton's method, and of the unrolled steps if so asked
};

struct InnerFit {
  Vector beta; ///< [p]
  FitStatus status = FitStatus::converged;
  std::vector<Vector> iterates;   ///< unrolled: beta before each step
  Eigen::MatrixXd preconditioner; ///< unrolled with precondition: [p, p]
};

/// weights [n] > 0. Never throws for numerical reasons: see `status`.
[[nodiscard]] InnerFit fit(const InnerProblem& problem, const Vector& weights, const InnerOptions& options);

/// d_beta [p] -> d_weights [n], by the adjoint of the method that produced `fit`.
[[nodiscard]] Vector pullback(const InnerProblem& problem, const Vector& weights, const InnerFit& fit,
                              const InnerOptions& options, const Vector& d_beta);

/// beta_{k+1} = beta_k - step_size P [(1/S) X'(s (p_k - y)) + R beta_k], P = I or the preconditioner; keeps
/// every iterate.
[[nodiscard]] InnerFit descend(const InnerProblem& problem, const Vector& weights, const Vector& ridge,
                               const Unrolled& options);

/// d_beta_K [p] -> d_weights [n], exactly, through all K steps (second order) or without their Hessians
/// (first order).
[[nodiscard]] Vector reverse_sweep(const InnerProblem& problem, const Vector& weights, const Vector& ridge,
                                   const Unrolled& options, const InnerFit& fit, const Vector& d_beta);

} // namespace metasieve
