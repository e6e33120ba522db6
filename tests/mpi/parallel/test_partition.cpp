#include "parallel/partition.hpp"
#include "support/numerics.hpp"

#include <algorithm>
#include <numeric>

namespace metasieve {
namespace {

double load(const std::vector<double>& costs, Range range) {
  return std::accumulate(costs.begin() + range.begin, costs.begin() + range.end, 0.0);
}

/// The least possible bottleneck, by dynamic programming over all cuts.
double best_bottleneck(const std::vector<double>& costs, int parts) {
  const std::size_t n = costs.size();
  std::vector<double> best(n + 1);
  for (std::size_t i = 0; i <= n; ++i) best[i] = load(costs, {0, static_cast<Index>(i)});
  for (int p = 2; p <= parts; ++p)
    for (std::size_t i = n; i > 0; --i)
      for (std::size_t j = 0; j < i; ++j)
        best[i] =
            std::min(best[i], std::max(best[j], load(costs, {static_cast<Index>(j), static_cast<Index>(i)})));
  return best[n];
}

TEST(TaskPool, shards_of_any_number_of_ranks_are_the_suite_and_balanced_as_well_as_possible) {
  const Vector draws = test::normals(23, 8).array().exp();
  const std::vector<double> costs(draws.begin(), draws.end());

  for (const int parts : {1, 2, 3, 4, 7, 23, 40}) {
    const std::vector<Range> shards = balanced_shards(costs, parts);

    ASSERT_EQ(shards.size(), static_cast<std::size_t>(parts));
    Index next = 0;
    double bottleneck = 0;
    for (const Range& shard : shards) {
      EXPECT_EQ(shard.begin, next);
      EXPECT_GE(shard.size(), 0);
      next = shard.end;
      bottleneck = std::max(bottleneck, load(costs, shard));
    }
    EXPECT_EQ(next, 23);
    EXPECT_NEAR(bottleneck, best_bottleneck(costs, parts), 1e-9);
  }
}

TEST(TaskPool, longest_first_and_equal_ones_in_their_order) {
  const std::vector<double> costs{2, 7, 2, 9, 1};
  const auto cost = [&](Index i) { return costs[static_cast<std::size_t>(i)]; };

  EXPECT_EQ(by_descending_cost({0, 1, 2, 3, 4}, cost), (std::vector<Index>{3, 1, 0, 2, 4}));
  EXPECT_EQ(by_descending_cost({4, 2}, cost), (std::vector<Index>{2, 4}));
  EXPECT_TRUE(by_descending_cost({}, cost).empty());
}

TEST(TaskPool, no_tasks_and_equal_tasks) {
  EXPECT_EQ(balanced_shards({}, 3), (std::vector<Range>{{0, 0}, {0, 0}, {0, 0}}));
  EXPECT_EQ(balanced_shards(std::vector<double>(6, 0.1), 3), (std::vector<Range>{{0, 2}, {2, 4}, {4, 6}}));
}

} // namespace
} // namespace metasieve
