// The policy network in float32 beside the processor's peak: GFLOP/s of its multiply-adds, there and back.

#include "kernels/meta_gradient.hpp"
#include "peak.hpp"
#include "policy/weights.hpp"
#include "tasks/generate.hpp"

#include <benchmark/benchmark.h>

#include <vector>

namespace metasieve {
namespace {

Policy policy_of(FeatureSet features) {
  Policy shape;
  shape.features = features;
  return initialise(shape, Seed{1});
}

MatrixF uniform_features(Index rows, Index columns) {
  const Stream stream(Seed{1}, Draw::covariates, TaskId{1});
  return MatrixF::NullaryExpr(rows, columns, [&](Index i, Index j) {
    return static_cast<float>(stream.uniform(i * columns + j, -1.0, 1.0));
  });
}

/// A network with rows to pass through it, there and back.
struct Pass {
  Pass(FeatureSet set, Index rows)
      : n(rows), policy(policy_of(set)), d_u(Eigen::VectorXf::Ones(simd::padded(rows, 16))),
        d_theta(policy.theta.size()) {
    packed.pack(policy);
    fast.assign(uniform_features(n, feature_count(set)), {});
  }
  const float* forward() { return fast.forward(packed); }
  void pullback() { fast.pullback(packed, d_u.data(), d_theta); }
  [[nodiscard]] double operations(bool back) const {
    return static_cast<double>(n) * network_operations(policy, back);
  }

  Index n;
  Policy policy;
  kernels::PackedPolicy<> packed;
  kernels::Network<> fast;
  Eigen::VectorXf d_u;
  Vector d_theta;
};

void network(benchmark::State& state, FeatureSet set, bool back) {
  Pass pass(set, state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(pass.forward());
    if (back) pass.pullback();
    benchmark::DoNotOptimize(pass.d_theta.data());
  }
  count_operations(state, pass.operations(back));
}

void network_rows(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(100)->Arg(500)->Arg(600)->Arg(1000)->Arg(3750)->Unit(benchmark::kMicrosecond);
}

/// Both ways, beside the peak.
void network_and_peak(benchmark::State& state, FeatureSet set) {
  Pass pass(set, state.range(0));
  state.counters["of_peak"] = 1.0 / times_limit(state, pass.operations(true), [&] {
                                static_cast<void>(pass.forward());
                                pass.pullback();
                              });
}
BENCHMARK_CAPTURE(network_and_peak, basic, FeatureSet::basic)
    ->Arg(500)
    ->Arg(600)
    ->Arg(3750)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(network_and_peak, full, FeatureSet::full)->Arg(600)->Unit(benchmark::kMicrosecond);

BENCHMARK_CAPTURE(network, forward_basic, FeatureSet::basic, false)->Apply(network_rows);
BENCHMARK_CAPTURE(network, forward_and_pullback_basic, FeatureSet::basic, true)->Apply(network_rows);
BENCHMARK_CAPTURE(network, forward_and_pullback_full, FeatureSet::full, true)->Apply(network_rows);
BENCHMARK_CAPTURE(network, forward_and_pullback_context, FeatureSet::context, true)->Apply(network_rows);

void fast_weights(benchmark::State& state) {
  const Index n = state.range(0);
  const MatrixF u = uniform_features(1, simd::padded(n, 16));
  kernels::Weighting fast;
  for (auto _ : state) {
    benchmark::DoNotOptimize(fast.forward(u.data(), n, 0.7, 0.2));
    benchmark::DoNotOptimize(fast.pullback(u.data()));
  }
}
BENCHMARK(fast_weights)->Arg(600)->Arg(3750)->Unit(benchmark::kMicrosecond);

/// One visit, by the method, beside the reference.
void visit(benchmark::State& state, const InnerOptions& inner, bool fast) {
  Family family;
  family.samples = {4857, 4857}; // 3,400 training rows
  family.features = {13, 13};
  family.label_noise = {0.15, 0.15};
  PreparedTask task = prepare(generate_task(family, Seed{1}, TaskId{1}), {});
  task.precision = Precision::float32;
  const Policy policy = policy_of(FeatureSet::full);
  kernels::PackedPolicy<> packed;
  packed.pack(policy);
  const MetaOptions options{inner, {}, state.range(0), Seed{1}};
  kernels::TaskGradient gradient;
  std::uint64_t step = 0;
  for (auto _ : state) {
    if (fast)
      benchmark::DoNotOptimize(gradient(task, packed, options, step++));
    else
      benchmark::DoNotOptimize(task_meta_gradient(task, policy, options, step++));
  }
}

const InnerOptions implicit{Implicit{}, 1e-3};
const InnerOptions unrolled{Unrolled{5, 0.5, Start::zero, false, false}, 1e-3};

void supports(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(600)->Arg(0)->Unit(benchmark::kMicrosecond);
}

BENCHMARK_CAPTURE(visit, implicit_float64, implicit, false)->Apply(supports);
BENCHMARK_CAPTURE(visit, implicit_float32, implicit, true)->Apply(supports);
BENCHMARK_CAPTURE(visit, unrolled_5_float64, unrolled, false)->Apply(supports);
BENCHMARK_CAPTURE(visit, unrolled_5_float32, unrolled, true)->Apply(supports);

} // namespace
} // namespace metasieve
