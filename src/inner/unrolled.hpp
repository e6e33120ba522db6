#pragma once

#include "inner/inner_fit.hpp"

namespace metasieve {

/// beta_{k+1} = beta_k - step_size P [(1/S) X'(s (p_k - y)) + R beta_k], P = I or the preconditioner; keeps
/// every iterate.
[[nodiscard]] InnerFit descend(const InnerProblem& problem, const Vector& weights, const Vector& ridge,
                               const Unrolled& options);

/// d_beta_K [p] -> d_weights [n], exactly, through all K steps (second order) or without their Hessians
/// (first order).
[[nodiscard]] Vector reverse_sweep(const InnerProblem& problem, const Vector& weights, const Vector& ridge,
                                   const Unrolled& options, const InnerFit& fit, const Vector& d_beta);

} // namespace metasieve
