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
      baseline_(
          means(comm, [](const PreparedTask& task) { return Vector(Vector::Ones(task.train.rows())); })) {}

ValidationRow Validation::measure(const Communicator& comm, const Policy& policy,
                                  std::int64_t iteration) const {
  const std::vector<double> hard =
      means(comm, [&](const PreparedTask& task) { return highest(policy_score(task, policy), policy.keep); });
  return {iteration,    hard[0],      hard[1], hard[2],     baseline_[0],
          baseline_[1], baseline_[2], hard[3], baseline_[3]};
}

std::vector<double> Validation::means(const Communicator& comm, const Selection& weights) const {
  constexpr std::size_t quantities = 4;
  ExactSum sum(2 * quantities, 1.0, std::max<Index>(total_, 1)); // of values, and of how many are defined
  comm.agree([&] {
    for_each_parallel({0, static_cast<Index>(shard_->tasks.size())}, [&](Index i) {
      const PreparedTask& task = shard_->tasks[static_cast<std::size_t>(i)];
      const Assessment a = assess(task, fit_model(task, weights(task), task.train.y, ridge_));
      const std::array<double, quantities> values{a.metrics.accuracy, a.metrics.dp_gap, a.metrics.eo_gap,
                                                  a.noise_rate_selected};
      std::array<double, 2 * quantities> terms{};
      for (std::size_t k = 0; k < quantities; ++k)
        if (!std::isnan(values[k])) terms[k] = values[k], terms[k + quantities] = 1.0;
      sum.add(terms);
    });
  });
  const Vector total = sum.total(comm);
  std::vector<double> out;
  for (Index k = 0; k < static_cast<Index>(quantities); ++k)
    out.push_back(total(k) / total(k + quantities)); // 0/0: NaN
  return out;
}

} // namespace metasieve
