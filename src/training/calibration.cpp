#include "training/calibration.hpp"

#include "features/meta_features.hpp"
#include "kernels/meta_features.hpp"
#include "kernels/meta_gradient.hpp"
#include "methods/assess.hpp"
#include "methods/compare_methods.hpp"
#include "parallel/for_each.hpp"
#include "runtime/phases.hpp"
#include "tasks/generate.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

namespace metasieve {
namespace {

constexpr double least_seconds = 0.15; // of one stage on each thread
constexpr Index most_rows = 6000;

Family family_of_shape(const TaskShape& task) {
  Family family;
  const auto rows = static_cast<double>(task.train_rows + std::max<Index>(task.test_rows, 1));
  const auto columns = static_cast<double>(task.columns);
  family.samples = {rows, rows};
  family.features = {columns, columns};
  family.minority = {0.4, 0.4};
  family.label_noise = {0.15, 0.15};
  return family;
}

/// Nanoseconds of one call with all threads at work, mean over threads; the largest over ranks. `work` gets
/// another number each time.
double nanoseconds(const Communicator& comm, const std::function<void(std::uint64_t)>& work) {
  const Index threads = thread_count();
  std::vector<double> of_call(static_cast<std::size_t>(threads));
  comm.barrier();
  comm.agree([&] {
    for_each_parallel({0, threads}, [&](Index thread) {
      const auto first = static_cast<std::uint64_t>(thread) << 32U;
      work(first); // the caches of the first call are cold
      const double begin = wall_seconds();
      double now = begin;
      std::uint64_t calls = 0;
      while (now - begin < least_seconds) {
        work(first + ++calls);
        now = wall_seconds();
      }
      of_call[static_cast<std::size_t>(thread)] = 1e9 * (now - begin) / static_cast<double>(calls);
    });
  });
  return comm.max(std::accumulate(of_call.begin(), of_call.end(), 0.0) / static_cast<double>(threads));
}

ComparisonOptions contest_options(const Config& config, const Policy& policy) {
  const EvaluateConfig& evaluate = config.evaluate;
  return {
      {policy},          policy,           policy.keep,      config.inner.ridge, evaluate.seed,
      evaluate.fairness, evaluate.roh_tau, evaluate.penalty, evaluate.tolerance, config.selection_options()};
}

} // namespace

Speed calibrate(const Communicator& comm, const TaskShape& wanted_shape, const Config& config,
                const Wanted& wanted) {
  TaskShape shape = wanted_shape;
  const Index rows = shape.train_rows + shape.test_rows;
  if (rows > most_rows) {
    shape.train_rows = shape.train_rows * most_rows / rows;
    shape.test_rows = most_rows - shape.train_rows;
  }
  const Family family = family_of_shape(shape);
  const auto task_of = [&](std::uint64_t number) { return generate_task(family, Seed{1}, TaskId{number}); };
  const PrepareOptions options = config.prepare_options(Seed{1});
  const Task task = task_of(0);
  shape = {task.train.rows(), task.test.rows(), task.train.columns()};
  const PreparedTask prepared = kernels::prepare(task, options);
  Policy policy = initialise(config.policy, config.meta.seed);

  Speed speed;
  if (wanted.generation)
    speed.generation =
        nanoseconds(comm, [&](std::uint64_t i) { static_cast<void>(task_of(i)); }) / generation_cost(shape);
  if (wanted.training || wanted.contest)
    speed.preparation =
        nanoseconds(comm, [&](std::uint64_t) { static_cast<void>(kernels::prepare(task, options)); }) /
        preparation_cost(shape, config.policy.features);
  if (wanted.training) {
    const MetaOptions meta = config.meta_options();
    kernels::PackedPolicy<> packed;
    kernels::TaskGradient gradient;
    speed.visit = nanoseconds(comm,
                              [&](std::uint64_t i) {
                                packed.pack(policy);
                                static_cast<void>(gradient(prepared, packed, meta, i));
                              }) /
                  visit_cost(shape, config);
    speed.assessment =
        nanoseconds(comm,
                    [&](std::uint64_t) {
                      const Vector kept = highest(policy_score(prepared, policy), policy.keep);
                      static_cast<void>(
                          assess(prepared, fit_model(prepared, kept, prepared.train.y, config.inner.ridge)));
                    }) /
        assessment_cost(shape, config);
  }
  if (wanted.contest) {
    const ComparisonOptions contest_of = contest_options(config, policy);
    speed.contest =
        nanoseconds(comm,
                    [&](std::uint64_t) {
                      static_cast<void>(compare_methods(prepared, config.evaluate.methods, contest_of));
                    }) /
        contest_cost(shape, config, 1, 0);
  }
  return speed;
}

} // namespace metasieve
