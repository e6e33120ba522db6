// Corruptions of the training labels of a data set.

#include "inner/design.hpp"
#include "support/groups.hpp"
#include "support/numerics.hpp"
#include "tasks/corrupt_labels.hpp"
#include "tasks/corruption.hpp"
#include "tasks/resample.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace metasieve {
namespace {

using namespace test;
using Kind = LabelCorruption::Kind;

constexpr Index rows = 500, groups = 3;
constexpr Seed seed{3};
constexpr TaskId id{2};

/// Three groups, of which the further ones have fewer positives.
Split table() {
  Split split;
  split.x = normals(rows, 4, 1).cast<float>();
  split.x.col(2) *= 1e4F;
  split = with_groups(std::move(split), groups, 5);
  const Stream stream(Seed{4}, Draw::covariates, TaskId{0});
  split.y = Labels::NullaryExpr(rows, [&](Index i) {
    return static_cast<std::uint8_t>(stream.uniform(i) < 0.65 - 0.2 * static_cast<double>(split.group(i)));
  });
  split.y_clean = split.y;
  return split;
}

Labels changed(const Split& split, const LabelCorruption& corruption, TaskId task = id) {
  return (corrupt_labels(split, corruption, seed, task).array() != split.y.array()).cast<std::uint8_t>();
}

Index sum(const Labels& values) { return values.cast<Index>().sum(); }

TEST(CorruptLabels, text_reads_back_and_anything_else_is_refused) {
  for (const char* text : {"none", "flips:0", "flips:0.1", "hidden:0.3", "hidden:1", "groups",
                           "lowest_loss:0.1", "clustered:0.25"}) {
    const auto found = parse_label_corruption(text);
    ASSERT_TRUE(found) << text;
    EXPECT_EQ(to_string(*found), text);
  }
  for (const char* text :
       {"", "flip:0.1", "flips", "flips:", "flips:0.5", "flips:-0.1", "flips:nan", "flips:0.1x", "hidden:1.1",
        "groups:0.1", "none:0", "0.1", ":0.1", "clustered:0.1:0.2"})
    EXPECT_FALSE(parse_label_corruption(text)) << text;
}

TEST(CorruptLabels, flips_are_those_of_label_noise) {
  const Split split = table();
  const Labels flipped = flip_labels(split.y, uniform_rows(rows, flip_count(0.13, rows), seed, id));

  EXPECT_EQ(corrupt_labels(split, {Kind::flips, 0.13}, seed, id), flipped);
  EXPECT_EQ(sum(changed(split, {Kind::flips, 0.13})), 65);
}

TEST(CorruptLabels, none_changes_nothing) {
  const Split split = table();
  for (const LabelCorruption& none :
       {LabelCorruption{Kind::none, 0.0}, {Kind::flips, 0.0}, {Kind::clustered, 0.0}}) {
    EXPECT_FALSE(none.changes_labels());
    EXPECT_EQ(corrupt_labels(split, none, seed, id), split.y);
  }
}

TEST(CorruptLabels, hidden_hides_a_share_of_the_positives_of_groups_below_the_average_and_flips_a_twentieth) {
  const Split split = table();
  const double average = split.y.cast<double>().mean();
  Labels before_flips = corrupt_labels(split, {Kind::hidden, 0.3}, seed, id);
  before_flips = flip_labels(before_flips, uniform_rows(rows, rows / 20, seed, id)); // flips are undone

  std::array<Index, groups> of_group{}, positives{}, hidden{};
  for (Index i = 0; i < rows; ++i) {
    ++of_group[split.group(i)];
    positives[split.group(i)] += split.y(i);
    hidden[split.group(i)] += split.y(i) == 1 && before_flips(i) == 0;
    EXPECT_LE(before_flips(i), split.y(i)); // no negative became positive
  }
  bool above = false, below = false;
  for (std::size_t z = 0; z < groups; ++z) {
    const bool is_below = static_cast<double>(positives[z]) / static_cast<double>(of_group[z]) < average;
    EXPECT_EQ(hidden[z], is_below ? flip_count(0.3, positives[z]) : 0) << z;
    (is_below ? below : above) = true;
  }
  EXPECT_TRUE(above && below);
}

TEST(CorruptLabels, hidden_in_one_group_alone_is_flips) {
  Split split = table();
  split.group.setZero();
  EXPECT_EQ(corrupt_labels(split, {Kind::hidden, 0.3}, seed, id),
            corrupt_labels(split, {Kind::flips, 0.05}, seed, id));
}

TEST(CorruptLabels, each_group_has_a_flip_rate_of_its_own) {
  const Split split = table();
  constexpr Index repeats = 40;
  Vector mean = Vector::Zero(groups);
  Index alike = 0;
  for (Index repeat = 0; repeat < repeats; ++repeat) {
    const Labels flipped = changed(split, {Kind::groups, 0.0}, TaskId(repeat));
    const Stream rates(seed, Draw::flips, TaskId(repeat), 1);
    Vector rate(groups);
    for (std::uint8_t z = 0; z < groups; ++z) { // in the order of size
      const Labels own = (split.group.array() == z).cast<std::uint8_t>();
      EXPECT_EQ(sum(flipped.cwiseProduct(own)), flip_count(rates.uniform(z, 0.0, 0.3), sum(own)));
      rate(z) = static_cast<double>(sum(flipped.cwiseProduct(own))) / static_cast<double>(sum(own));
    }
    mean += rate / repeats;
    alike += rate.maxCoeff() - rate.minCoeff() < 0.02;
  }
  for (Index z = 0; z < groups; ++z) EXPECT_NEAR(mean(z), 0.15, 4 * 0.3 / std::sqrt(12.0 * repeats)) << z;
  EXPECT_LT(alike, repeats / 4);
}

TEST(CorruptLabels, lowest_loss_flips_what_a_model_of_the_clean_labels_is_surest_of) {
  const Split split = table();
  const Labels flipped = flip_labels(split.y, lowest_loss_rows(split, 50));

  EXPECT_EQ(corrupt_labels(split, {Kind::lowest_loss, 0.1}, seed, id), flipped);
  EXPECT_EQ(sum(changed(split, {Kind::lowest_loss, 0.1})), 50);
}

TEST(CorruptLabels, clustered_flips_a_ball_of_the_standardised_columns) {
  const Split split = table();
  const Matrix x = design_matrix(split, fit_standardizer(split, false));

  const Labels flipped = changed(split, {Kind::clustered, 0.1});

  EXPECT_EQ(sum(flipped), 50);
  Index centres = 0; // rows that could be the ball's
  for (Index c = 0; c < rows; ++c) {
    const Vector distance = (x.rowwise() - x.row(c)).rowwise().norm();
    double farthest = 0.0, nearest = 1e9;
    for (Index i = 0; i < rows; ++i)
      if (flipped(i) == 1)
        farthest = std::max(farthest, distance(i));
      else
        nearest = std::min(nearest, distance(i));
    centres += farthest <= nearest;
  }
  EXPECT_GE(centres, 1);
  EXPECT_NE(flipped, changed(split, {Kind::clustered, 0.1}, TaskId{3}));
}

TEST(CorruptLabels, do_not_depend_on_how_groups_are_numbered_and_differ_between_splits_and_seeds) {
  const Split split = table();
  for (const LabelCorruption& corruption :
       {LabelCorruption{Kind::hidden, 0.3}, {Kind::groups, 0.0}, {Kind::clustered, 0.2}}) {
    const Labels labels = corrupt_labels(split, corruption, seed, id);
    for (const std::vector<Index>& numbers : other_numbers(groups)) {
      Split other = split;
      other.group = renumbered(split.group, numbers);
      EXPECT_EQ(corrupt_labels(other, corruption, seed, id), labels) << to_string(corruption);
    }
    EXPECT_NE(corrupt_labels(split, corruption, seed, TaskId{9}), labels);
    EXPECT_NE(corrupt_labels(split, corruption, Seed{4}, id), labels);
  }
}

TEST(CorruptLabels, tables_of_one_row_and_of_none_are_legal) {
  for (const Index few : {Index{0}, Index{1}}) {
    Split split = table();
    const std::vector<Index> first = all_rows(few);
    split = gather(split, first);
    for (const LabelCorruption& corruption : {LabelCorruption{Kind::hidden, 0.3},
                                              {Kind::groups, 0.0},
                                              {Kind::lowest_loss, 0.4},
                                              {Kind::clustered, 0.4}})
      EXPECT_EQ(corrupt_labels(split, corruption, seed, id), split.y);
  }
}

TEST(Resample, says_what_corrupted_its_labels_as_far_as_metadata_can) {
  const auto corruption = [](const LabelCorruption& asked) {
    return corruption_of(resample(table(), {"data", asked, seed, std::nullopt}, 0));
  };
  EXPECT_EQ(corruption({Kind::none, 0.0}), Corruption::none);
  EXPECT_EQ(corruption({Kind::flips, 0.1}), Corruption::uniform);
  EXPECT_EQ(corruption({Kind::hidden, 0.3}), Corruption::uniform_bias);
  EXPECT_EQ(corruption({Kind::lowest_loss, 0.1}), Corruption::adversarial);
  EXPECT_EQ(corruption({Kind::groups, 0.0}), Corruption::given);
  EXPECT_EQ(corruption({Kind::clustered, 0.1}), Corruption::given);
}

} // namespace
} // namespace metasieve
