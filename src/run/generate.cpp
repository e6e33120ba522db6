#include "io/task_bytes.hpp"
#include "run/resumable_work.hpp"
#include "run/task_source.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace metasieve {
namespace {

constexpr std::size_t most_named = 5;

/// Of making a task: what its rank is charged for one that is read from the journal. Reading costs less, but
/// the rank must have room for it as for the others.
constexpr double cost_of_kept = 0.2;

std::vector<std::uint64_t> numbers(Range ids) {
  std::vector<std::uint64_t> out;
  for (Index i = ids.begin; i < ids.end; ++i) out.push_back(static_cast<std::uint64_t>(i));
  return out;
}

WorkSettings work_settings(const GenerateRequest& request, const TaskSource& source) {
  const Config& config = request.config;
  const std::vector<double> costs = source.costs({0, source.task_count()}, generation_cost);
  WorkSettings settings;
  settings.output = request.output;
  settings.key = "command = generate\n" + deciding_settings(config, [](const std::string& section) {
                   return section == "suite" || section.starts_with("family.");
                 });
  settings.resume = request.resume;
  settings.pieces = source.task_count();
  settings.longest_seconds = 1e-9 * *std::max_element(costs.begin(), costs.end());
  settings.checkpoint_minutes = config.output.checkpoint_minutes;
  settings.limits = config.run;
  return settings;
}

/// Collective: this rank's part of all tasks, consecutive ids; those that are kept are read, the others made.
std::vector<Task> my_tasks(const Communicator& comm, const TaskSource& source, ResumableWork& work) {
  std::vector<double> costs = source.costs({0, source.task_count()}, generation_cost);
  for (std::size_t i = 0; i < costs.size(); ++i)
    if (work.keeps(i)) costs[i] *= cost_of_kept;
  const Range mine = my_range(comm, 0, costs);
  const auto place = [&](std::uint64_t id) { return id - static_cast<std::uint64_t>(mine.begin); };

  std::vector<Task> tasks(static_cast<std::size_t>(mine.size()));
  std::vector<std::uint8_t> is_there(tasks.size(), 0);
  comm.agree([&] {
    work.restore(numbers(mine), [&](std::uint64_t id, const std::string& bytes) {
      tasks[place(id)] = task_of_bytes(bytes);
      is_there[place(id)] = 1;
    });
  });
  Pieces pieces;
  for (const std::uint64_t id : numbers(mine))
    if (is_there[place(id)] == 0) pieces.ids.push_back(id);
  pieces.work = [&](std::size_t k) {
    tasks[place(pieces.ids[k])] = source.make(static_cast<Index>(pieces.ids[k]));
  };
  pieces.result = [&](std::size_t k) { return task_bytes(tasks[place(pieces.ids[k])]); };
  work.run(pieces);
  return tasks;
}

/// Collective: what a reader of the summary must know of tasks from which nothing can be learnt; "" if there
/// are none.
std::string one_class_warning(const Communicator& comm, std::span<const Task> tasks) {
  std::string mine; // ids
  for (const Task& task : tasks)
    if (task.train.y.minCoeff() == task.train.y.maxCoeff())
      mine.append(reinterpret_cast<const char*>(&task.metadata.task_id), sizeof(std::uint64_t));
  const std::string all = comm.gather(mine);
  const std::size_t count = all.size() / sizeof(std::uint64_t);
  if (count == 0) return "";
  std::string text =
      "; " + std::to_string(count) + " task(s) with one class alone among the training labels: ";
  for (std::size_t i = 0; i < std::min(count, most_named); ++i) {
    std::uint64_t id = 0;
    std::memcpy(&id, all.data() + i * sizeof id, sizeof id);
    text += (i == 0 ? "" : ", ") + std::to_string(id);
  }
  return text + (count > most_named ? ", ..." : "");
}

} // namespace

void generate(const Communicator& comm, const GenerateRequest& request) {
  const double begin = wall_seconds();
  require_writable(comm, {request.output});
  const TaskSource source = TaskSource::generator(request.config);
  ResumableWork work(comm, work_settings(request, source));
  const std::vector<Task> mine = my_tasks(comm, source, work);
  const double made = wall_seconds();
  write_suite(comm, request.output, {reproducible_ini(request.config)}, mine);
  work.finish();

  std::int64_t rows = 0;
  for (const Task& task : mine) rows += task.train.rows() + task.test.rows();
  rows = comm.sum(rows);
  const std::string warning = one_class_warning(comm, mine);
  if (comm.is_root())
    std::printf("wrote %s: %lld tasks, %lld rows; made in %.2f s, written in %.2f s on %d rank(s)%s\n",
                request.output.c_str(), static_cast<long long>(source.task_count()),
                static_cast<long long>(rows), made - begin, wall_seconds() - made, comm.size(),
                warning.c_str());
}

} // namespace metasieve
