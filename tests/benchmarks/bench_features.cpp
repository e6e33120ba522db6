// Cost of the meta-features of one task with 13 columns, by the number of rows.

#include "features/leave_one_out.hpp"
#include "features/meta_features.hpp"
#include "features/neighbours.hpp"
#include "features/out_of_fold.hpp"
#include "features/random_fourier.hpp"

#include <benchmark/benchmark.h>

namespace metasieve {
namespace {

constexpr Index columns = 13;
constexpr double ridge = 1e-3;

Split random_task(Index rows) {
  const Stream normal(Seed{1}, Draw::covariates, TaskId{1}), uniform(Seed{1}, Draw::flips, TaskId{1});
  Split split{MatrixF(rows, columns), Labels(rows), Labels(rows), Labels(rows)};
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) split.x(i, j) = static_cast<float>(normal.normal(i * columns + j));
    split.group(i) = uniform.uniform(3 * i) < 0.3 ? 1 : 0;
    split.y_clean(i) = split.x(i, 0) + 0.5F * split.x(i, 1) * split.x(i, 2) > 0.0F ? 1 : 0;
    split.y(i) = uniform.uniform(3 * i + 1) < 0.15 ? 1 - split.y_clean(i) : split.y_clean(i);
  }
  return split;
}

struct Fixture {
  explicit Fixture(Index rows)
      : train(random_task(rows)), probe(fit_probe(train, true, ridge)),
        design(design_matrix(train, probe.standardizer)), x(design.leftCols(columns)) {}
  Split train;
  Probe probe;
  Matrix design, x;
};

void probe(benchmark::State& state) {
  const Fixture task(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(fit_probe(task.train, true, ridge));
}

void neighbours(benchmark::State& state) {
  const Fixture task(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(neighbour_agreement(task.train, task.probe.standardizer, {}));
}

void out_of_fold(benchmark::State& state) {
  const Fixture task(state.range(0));
  const Stream folds(Seed{1}, Draw::folds, TaskId{1});
  for (auto _ : state)
    benchmark::DoNotOptimize(out_of_fold_logits(task.design, task.train.y, task.probe.beta, ridge, folds));
}

void random_fourier_basis(benchmark::State& state) {
  const Fixture task(state.range(0));
  for (auto _ : state)
    benchmark::DoNotOptimize(fourier_features(draw_fourier_basis(task.x, Seed{1}, TaskId{1}), task.x));
}

void random_fourier_margin(benchmark::State& state) {
  const Fixture task(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(rff_margin(task.x, task.train.y, Seed{1}, TaskId{1}));
}

void seed10(benchmark::State& state) {
  const Fixture task(state.range(0));
  for (auto _ : state)
    benchmark::DoNotOptimize(meta_features(task.train, task.probe, {.set = FeatureSet::seed10}));
}

void full16(benchmark::State& state) {
  const Fixture task(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(meta_features(task.train, task.probe, {}));
}

void task_sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(500)->Arg(3400)->Arg(7000)->Unit(benchmark::kMillisecond);
}

BENCHMARK(probe)->Apply(task_sizes);
BENCHMARK(neighbours)->Apply(task_sizes);
BENCHMARK(out_of_fold)->Apply(task_sizes);
BENCHMARK(random_fourier_basis)->Apply(task_sizes);
BENCHMARK(random_fourier_margin)->Apply(task_sizes);
BENCHMARK(seed10)->Apply(task_sizes);
BENCHMARK(full16)->Apply(task_sizes);

} // namespace
} // namespace metasieve
