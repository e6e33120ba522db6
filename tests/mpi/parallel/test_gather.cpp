#include "parallel/communicator.hpp"

#include <gtest/gtest.h>

namespace metasieve {
namespace {

/// What rank `rank` gives: some ranks nothing.
std::string part(int rank) {
  return std::string(static_cast<std::size_t>(7 * (rank % 3)), static_cast<char>('a' + rank));
}

TEST(Gather, in_blocks_of_any_size_gives_the_same_bytes) {
  const Communicator comm;
  std::string expected;
  for (int rank = 0; rank < comm.size(); ++rank) expected += part(rank);

  for (const std::int64_t most : {1, 2, 5, 8, 13, 28, 1000})
    EXPECT_EQ(comm.gather(part(comm.rank()), most), expected) << "at most " << most << " bytes at once";
}

} // namespace
} // namespace metasieve
