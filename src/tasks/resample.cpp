#include "tasks/resample.hpp"

#include "tasks/corruption.hpp"
#include "tasks/stratified.hpp"

#include <cmath>

namespace metasieve {
namespace {

Partition given_partition(const Labels& split) {
  Partition out;
  for (Index i = 0; i < split.size(); ++i) (split(i) == 0 ? out.train : out.test).push_back(i);
  return out;
}

} // namespace

Index test_rows(Index rows) { return static_cast<Index>(std::ceil(0.3 * static_cast<double>(rows))); }

Task resample(const Split& rows, const Resampling& options, std::uint64_t repeat) {
  const TaskId id{repeat};
  const Partition parts = options.split
                              ? given_partition(*options.split)
                              : stratified_partition(rows.y_clean, test_rows(rows.rows()), options.seed, id);
  Task task{id, gather(rows, parts.train), gather(rows, parts.test), {}};
  task.test.y = task.test.y_clean;
  const Index flips = flip_count(options.label_noise, task.train.rows());
  task.train.y = flip_labels(task.train.y, uniform_rows(task.train.rows(), flips, options.seed, id));

  task.metadata.task_id = repeat;
  task.metadata.seed = static_cast<std::uint64_t>(options.seed);
  task.metadata.family = options.name;
  task.metadata.n_samples = rows.rows();
  task.metadata.n_train = task.train.rows();
  task.metadata.n_test = task.test.rows();
  task.metadata.n_features = rows.columns();
  task.metadata.noise_rate = options.label_noise;
  return task;
}

} // namespace metasieve
