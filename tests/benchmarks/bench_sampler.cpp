// Drawing the support rows of a visit: 600 of a task's rows, in memory order.

#include "base/random.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace metasieve {
namespace {

constexpr Index support = 600;

Stream stream_of(std::uint64_t step) { return Stream(Seed{1}, Draw::support, TaskId{1}, step); }

/// On an array of all rows, sorted by comparison.
void by_whole_shuffle(benchmark::State& state) {
  const Index rows = state.range(0);
  std::uint64_t step = 0;
  for (auto _ : state) {
    const Stream stream = stream_of(++step);
    std::vector<Index> order(static_cast<std::size_t>(rows));
    std::iota(order.begin(), order.end(), Index{0});
    for (Index i = 0; i < support; ++i)
      std::swap(order[static_cast<std::size_t>(i)],
                order[static_cast<std::size_t>(i + stream.below(i, rows - i))]);
    order.resize(static_cast<std::size_t>(support));
    std::sort(order.begin(), order.end());
    benchmark::DoNotOptimize(order.data());
  }
}
BENCHMARK(by_whole_shuffle)->Name("sampler/whole_shuffle")->Arg(1000)->Arg(3400)->Arg(7000)->Arg(100000);

void by_sampler(benchmark::State& state) {
  Sampler sampler;
  std::uint64_t step = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(sampler.draw_sorted(stream_of(++step), state.range(0), support).data());
}
BENCHMARK(by_sampler)->Name("sampler/draw_sorted")->Arg(1000)->Arg(3400)->Arg(7000)->Arg(100000);

void unsorted(benchmark::State& state) {
  Sampler sampler;
  std::uint64_t step = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(sampler.draw(stream_of(++step), state.range(0), support).data());
}
BENCHMARK(unsorted)->Name("sampler/draw")->Arg(1000)->Arg(3400)->Arg(7000)->Arg(100000);

/// The random numbers alone.
void random_words(benchmark::State& state) {
  std::uint64_t step = 0;
  for (auto _ : state) {
    const Stream stream = stream_of(++step);
    Index sum = 0;
    for (Index i = 0; i < support; ++i) sum += stream.below(i, 5000 - i);
    benchmark::DoNotOptimize(sum);
  }
}
BENCHMARK(random_words)->Name("sampler/random_words");

} // namespace
} // namespace metasieve
