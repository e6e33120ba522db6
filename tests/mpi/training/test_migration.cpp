#include "training/task_pool.hpp"

#include "config/settings.hpp"
#include "kernels/meta_features.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace metasieve {
namespace {

constexpr Index tasks = 13;

Config config_of(Index count, const std::string& samples) {
  Config config;
  set_key(config, "suite.tasks", std::to_string(count));
  set_key(config, "suite.mixture", "some:1");
  set_key(config, "family.some.samples", samples);
  set_key(config, "family.some.features", "5:9");
  set_key(config, "meta.batch", "4");
  return config;
}

PreparedTask prepared(const TaskSource& source, const Config& config, Index i) {
  Task task = source.make(i);
  PrepareOptions options = config.prepare_options(Seed{task.metadata.seed});
  return kernels::prepare(std::move(task), options);
}

void expect_equal(const Split& a, const Split& b) {
  EXPECT_EQ(a.x, b.x);
  EXPECT_EQ(a.y, b.y);
  EXPECT_EQ(a.group, b.group);
  EXPECT_EQ(a.y_clean, b.y_clean);
}

void expect_equal(const PreparedTask& a, const PreparedTask& b) {
  EXPECT_EQ(a.id, b.id);
  expect_equal(a.train, b.train);
  expect_equal(a.test, b.test);
  EXPECT_EQ(a.probe.standardizer.mean, b.probe.standardizer.mean);
  EXPECT_EQ(a.probe.standardizer.inverse_scale, b.probe.standardizer.inverse_scale);
  EXPECT_EQ(a.probe.standardizer.group_values, b.probe.standardizer.group_values);
  EXPECT_EQ(a.train.groups, b.train.groups);
  EXPECT_EQ(a.test.groups, b.test.groups);
  EXPECT_EQ(a.probe.beta, b.probe.beta);
  EXPECT_EQ(a.probe.status, b.probe.status);
  EXPECT_EQ(a.features, b.features);
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(a.corruption, b.corruption);
  EXPECT_EQ(a.precision, b.precision);
}

/// Ranges that begin at these tasks.
std::vector<Range> cut_at(const std::vector<Index>& begins) {
  std::vector<Range> ranges;
  for (std::size_t r = 0; r < begins.size(); ++r)
    ranges.push_back({begins[r], r + 1 < begins.size() ? begins[r + 1] : tasks});
  return ranges;
}

TEST(Migration, gives_each_rank_what_it_would_have_prepared_itself) {
  const Communicator comm;
  const Config config = config_of(tasks, "60:200");
  const TaskSource source = TaskSource::generator(config);
  std::vector<PreparedTask> all;
  for (Index i = 0; i < tasks; ++i) all.push_back(prepared(source, config, i));
  const auto ranks = static_cast<std::size_t>(comm.size()), rank = static_cast<std::size_t>(comm.rank());
  std::vector<Index> few_first(ranks), all_at_last(ranks, 0), all_at_first(ranks, tasks), even(ranks);
  for (std::size_t r = 0; r < ranks; ++r) {
    few_first[r] = static_cast<Index>(r);
    even[r] = static_cast<Index>(r) * tasks / comm.size();
  }
  all_at_first[0] = 0;
  const std::vector<std::vector<Range>> cuts{cut_at(few_first), cut_at(all_at_last), cut_at(all_at_first),
                                             cut_at(even)};

  for (const std::vector<Range>& prepared_by : cuts)
    for (const std::vector<Range>& owned_by : cuts) {
      const std::vector<PreparedTask> mine(all.begin() + prepared_by[rank].begin,
                                           all.begin() + prepared_by[rank].end);

      const std::vector<PreparedTask> held = migrate_tasks(comm, mine, {prepared_by, owned_by});

      ASSERT_EQ(std::ssize(held), owned_by[rank].size());
      for (Index i = 0; i < std::ssize(held); ++i)
        expect_equal(held[static_cast<std::size_t>(i)],
                     all[static_cast<std::size_t>(owned_by[rank].begin + i)]);
    }
}

class TaskPoolAfterMigration : public ::testing::TestWithParam<const char*> {};

TEST_P(TaskPoolAfterMigration, owned_by_the_bits_of_its_own_tasks) {
  const Communicator comm;
  constexpr Index many = 48;
  // Those with many rows take much longer to prepare, and hardly longer to use.
  Config config = config_of(many, "300:5000");
  set_key(config, "suite.hold", GetParam());
  const TaskSource source = TaskSource::generator(config);
  TaskPart part{{0, many}, task_use(config, true), config.meta};
  part.use.gradients = 200;
  const TaskSchedule schedule =
      partition_tasks(task_costs(source.shapes(part.ids), part.use), part.meta, comm.size());
  if (comm.size() > 1) {
    EXPECT_NE(schedule.prepared_by, schedule.owned_by) << "of no use as a test";
  }
  PhaseClock clock({Phase::tasks, Phase::features});

  const TaskPool pool(comm, source, part, clock);

  EXPECT_EQ(pool.ids(), schedule.owned_by[static_cast<std::size_t>(comm.rank())]);
  for (Index i = pool.ids().begin; i < pool.ids().end; ++i)
    expect_equal(*pool.task(i), prepared(source, config, i));
  EXPECT_EQ(comm.wrapping_sum(pool.fingerprint()), fingerprint_of(comm, source));
}

INSTANTIATE_TEST_SUITE_P(in, TaskPoolAfterMigration, ::testing::Values("memory", "regenerate"),
                         [](const auto& test) { return std::string(test.param); });

} // namespace
} // namespace metasieve
