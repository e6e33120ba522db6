// Cost of the meta-features of one task with 13 columns, by the number of rows; /float32 is the fast form
// where a feature has both.

#include "features/cells.hpp"
#include "features/fair_probes.hpp"
#include "features/meta_features.hpp"
#include "features/neighbours.hpp"
#include "features/probe.hpp"
#include "features/random_fourier.hpp"
#include "kernels/fourier_ridge.hpp"
#include "kernels/meta_features.hpp"
#include "kernels/neighbours.hpp"
#include "peak.hpp"

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
  const std::vector<Index> references = neighbour_references(task.train.rows(), {});
  for (auto _ : state)
    benchmark::DoNotOptimize(kernels::neighbour_agreement(task.train, task.probe.standardizer, references));
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

void random_fourier_ridge(benchmark::State& state, Precision precision) {
  const Fixture task(state.range(0));
  const Vector target = 2.0 * to_vector(task.train.y).array() - 1.0;
  const std::vector<Index> fitted = all_rows(task.train.rows());
  const auto fit = precision == Precision::float32 ? kernels::fourier_ridge : fourier_ridge;
  for (auto _ : state)
    benchmark::DoNotOptimize(
        fit(draw_fourier_basis(task.x, Seed{1}, TaskId{1}), task.x, target, fitted, fourier_ridges));
}

void fair_probes(benchmark::State& state) {
  const Fixture task(state.range(0));
  const std::vector<Index> all = all_rows(task.train.rows());
  const Vector agreement = kernels::neighbour_agreement(task.train, task.probe.standardizer, all);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        fit_fair_probes(fair_rows(task.design, task.train, agreement, all), task.probe.beta));
}

void rank(benchmark::State& state) {
  const Fixture task(state.range(0));
  const Vector logits = row_logits(task.design, task.probe.beta);
  for (auto _ : state) benchmark::DoNotOptimize(rank_fraction(logits));
}

/// Operations of the full set in float32: distances to the references, cosines of rows twice, the normal
/// equations, their tridiagonal form (in double, which counts twice), and the rotation of all rows to it.
double operations(const Fixture& task) {
  const auto n = static_cast<double>(task.train.rows()), d = static_cast<double>(task.x.cols());
  const auto references = static_cast<double>(neighbour_references(task.train.rows(), {}).size());
  const double q = static_cast<double>(fourier_count) + d + 1.0; // columns of the Fourier basis
  const double cosines = 4.0 * n * d * static_cast<double>(fourier_count), form = 4.0 / 3.0 * q * q * q;
  return 2.0 * n * references * d + cosines + n * q * (q + 1.0) + 3.0 * form + 2.0 * n * q * q;
}

void features(benchmark::State& state, FeatureSet set, Precision precision) {
  const Fixture task(state.range(0));
  for (auto _ : state)
    benchmark::DoNotOptimize(kernels::meta_features(task.train, task.probe, {.set = set}, precision));
  if (set == FeatureSet::full && precision == Precision::float32) count_operations(state, operations(task));
}

void features_and_peak(benchmark::State& state) {
  const Fixture task(state.range(0));
  state.counters["times_limit"] = times_limit(state, operations(task), [&] {
    benchmark::DoNotOptimize(
        kernels::meta_features(task.train, task.probe, {.set = FeatureSet::full}, Precision::float32));
  });
}

void kept(benchmark::State& state, Precision precision) {
  const Fixture task(state.range(0));
  std::vector<Index> rows;
  for (Index i = 0; i < task.train.rows(); ++i)
    if (i % 3 != 0) rows.push_back(i);
  for (auto _ : state)
    benchmark::DoNotOptimize(kernels::meta_features(task.train, task.probe, {}, precision, rows));
}

void task_sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(500)->Arg(3400)->Arg(7000)->Unit(benchmark::kMillisecond);
}

void up_to_large_tasks(benchmark::internal::Benchmark* benchmark) {
  task_sizes(benchmark);
  benchmark->Arg(100000);
}

constexpr auto float32 = Precision::float32, float64 = Precision::float64;

BENCHMARK(probe)->Apply(task_sizes);
BENCHMARK(neighbours)->Apply(task_sizes);
BENCHMARK(out_of_fold)->Apply(task_sizes);
BENCHMARK(fair_probes)->Apply(task_sizes);
BENCHMARK(rank)->Apply(task_sizes);
BENCHMARK(random_fourier_basis)->Apply(task_sizes);
BENCHMARK_CAPTURE(random_fourier_ridge, float64, float64)->Apply(task_sizes);
BENCHMARK_CAPTURE(random_fourier_ridge, float32, float32)->Apply(task_sizes);
BENCHMARK_CAPTURE(features, basic, FeatureSet::basic, float64)->Apply(task_sizes);
BENCHMARK_CAPTURE(features, full_float64, FeatureSet::full, float64)->Apply(up_to_large_tasks);
BENCHMARK_CAPTURE(features, full_float32, FeatureSet::full, float32)->Apply(up_to_large_tasks);
BENCHMARK(features_and_peak)->Apply(task_sizes);
BENCHMARK_CAPTURE(features, context_float64, FeatureSet::context, float64)->Apply(task_sizes);
BENCHMARK_CAPTURE(features, context_float32, FeatureSet::context, float32)->Apply(task_sizes);
BENCHMARK_CAPTURE(features, relative_float32, FeatureSet::relative, float32)->Apply(task_sizes);
BENCHMARK_CAPTURE(features, fair_float32, FeatureSet::fair, float32)->Apply(task_sizes);
BENCHMARK_CAPTURE(kept, full_float64, float64)->Apply(task_sizes);
BENCHMARK_CAPTURE(kept, full_float32, float32)->Apply(task_sizes);

} // namespace
} // namespace metasieve
