#include "base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace metasieve {
namespace {

// Known answers of philox 4x64-10 from the Random123 distribution (tests/kat_vectors): key 0, counter 0.
TEST(Stream, first_word_is_philox_known_answer) {
  const Stream zero(Seed{0}, Draw{0}, TaskId{0});

  EXPECT_EQ(zero.bits(0), 0x16554d9eca36314cULL);
}

TEST(Stream, every_argument_changes_the_numbers) {
  const std::set<std::uint64_t> distinct{
      Stream(Seed{1}, Draw::flips, TaskId{2}, 3).bits(4), Stream(Seed{9}, Draw::flips, TaskId{2}, 3).bits(4),
      Stream(Seed{1}, Draw::split, TaskId{2}, 3).bits(4), Stream(Seed{1}, Draw::flips, TaskId{9}, 3).bits(4),
      Stream(Seed{1}, Draw::flips, TaskId{2}, 9).bits(4), Stream(Seed{1}, Draw::flips, TaskId{2}, 3).bits(9)};

  EXPECT_EQ(distinct.size(), 6U);
}

TEST(Stream, uniform_and_normal_have_their_moments) {
  const Stream stream(Seed{7}, Draw::covariates, TaskId{1});
  constexpr Index count = 200000;
  double mean_u = 0, mean = 0, square = 0, fourth = 0, lag = 0, previous = 0;

  for (Index i = 0; i < count; ++i) {
    const double x = stream.normal(i);
    mean_u += stream.uniform(i) / count;
    mean += x / count;
    square += x * x / count;
    fourth += x * x * x * x / count;
    lag += x * previous / count;
    previous = x;
  }

  // Five standard errors each.
  EXPECT_NEAR(mean_u, 0.5, 5 * 0.2887 / std::sqrt(count));
  EXPECT_NEAR(mean, 0.0, 5 / std::sqrt(count));
  EXPECT_NEAR(square, 1.0, 5 * std::sqrt(2.0 / count));
  EXPECT_NEAR(fourth, 3.0, 5 * std::sqrt(96.0 / count));
  EXPECT_NEAR(lag, 0.0, 5 / std::sqrt(count));
}

TEST(Stream, bulk_normals_have_the_bits_of_single_ones) {
  const Stream stream(Seed{7}, Draw::covariates, TaskId{1}, 2);

  const Matrix all = stream.normals(667, 3); // 2001 numbers: the last block of four is cut

  for (Index i = 0; i < all.size(); ++i) ASSERT_EQ(all(i / 3, i % 3), stream.normal(i)) << i;
}

TEST(Stream, below_is_uniform) {
  const Stream stream(Seed{7}, Draw::flips, TaskId{1});
  std::vector<int> counts(7);

  for (Index i = 0; i < 70000; ++i) ++counts[static_cast<std::size_t>(stream.below(i, 7))];

  for (const int count : counts) EXPECT_NEAR(count, 10000, 5 * std::sqrt(10000.0 * 6 / 7));
}

TEST(Sample, is_a_set_of_distinct_indices_and_prefix_of_the_permutation) {
  const Stream stream(Seed{3}, Draw::split, TaskId{1});

  const auto all = permutation(stream, 50);
  const auto some = sample_without_replacement(stream, 50, 20);

  EXPECT_EQ(std::set<Index>(all.begin(), all.end()).size(), 50U);
  EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin()));
  EXPECT_FALSE(std::is_sorted(all.begin(), all.end()));
}

} // namespace
} // namespace metasieve
