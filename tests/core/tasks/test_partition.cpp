#include "tasks/resample.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace metasieve {
namespace {

Labels labels(Index rows, Index positives) {
  Labels y = Labels::Zero(rows);
  y.head(positives).setOnes();
  return y;
}

Index positives_of(const Labels& y, const std::vector<Index>& rows) { return y(rows).cast<Index>().sum(); }

TEST(StratifiedPartition, splits_every_row_once_and_each_label_in_its_share) {
  for (const Index rows : {20, 33, 101, 1000})
    for (Index positives = 0; positives <= rows; positives += rows / 7) {
      const Labels y = labels(rows, positives);
      const Index test_rows = (3 * rows + 9) / 10;

      const Partition part = stratified_partition(y, test_rows, Seed{1}, TaskId{2});

      std::set<Index> all(part.train.begin(), part.train.end());
      all.insert(part.test.begin(), part.test.end());
      EXPECT_EQ(all.size(), static_cast<std::size_t>(rows));
      EXPECT_EQ(static_cast<Index>(part.test.size()), test_rows);
      EXPECT_EQ(part.train.size() + part.test.size(), static_cast<std::size_t>(rows));
      EXPECT_TRUE(std::is_sorted(part.train.begin(), part.train.end()));
      const double share = static_cast<double>(positives * test_rows) / static_cast<double>(rows);
      EXPECT_LE(std::abs(static_cast<double>(positives_of(y, part.test)) - share), 0.5)
          << rows << ' ' << positives;
    }
}

TEST(StratifiedPartition, gives_the_odd_row_to_the_larger_remainder_and_a_tie_to_label_zero) {
  // 33 rows, 10 for testing: 7 positives -> 2.12, 26 negatives -> 7.88. 20 rows, 6: 5 -> 1.5, 15 -> 4.5.
  const Partition remainder = stratified_partition(labels(33, 7), 10, Seed{1}, TaskId{2});
  const Partition tie = stratified_partition(labels(20, 5), 6, Seed{1}, TaskId{2});

  EXPECT_EQ(positives_of(labels(33, 7), remainder.test), 2);
  EXPECT_EQ(positives_of(labels(20, 5), tie.test), 1);
}

TEST(StratifiedPartition, draws_rows_at_random_and_anew_for_each_repeat) {
  const Labels y = labels(1000, 500);

  const Partition first = stratified_partition(y, 300, Seed{1}, TaskId{2});
  const Partition again = stratified_partition(y, 300, Seed{1}, TaskId{2}, 1);

  // Hypergeometric: 75 +- 5.1 test rows among the first 250.
  const auto early = std::count_if(first.test.begin(), first.test.end(), [](Index row) { return row < 250; });
  EXPECT_NEAR(static_cast<double>(early), 75, 21);
  EXPECT_NE(first.test, again.test);
}

} // namespace
} // namespace metasieve
