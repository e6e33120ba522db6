#include "run/stages.hpp"
#include "run/task_source.hpp"

#include <cstdio>
#include <fstream>
#include <unistd.h>

namespace metasieve {

void generate(const Communicator& comm, const GenerateRequest& request) {
  const double begin = wall_seconds();
  require_writable(comm, request.output.parent_path());
  const TaskSource source = TaskSource::generator(request.config);
  const Range all{0, source.task_count()};
  const std::vector<Task> mine = source.tasks(comm, my_range(comm, 0, source.costs(all, 0, 0.0)));
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

void require_writable(const Communicator& comm, const std::filesystem::path& folder) {
  comm.agree([&] {
    if (!comm.is_root()) return;
    const std::filesystem::path target = folder.empty() ? "." : folder;
    std::error_code error;
    std::filesystem::create_directories(target, error);
    const std::filesystem::path trial = target / (".metasieve." + std::to_string(getpid()) + ".trial");
    const bool written = static_cast<bool>(std::ofstream(trial) << "trial" << std::flush);
    std::filesystem::remove(trial, error);
    if (!written)
      throw DataError("cannot write into " + target.string() +
                      ": it must be a folder that can be made and written to, with space left");
  });
}

} // namespace metasieve
