#include "methods/adapt.hpp"

#include "base/for_each.hpp"
#include "kernels/meta_gradient.hpp"
#include "policy/adam.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace metasieve {
namespace {

using Rows = std::vector<Index>;

/// Two disjoint random sets of training rows of (almost) equal size, ascending; `limit` rows each at most.
std::pair<Rows, Rows> halves(const PreparedTask& task, const AdaptOptions& options, std::uint64_t step) {
  const Index rows = task.train.rows();
  const Rows order = permutation(Stream(options.seed, Draw::adaptation, task.id, step), rows);
  const Index half = rows / 2, limit = options.support > 0 ? std::min(options.support, rows) : rows;
  const auto sorted = [&](Index begin, Index end) {
    Rows part(order.begin() + begin, order.begin() + std::min(end, begin + limit));
    std::sort(part.begin(), part.end()); // memory order
    return part;
  };
  return {sorted(0, half), sorted(half, rows)};
}

/// The task of fitting on `support` for `query`, both of them training rows with noisy labels.
PreparedTask as_support_query_task(const PreparedTask& task, const Rows& support, const Rows& query) {
  PreparedTask out;
  out.id = task.id;
  out.train = gather(task.train, support);
  out.test = gather(task.train, query);
  out.probe = task.probe;
  out.precision = task.precision;
  out.features = task.features(support, Eigen::all);
  return out;
}

} // namespace

Policy adapt(const Policy& policy, const PreparedTask& task, const AdaptOptions& options,
             const std::function<void()>& after_step) {
  const MetaOptions meta{options.inner, options.outer, 0, options.seed};
  Policy adapted = policy;
  Adam adam(policy.theta.size());
  std::array<kernels::TaskGradient, 2> gradients;
  std::array<const MetaGradient*, 2> found{};
  kernels::PackedPolicy<> packed;
  for (Index step = 0; step < options.steps; ++step) {
    const auto number = static_cast<std::uint64_t>(step);
    const auto [one, other] = halves(task, options, number);
    packed.pack(adapted);
    for_each_parallel({0, 2},
                      [&, &one = one, &other = other](Index k) { // nested in a loop over tasks: one thread
                        const auto half = static_cast<std::size_t>(k);
                        found[half] = &gradients[half](half == 0 ? as_support_query_task(task, one, other)
                                                                 : as_support_query_task(task, other, one),
                                                       packed, meta, number);
                      });
    if (std::ranges::all_of(found, [](const auto* half) { return half->failure == TaskFailure::none; }))
      adapted.theta =
          adam.update(adapted.theta, 0.5 * (found[0]->d_theta + found[1]->d_theta), options.learning_rate);
    if (after_step) after_step();
  }
  return adapted;
}

} // namespace metasieve
