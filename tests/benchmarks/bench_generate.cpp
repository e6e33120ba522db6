// Making tasks: one of each size, and a suite of 100 of the family `seed`, without features.

#include "tasks/generate.hpp"

#include <benchmark/benchmark.h>

#include <cmath>

namespace metasieve {
namespace {

/// 13 columns; the argument is how many training rows.
void task(benchmark::State& state) {
  Family family;
  const double samples = std::round(static_cast<double>(state.range(0)) / 0.7);
  family.samples = {samples, samples};
  family.features = {13, 13};
  std::uint64_t id = 0;
  for (auto _ : state) benchmark::DoNotOptimize(generate_task(family, Seed{1}, TaskId{id++}));
}

/// Every knob in use: shifted groups, hidden positives, flips of the rows of lowest loss.
void biased_task(benchmark::State& state) {
  Family family;
  family.samples = {4857, 4857};
  family.features = {13, 13};
  family.feature_shift = {1, 1};
  family.label_bias = {0.3, 0.3};
  family.adversarial_fraction = 1;
  std::uint64_t id = 0;
  for (auto _ : state) benchmark::DoNotOptimize(generate_task(family, Seed{1}, TaskId{id++}));
}

void seed_suite(benchmark::State& state) {
  for (auto _ : state)
    for (Index i = 0; i < state.range(0); ++i)
      benchmark::DoNotOptimize(generate_task({}, Seed{1}, TaskId{static_cast<std::uint64_t>(i)}));
}

BENCHMARK(task)->Name("generate/task")->Arg(500)->Arg(3400)->Arg(7000)->Unit(benchmark::kMillisecond);
BENCHMARK(biased_task)->Name("generate/biased_task")->Unit(benchmark::kMillisecond);
BENCHMARK(seed_suite)->Name("generate/seed_suite")->Arg(100)->Unit(benchmark::kMillisecond);

} // namespace
} // namespace metasieve
