// Cost of the weighted logistic regression: as the inner fit of a visit to a task (600 x 15, with the
// adjoint), as a probe (3400 x 15), and as the final fit of an evaluation (20000 x 100).

#include "base/random.hpp"
#include "inner/inner_fit.hpp"
#include "numerics/newton.hpp"

#include <benchmark/benchmark.h>

namespace metasieve {
namespace {

/// Labels of a linear model with noise, random weights, and a start a little off, as the probe's is.
struct Problem {
  InnerProblem inner;
  Vector weights, ridge;

  Problem(Index rows, Index columns)
      : inner{Matrix(rows, columns), Vector(rows), Vector(columns)}, weights(rows),
        ridge(ridge_diagonal(columns, 1e-3)) {
    const Stream x(Seed{1}, Draw::covariates, TaskId{1}), noise(Seed{1}, Draw::flips, TaskId{1});
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < columns; ++j) inner.x(i, j) = j + 1 < columns ? x.normal(i * columns + j) : 1.0;
      const double logit = inner.x.row(i).head(5).sum() + 2.0 * noise.normal(i);
      inner.y(i) = logit > 0 ? 1.0 : 0.0;
      weights(i) = noise.uniform(rows + i);
    }
    inner.probe = fit_logistic(inner.x, inner.y, Vector::Ones(rows), Vector::Zero(columns), ridge).beta;
  }
};

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Args({600, 15})->Args({3400, 15})->Args({20000, 100})->Unit(benchmark::kMicrosecond);
}

void fit_from_zero(benchmark::State& state) {
  const Problem problem(state.range(0), state.range(1));
  const InnerProblem& inner = problem.inner;
  const Vector zero = Vector::Zero(inner.x.cols());
  for (auto _ : state)
    benchmark::DoNotOptimize(fit_logistic(inner.x, inner.y, problem.weights, zero, problem.ridge));
}

void fit_and_pullback(benchmark::State& state) {
  const Problem problem(state.range(0), state.range(1));
  const Vector d_beta = Vector::Ones(problem.inner.x.cols());
  for (auto _ : state) {
    const InnerFit model = fit(problem.inner, problem.weights, {});
    benchmark::DoNotOptimize(pullback(problem.inner, problem.weights, model, {}, d_beta));
  }
}

/// In memory that is kept, with the design already there.
void newton_and_pullback(benchmark::State& state) {
  const Problem problem(state.range(0), state.range(1));
  const Vector d_beta = Vector::Ones(problem.inner.x.cols());
  NewtonFit newton;
  newton.load(problem.inner.x);
  std::ranges::copy(problem.inner.y, newton.labels().begin());
  std::ranges::copy(problem.weights, newton.weights().begin());
  for (auto _ : state) {
    newton.fit(problem.inner.probe, problem.ridge);
    benchmark::DoNotOptimize(newton.pullback(d_beta).data());
  }
  state.counters["steps"] = newton.iterations();
}

BENCHMARK(fit_from_zero)->Apply(sizes);
BENCHMARK(fit_and_pullback)->Apply(sizes);
BENCHMARK(newton_and_pullback)->Apply(sizes);

} // namespace
} // namespace metasieve
