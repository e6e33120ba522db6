#include "base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace metasieve {
namespace {

Stream stream_of(std::uint64_t seed) { return Stream(Seed{seed}, Draw::support, TaskId{2}, 5); }

/// The definition: Fisher-Yates on an array of all numbers.
std::vector<Index> shuffled_front(const Stream& stream, Index size, Index count) {
  std::vector<Index> order(static_cast<std::size_t>(size));
  std::iota(order.begin(), order.end(), Index{0});
  for (Index i = 0; i < count; ++i)
    std::swap(order[static_cast<std::size_t>(i)],
              order[static_cast<std::size_t>(i + stream.below(i, size - i))]);
  order.resize(static_cast<std::size_t>(count));
  return order;
}

std::vector<Index> sorted(std::vector<Index> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<Index> copy_of(std::span<const Index> drawn) { return {drawn.begin(), drawn.end()}; }

using SizeAndCount = std::tuple<Index, Index>;

// Below, at and above the sizes at which the array gives way to the hash table and the bitmap to a sort.
class DrawnFrom : public testing::TestWithParam<SizeAndCount> {};
INSTANTIATE_TEST_SUITE_P(Sizes, DrawnFrom,
                         testing::Values(SizeAndCount{0, 0}, SizeAndCount{5, 0}, SizeAndCount{1, 1},
                                         SizeAndCount{2, 1}, SizeAndCount{8, 1}, SizeAndCount{9, 1},
                                         SizeAndCount{63, 20}, SizeAndCount{64, 64}, SizeAndCount{65, 64},
                                         SizeAndCount{240, 30}, SizeAndCount{241, 30}, SizeAndCount{256, 1},
                                         SizeAndCount{257, 1}, SizeAndCount{3400, 600},
                                         SizeAndCount{6980, 600}, SizeAndCount{7680, 30},
                                         SizeAndCount{7681, 30}, SizeAndCount{100000, 600},
                                         SizeAndCount{1000000, 4000}));

TEST_P(DrawnFrom, has_the_entries_of_the_whole_shuffle) {
  const auto [size, count] = GetParam();

  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const auto expected = shuffled_front(stream_of(seed), size, count);
    Sampler sampler;

    EXPECT_EQ(copy_of(sampler.draw(stream_of(seed), size, count)), expected);
    EXPECT_EQ(copy_of(sampler.draw_sorted(stream_of(seed), size, count)), sorted(expected));
    EXPECT_EQ(sample_without_replacement(stream_of(seed), size, count), expected);
  }
}

TEST(Sampler, draws_from_every_small_size_are_those_of_the_whole_shuffle) {
  Sampler sampler;
  for (Index size = 0; size <= 70; ++size)
    for (Index count = 0; count <= size; ++count)
      ASSERT_EQ(copy_of(sampler.draw(stream_of(4), size, count)), shuffled_front(stream_of(4), size, count))
          << size << " " << count;
}

TEST(Sampler, a_draw_does_not_depend_on_earlier_ones_of_other_sizes) {
  Sampler used;
  for (const auto& [size, count] :
       {SizeAndCount{90000, 700}, SizeAndCount{500, 400}, SizeAndCount{50000, 3}, SizeAndCount{50000, 700}}) {
    Sampler fresh;

    EXPECT_EQ(copy_of(used.draw_sorted(stream_of(1), size, count)),
              copy_of(fresh.draw_sorted(stream_of(1), size, count)));
    EXPECT_EQ(copy_of(used.draw(stream_of(2), size, count)), copy_of(fresh.draw(stream_of(2), size, count)));
  }
}

TEST(Sampler, keeps_its_memory) {
  Sampler sampler;
  const Index* const first = sampler.draw_sorted(stream_of(1), 100000, 600).data();

  for (const Index size : {600, 5000, 100000})
    EXPECT_EQ(sampler.draw_sorted(stream_of(2), size, 600).data(), first) << size;
}

} // namespace
} // namespace metasieve
