#include "parallel/exact_sum.hpp"

#include "base/for_each.hpp"
#include "base/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <omp.h>

namespace metasieve {
namespace {

constexpr Index term_count = 97, size = 13;
constexpr double bound = 1e3;

/// Term i of the sums below: magnitudes from 1e-9 to 1e3, both signs.
std::vector<double> term(Index i) {
  const Stream stream(Seed{5}, Draw::covariates, TaskId{static_cast<std::uint64_t>(i)});
  std::vector<double> values;
  for (Index j = 0; j < size; ++j) {
    const double magnitude = std::pow(10.0, stream.uniform(2 * j, -9.0, 3.0));
    values.push_back(stream.uniform(2 * j + 1) < 0.5 ? -magnitude : magnitude);
  }
  return values;
}

/// Sum of all terms, term i added on rank i mod `ranks_used`, by `threads` threads, in the given order.
Vector total(const Communicator& comm, const std::vector<Index>& order, int ranks_used, int threads) {
  ExactSum sum(size, bound, term_count);
  const int before = omp_get_max_threads();
  omp_set_num_threads(threads);
  for_each_parallel({0, term_count}, [&](Index k) {
    const Index i = order[static_cast<std::size_t>(k)];
    if (i % ranks_used == comm.rank()) sum.add(term(i));
  });
  omp_set_num_threads(before);
  return sum.total(comm);
}

std::vector<Index> shuffled(std::uint64_t seed) {
  return permutation(Stream(Seed{seed}, Draw::batch, TaskId{0}), term_count);
}

TEST(ExactSum, has_the_same_bits_for_any_split_over_ranks_and_threads_and_any_order) {
  const Communicator comm;
  const Vector reference = total(comm, shuffled(1), 1, 1);

  for (const int threads : {1, 4})
    for (int ranks = 1; ranks <= comm.size(); ++ranks)
      for (const std::uint64_t seed : {2U, 3U})
        EXPECT_EQ(total(comm, shuffled(seed), ranks, threads), reference)
            << ranks << " ranks, " << threads << " threads";
}

TEST(ExactSum, agrees_with_long_double_sums_within_its_resolution) {
  const Communicator comm;

  const Vector sums = total(comm, shuffled(1), comm.size(), 1);

  // Half a unit of the fixed point for each term; the unit is at most twice bound * terms * 2^-62.
  const double tolerance = term_count * 0.5 * 2.0 * bound * term_count * std::exp2(-62.0);
  for (Index j = 0; j < size; ++j) {
    long double expected = 0;
    for (Index i = 0; i < term_count; ++i) expected += term(i)[static_cast<std::size_t>(j)];
    EXPECT_NEAR(static_cast<double>(sums(j) - expected), 0.0,
                tolerance + 2e-16 * std::abs(static_cast<double>(expected)));
  }
}

TEST(ExactSum, of_integers_is_exact) {
  const Communicator comm;
  ExactSum sum(2, bound, 10 * comm.size());

  for (int i = 0; i < 10; ++i) sum.add(std::vector<double>{3.0, -bound});

  EXPECT_EQ(sum.total(comm), (Vector{{30.0 * comm.size(), -10.0 * bound * comm.size()}}));
}

TEST(ExactSum, does_not_overflow_at_the_bound_with_as_many_terms_as_promised) {
  const Communicator comm;
  for (const double limit : {1.0, 1e3, 0.7, 1e-6, 1e12, std::nextafter(1024.0, 2048.0)})
    for (const std::int64_t terms : {1, 3, 7, 64, 1000}) {
      ExactSum sum(2, limit, terms * comm.size());

      for (std::int64_t i = 0; i < terms; ++i) sum.add(std::vector<double>{limit, -limit});
      const Vector all = sum.total(comm);

      const double expected = limit * static_cast<double>(terms * comm.size());
      EXPECT_NEAR(all(0) / expected, 1.0, 1e-15) << limit << " x " << terms;
      EXPECT_EQ(all(1), -all(0)) << limit << " x " << terms;
    }
}

TEST(ExactSum, refuses_what_is_beyond_the_bound_and_adds_nothing_of_it) {
  const Communicator comm;
  const double infinity = std::numeric_limits<double>::infinity();
  ExactSum sum(2, bound, 4 * comm.size());

  for (const double wrong :
       {std::nextafter(bound, infinity), -2.0 * bound, infinity, -infinity, std::nan("")})
    EXPECT_THROW(sum.add(std::vector<double>{1.0, wrong}), Error) << wrong;

  EXPECT_EQ(sum.total(comm), Vector::Zero(2));
}

TEST(ExactSum, of_nothing_is_zero) {
  const Communicator comm;
  ExactSum sum(3, bound, 1);
  EXPECT_EQ(sum.total(comm), Vector::Zero(3));
}

} // namespace
} // namespace metasieve
