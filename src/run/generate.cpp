#include "run/stages.hpp"
#include "run/task_source.hpp"

#include <cstdio>

namespace metasieve {

void generate(const Communicator& comm, const GenerateRequest& request) {
  const double begin = wall_seconds();
  require_writable(comm, {request.output});
  const TaskSource source = TaskSource::generator(request.config);
  const Range all{0, source.task_count()};
  const std::vector<Task> mine = source.tasks(comm, my_range(comm, 0, source.costs(all, generation_cost)));
  const double made = wall_seconds();
  write_suite(comm, request.output, {resolved_ini(request.config)}, mine);

  std::int64_t rows = 0;
  for (const Task& task : mine) rows += task.train.rows() + task.test.rows();
  rows = comm.sum(rows);
  if (comm.is_root())
    std::printf("wrote %s: %lld tasks, %lld rows; made in %.2f s, written in %.2f s on %d rank(s)\n",
                request.output.c_str(), static_cast<long long>(all.end), static_cast<long long>(rows),
                made - begin, wall_seconds() - made, comm.size());
}

} // namespace metasieve
