#include "run/validation.hpp"

#include "parallel/exact_sum.hpp"
#include "parallel/for_each.hpp"
#include "selectors/assess.hpp"
#include "selectors/methods.hpp"

#include <array>
#include <cmath>
#include <limits>

namespace metasieve {

Validation::Validation(const Communicator& comm, const Shard& shard, Index total, double ridge)
    : shard_(&shard), total_(total), ridge_(ridge),
      baseline_(measured(comm, [](const PreparedTask& task) {
                  return Vector(Vector::Ones(task.train.rows()));
                }).means) {}

ValidationRow Validation::measure(const Communicator& comm, const Policy& policy, std::int64_t iteration,
                                  FailureLog& failures) const {
  const Measured hard = measured(comm, [&](const PreparedTask& task) {
    const Vector u = policy_score(task, policy);
    constexpr double undefined = std::numeric_limits<double>::quiet_NaN(); // a fit with it fails
    return u.allFinite() ? highest(u, policy.keep) : Vector(Vector::Constant(u.size(), undefined));
  });
  for (const std::optional<TaskId>& id : hard.failed)
    if (id) failures.add(*id, TaskFailure::validation, iteration);
  return {iteration,    hard.means[0], hard.means[1], hard.means[2], baseline_[0],
          baseline_[1], baseline_[2],  hard.means[3], baseline_[3]};
}

Validation::Measured Validation::measured(const Communicator& comm, const Selection& weights) const {
  constexpr std::size_t quantities = 4;
  const Range ids = shard_->ids();
  Measured out{{}, std::vector<std::optional<TaskId>>(static_cast<std::size_t>(ids.size()))};
  ExactSum sum(2 * quantities, 1.0, std::max<Index>(total_, 1)); // of values, and of how many are defined
  comm.agree([&] {
    for_each_parallel(ids, [&](Index i) {
      const auto held = shard_->task(i);
      const PreparedTask& task = *held;
      const Assessment a = assess(task, fit_model(task, weights(task), task.train.y, ridge_));
      if (a.failed) out.failed[static_cast<std::size_t>(i - ids.begin)] = task.id;
      const std::array<double, quantities> values{a.metrics.accuracy, a.metrics.dp_gap, a.metrics.eo_gap,
                                                  a.noise_rate_selected};
      std::array<double, 2 * quantities> terms{};
      for (std::size_t k = 0; k < quantities; ++k)
        if (!std::isnan(values[k])) terms[k] = values[k], terms[k + quantities] = 1.0;
      sum.add(terms);
    });
  });
  const Vector total = sum.total(comm);
  for (Index k = 0; k < static_cast<Index>(quantities); ++k)
    out.means.push_back(total(k) / total(k + quantities)); // 0/0: NaN
  return out;
}

} // namespace metasieve
