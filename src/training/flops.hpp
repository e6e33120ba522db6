#pragma once

#include "meta/meta_gradient.hpp"
#include "runtime/phases.hpp"
#include "tasks/task.hpp"

namespace metasieve {

// Floating-point operations, for profiles: those of products with all rows alone, a multiply-add counting
// two.

[[nodiscard]] inline TaskShape shape_of(const PreparedTask& task) {
  return {task.train.rows(), task.test.rows(), task.train.columns()};
}

/// Of the policy's network on one row: its output, and the gradient that goes back from it.
[[nodiscard]] std::int64_t forward_flops(const Policy& policy);
[[nodiscard]] std::int64_t pullback_flops(const Policy& policy);

/// Probe and meta-features of a task. Estimated: Newton's method is taken to need 8 steps from zero and 4
/// from a start close by.
[[nodiscard]] Flops preparation_flops(const TaskShape& task, const PrepareOptions& options);

/// The network in response_of a task: exact.
[[nodiscard]] Flops response_flops(const TaskShape& task, const Policy& policy);
/// The network in one visit of a task that ended with `failure`: exact.
[[nodiscard]] Flops network_flops(const TaskShape& task, const Policy& policy, Index support,
                                  TaskFailure failure);
/// The inner fit, its adjoint and the query rows there. Exact if unrolled; else Newton's steps are taken to
/// be 4.
[[nodiscard]] Flops inner_flops(const TaskShape& task, const MetaOptions& options, bool use_group,
                                TaskFailure failure);

} // namespace metasieve
