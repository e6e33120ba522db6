// One meta-iteration on one core: 16 tasks of 3,750 training rows and 13 columns, basic, five unrolled steps
// of the second order on all rows: what tests/benchmarks/peer_pytorch.py times in PyTorch on the same inputs.
// With METASIEVE_ITERATION=DIR it leaves there, as raw little-endian arrays, what the peer reads, and the
// gradient.

#include "kernels/meta_gradient.hpp"
#include "peak.hpp"
#include "policy/adam.hpp"
#include "tasks/generate.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace metasieve {
namespace {

constexpr Index task_count = 16, columns = 13;
constexpr int steps = 5;
constexpr double samples = 5357; // of which 3,750 are for training

const MetaOptions options{{Unrolled{steps, 0.5, Start::zero, false, false}, 1e-3}, {}, 0, Seed{1}};

std::vector<PreparedTask> make_tasks() {
  Family family;
  family.samples = {samples, samples};
  family.features = {columns, columns};
  family.label_noise = {0.15, 0.15};
  family.group_odds = {2.25, 2.25};
  std::vector<PreparedTask> tasks;
  for (Index i = 0; i < task_count; ++i)
    tasks.push_back(prepare(generate_task(family, Seed{1}, TaskId{static_cast<std::uint64_t>(i)}),
                            {FeatureSet::basic, true, 1e-3, Seed{1}}));
  for (PreparedTask& task : tasks) task.precision = Precision::float32;
  return tasks;
}

Policy make_policy() {
  Policy shape;
  shape.features = FeatureSet::basic;
  return initialise(shape, Seed{1});
}

struct Iteration {
  std::vector<PreparedTask> tasks = make_tasks();
  Policy policy = make_policy();
  kernels::PackedPolicy<> packed;
  kernels::TaskGradient fast;

  /// Mean over the tasks.
  Vector gradient() {
    packed.pack(policy);
    Vector sum = Vector::Zero(policy.theta.size());
    for (const PreparedTask& task : tasks) sum += fast(task, packed, options, 0).d_theta;
    return sum / static_cast<double>(task_count);
  }
  [[nodiscard]] Vector reference_gradient() const {
    Vector sum = Vector::Zero(policy.theta.size());
    for (const PreparedTask& task : tasks) sum += task_meta_gradient(task, policy, options, 0).d_theta;
    return sum / static_cast<double>(task_count);
  }
};

/// Operations of the products with matrices: the network there and back, for each step of the inner fit two
/// products with the design and in its adjoint two, and for the outer loss one and one.
double operations(const Iteration& all) {
  double sum = 0;
  for (const PreparedTask& task : all.tasks) {
    const auto rows = static_cast<double>(task.train.rows()), query = static_cast<double>(task.test.rows());
    const auto p = static_cast<double>(task.probe.beta.size());
    sum += rows * network_operations(all.policy, true) + 8.0 * steps * rows * p + 4.0 * query * p;
  }
  return sum;
}

Iteration& iteration() {
  static Iteration all;
  return all;
}

template <class Array>
void append(std::ofstream& file, const Array& values) {
  const auto bytes = static_cast<std::streamsize>(values.size() * sizeof(values.data()[0]));
  file.write(reinterpret_cast<const char*>(values.data()), bytes);
}

/// theta, gradient; and of each task features, design, y, query design, query y, query group, one after the
/// other.
void write_inputs(const std::filesystem::path& folder) {
  std::ofstream shared(folder / "policy.f64", std::ios::binary),
      tasks(folder / "tasks.f32", std::ios::binary);
  append(shared, iteration().policy.theta);
  append(shared, iteration().reference_gradient());
  for (const PreparedTask& task : iteration().tasks) {
    append(tasks, task.features);
    for (const auto& [split, group] : {std::pair(&task.train, false), std::pair(&task.test, true)}) {
      append(tasks, MatrixF(design_matrix(*split, task.probe.standardizer).cast<float>()));
      append(tasks, Eigen::VectorXf(split->y.cast<float>()));
      if (group) append(tasks, Eigen::VectorXf(split->group.cast<float>()));
    }
  }
  if (!shared.flush() || !tasks.flush()) throw std::runtime_error("cannot write to " + folder.string());
}

void meta_iteration(benchmark::State& state) {
  if (const char* const folder = std::getenv("METASIEVE_ITERATION")) write_inputs(folder);
  Iteration& all = iteration();
  Adam adam(all.policy.theta.size());
  Vector theta = all.policy.theta;
  for (auto _ : state) adam.move(theta, all.gradient(), 3e-3);
  count_operations(state, operations(all));
  state.counters["error"] =
      (all.gradient() - all.reference_gradient()).norm() / all.reference_gradient().norm();
}

void meta_iteration_float64(benchmark::State& state) {
  Iteration& all = iteration();
  Adam adam(all.policy.theta.size());
  Vector theta = all.policy.theta;
  for (auto _ : state) adam.move(theta, all.reference_gradient(), 3e-3);
}

void iteration_and_peak(benchmark::State& state) {
  Iteration& all = iteration();
  state.counters["times_limit"] =
      times_limit(state, operations(all), [&] { benchmark::DoNotOptimize(all.gradient()); });
}

BENCHMARK(meta_iteration)->Unit(benchmark::kMillisecond);
BENCHMARK(iteration_and_peak)->Unit(benchmark::kMillisecond);
BENCHMARK(meta_iteration_float64)->Unit(benchmark::kMillisecond);

} // namespace
} // namespace metasieve
