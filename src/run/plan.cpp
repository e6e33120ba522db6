#include "run/plan.hpp"

#include "io/policy_file.hpp"
#include "parallel/for_each.hpp"
#include "run/task_source.hpp"
#include "tasks/shard.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace metasieve {
namespace {

// Of evaluation.h5: a row of one task and method, and all summary rows of one source and method.
constexpr double record_bytes = 240, summary_bytes = 15 * 192;

/// What the tasks of a source take, in bytes and predicted seconds of one core.
struct Load {
  double rows = 0, values = 0; // over all tasks
  double held = 0;             // bytes of data and features on the fullest rank
  double seconds = 0;          // of one core, on the busiest rank
  double largest = 0;          // training rows of the largest task
};

constexpr double megabyte = 1e6;
constexpr double program_bytes = 60 * megabyte; // of the program, MPI and HDF5 on a rank without tasks

Load load_of(const Communicator& comm, const TaskSource& source, Range ids, const Config& config,
             double visits) {
  const std::vector<double> costs = source.costs(ids, config.meta.support, visits);
  const Range mine = my_range(comm, ids.begin, costs);
  const auto features = static_cast<double>(feature_count(config.policy.features));
  Load load;
  double held = 0, seconds = 0;
  for (Index i = ids.begin; i < ids.end; ++i) {
    const TaskShape shape = source.shape(i);
    const auto n = static_cast<double>(shape.train_rows), m = static_cast<double>(shape.test_rows),
               d = static_cast<double>(shape.columns);
    load.rows += n + m;
    load.values += (n + m) * d;
    load.largest = std::max(load.largest, n);
    if (!mine.contains(i)) continue;
    held += (n + m) * (4.0 * d + 3.0) + 4.0 * n * features;
    seconds += 1e-9 * costs[static_cast<std::size_t>(i - ids.begin)];
  }
  load.held = comm.max(held);
  load.seconds = comm.max(seconds);
  return load;
}

/// Bytes that the features of a task of n rows take while they are made: the Fourier basis and its rotation.
double working_bytes(const Load& load) { return 2.0 * 8.0 * 290.0 * load.largest * thread_count(); }

template <class... Values>
std::string format(const char* pattern, Values... values) {
  std::array<char, 320> line{};
  std::snprintf(line.data(), line.size(), pattern, values...);
  return line.data();
}

std::string header(const Communicator& comm, const Load& load, Index tasks) {
  return format(
      "dry run: nothing is written\n  tasks            %ld with %.0f rows, on %d rank(s) x %d thread(s)\n",
      static_cast<long>(tasks), load.rows, comm.size(), thread_count());
}

double suite_bytes(const Load& load, Index tasks) {
  return 4.0 * load.values + 3.0 * load.rows + 320.0 * static_cast<double>(tasks) + 2e4;
}

} // namespace

std::string plan(const Communicator& comm, const GenerateRequest& request) {
  require_writable(comm, {request.output});
  const TaskSource source = TaskSource::generator(request.config);
  const Load load = load_of(comm, source, {0, source.task_count()}, request.config, 0.0);
  const double held = (4.0 * load.values + 3.0 * load.rows) / comm.size();
  const double seconds = 1e-9 * generation_nanoseconds * load.values / (comm.size() * thread_count());
  return header(comm, load, source.task_count()) +
         format(
             "  memory per rank  %.0f MB\n  file             %s, %.1f MB\n  time             about %.1f s\n",
             (program_bytes + 2.0 * held) / megabyte, request.output.c_str(),
             suite_bytes(load, source.task_count()) / megabyte, seconds);
}

std::string plan(const Communicator& comm, const TrainRequest& request) {
  require_writable(comm, request.output_files());
  const Config& config = request.config;
  const TaskSource source =
      request.suite ? TaskSource::suite(comm, *request.suite) : TaskSource::generator(config);
  const Range training = training_tasks(config, source.task_count());
  const Load train = load_of(comm, source, training, config, mean_visits(config, training.size()));
  const Load held_out = load_of(comm, source, {training.end, source.task_count()}, config,
                                config.meta.validate_every > 0
                                    ? static_cast<double>(config.meta.iterations / config.meta.validate_every)
                                    : 2.0);
  Load all = train;
  all.rows += held_out.rows;
  all.values += held_out.values;
  const double p = static_cast<double>(parameter_count(config.policy));
  const double gradients =
      config.output.save_gradients ? 8.0 * p * static_cast<double>(config.meta.iterations) : 0.0;
  const double seconds =
      (train.seconds + held_out.seconds + 1e-9 * generation_nanoseconds * all.values / comm.size()) /
      thread_count();
  return header(comm, all, source.task_count()) +
         format("  policy           %.0f parameters, %s, hidden layers %zu\n"
                "  memory per rank  %.0f MB\n"
                "  files            policy.h5 %.2f MB, checkpoint.h5 %.2f MB, results.h5 %.2f MB in %s\n"
                "  time             about %.0f s\n",
                p, std::string(to_string(config.policy.features)).c_str(), config.policy.hidden.size(),
                (program_bytes + train.held + held_out.held +
                 std::max(working_bytes(train), working_bytes(held_out)) + gradients) /
                    megabyte,
                (8.0 * p + 2e4) / megabyte,
                (24.0 * p + 4e4 + 64.0 * static_cast<double>(config.meta.iterations)) / megabyte,
                (gradients + 64.0 * static_cast<double>(config.meta.iterations) + 3e4) / megabyte,
                request.output.c_str(), seconds);
}

std::string plan(const Communicator& comm, const EvaluateRequest& request) {
  require_writable(comm, {request.output});
  Config config = request.config;
  config.policy = read_policy(comm, request.policy);
  std::string text = "dry run: nothing is written\n";
  double file_bytes = 2e4;
  for (const TaskSource& source : evaluation_sources(comm, request)) {
    const Load load = load_of(comm, source, {0, source.task_count()}, config, 0.0);
    const auto methods = static_cast<double>(config.evaluate.methods.size());
    // A final fit costs about 20 Newton passes over the training rows.
    const double fits = 1e-9 * 20.0 * 3.0 * load.values * methods / comm.size();
    text += format("  %-16s %ld tasks or splits, %.0f rows; memory per rank %.0f MB; about %.0f s\n",
                   source.names({0, 1}).front().c_str(), static_cast<long>(source.task_count()), load.rows,
                   (program_bytes + load.held + working_bytes(load)) / megabyte,
                   (load.seconds + fits) / thread_count());
    file_bytes += methods * (record_bytes * static_cast<double>(source.task_count()) + summary_bytes);
  }
  return text + format("  file             %s, %.1f MB\n", request.output.c_str(), file_bytes / megabyte);
}

} // namespace metasieve
