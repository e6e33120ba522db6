#include "methods/massaging.hpp"
#include "support/groups.hpp"
#include "support/numerics.hpp"

#include <limits>

namespace metasieve {
namespace {

using namespace test;

struct Rows {
  Vector score = normals(1000, 1);
  Labels y, group;

  /// Later groups have fewer positives.
  explicit Rows(Index groups) : y(1000), group(random_groups(1000, groups, 2)) {
    for (Index i = 0; i < 1000; ++i) y(i) = score(i) > 0.4 * group(i) ? 1 : 0;
    score += 0.5 * normals(1000, 3);
  }
  [[nodiscard]] double positives(const Labels& labels, std::uint8_t z) const {
    return (group.array() == z).select(labels, Labels::Zero(1000)).cast<double>().sum();
  }
};

TEST(Massaging, equalises_the_positive_rates_of_groups) {
  for (const Index groups : {2, 3, 5}) {
    const Rows rows(groups);

    const Labels labels = massaged_labels(rows.score, rows.y, rows.group);

    const double rate = rows.y.cast<double>().mean();
    for (std::uint8_t z = 0; z < groups; ++z) {
      const double size = static_cast<double>((rows.group.array() == z).count());
      EXPECT_LE(std::abs(rows.positives(labels, z) - rate * size), 0.5);
      EXPECT_GT(std::abs(rows.positives(rows.y, z) - rate * size), 5.0);
    }
  }
}

TEST(Massaging, of_two_groups_promotes_and_demotes_the_published_number_of_candidates) {
  const Rows rows(2);
  const double ones = rows.group.cast<double>().sum(), zeros = 1000.0 - ones;
  const double difference = rows.positives(rows.y, 0) / zeros - rows.positives(rows.y, 1) / ones;

  const Labels labels = massaged_labels(rows.score, rows.y, rows.group);

  const double published = std::round(difference * zeros * ones / 1000.0);
  EXPECT_EQ(rows.positives(rows.y, 0) - rows.positives(labels, 0), published);
  EXPECT_EQ(rows.positives(labels, 1) - rows.positives(rows.y, 1), published);
}

TEST(Massaging, relabels_the_candidates_that_the_ranker_doubts_most) {
  const Rows rows(3);

  const Labels labels = massaged_labels(rows.score, rows.y, rows.group);

  for (Index i = 0; i < 1000; ++i)
    for (Index j = 0; j < 1000; ++j) {
      if (rows.group(i) != rows.group(j) || rows.y(i) != rows.y(j)) continue;
      if (labels(i) != rows.y(i) && labels(j) == rows.y(j)) {
        EXPECT_TRUE(rows.y(i) == 0 ? rows.score(i) >= rows.score(j) : rows.score(i) <= rows.score(j));
      }
    }
}

TEST(Massaging, one_group_keeps_its_labels_and_numbers_of_groups_do_not_matter) {
  const Rows rows(4);
  EXPECT_EQ(massaged_labels(rows.score, rows.y, Labels::Zero(1000)), rows.y);
  for (const std::vector<Index>& numbers : other_numbers(4))
    EXPECT_EQ(massaged_labels(rows.score, rows.y, renumbered(rows.group, numbers)),
              massaged_labels(rows.score, rows.y, rows.group));
}

TEST(Massaging, one_label_small_groups_and_no_scores_are_legal) {
  Rows rows(2);
  EXPECT_EQ(massaged_labels(rows.score, Labels::Ones(1000), rows.group), Labels::Ones(1000));
  EXPECT_EQ(massaged_labels(rows.score.head(1), rows.y.head(1), rows.group.head(1)), rows.y.head(1));
  EXPECT_EQ(massaged_labels(Vector(0), Labels(0), Labels(0)).size(), 0);
  rows.score.setConstant(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(massaged_labels(rows.score, rows.y, rows.group).size(), 1000);
}

} // namespace
} // namespace metasieve
