#include "kernels/meta_gradient.hpp"

#include <cmath>
#include <limits>

namespace metasieve::kernels {

const MetaGradient& TaskGradient::operator()(const PreparedTask& task, const PackedPolicy<>& policy,
                                             const MetaOptions& options, std::uint64_t step) {
  if (task.precision == Precision::float64)
    return result_ = task_meta_gradient(task, policy.policy(), options, step);
  Stopwatch lap;
  result_.d_theta.setZero(policy.policy().theta.size());
  result_.policy_seconds = result_.inner_seconds = 0.0;
  result_.failure = differentiate(task, policy, options, step, lap);
  if (result_.failure != TaskFailure::none) {
    result_.loss = result_.accuracy_loss = result_.fairness_loss = std::numeric_limits<double>::quiet_NaN();
    result_.d_theta.setZero();
    result_.inner_seconds += lap.seconds();
  }
  return result_;
}

TaskFailure TaskGradient::differentiate(const PreparedTask& task, const PackedPolicy<>& policy,
                                        const MetaOptions& options, std::uint64_t step, Stopwatch& lap) {
  if (const TaskFailure beforehand = failure_beforehand(task); beforehand != TaskFailure::none)
    return beforehand;
  const std::span<const Index> rows = draw_support(task, options, step);
  const Index n = rows.empty() ? task.train.rows() : std::ssize(rows);
  inner_.load(task.train, task.probe.standardizer, rows, task.probe.beta, options.inner);
  query_.resize(task.test.rows(), task.probe.beta.size());
  fill_design(task.test, task.probe.standardizer, {}, query_);
  result_.inner_seconds += lap.seconds();

  network_.assign(task.features, rows);
  const float* const u = network_.forward(policy);
  if (!Eigen::Map<const Eigen::VectorXf>(u, n).allFinite()) return TaskFailure::policy;
  const float* const weights = weighting_.forward(u, n, policy.policy().keep, policy.policy().temperature);
  result_.policy_seconds += lap.seconds();

  if (inner_.fit(weights) == FitStatus::diverged) return TaskFailure::inner_fit;
  auto coefficients = simd::vector_in(coefficients_, query_.columns());
  auto d_beta = simd::vector_in(d_beta_, query_.columns());
  coefficients = inner_.beta().cast<float>();
  d_beta.setZero();
  float* const score = whole_registers(score_, query_.rows());
  query_.for_each_block(
      [&](Index begin, Index end) { gemv(query_, coefficients.data(), begin, end, score); });
  const OuterLoss::Value outer = outer_(score, task.test.y, task.test.group, options.outer);
  result_.loss = outer.loss;
  result_.accuracy_loss = outer.accuracy_loss;
  result_.fairness_loss = outer.fairness_loss;
  query_.for_each_block(
      [&](Index begin, Index end) { gemv_transposed(query_, outer_.d_score(), begin, end, d_beta.data()); });
  const float* const d_weights = inner_.pullback(d_beta);
  result_.inner_seconds += lap.seconds();

  network_.pullback(policy, weighting_.pullback(d_weights), result_.d_theta);
  result_.policy_seconds += lap.seconds();
  const bool finite = std::isfinite(result_.loss) && result_.d_theta.allFinite();
  return finite ? TaskFailure::none : TaskFailure::gradient;
}

/// Ascending; empty: all rows.
std::span<const Index> TaskGradient::draw_support(const PreparedTask& task, const MetaOptions& options,
                                                  std::uint64_t step) {
  const Index rows = task.train.rows();
  if (options.support == 0 || options.support >= rows) return {};
  const Stream stream(options.seed, Draw::support, task.id, step);
  return sampler_.draw_sorted(stream, rows, options.support);
}

} // namespace metasieve::kernels
