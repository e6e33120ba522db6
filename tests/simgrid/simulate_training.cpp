// simulate_training CONFIG TIMES THREADS STEPS [--section.key value ...], under smpirun: a training of which
// only the tasks' arithmetic is left out. Shapes, predicted costs, sharding, batches and the exact sum are
// the program's own; the threads of a rank are a dynamic schedule on THREADS cores. Rank 0 prints one line of
// CSV.
#include "base/hash.hpp"
#include "config/load.hpp"
#include "meta/batches.hpp"
#include "parallel/partition.hpp"
#include "policy/network.hpp"
#include "task_times.hpp"
#include "training/batch_sum.hpp"
#include "training/cost.hpp"
#include "training/task_schedule.hpp"

#include <smpi/smpi.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>

namespace {

using namespace metasieve;

TaskId id_of(Index i) { return TaskId{static_cast<std::uint64_t>(i)}; }

double sum_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// What one rank saw.
struct Result {
  double preparation_work = 0, preparation_seconds = 0;
  std::vector<double> work; ///< by step: seconds of its tasks, over all threads
  std::vector<double> busy; ///< by step: seconds until its last thread was done
  double step_seconds = 0;  ///< of all steps
  std::int64_t failed = 0;
  std::uint64_t hash = 0; ///< of all reduced gradients
};

/// What every rank works out alike before it begins. All simulated ranks share it.
struct Job {
  Config config;
  TaskTimes times;
  int threads;
  std::uint64_t steps;
  std::vector<double> preparations, visits; // predicted, by task
  std::vector<TaskShape> shapes;
  TaskUse use;
  TaskSchedule schedule;
  std::vector<std::int64_t> visited; // by task, over all ranks
  std::vector<Result> results;       // by rank

  Job(const std::vector<std::string>& words, int ranks)
      : config(config_of(words)), times(words[1], config.meta.seed), threads(std::atoi(words[2].c_str())),
        steps(std::strtoull(words[3].c_str(), nullptr, 10)) {
    const Mixture families = mixture(config);
    const TaskPart part = training_parts(config, config.suite.tasks, true).train;
    use = part.use;
    for (Index i = 0; i < part.ids.size(); ++i) {
      const TaskParameters drawn =
          draw_parameters(family_of(families, id_of(i)), config.suite.seed, id_of(i));
      const TaskShape shape{drawn.train_rows, drawn.test_rows, drawn.features};
      preparations.push_back(preparation_cost(shape, config.policy.features));
      visits.push_back(gradient_cost(shape, use));
      shapes.push_back(shape);
    }
    schedule = partition_tasks(task_costs(shapes, use), part.meta, ranks);
    visited.assign(shapes.size(), 0);
    results.resize(schedule.owned_by.size());
  }

  [[nodiscard]] Index tasks() const { return std::ssize(visits); }

  [[nodiscard]] Index batch() const {
    return config.meta.batch == 0 ? tasks() : std::min(config.meta.batch, tasks());
  }

  static Config config_of(const std::vector<std::string>& words) {
    KeyValues overrides;
    for (std::size_t i = 4; i + 1 < words.size(); i += 2)
      overrides.emplace_back(words[i].substr(2), words[i + 1]);
    return load_config(words[0], overrides);
  }
};

/// A gradient that no two tasks share, and whose sum in floating point depends on the order.
MetaGradient gradient_of(Index task, std::uint64_t step, const Vector& pattern) {
  const double scale = 1.0 + Stream(Seed{1}, Draw::covariates, id_of(task), step).normal(0) / 3.0;
  return {scale, scale / 7.0, scale / 11.0, scale * pattern};
}

class Rank {
public:
  Rank(const Communicator& comm, Job& job)
      : comm_(comm), job_(job), mine_(job.schedule.owned_by[static_cast<std::size_t>(comm.rank())]),
        batches_(job.config.meta.seed, job.tasks(), job.config.meta.batch),
        pattern_(Vector::LinSpaced(parameter_count(job.config.policy), -0.3, 0.7)) {}

  Result run() {
    comm_.barrier();
    const double begin = MPI_Wtime();
    std::vector<double> seconds;
    const Range mine = job_.schedule.prepared_by[static_cast<std::size_t>(comm_.rank())];
    std::vector<Index> all(static_cast<std::size_t>(mine.size()));
    std::iota(all.begin(), all.end(), mine.begin);
    for (const Index i : taken_in_turn(all, job_.preparations))
      seconds.push_back(job_.times.preparation(job_.preparations[static_cast<std::size_t>(i)], id_of(i)));
    result_.preparation_work = sum_of(seconds);
    static_cast<void>(computed(seconds));
    comm_.run_collectively([] {});
    hand_over();
    static_cast<void>(comm_.max(std::int64_t{0})); // whether to stop is agreed on
    const double prepared = MPI_Wtime();
    result_.preparation_seconds = prepared - begin;
    for (std::uint64_t step = 0; step < job_.steps; ++step) iterate(step);
    result_.step_seconds = MPI_Wtime() - prepared;
    return std::move(result_);
  }

private:
  /// The order in which threads take tasks.
  static std::vector<Index> taken_in_turn(const std::vector<Index>& tasks,
                                          const std::vector<double>& predicted) {
    return by_descending_cost(tasks, [&](Index i) { return predicted[static_cast<std::size_t>(i)]; });
  }

  /// Lets the time of these tasks pass, taken by the threads in this order. @return it
  [[nodiscard]] double computed(const std::vector<double>& seconds) const {
    const double busy = dynamic_schedule(seconds, job_.threads);
    smpi_execute(busy);
    return busy;
  }

  /// As many bytes as the program sends, a message a task.
  void hand_over() const {
    const std::vector<Transfer> transfers = transfers_of(job_.schedule, comm_.rank());
    const auto bytes_of = [&](Index task) {
      return static_cast<std::size_t>(held_bytes(job_.shapes[static_cast<std::size_t>(task)], job_.use));
    };
    std::size_t most = 0;
    for (const Transfer& transfer : transfers) most = std::max(most, bytes_of(transfer.task));
    std::vector<std::byte> sent(most), received(most);
    Sends sends(comm_);
    for (const Transfer& transfer : transfers)
      if (transfer.from == comm_.rank() && transfer.to != comm_.rank())
        sends.add(std::span(sent).first(bytes_of(transfer.task)), transfer.to);
    for (const Transfer& transfer : transfers)
      if (transfer.from != comm_.rank())
        comm_.receive(std::span(received).first(bytes_of(transfer.task)), transfer.from);
    sends.finish();
  }

  void iterate(std::uint64_t step) {
    BatchSum sum(pattern_.size(), batches_.size());
    std::vector<double> seconds;
    for (const Index i : taken_in_turn(batches_.of_step(step, mine_), job_.visits)) {
      const auto at = static_cast<std::size_t>(i);
      sum.add(gradient_of(i, step, pattern_));
      seconds.push_back(job_.times.visit(job_.visits[at], id_of(i), step));
      ++job_.visited[at];
    }
    result_.work.push_back(sum_of(seconds));
    result_.busy.push_back(computed(seconds));
    const BatchGradient mean = sum.mean(comm_);
    smpi_execute(job_.times.update());
    static_cast<void>(comm_.max(std::int64_t{0})); // what to do next is agreed on
    result_.failed += mean.failed;
    result_.hash = hash_bytes(mean.d_theta, result_.hash);
  }

  const Communicator& comm_;
  Job& job_;
  Range mine_;
  BatchSchedule batches_;
  Vector pattern_; // [p]
  Result result_;
};

/// One line of the study's CSV, from what all ranks saw.
void report(const Job& job) {
  const auto of_ranks = [&](auto value) {
    std::vector<double> values;
    for (const Result& rank : job.results) values.push_back(value(rank));
    return values;
  };
  const auto most = [](const std::vector<double>& values) {
    return *std::max_element(values.begin(), values.end());
  };
  const auto steps = static_cast<double>(job.steps), ranks = static_cast<double>(job.results.size());
  const double cores = ranks * job.threads;
  double work = 0, busiest = 0; // of a step
  for (std::size_t step = 0; step < job.steps; ++step) {
    work += sum_of(of_ranks([&](const Result& rank) { return rank.work[step]; })) / steps;
    busiest += most(of_ranks([&](const Result& rank) { return rank.busy[step]; })) / steps;
  }
  const double preparation_work = sum_of(of_ranks([](const Result& rank) { return rank.preparation_work; }));
  const double preparation = most(of_ranks([](const Result& rank) { return rank.preparation_seconds; }));
  const Result& root = job.results.front();
  const double seconds = root.step_seconds / steps;
  const auto [least_visits, most_visits] = std::minmax_element(job.visited.begin(), job.visited.end());
  std::printf(
      "ranks,threads,tasks,batch,step_seconds,step_work,step_busiest,efficiency,imbalance,reduction_share,"
      "preparation_seconds,preparation_efficiency,failed,visits_least,visits_most,hash\n");
  std::printf("%.0f,%d,%ld,%ld,%.6g,%.6g,%.6g,%.4f,%.4f,%.5f,%.6g,%.4f,%ld,%ld,%ld,%016lx\n", ranks,
              job.threads, static_cast<long>(job.tasks()), static_cast<long>(job.batch()), seconds, work,
              busiest, work / cores / seconds, busiest * cores / work - 1.0, 1.0 - busiest / seconds,
              preparation, preparation_work / cores / preparation, static_cast<long>(root.failed),
              static_cast<long>(*least_visits), static_cast<long>(*most_visits),
              static_cast<unsigned long>(root.hash));
}

} // namespace

int main(int argc, char** argv) {
  MPI_Init(
      &argc,
      &argv); // not Environment: SMPI grants MPI_THREAD_SINGLE only, and no rank here has a second thread
  try {
    const Communicator comm;
    if (argc < 5) throw ConfigError("CONFIG TIMES THREADS STEPS are needed");
    static Job job({argv + 1, argv + argc},
                   comm.size()); // ranks take turns in one process: the first builds it
    Result& mine = job.results[static_cast<std::size_t>(comm.rank())] = Rank(comm, job).run();
    if (!comm.all_equal(mine.hash)) throw Error(ExitCode::internal, "the ranks' sums differ");
    if (comm.is_root()) report(job);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "simulate_training: %s\n", error.what());
    MPI_Abort(MPI_COMM_WORLD, static_cast<int>(ExitCode::usage));
  }
  MPI_Finalize();
  return 0;
}
