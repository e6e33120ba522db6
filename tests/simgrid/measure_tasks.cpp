// measure_tasks CONFIG TASKS STEPS REPEATS OUTPUT.csv: what tasks really cost on this machine, one row per
// task of the configuration's suite, visited at STEPS meta-iterations. Processor time of the one thread. With
// REPEATS > 1 each visit is the least of so many: what other programs on the machine do to its caches and
// clock is left out.
#include "config/load.hpp"
#include "features/meta_features.hpp"
#include "kernels/meta_features.hpp"
#include "kernels/meta_gradient.hpp"
#include "meta/meta_gradient.hpp"
#include "policy/adam.hpp"
#include "tasks/generate.hpp"
#include "training/batch_sum.hpp"
#include "training/cost.hpp"

#include <ctime>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace metasieve;

double nanoseconds(const std::function<void()>& work) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return 1e9 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec);
  };
  const double begin = now();
  work();
  return now() - begin;
}

struct Measured {
  TaskShape shape;
  double generate, prepare, update;
  std::vector<double> visits; // by step
};

/// All tasks are held and visited in turn, pass by pass, so that a visit finds its task as cold as in a
/// training. A visit ends with its gradient in the sum of the batch.
std::vector<Measured> measure(const Config& config, Index tasks, Index steps, Index repeats) {
  const Mixture families = mixture(config);
  const Policy policy = initialise(config.policy, config.meta.seed);
  const MetaOptions meta = config.meta_options();
  kernels::PackedPolicy<> packed;
  kernels::TaskGradient gradient;
  Adam adam(policy.theta.size());
  std::vector<Measured> out;
  std::vector<PreparedTask> prepared;
  for (Index i = 0; i < tasks; ++i) {
    const TaskId id{static_cast<std::uint64_t>(i)};
    Task task;
    PreparedTask ready;
    const double generated =
        nanoseconds([&] { task = generate_task(family_of(families, id), config.suite.seed, id); });
    const TaskShape shape{task.train.rows(), task.test.rows(), task.train.columns()};
    const PrepareOptions how = config.prepare_options(Seed{task.metadata.seed});
    const double prepare_time = nanoseconds([&] { ready = kernels::prepare(std::move(task), how); });
    const double update = nanoseconds(
        [&] { static_cast<void>(adam.update(policy.theta, clipped(policy.theta, config.meta.clip), 1e-3)); });
    out.push_back({shape, generated, prepare_time, update, {}});
    prepared.push_back(std::move(ready));
  }
  BatchSum sum(policy.theta.size(), tasks * steps * repeats);
  for (Measured& task : out) task.visits.assign(static_cast<std::size_t>(steps), 1e18);
  for (Index pass = 0; pass < steps * repeats; ++pass)
    for (std::size_t i = 0; i < prepared.size(); ++i) {
      const auto step = static_cast<std::uint64_t>(pass % steps);
      packed.pack(policy);
      const double visit = nanoseconds([&] { sum.add(gradient(prepared[i], packed, meta, step)); });
      out[i].visits[step] = std::min(out[i].visits[step], visit);
    }
  return out;
}

void write(const std::vector<Measured>& tasks, const Config& config, const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) throw DataError(path + ": cannot be written");
  std::fprintf(file, "train_rows,test_rows,columns,predicted_prepare_ns,predicted_visit_ns,generate_ns,"
                     "prepare_ns,update_ns");
  for (std::size_t step = 0; step < tasks.front().visits.size(); ++step)
    std::fprintf(file, ",visit_%zu_ns", step);
  const TaskUse use = task_use(config, true);
  for (const Measured& task : tasks) {
    const TaskShape& shape = task.shape;
    std::fprintf(file, "\n%ld,%ld,%ld,%.0f,%.0f,%.0f,%.0f,%.0f", static_cast<long>(shape.train_rows),
                 static_cast<long>(shape.test_rows), static_cast<long>(shape.columns),
                 preparation_cost(shape, config.policy.features), gradient_cost(shape, use), task.generate,
                 task.prepare, task.update);
    for (const double visit : task.visits) std::fprintf(file, ",%.0f", visit);
  }
  std::fprintf(file, "\n");
  if (std::fclose(file) != 0) throw DataError(path + ": cannot be written");
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: measure_tasks CONFIG TASKS STEPS REPEATS OUTPUT.csv\n");
    return static_cast<int>(ExitCode::usage);
  }
  const auto number = [&](int at) { return std::max(1L, std::atol(argv[at])); };
  try {
    const Config config = load_config(argv[1], {});
    write(measure(config, number(2), number(3), number(4)), config, argv[5]);
  } catch (const Error& error) {
    std::fprintf(stderr, "measure_tasks: %s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
