#include "meta/adapt.hpp"

#include "policy/adam.hpp"

#include <algorithm>

namespace metasieve {
namespace {

/// The training rows cut into two random halves: one to fit on, one to measure on.
PreparedTask halves(const PreparedTask& task, Seed seed, std::uint64_t step) {
  std::vector<Index> order = permutation(Stream(seed, Draw::adaptation, task.id, step), task.train.rows());
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(order.size() / 2);
  std::vector<Index> support(order.begin(), middle), query(middle, order.end());
  std::sort(support.begin(), support.end()); // memory order
  std::sort(query.begin(), query.end());
  return {task.id,        gather(task.train, support),        gather(task.train, query),
          task.probe,     task.features(support, Eigen::all), task.seed,
          task.corruption};
}

} // namespace

Policy adapt(const Policy& policy, const PreparedTask& task, const AdaptOptions& options) {
  const MetaOptions meta{options.inner, options.outer, 0, options.seed};
  Policy adapted = policy;
  Adam adam(policy.theta.size());
  for (Index step = 0; step < options.steps; ++step) {
    const auto number = static_cast<std::uint64_t>(step);
    const MetaGradient gradient =
        task_meta_gradient(halves(task, options.seed, number), adapted, meta, number);
    if (gradient.status != FitStatus::diverged)
      adapted.theta = adam.update(adapted.theta, gradient.d_theta, options.learning_rate);
  }
  return adapted;
}

} // namespace metasieve
