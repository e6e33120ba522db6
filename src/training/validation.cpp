#include "training/validation.hpp"

#include "base/for_each.hpp"
#include "base/text.hpp"
#include "methods/assess.hpp"
#include "methods/methods.hpp"
#include "parallel/exact_sum.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <mutex>

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

void set_selection(TaskQuality& quality, const Assessment& a) {
  quality.accuracy = a.metrics.accuracy;
  quality.dp_gap = a.metrics.dp_gap, quality.eo_gap = a.metrics.eo_gap;
  quality.noise_rate = a.noise_rate_selected;
}

/// Collective: means over the tasks of all ranks, `total` of them, where they are defined.
TaskQuality mean_quality(const Communicator& comm, const TaskPool& pool, Index total,
                         const std::function<TaskQuality(const PreparedTask&)>& of_task) {
  constexpr std::size_t quantities = 6;
  ExactSum sum(2 * quantities, 1.0, std::max<Index>(total, 1)); // values, and how many are defined
  comm.run_collectively([&] {
    for_each_parallel(pool.ids(), [&](Index i) {
      const TaskQuality q = of_task(*pool.task(i));
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
  const Vector total_of = sum.total(comm);
  const Eigen::ArrayXd mean =
      total_of.head(quantities).array() / total_of.tail(quantities).array(); // 0/0: NaN
  return {mean(0), mean(1), mean(2), mean(3), largest_loss * mean(4), largest_loss * mean(5)};
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

TaskQuality quality_of(const PreparedTask& task, const Policy& policy, double ridge,
                       const OuterOptions& outer) {
  TaskQuality quality{undefined, undefined, undefined, undefined, undefined, undefined, true};
  const Vector u = policy_score(task, policy);
  if (!u.allFinite()) return quality;
  const Assessment hard = assess(task, fit_model(task, highest(u, policy.keep), task.train.y, ridge));
  set_selection(quality, hard);
  const Model soft = fit_model(task, soft_weights(policy, u), task.train.y, ridge);
  if (soft.failed || !soft.score.allFinite()) return quality;
  const OuterTrace trace = outer_loss(soft.score, task.test.y, task.test.group, outer);
  quality.accuracy_loss = trace.accuracy_loss, quality.fairness_loss = trace.fairness_loss;
  quality.failed = hard.failed;
  return quality;
}

Validation::Validation(const Communicator& comm, const TaskPool& pool, Index total, double ridge,
                       const OuterOptions& outer)
    : pool_(&pool), total_(total), ridge_(ridge), outer_(outer),
      baseline_(mean_quality(comm, pool, total, [&](const PreparedTask& task) {
        TaskQuality all{undefined, undefined, undefined, undefined, undefined, undefined};
        set_selection(all,
                      assess(task, fit_model(task, Vector::Ones(task.train.rows()), task.train.y, ridge)));
        return all;
      })) {}

ValidationRow Validation::measure(const Communicator& comm, const Policy& policy, std::int64_t iteration,
                                  FailureLog& failures) const {
  std::mutex guard;
  const TaskQuality mean = mean_quality(comm, *pool_, total_, [&](const PreparedTask& task) {
    const TaskQuality quality = quality_of(task, policy, ridge_, outer_);
    if (quality.failed) {
      const std::lock_guard lock(guard);
      failures.add(task.id, TaskFailure::validation, iteration);
    }
    return quality;
  });
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

} // namespace metasieve
