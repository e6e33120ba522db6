#include "meta/meta_gradient.hpp"

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

} // namespace
} // namespace metasieve
