#include "training/flops.hpp"

#include "features/random_fourier.hpp"
#include "methods/partial_dependence.hpp"

#include <algorithm>

namespace metasieve {
namespace {

constexpr std::int64_t steps_from_zero = 8, steps_from_near = 4;

/// n rows of p numbers times one vector.
std::int64_t product(std::int64_t rows, std::int64_t columns) { return 2 * rows * columns; }

/// Newton's method: logits, gradient and Hessian in each step.
std::int64_t newton_steps(std::int64_t steps, std::int64_t rows, std::int64_t columns) {
  return steps * (2 * product(rows, columns) + product(rows * columns, columns));
}

std::int64_t neighbours(std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t all_below = 10000, references = 4000;
  return product(rows * (rows > all_below ? references : rows), columns);
}

/// Basis, half of its Gram matrix, that one's tridiagonal form with the rotation, and the rotated basis.
std::int64_t fourier(std::int64_t rows, std::int64_t columns) {
  const std::int64_t size = fourier_count + columns + 1;
  return product(rows * fourier_count, columns) + rows * size * size + 8 * size * size * size / 3 +
         product(rows * size, size);
}

std::int64_t support_rows(const TaskShape& task, Index support) {
  return support > 0 ? std::min(support, task.train_rows) : task.train_rows;
}

} // namespace

std::int64_t forward_flops(const Policy& policy) {
  std::int64_t sum = 0;
  for (const LayerView& layer : layers(policy)) sum += product(layer.inputs, layer.outputs);
  return sum;
}

std::int64_t pullback_flops(const Policy& policy) {
  const LayerView first = layers(policy).front(); // nothing goes back to the features
  return 2 * forward_flops(policy) - product(first.inputs, first.outputs);
}

Flops preparation_flops(const TaskShape& task, const PrepareOptions& options) {
  const std::int64_t n = task.train_rows, d = task.columns, p = d + (options.use_group ? 2 : 1);
  std::int64_t sum = newton_steps(steps_from_zero, n, p);
  if (options.features != FeatureSet::basic)
    sum += neighbours(n, d) + 4 * newton_steps(steps_from_near, n, p) +
           fourier(n, d); // 5 folds of 4/5 of the rows
  return {sum, true};
}

Flops response_flops(const TaskShape& task, const Policy& policy) {
  const std::int64_t rows = std::min(task.train_rows, response_rows);
  return {rows * feature_count(policy.features) * response_points * forward_flops(policy)};
}

Flops network_flops(const TaskShape& task, const Policy& policy, Index support, TaskFailure failure) {
  const std::int64_t rows = support_rows(task, support);
  switch (failure) {
  case TaskFailure::one_class:
  case TaskFailure::probe: return {};
  case TaskFailure::policy:
  case TaskFailure::inner_fit: return {rows * forward_flops(policy)};
  default: return {rows * (forward_flops(policy) + pullback_flops(policy))};
  }
}

Flops inner_flops(const TaskShape& task, const MetaOptions& options, bool use_group, TaskFailure failure) {
  if (failure != TaskFailure::none && failure != TaskFailure::gradient) return {};
  const std::int64_t n = support_rows(task, options.support), m = task.test_rows;
  const std::int64_t p = task.columns + (use_group ? 2 : 1);
  const std::int64_t query = 2 * product(m, p);
  if (const auto* unrolled = std::get_if<Unrolled>(&options.inner.method)) {
    // Each step: logits and gradient; back: the product with the Hessian, unless it is dropped, and
    // d_weights.
    const std::int64_t preconditioner = unrolled->precondition ? product(n * p, p) : 0;
    const std::int64_t back = unrolled->first_order ? 1 : 2;
    return {query + preconditioner + unrolled->steps * (2 + back) * product(n, p)};
  }
  return {query + newton_steps(steps_from_near, n, p) + product(n * p, p) + 2 * product(n, p), true};
}

} // namespace metasieve
