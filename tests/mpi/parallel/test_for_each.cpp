#include "base/for_each.hpp"

#include <gtest/gtest.h>

#include <omp.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

namespace metasieve {
namespace {

class ForEachParallel : public ::testing::TestWithParam<int> {
protected:
  void SetUp() override { omp_set_num_threads(GetParam()); }
  void TearDown() override { omp_set_num_threads(before_); }

private:
  int before_ = omp_get_max_threads();
};

TEST_P(ForEachParallel, visits_each_item_once) {
  std::vector<std::atomic<int>> visits(1000);

  for_each_parallel({100, 900}, [&](Index i) { ++visits[static_cast<std::size_t>(i)]; });

  for (Index i = 0; i < 1000; ++i)
    EXPECT_EQ(visits[static_cast<std::size_t>(i)], i >= 100 && i < 900 ? 1 : 0) << i;
}

TEST_P(ForEachParallel, of_an_empty_range_does_nothing) {
  for_each_parallel({5, 5}, [](Index) { FAIL(); });
}

TEST_P(ForEachParallel, rethrows_on_the_calling_thread_and_begins_nothing_more) {
  std::atomic<Index> begun = 0;
  std::string message;

  try {
    for_each_parallel({0, 100000}, [&](Index i) {
      ++begun;
      if (i == 3) throw std::runtime_error("item 3");
    });
  } catch (const std::runtime_error& error) {
    message = error.what();
  }

  EXPECT_EQ(message, "item 3");
  EXPECT_LE(begun, GetParam() == 1 ? 4 : 100000);
}

TEST_P(ForEachParallel, keeps_one_exception_when_every_item_throws) {
  EXPECT_THROW(for_each_parallel({0, 64}, [](Index i) { throw std::out_of_range(std::to_string(i)); }),
               std::out_of_range);
}

TEST_P(ForEachParallel, uses_the_threads_it_is_given) {
  EXPECT_EQ(thread_count(), GetParam());
  std::atomic<int> most = 0;

  for_each_parallel({0, 64}, [&](Index) {
    if (omp_get_num_threads() > most) most = omp_get_num_threads();
  });

  EXPECT_EQ(most, GetParam());
}

INSTANTIATE_TEST_SUITE_P(threads, ForEachParallel, ::testing::Values(1, 4));

} // namespace
} // namespace metasieve
