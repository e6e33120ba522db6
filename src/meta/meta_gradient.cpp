#include "meta/meta_gradient.hpp"

#include "base/random.hpp"
#include "base/stopwatch.hpp"
#include "policy/weights.hpp"

#include <limits>
#include <span>

namespace metasieve {
namespace {

std::vector<Index> support_rows(const PreparedTask& task, const MetaOptions& options, std::uint64_t step) {
  const Index rows = task.train.rows();
  if (options.support > 0 && options.support < rows) {
    const Stream stream(options.seed, Draw::support, task.id, step);
    Sampler sampler;
    const std::span<const Index> drawn = sampler.draw_sorted(stream, rows, options.support); // memory order
    return {drawn.begin(), drawn.end()};
  }
  return all_rows(rows);
}

bool one_class(const Labels& y) { return y.size() > 0 && y.minCoeff() == y.maxCoeff(); }

} // namespace

TaskFailure failure_beforehand(const PreparedTask& task) {
  if (one_class(task.train.y)) return TaskFailure::one_class;
  return task.probe.status == FitStatus::diverged ? TaskFailure::probe : TaskFailure::none;
}

MetaGradient task_meta_gradient(const PreparedTask& task, const Policy& policy, const MetaOptions& options,
                                std::uint64_t step) {
  Stopwatch lap;
  double policy_seconds = 0, inner_seconds = 0;
  const auto failed = [&](TaskFailure where) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    return MetaGradient{nan,
                        nan,
                        nan,
                        Vector::Zero(policy.theta.size()),
                        where,
                        policy_seconds,
                        inner_seconds + lap.seconds()};
  };
  if (const TaskFailure beforehand = failure_beforehand(task); beforehand != TaskFailure::none)
    return failed(beforehand);
  const std::vector<Index> rows = support_rows(task, options, step);
  const InnerProblem problem{design_matrix(task.train, task.probe.standardizer, rows),
                             to_vector(task.train.y(rows)), task.probe.beta};
  const Matrix query = design_matrix(task.test, task.probe.standardizer);

  inner_seconds += lap.seconds();
  const PolicyTrace network = forward(policy, task.features(rows, Eigen::all).cast<double>());
  if (!network.u.allFinite()) return failed(TaskFailure::policy);
  const WeightsTrace keep = keep_weights(network.u, policy.keep, policy.temperature);
  policy_seconds += lap.seconds();
  const InnerFit model = fit(problem, keep.weights, options.inner);
  if (model.status == FitStatus::diverged) return failed(TaskFailure::inner_fit);
  const OuterTrace outer = outer_loss(query * model.beta, task.test.y, task.test.group, options.outer);

  const Vector d_beta = query.transpose() * pullback(outer);
  const Vector d_weights = pullback(problem, keep.weights, model, options.inner, d_beta);
  inner_seconds += lap.seconds();
  const Vector d_u = pullback(keep, d_weights);
  MetaGradient out{outer.loss, outer.accuracy_loss, outer.fairness_loss, pullback(policy, network, d_u)};
  policy_seconds += lap.seconds();
  out.policy_seconds = policy_seconds, out.inner_seconds = inner_seconds;
  return std::isfinite(out.loss) && out.d_theta.allFinite() ? out : failed(TaskFailure::gradient);
}

} // namespace metasieve
