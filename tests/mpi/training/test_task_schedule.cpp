#include "training/task_schedule.hpp"

#include "parallel/partition.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace metasieve {
namespace {

/// 200 tasks, as unlike as those of the default suite; 16 in a batch.
std::vector<double> unlike(Index tasks, double spread) {
  std::vector<double> costs;
  for (Index i = 0; i < tasks; ++i)
    costs.push_back(1.0 + spread * std::sin(2.39996 * static_cast<double>(i)));
  return costs;
}

MetaConfig meta_of(Index batch) {
  MetaConfig meta;
  meta.batch = batch;
  return meta;
}

std::vector<Range> alike(Index tasks, int ranks) {
  std::vector<Range> shards;
  for (Index r = 0; r < ranks; ++r) shards.push_back({tasks * r / ranks, tasks * (r + 1) / ranks});
  return shards;
}

/// Costs of tasks whose migration is free.
TaskCosts costs_of(std::vector<double> preparation, std::vector<double> uses) {
  const std::vector<double> none(uses.size(), 0.0);
  return {std::move(preparation), std::move(uses), none};
}

/// The seconds for which the last of these ranks is at work on all iterations, over the mean rank's.
double imbalance(const std::vector<double>& uses, const MetaConfig& meta, const std::vector<Range>& shards) {
  const TaskCosts costs = costs_of(std::vector<double>(uses.size(), 0.0), uses);
  const std::vector<Range> all{{0, std::ssize(uses)}};
  return static_cast<double>(shards.size()) * seconds_of({shards, shards}, costs, meta, 1).uses /
         seconds_of({all, all}, costs, meta, 1).uses;
}

void expect_partition(const std::vector<Range>& shards, int ranks, Index tasks) {
  ASSERT_EQ(std::ssize(shards), ranks);
  Index end = 0;
  for (const Range& shard : shards) {
    EXPECT_EQ(shard.begin, end);
    EXPECT_GE(shard.end, shard.begin);
    end = shard.end;
  }
  EXPECT_EQ(end, tasks);
}

TEST(TaskSchedule, gives_consecutive_tasks_each_to_one_rank) {
  for (const int ranks : {1, 2, 3, 7, 16, 40})
    for (const Index batch : {0, 1, 16, 200, 500}) {
      std::vector<double> preparation = unlike(200, 0.9);
      std::reverse(preparation.begin(), preparation.end());

      const TaskSchedule schedule =
          partition_tasks(costs_of(preparation, unlike(200, 0.5)), meta_of(batch), ranks);

      expect_partition(schedule.prepared_by, ranks, 200);
      expect_partition(schedule.owned_by, ranks, 200);
    }
}

TEST(TaskSchedule, cuts_between_strata_where_visits_are_all_that_counts) {
  const std::vector<double> visits(200, 1.0);
  std::vector<double> first(200, 0.0); // a cost before the visits that would cut elsewhere, but hardly counts
  std::fill_n(first.begin(), 90, 1e-6);
  TaskCosts costs = costs_of(first, visits);
  costs.moving.assign(200, 1.0);

  for (const int ranks : {2, 4, 8}) {
    const TaskSchedule schedule = partition_tasks(costs, meta_of(16), ranks);

    EXPECT_EQ(schedule.owned_by, alike(200, ranks));
    EXPECT_EQ(schedule.prepared_by, schedule.owned_by);
    EXPECT_NEAR(imbalance(visits, meta_of(16), schedule.owned_by), 1.0, 1e-12);
  }
}

TEST(TaskSchedule, balances_what_counts_most_where_handing_over_takes_longer) {
  std::vector<double> first(200, 0.0);
  std::fill_n(first.begin(), 60, 1.0);
  TaskCosts costs = costs_of(first, std::vector<double>(200, 1e-6));
  costs.moving.assign(200, 1.0);

  const TaskSchedule schedule = partition_tasks(costs, meta_of(16), 2);

  EXPECT_EQ(schedule.owned_by.front(), (Range{0, 30}));
  EXPECT_EQ(schedule.prepared_by, schedule.owned_by);
}

TEST(TaskSchedule, partitions_preparation_apart_where_handing_over_takes_less) {
  std::vector<double> first(200, 0.0);
  std::fill_n(first.begin(), 60, 1.0);
  TaskCosts costs = costs_of(first, std::vector<double>(200, 1.0));
  costs.moving.assign(200, 1e-3);

  const TaskSchedule schedule = partition_tasks(costs, meta_of(16), 2);

  EXPECT_EQ(schedule.prepared_by.front(), (Range{0, 30}));
  EXPECT_EQ(schedule.owned_by, alike(200, 2));
}

TEST(TaskSchedule, of_one_batch_of_all_tasks_is_that_of_their_sums) {
  const std::vector<double> costs = unlike(50, 0.8), none(50, 0.0);

  EXPECT_EQ(partition_tasks(costs_of(none, costs), meta_of(0), 4).owned_by, balanced_shards(costs, 4));
}

TEST(TaskSchedule, waits_no_longer_than_by_sums) {
  const std::vector<double> preparations = unlike(200, 0.9);
  std::vector<double> visits = unlike(200, 0.3);
  std::reverse(visits.begin(), visits.end());
  std::vector<double> sums;
  for (std::size_t i = 0; i < 200; ++i) sums.push_back(preparations[i] + visits[i]);
  TaskCosts costs = costs_of(preparations, visits);

  for (const int ranks : {2, 3, 4, 8}) {
    costs.moving.assign(200, 0.0);
    const auto waited_for = [&](const TaskSchedule& schedule) {
      return seconds_of(schedule, costs, meta_of(16), 1).all();
    };
    const std::vector<Range> by_sums = balanced_shards(sums, ranks);
    const double apart = waited_for(partition_tasks(costs, meta_of(16), ranks));
    costs.moving.assign(200, 1e3);
    const double together = waited_for(partition_tasks(costs, meta_of(16), ranks));
    EXPECT_LE(together, waited_for({by_sums, by_sums})) << ranks;
    EXPECT_LE(apart, together) << ranks;
  }
}

TEST(TaskSchedule, of_no_tasks_gives_each_rank_none) {
  const TaskSchedule schedule = partition_tasks(costs_of({}, {}), meta_of(0), 3);

  EXPECT_EQ(schedule.owned_by, (std::vector<Range>(3)));
  EXPECT_EQ(seconds_of(schedule, costs_of({}, {}), meta_of(0), 2).all(), 0.0);
}

TEST(ScheduleSeconds, are_those_of_the_busiest_rank_and_no_less_than_its_longest_task) {
  const std::vector<double> costs{1e9, 2e9, 3e9, 4e9, 0.0};
  const std::vector<Range> shards{{0, 3}, {3, 5}, {5, 5}};

  EXPECT_DOUBLE_EQ(busiest_seconds(costs, shards, 1), 6.0);
  EXPECT_DOUBLE_EQ(busiest_seconds(costs, shards, 2), 4.0); // the one of 4 s
  EXPECT_DOUBLE_EQ(busiest_seconds({}, std::vector<Range>{{0, 0}}, 4), 0.0);
}

TEST(ScheduleSeconds, have_the_migration_of_the_rank_that_sends_and_receives_most) {
  TaskCosts costs = costs_of({1e9, 1e9, 1e9, 1e9}, {0.0, 0.0, 0.0, 0.0});
  costs.moving = {1e9, 2e9, 4e9, 8e9};
  const TaskSchedule schedule{{{0, 3}, {3, 3}, {3, 4}}, {{0, 1}, {1, 3}, {3, 4}}};

  EXPECT_DOUBLE_EQ(seconds_of(schedule, costs, meta_of(0), 1).preparation, 3.0 + 6.0);
}

TEST(Transfers, of_a_rank_are_the_tasks_that_it_prepares_or_holds_in_order) {
  const TaskSchedule schedule{{{0, 2}, {2, 2}, {2, 6}}, {{0, 1}, {1, 4}, {4, 6}}};
  const auto of = [&](int rank) {
    std::vector<std::array<Index, 3>> found;
    for (const Transfer& t : transfers_of(schedule, rank)) found.push_back({t.task, t.from, t.to});
    return found;
  };
  using Found = std::vector<std::array<Index, 3>>;

  EXPECT_EQ(of(0), (Found{{0, 0, 0}, {1, 0, 1}}));
  EXPECT_EQ(of(1), (Found{{1, 0, 1}, {2, 2, 1}, {3, 2, 1}}));
  EXPECT_EQ(of(2), (Found{{2, 2, 1}, {3, 2, 1}, {4, 2, 2}, {5, 2, 2}}));
}

TEST(Transfers, skip_the_tasks_between_those_prepared_and_those_held) {
  const TaskSchedule schedule{{{0, 1}, {1, 5}, {5, 6}}, {{0, 5}, {5, 6}, {6, 6}}};
  std::vector<Index> tasks;
  for (const Transfer& transfer : transfers_of(schedule, 1)) tasks.push_back(transfer.task);

  EXPECT_EQ(tasks, (std::vector<Index>{1, 2, 3, 4, 5}));
  EXPECT_EQ(transfers_of(schedule, 2).size(), 1U);
}

TEST(ScheduleSeconds, are_those_of_the_slowest_rank_in_each_batch) {
  // Two strata of two tasks each: a batch has one of each.
  const std::vector<double> uses{3.0, 3.0, 1.0, 1.0};

  EXPECT_NEAR(imbalance(uses, meta_of(2), alike(4, 2)), 1.5, 1e-12);
  EXPECT_NEAR(imbalance(uses, meta_of(2), alike(4, 1)), 1.0, 1e-12);
}

} // namespace
} // namespace metasieve
