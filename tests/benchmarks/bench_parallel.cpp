// Cost of adding one task's gradient to the order-free sum: what determinism costs.

#include "parallel/exact_sum.hpp"

#include <benchmark/benchmark.h>

#include <numeric>

namespace metasieve {
namespace {

constexpr std::int64_t terms = 1000000000;

std::vector<double> gradient(Index size) {
  std::vector<double> values(static_cast<std::size_t>(size));
  std::iota(values.begin(), values.end(), 0.5);
  for (double& value : values) value = 1.0 / value;
  return values;
}

void exact_sum_add(benchmark::State& state) {
  const std::vector<double> values = gradient(state.range(0));
  ExactSum sum(state.range(0), 1e3, terms);
  for (auto _ : state) sum.add(values);
}

/// The plain sum, to compare with.
void double_sum_add(benchmark::State& state) {
  const std::vector<double> values = gradient(state.range(0));
  Vector sum = Vector::Zero(state.range(0));
  for (auto _ : state) {
    sum += Eigen::Map<const Vector>(values.data(), sum.size());
    benchmark::DoNotOptimize(sum.data());
  }
}

BENCHMARK(exact_sum_add)->Arg(3206)->Unit(benchmark::kMicrosecond);
BENCHMARK(double_sum_add)->Arg(3206)->Unit(benchmark::kMicrosecond);

} // namespace
} // namespace metasieve
