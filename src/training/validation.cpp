#include "training/validation.hpp"

#include "base/text.hpp"
#include "methods/assess.hpp"
#include "methods/methods.hpp"
#include "parallel/exact_sum.hpp"
#include "parallel/for_each.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace metasieve {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

/// Beyond it a task's loss counts as this much. A power of two: dividing by it is exact.
constexpr double largest_loss = 1024.0;

/// ", DP gap 0.0800 (-52 %)"; without the change where there is nothing to compare with.
std::string compared(const char* name, double value, double base) {
  if (std::isnan(value)) return std::string(", ") + name + " undefined";
  return base > 0.0 ? format(", %s %.4f (%+.0f %%)", name, value, 100.0 * (value / base - 1.0))
                    : format(", %s %.4f", name, value);
}

} // namespace

std::string validation_text(const ValidationRow& row) {
  return format("validation at %ld: accuracy %.4f (%+.2f points)", static_cast<long>(row.iteration),
                row.accuracy, 100.0 * (row.accuracy - row.baseline_accuracy)) +
         compared("DP gap", row.dp_gap, row.baseline_dp_gap) +
         compared("EO gap", row.eo_gap, row.baseline_eo_gap) +
         compared("noise kept", row.noise_rate_selected, row.noise_rate_all) +
         compared("loss", row.loss, 0.0); // the baseline has none
}

Validation::Validation(const Communicator& comm, const TaskPool& shard, Index total, double ridge,
                       const OuterOptions& outer)
    : shard_(&shard), total_(total), ridge_(ridge), outer_(outer),
      baseline_(measured(comm, [&](const PreparedTask& task) { return baseline_of(task); }).means) {}

ValidationRow Validation::measure(const Communicator& comm, const Policy& policy, std::int64_t iteration,
                                  FailureLog& failures) const {
  const auto [mean, failed] =
      measured(comm, [&](const PreparedTask& task) { return quantities_of(task, policy); });
  for (const std::optional<TaskId>& id : failed)
    if (id) failures.add(*id, TaskFailure::validation, iteration);
  return {iteration,
          mean.accuracy,
          mean.dp_gap,
          mean.eo_gap,
          baseline_.accuracy,
          baseline_.dp_gap,
          baseline_.eo_gap,
          mean.noise_rate,
          baseline_.noise_rate,
          mean.accuracy_loss + outer_.fairness_weight * mean.fairness_loss,
          mean.accuracy_loss,
          mean.fairness_loss};
}

Validation::Quantities Validation::baseline_of(const PreparedTask& task) const {
  const Assessment a = assess(task, fit_model(task, Vector::Ones(task.train.rows()), task.train.y, ridge_));
  const Metrics& metrics = a.metrics;
  return {metrics.accuracy, metrics.dp_gap, metrics.eo_gap, a.noise_rate_selected, undefined, undefined};
}

Validation::Quantities Validation::quantities_of(const PreparedTask& task, const Policy& policy) const {
  const Vector u = policy_score(task, policy);
  if (!u.allFinite()) return {undefined, undefined, undefined, undefined, undefined, undefined, true};
  const Assessment hard = assess(task, fit_model(task, highest(u, policy.keep), task.train.y, ridge_));
  const Metrics& metrics = hard.metrics;
  Quantities out{metrics.accuracy, metrics.dp_gap, metrics.eo_gap, hard.noise_rate_selected,
                 undefined,        undefined,      hard.failed};
  const Model soft = fit_model(task, soft_weights(policy, u), task.train.y, ridge_);
  if (soft.failed || !soft.score.allFinite()) {
    out.failed = true;
    return out;
  }
  const OuterTrace outer = outer_loss(soft.score, task.test.y, task.test.group, outer_);
  out.accuracy_loss = outer.accuracy_loss, out.fairness_loss = outer.fairness_loss;
  return out;
}

Validation::Measured
Validation::measured(const Communicator& comm,
                     const std::function<Quantities(const PreparedTask&)>& of_task) const {
  constexpr std::size_t quantities = 6;
  const Range ids = shard_->ids();
  Measured out{{}, std::vector<std::optional<TaskId>>(static_cast<std::size_t>(ids.size()))};
  ExactSum sum(2 * quantities, 1.0, std::max<Index>(total_, 1)); // of values, and of how many are defined
  comm.agree([&] {
    for_each_parallel(ids, [&](Index i) {
      const auto task = shard_->task(i);
      const Quantities q = of_task(*task);
      if (q.failed) out.failed[static_cast<std::size_t>(i - ids.begin)] = task->id;
      const std::array<double, quantities> values{q.accuracy,
                                                  q.dp_gap,
                                                  q.eo_gap,
                                                  q.noise_rate,
                                                  std::min(q.accuracy_loss / largest_loss, 1.0),
                                                  std::min(q.fairness_loss / largest_loss, 1.0)};
      std::array<double, 2 * quantities> terms{};
      for (std::size_t k = 0; k < quantities; ++k)
        if (!std::isnan(values[k])) terms[k] = values[k], terms[k + quantities] = 1.0;
      sum.add(terms);
    });
  });
  const Vector total = sum.total(comm);
  const Eigen::ArrayXd mean = total.head(quantities).array() / total.tail(quantities).array(); // 0/0: NaN
  out.means = {mean(0), mean(1), mean(2), mean(3), largest_loss * mean(4), largest_loss * mean(5)};
  return out;
}

} // namespace metasieve
