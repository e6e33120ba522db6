#include "meta/batches.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace metasieve {
namespace {

TEST(Batch, every_task_once_an_epoch) {
  std::map<Index, int> visits;

  for (std::uint64_t step = 0; step < 10; ++step)
    for (const Index task : batch_of_step(Seed{1}, step, 80, 8)) ++visits[task];

  EXPECT_EQ(visits.size(), 80U);
  for (const auto& [task, count] : visits) EXPECT_EQ(count, 1) << task;
}

TEST(Batch, is_sorted_distinct_and_falls_evenly_on_ranks_with_equal_shards) {
  for (std::uint64_t step = 0; step < 50; ++step) {
    const std::vector<Index> batch = batch_of_step(Seed{1}, step, 200, 16);

    EXPECT_EQ(batch.size(), 16U);
    EXPECT_TRUE(std::is_sorted(batch.begin(), batch.end(), std::less_equal<>()));
    EXPECT_EQ(std::count_if(batch.begin(), batch.end(), [](Index i) { return i < 100; }), 8);
  }
}

TEST(Batch, changes_with_step_and_seed) {
  EXPECT_NE(batch_of_step(Seed{1}, 0, 200, 16), batch_of_step(Seed{1}, 1, 200, 16));
  EXPECT_NE(batch_of_step(Seed{1}, 0, 200, 16), batch_of_step(Seed{2}, 0, 200, 16));
}

TEST(Batch, zero_and_too_many_mean_all) {
  const std::vector<Index> all{0, 1, 2, 3, 4};

  EXPECT_EQ(batch_of_step(Seed{1}, 7, 5, 0), all);
  EXPECT_EQ(batch_of_step(Seed{1}, 7, 5, 9), all);
}

/// Straight from the definition: draws every order anew.
std::vector<Index> obvious_batch(Seed seed, std::uint64_t step, Index tasks, Index strata) {
  std::vector<Index> batch;
  for (Index k = 0; k < strata; ++k) {
    const Index begin = k * tasks / strata, length = (k + 1) * tasks / strata - begin;
    const auto rounds = static_cast<std::uint64_t>(length);
    const Stream stream(seed, Draw::batch, TaskId{static_cast<std::uint64_t>(k)}, step / rounds);
    batch.push_back(begin + permutation(stream, length)[step % rounds]);
  }
  return batch;
}

TEST(BatchSchedule, parts_of_all_ranks_together_are_the_obvious_batch) {
  const std::vector<Range> ranks{{0, 0}, {0, 7}, {7, 8}, {8, 8}, {8, 50}, {50, 97}};
  for (const Index size : {1, 5, 16, 97}) {
    std::vector<BatchSchedule> schedules(ranks.size(), BatchSchedule(Seed{3}, 97, size));
    for (const std::uint64_t step :
         {0, 1, 2, 6, 7, 96, 97, 300, 5}) { // also where orders are used up, and back
      std::vector<Index> together;
      for (std::size_t r = 0; r < ranks.size(); ++r)
        for (const Index task : schedules[r].of_step(step, ranks[r])) together.push_back(task);

      EXPECT_EQ(together, obvious_batch(Seed{3}, step, 97, size)) << size << " tasks of step " << step;
    }
  }
}

TEST(BatchSchedule, may_be_asked_for_another_part) {
  BatchSchedule schedule(Seed{3}, 40, 8);
  const std::vector<Index> all = schedule.of_step(3, {0, 40});

  std::vector<Index> halves = schedule.of_step(3, {0, 20});
  for (const Index task : schedule.of_step(3, {20, 40})) halves.push_back(task);

  EXPECT_EQ(halves, all);
}

} // namespace
} // namespace metasieve
