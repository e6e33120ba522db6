#include "tasks/resample.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace metasieve {
namespace {

/// Test rows of each label: floors of the exact shares, and the row that is left to the larger remainder.
std::array<Index, 2> test_counts(const std::array<Index, 2>& sizes, Index test_rows) {
  const Index rows = sizes[0] + sizes[1];
  if (rows == 0) return {0, 0};
  std::array<Index, 2> counts{sizes[0] * test_rows / rows, sizes[1] * test_rows / rows};
  const bool first = sizes[0] * test_rows % rows >= sizes[1] * test_rows % rows;
  counts[first ? 0 : 1] += test_rows - counts[0] - counts[1];
  return counts;
}

} // namespace

Partition stratified_partition(const Labels& y, Index test_rows, Seed seed, TaskId id, std::uint64_t repeat) {
  std::array<std::vector<Index>, 2> rows;
  for (Index i = 0; i < y.size(); ++i) rows[y(i)].push_back(i);
  const std::array<Index, 2> sizes{static_cast<Index>(rows[0].size()), static_cast<Index>(rows[1].size())};
  const auto counts = test_counts(sizes, test_rows);

  std::vector<bool> in_test(static_cast<std::size_t>(y.size()));
  for (const std::size_t label : {0U, 1U}) {
    const Stream stream(seed, Draw::split, id, 2 * repeat + label);
    for (const Index i : sample_without_replacement(stream, sizes[label], counts[label]))
      in_test[static_cast<std::size_t>(rows[label][static_cast<std::size_t>(i)])] = true;
  }
  Partition partition;
  for (Index i = 0; i < y.size(); ++i)
    (in_test[static_cast<std::size_t>(i)] ? partition.test : partition.train).push_back(i);
  return partition;
}

namespace {

Partition given_partition(const Labels& split) {
  Partition out;
  for (Index i = 0; i < split.size(); ++i) (split(i) == 0 ? out.train : out.test).push_back(i);
  return out;
}

/// What metadata can say of a corruption; nothing of `groups` and `clustered`.
void describe(const LabelCorruption& corruption, Metadata& metadata) {
  using Kind = LabelCorruption::Kind;
  const bool hides = corruption.kind == Kind::hidden, is_adversarial = corruption.kind == Kind::lowest_loss;
  metadata.noise_rate = hides                                              ? flips_beside_hidden
                        : corruption.kind == Kind::flips || is_adversarial ? corruption.rate
                                                                           : 0.0;
  metadata.label_bias = hides ? corruption.rate : 0.0;
  metadata.adversarial = is_adversarial ? 1 : 0;
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
  task.train.y = corrupt_labels(task.train, options.corruption, options.seed, id);

  task.metadata.task_id = repeat;
  task.metadata.seed = static_cast<std::uint64_t>(options.seed);
  task.metadata.family = options.name;
  task.metadata.n_samples = rows.rows();
  task.metadata.n_train = task.train.rows();
  task.metadata.n_test = task.test.rows();
  task.metadata.n_features = rows.columns();
  describe(options.corruption, task.metadata);
  task.metadata.groups = rows.groups;
  return task;
}

} // namespace metasieve
