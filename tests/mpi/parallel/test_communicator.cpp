#include "parallel/communicator.hpp"

#include "support/collective_error.hpp"

#include <array>
#include <chrono>
#include <numeric>
#include <thread>

namespace metasieve {
namespace {

using test::collective_error;
using test::contains;

TEST(Communicator, sums_element_by_element) {
  const Communicator comm;
  std::vector<std::int64_t> values{comm.rank(), 1, std::int64_t{1} << 53};

  comm.sum(values);

  const std::int64_t size = comm.size();
  EXPECT_EQ(values, (std::vector<std::int64_t>{size * (size - 1) / 2, size, size << 53}));
}

TEST(Communicator, takes_the_greatest) {
  const Communicator comm;
  EXPECT_EQ(comm.max(std::int64_t{-comm.rank()}), 0);
  EXPECT_EQ(comm.max(0.5 * comm.rank()), 0.5 * (comm.size() - 1));
}

TEST(Communicator, exclusive_sum_is_of_lower_ranks) {
  const Communicator comm;
  const std::int64_t rank = comm.rank();
  EXPECT_EQ(comm.exclusive_sum(rank + 1), rank * (rank + 1) / 2);
}

TEST(Communicator, all_equal_sees_one_that_differs) {
  const Communicator comm;
  EXPECT_TRUE(comm.all_equal(~std::uint64_t{0}));
  EXPECT_EQ(comm.all_equal(comm.is_root() ? 7 : 8), comm.size() == 1);
}

TEST(Communicator, broadcasts_text_of_rank_0_zero_bytes_too) {
  const Communicator comm;
  const std::string text("a\0b", 3);
  EXPECT_EQ(comm.broadcast(comm.is_root() ? text : "other"), text);
  EXPECT_EQ(comm.broadcast(comm.is_root() ? "" : "other"), "");
}

TEST(Sends, reach_every_rank_in_order_while_all_send) {
  const Communicator comm;
  const auto bytes_of = [](int rank) { // more than MPI sends before the other asks for it
    return std::vector<std::byte>(static_cast<std::size_t>(100000 * (rank + 1)),
                                  static_cast<std::byte>(rank));
  };
  const std::vector<std::byte> mine = bytes_of(comm.rank());
  const std::array<std::byte, 1> last{std::byte{77}};
  Sends sends(comm);
  for (int rank = 0; rank < comm.size(); ++rank)
    if (rank != comm.rank()) {
      sends.add(mine, rank);
      sends.add({}, rank);
      sends.add(last, rank);
    }

  for (int rank = 0; rank < comm.size(); ++rank)
    if (rank != comm.rank()) {
      std::vector<std::byte> got(bytes_of(rank).size());
      std::array<std::byte, 1> end{};
      comm.receive(got, rank);
      comm.receive({}, rank);
      comm.receive(end, rank);
      EXPECT_EQ(got, bytes_of(rank));
      EXPECT_EQ(end, last);
    }
  sends.finish();
}

TEST(Communicator, gathers_in_rank_order) {
  const Communicator comm;
  std::vector<double> ranks(static_cast<std::size_t>(comm.size()));
  std::iota(ranks.begin(), ranks.end(), 0.0);
  const std::vector<double> mine{static_cast<double>(comm.rank())};
  EXPECT_EQ(comm.gather(mine), ranks);

  const auto word = [](int rank) {
    return std::string(static_cast<std::size_t>(rank), static_cast<char>('a' + rank));
  };
  std::string words;
  for (int rank = 0; rank < comm.size(); ++rank) words += word(rank);
  EXPECT_EQ(comm.gather(word(comm.rank())), words);
}

TEST(Communicator, split_parts_work_apart_in_the_order_of_the_ranks) {
  const Communicator comm;

  const Communicator part = comm.split(comm.rank() % 2);

  EXPECT_EQ(part.size(), (comm.size() + 1 - comm.rank() % 2) / 2);
  EXPECT_EQ(part.rank(), comm.rank() / 2);
  EXPECT_EQ(part.sum(std::int64_t{1}), part.size());
  EXPECT_EQ(part.max(std::int64_t{comm.rank()}) % 2, comm.rank() % 2);
}

TEST(Communicator, idle_barrier_is_left_by_nobody_before_the_last_has_come) {
  const Communicator comm;
  const auto now = [] { return std::chrono::steady_clock::now(); };
  comm.barrier();
  const auto before = now();
  if (comm.rank() == comm.size() - 1) std::this_thread::sleep_for(std::chrono::milliseconds(300));

  comm.idle_barrier();

  EXPECT_GE(now() - before,
            std::chrono::milliseconds(100)); // the ranks left the first one at nearly the same time
}

TEST(Communicator, agree_passes_when_all_do) {
  const Communicator comm;
  int calls = 0;
  comm.run_collectively([&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(Communicator, agree_tells_all_of_the_one_that_fails) {
  const Communicator comm;
  const int culprit = comm.size() - 1;

  const std::string message = collective_error(
      comm,
      [&] {
        comm.run_collectively([&] {
          if (comm.rank() == culprit) throw ConfigError("wrong");
        });
      },
      ExitCode::usage);

  if (comm.size() == 1)
    EXPECT_EQ(message, "wrong");
  else
    EXPECT_PRED2(contains, message, "rank " + std::to_string(culprit) + " (" + host_name() + "): wrong");
}

TEST(Communicator, agree_names_no_rank_when_all_fail) {
  const Communicator comm;
  const std::string message =
      collective_error(comm, [&] { comm.run_collectively([] { throw DataError("the same"); }); });
  EXPECT_EQ(message, "the same");
}

TEST(Communicator, agree_takes_the_lowest_failing_rank) {
  const Communicator comm;
  const std::string message = collective_error(comm, [&] {
    comm.run_collectively([&] {
      if (comm.rank() > 0 || comm.size() == 1) throw DataError("from " + std::to_string(comm.rank()));
    });
  });
  EXPECT_PRED2(contains, message, comm.size() == 1 ? "from 0" : "from 1");
}

TEST(Communicator, agree_makes_an_internal_error_of_a_foreign_exception) {
  const Communicator comm;
  collective_error(
      comm, [&] { comm.run_collectively([] { throw std::out_of_range("at"); }); }, ExitCode::internal);
}

} // namespace
} // namespace metasieve
