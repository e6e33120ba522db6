// What one core can do at most: multiply-adds that do not wait for each other, in registers alone, and
// reading memory that is in no cache. Other figures are read as shares of these.

#include "peak.hpp"

#include <benchmark/benchmark.h>

#include <vector>

namespace metasieve {
namespace {

template <class T>
void peak_multiply_add(benchmark::State& state) {
  double flops = 0;
  for (auto _ : state) flops = multiply_adds_in_registers<T>(1000);
  state.counters["GFLOP/s"] = benchmark::Counter(1e-9 * flops, benchmark::Counter::kIsIterationInvariantRate);
}

void peak_memory_read(benchmark::State& state) {
  const std::vector<double> values(std::size_t{128} << 20U >> 3U, 1.0);
  for (auto _ : state) {
    const double sum = Eigen::Map<const Eigen::ArrayXd>(values.data(), std::ssize(values)).sum();
    benchmark::DoNotOptimize(sum);
  }
  state.counters["GB/s"] = benchmark::Counter(8e-9 * static_cast<double>(values.size()),
                                              benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK(peak_multiply_add<float>)->Name("peak/float32")->Unit(benchmark::kMicrosecond);
BENCHMARK(peak_multiply_add<double>)->Name("peak/float64")->Unit(benchmark::kMicrosecond);
BENCHMARK(peak_memory_read)->Name("peak/memory_read")->Unit(benchmark::kMicrosecond);

} // namespace
} // namespace metasieve
