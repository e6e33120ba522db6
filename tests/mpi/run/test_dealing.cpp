#include "run/dealing.hpp"

#include "run/cost.hpp"
#include "tasks/shard.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace metasieve {
namespace {

/// 200 tasks, as unlike as those of the default suite; 16 in a batch.
std::vector<double> unlike(Index tasks, double spread) {
  std::vector<double> costs;
  for (Index i = 0; i < tasks; ++i)
    costs.push_back(1.0 + spread * std::sin(2.39996 * static_cast<double>(i)));
  return costs;
}

Config config_of(Index batch) {
  Config config;
  config.meta.batch = batch;
  return config;
}

std::vector<Range> alike(Index tasks, int ranks) {
  std::vector<Range> shards;
  for (Index r = 0; r < ranks; ++r) shards.push_back({tasks * r / ranks, tasks * (r + 1) / ranks});
  return shards;
}

TEST(Dealing, gives_consecutive_tasks_each_to_one_rank) {
  for (const int ranks : {1, 2, 3, 7, 16, 40})
    for (const Index batch : {0, 1, 16, 200, 500}) {
      const std::vector<double> costs = unlike(200, 0.5);

      const std::vector<Range> shards =
          training_shards(std::vector{costs, costs, costs}, config_of(batch), ranks);

      ASSERT_EQ(std::ssize(shards), ranks);
      Index end = 0;
      for (const Range& shard : shards) {
        EXPECT_EQ(shard.begin, end);
        EXPECT_GE(shard.end, shard.begin);
        end = shard.end;
      }
      EXPECT_EQ(end, 200);
    }
}

TEST(Dealing, cuts_between_strata_where_visits_are_all_that_counts) {
  const std::vector<double> none(200, 0.0), visits(200, 1.0);
  std::vector<double> first = none; // a cost before the visits that would cut elsewhere, but hardly counts
  std::fill_n(first.begin(), 90, 1e-6);

  for (const int ranks : {2, 4, 8}) {
    const std::vector<Range> shards = training_shards(std::vector{first, visits, none}, config_of(16), ranks);

    EXPECT_EQ(shards, alike(200, ranks));
    EXPECT_NEAR(batch_imbalance(visits, config_of(16), shards, 50), 1.0, 1e-12);
  }
}

TEST(Dealing, balances_what_counts_most) {
  const std::vector<double> none(200, 0.0), visits(200, 1e-6);
  std::vector<double> first(200, 0.0);
  std::fill_n(first.begin(), 60, 1.0);

  const std::vector<Range> shards = training_shards(std::vector{first, visits, none}, config_of(16), 2);

  EXPECT_EQ(shards.front(), (Range{0, 30}));
}

TEST(Dealing, of_one_batch_of_all_tasks_is_that_of_their_sums) {
  const std::vector<double> costs = unlike(50, 0.8), none(50, 0.0);
  const std::vector<std::vector<double>> phases{none, costs, none};

  EXPECT_EQ(training_shards(phases, config_of(0), 4), shards_balanced_over(phases, 4));
}

TEST(Dealing, waits_no_longer_than_by_sums) {
  const std::vector<double> preparations = unlike(200, 0.9), none(200, 0.0);
  std::vector<double> visits = unlike(200, 0.3);
  std::reverse(visits.begin(), visits.end());
  const std::vector<std::vector<double>> phases{preparations, visits, none};
  const Config config = config_of(16);
  const auto waited_for = [&](const std::vector<Range>& shards) {
    const double mean =
        std::accumulate(visits.begin(), visits.end(), 0.0) / static_cast<double>(shards.size());
    return 1e9 * busiest_seconds(preparations, shards, 1) +
           mean * batch_imbalance(visits, config, shards, 100);
  };

  for (const int ranks : {2, 3, 4, 8}) {
    const double by_sums = waited_for(shards_balanced_over(phases, ranks));
    // The mean cost of a visit in these batches is not quite that of all tasks.
    EXPECT_LT(waited_for(training_shards(phases, config, ranks)), 1.001 * by_sums) << ranks;
  }
}

TEST(BatchImbalance, is_that_of_the_slowest_rank_in_each_batch) {
  // Two strata of one task each: every batch has both.
  const std::vector<double> visits{3.0, 1.0};

  EXPECT_DOUBLE_EQ(batch_imbalance(visits, config_of(2), alike(2, 2), 10), 1.5);
  EXPECT_DOUBLE_EQ(batch_imbalance(visits, config_of(2), alike(2, 1), 10), 1.0);
}

} // namespace
} // namespace metasieve
