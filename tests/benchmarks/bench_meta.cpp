// Cost of one visit to a task (meta-gradient), stage by stage, and of what is done once per task. The task is
// the mean one of the default suite: 3400 training rows, 13 columns; 600 support rows a visit.

#include "kernels/meta_features.hpp"
#include "meta/batches.hpp"
#include "meta/meta_gradient.hpp"
#include "methods/assess.hpp"
#include "methods/methods.hpp"
#include "policy/weights.hpp"
#include "tasks/generate.hpp"

#include <benchmark/benchmark.h>

#include <cmath>
#include <numeric>

namespace metasieve {
namespace {

constexpr Index rows = 3400, support = 600, columns = 13;
constexpr double ridge = 1e-3;

Family family_of_rows(Index train_rows) {
  Family family;
  const double samples = std::round(static_cast<double>(train_rows) / 0.7);
  family.samples = {samples, samples};
  family.features = {columns, columns};
  family.label_noise = {0.15, 0.15};
  family.label_bias = {0.2, 0.2};
  return family;
}

Task new_task(Index train_rows) { return generate_task(family_of_rows(train_rows), Seed{1}, TaskId{1}); }

const PreparedTask& prepared_task() {
  static const PreparedTask task = prepare(new_task(rows), {});
  return task;
}

MetaOptions options_of(const InnerOptions& inner) { return {inner, {}, support, Seed{1}}; }

const InnerOptions implicit{Implicit{}, ridge};
const InnerOptions unrolled{Unrolled{5, 0.5, Start::zero, false, false}, ridge};

/// What the stages of one visit hand to each other.
struct Visit {
  const PreparedTask& task = prepared_task();
  Policy policy = initialise({}, Seed{1});
  std::vector<Index> drawn = [] {
    std::vector<Index> first(static_cast<std::size_t>(support));
    std::iota(first.begin(), first.end(), Index{0});
    return first;
  }();
  Matrix features = task.features(drawn, Eigen::all).cast<double>();
  PolicyTrace network = forward(policy, features);
  WeightsTrace keep = keep_weights(network.u, policy.keep, policy.temperature);
  InnerProblem problem{design_matrix(task.train, task.probe.standardizer, drawn),
                       to_vector(task.train.y(drawn)), task.probe.beta};
  Matrix query = design_matrix(task.test, task.probe.standardizer);
  Vector d_weights = Vector::Ones(support) - 1e-3 * keep.weights;
};

void generate(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(new_task(state.range(0)));
}

void prepare_task(benchmark::State& state) {
  const Task task = new_task(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(kernels::prepare(task, {}));
}

void assess_hard(benchmark::State& state) {
  const PreparedTask task = prepare(new_task(state.range(0)), {});
  const Policy policy = initialise({}, Seed{1});
  for (auto _ : state)
    benchmark::DoNotOptimize(
        assess(task, fit_model(task, highest(policy_score(task, policy), 0.7), task.train.y, ridge)));
}

void policy_forward(benchmark::State& state) {
  const Visit v;
  for (auto _ : state) benchmark::DoNotOptimize(forward(v.policy, v.features));
}

void policy_pullback(benchmark::State& state) {
  const Visit v;
  for (auto _ : state) benchmark::DoNotOptimize(pullback(v.policy, v.network, v.d_weights));
}

void keep_weights_and_pullback(benchmark::State& state) {
  const Visit v;
  for (auto _ : state)
    benchmark::DoNotOptimize(
        pullback(keep_weights(v.network.u, v.policy.keep, v.policy.temperature), v.d_weights));
}

void inner_fit_and_pullback(benchmark::State& state, const InnerOptions& options) {
  const Visit v;
  const Vector d_beta = Vector::Ones(v.problem.x.cols());
  for (auto _ : state) {
    const InnerFit model = fit(v.problem, v.keep.weights, options);
    benchmark::DoNotOptimize(pullback(v.problem, v.keep.weights, model, options, d_beta));
  }
}

void support_design(benchmark::State& state) {
  const Visit v;
  for (auto _ : state)
    benchmark::DoNotOptimize(design_matrix(v.task.train, v.task.probe.standardizer, v.drawn));
}

void query_design(benchmark::State& state) {
  const Visit v;
  for (auto _ : state) benchmark::DoNotOptimize(design_matrix(v.task.test, v.task.probe.standardizer));
}

void outer_loss_and_pullback(benchmark::State& state) {
  const Visit v;
  const Vector score = v.query * v.task.probe.beta;
  for (auto _ : state)
    benchmark::DoNotOptimize(pullback(outer_loss(score, v.task.test.y, v.task.test.group, {})));
}

void meta_gradient(benchmark::State& state, const InnerOptions& inner) {
  const Visit v;
  const MetaOptions options = options_of(inner);
  std::uint64_t step = 0;
  for (auto _ : state) benchmark::DoNotOptimize(task_meta_gradient(v.task, v.policy, options, step++));
}

void batch(benchmark::State& state) {
  BatchSchedule batches(Seed{1}, state.range(0), 16);
  std::uint64_t step = 0;
  for (auto _ : state) benchmark::DoNotOptimize(batches.of_step(step++, {0, state.range(0)}));
}

void task_sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(500)->Arg(3400)->Arg(7000)->Unit(benchmark::kMillisecond);
}

BENCHMARK(generate)->Apply(task_sizes);
BENCHMARK(prepare_task)->Apply(task_sizes);
BENCHMARK(assess_hard)->Apply(task_sizes);
BENCHMARK(policy_forward)->Unit(benchmark::kMicrosecond);
BENCHMARK(policy_pullback)->Unit(benchmark::kMicrosecond);
BENCHMARK(keep_weights_and_pullback)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(inner_fit_and_pullback, implicit, implicit)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(inner_fit_and_pullback, unrolled_5, unrolled)->Unit(benchmark::kMicrosecond);
BENCHMARK(support_design)->Unit(benchmark::kMicrosecond);
BENCHMARK(query_design)->Unit(benchmark::kMicrosecond);
BENCHMARK(outer_loss_and_pullback)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(meta_gradient, implicit, implicit)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(meta_gradient, unrolled_5, unrolled)->Unit(benchmark::kMicrosecond);
BENCHMARK(batch)->Arg(200)->Arg(100000)->Unit(benchmark::kMicrosecond);

} // namespace
} // namespace metasieve
