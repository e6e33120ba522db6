#include "run/batch_mean.hpp"

#include "parallel/for_each.hpp"
#include "policy/adam.hpp"
#include "run/phase_clock.hpp"

#include <algorithm>

namespace metasieve {
namespace {

constexpr Index extra_sums = 5; // after d_theta: loss, accuracy loss, fairness loss, succeeded, clipped

} // namespace

BatchSum::BatchSum(Index parameters, Index batch_size)
    : batch_size_(batch_size), sum_(parameters + extra_sums, bound, batch_size) {}

void BatchSum::add(const MetaGradient& gradient) {
  if (gradient.failure != TaskFailure::none) return;
  std::vector<double> values(static_cast<std::size_t>(gradient.d_theta.size() + extra_sums));
  Eigen::Map<Vector> packed(values.data(), static_cast<Index>(values.size()));
  const auto bounded = [](double value) { return std::clamp(value, -bound, bound); };
  const bool beyond = gradient.d_theta.norm() > bound;
  packed << clipped(gradient.d_theta, bound * (1.0 - 1e-12)), bounded(gradient.loss),
      bounded(gradient.accuracy_loss), bounded(gradient.fairness_loss), 1.0, beyond ? 1.0 : 0.0;
  sum_.add(values);
}

Visits BatchSum::add_all(Index tasks, const std::function<std::pair<TaskId, MetaGradient>(Index)>& visit) {
  struct Outcome {
    TaskId id{};
    TaskFailure failure = TaskFailure::none;
    double seconds = 0, policy_seconds = 0, inner_seconds = 0;
  };
  std::vector<Outcome> outcomes(static_cast<std::size_t>(tasks));
  const double begin = wall_seconds();
  for_each_parallel({0, tasks}, [&](Index i) {
    const double task_begin = wall_seconds();
    const auto [id, gradient] = visit(i);
    outcomes[static_cast<std::size_t>(i)] = {id, gradient.failure, wall_seconds() - task_begin,
                                             gradient.policy_seconds, gradient.inner_seconds};
    add(gradient);
  });
  const double loop_seconds = wall_seconds() - begin;
  const double threads = thread_count();
  Visits visits;
  for (const Outcome& outcome : outcomes) {
    if (outcome.failure != TaskFailure::none) visits.failures.emplace_back(outcome.id, outcome.failure);
    visits.policy_seconds += outcome.policy_seconds / threads;
    visits.inner_seconds += outcome.inner_seconds / threads;
    visits.make_seconds += (outcome.seconds - outcome.policy_seconds - outcome.inner_seconds) / threads;
  }
  visits.idle_seconds = loop_seconds - visits.policy_seconds - visits.inner_seconds - visits.make_seconds;
  return visits;
}

BatchMean BatchSum::mean(const Communicator& comm) {
  const Vector total = sum_.total(comm);
  const Index p = total.size() - extra_sums;
  const double succeeded = total(p + 3); // 0: the means are NaN
  return {total(p) / succeeded,
          total(p + 1) / succeeded,
          total(p + 2) / succeeded,
          succeeded > 0 ? Vector(total.head(p) / succeeded) : Vector(Vector::Zero(p)),
          batch_size_ - static_cast<std::int64_t>(succeeded),
          static_cast<std::int64_t>(total(p + 4))};
}

} // namespace metasieve
