// What one core can do at most: multiply-adds that do not wait for each other, in registers alone, and
// reading memory that is in no cache. Other figures are read as shares of these.

#include "base/simd.hpp"

#include <benchmark/benchmark.h>

#include <vector>

namespace metasieve {
namespace {

/// Enough to hide the latency of two units that take four cycles each.
constexpr std::size_t chains = 12;
constexpr std::size_t steps = 1000;

template <class T>
void peak_multiply_add(benchmark::State& state) {
  using P = simd::Packet<T>;
  P sums[chains]; // NOLINT: std::array of a register warns that it loses its alignment
  for (std::size_t i = 0; i < chains; ++i) sums[i] = Eigen::internal::pset1<P>(static_cast<T>(i));
  // Not DoNotOptimize, which with GCC may change a variable that is given to it to read and write.
  const volatile T unknown_scale = static_cast<T>(0.999), unknown_add = static_cast<T>(0.001);
  const T scale = unknown_scale, add = unknown_add;
  const P a = Eigen::internal::pset1<P>(scale), b = Eigen::internal::pset1<P>(add);
  constexpr double values = static_cast<double>(sizeof(P) / sizeof(T));
  for (auto _ : state) {
    for (std::size_t step = 0; step < steps; ++step)
      for (P& sum : sums) sum = Eigen::internal::pmadd(sum, a, b);
  }
  P total = sums[0];
  for (std::size_t i = 1; i < chains; ++i) total = Eigen::internal::padd(total, sums[i]);
  alignas(P) T used[sizeof(P) / sizeof(T)]; // NOLINT
  Eigen::internal::pstore(used, total);
  benchmark::DoNotOptimize(static_cast<const T*>(used));
  benchmark::ClobberMemory();
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * values * static_cast<double>(chains * steps),
                                                 benchmark::Counter::kIsIterationInvariantRate);
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
