#include "runtime/resumable_work.hpp"

#include "base/for_each.hpp"
#include "runtime/phases.hpp"
#include "support/collective_error.hpp"
#include "support/scratch.hpp"

#include <atomic>
#include <chrono>
#include <thread>

namespace metasieve {
namespace {

using test::collective_error;
using test::contains;
using test::Scratch;

constexpr std::int64_t pieces_a_rank = 6;

// NOLINTNEXTLINE(cert-err58-cpp)
const double program_start = wall_seconds(); // to within moments of what StopCondition takes for it

/// Each rank has six pieces, whose results are the squares of their numbers.
class SquaresTest : public testing::Test {
protected:
  SquaresTest() {
    settings_.output = scratch_ / "out.h5";
    settings_.key = "key = 1\n";
    settings_.pieces = pieces_a_rank * comm_.size();
    for (std::int64_t i = 0; i < pieces_a_rank; ++i)
      ids_.push_back(static_cast<std::uint64_t>(pieces_a_rank * comm_.rank() + i));
  }

  /// @return how many pieces it did on this rank; the results are in squares_.
  std::int64_t run(ResumableWork& work) {
    squares_.assign(ids_.size(), "");
    const std::uint64_t first = ids_.front();
    work.restore(ids_, [&](std::uint64_t id, const std::string& result) { squares_[id - first] = result; });
    PendingPieces pieces;
    for (const std::uint64_t id : ids_)
      if (squares_[id - first].empty()) pieces.ids.push_back(id);
    std::atomic<std::int64_t> done = 0;
    pieces.work = [&](std::size_t k) {
      const std::uint64_t id = pieces.ids[k];
      if (id == throws_at_) throw DataError("piece " + std::to_string(id) + " is bad");
      squares_[id - first] = std::to_string(id * id);
      ++done;
    };
    pieces.result = [&](std::size_t k) { return squares_[pieces.ids[k] - first]; };
    work.run(pieces);
    return done;
  }

  void expect_squares() {
    for (std::size_t i = 0; i < ids_.size(); ++i) EXPECT_EQ(squares_[i], std::to_string(ids_[i] * ids_[i]));
  }

  std::string stopped() {
    std::string message = collective_error(
        comm_,
        [&] {
          ResumableWork work(comm_, settings_);
          note_ = work.note();
          run(work);
        },
        ExitCode::stopped_early);
    return message;
  }

  Communicator comm_;
  Scratch scratch_{comm_};
  WorkSettings settings_;
  std::vector<std::uint64_t> ids_;
  std::vector<std::string> squares_;
  std::uint64_t throws_at_ = ~std::uint64_t{0};
  std::string note_;
};

TEST_F(SquaresTest, leaves_no_trace_when_it_is_done_in_one_go) {
  ResumableWork work(comm_, settings_);
  EXPECT_EQ(run(work), pieces_a_rank);
  expect_squares();
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "out.h5.partial"));
  work.finish();
}

TEST_F(SquaresTest, without_time_does_one_piece_a_rank_and_run) {
  settings_.limits.max_minutes = 1e-9; // has passed
  settings_.resume = true;
  for (std::int64_t runs = 1; runs < pieces_a_rank; ++runs) {
    const std::string message = stopped();
    EXPECT_PRED2(contains, message,
                 "stopped by the time limit after " + std::to_string(runs * comm_.size()) + " of " +
                     std::to_string(settings_.pieces) + " tasks; finished ones are kept in ");
  }
  EXPECT_PRED2(contains, note_, "resuming: ");

  ResumableWork work(comm_, settings_);
  EXPECT_EQ(run(work), 1); // the last one is done in spite of the limit
  expect_squares();
  work.finish();
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "out.h5.partial"));
}

TEST_F(SquaresTest, stops_on_all_ranks_when_the_time_of_one_is_up) {
  if (comm_.is_root()) settings_.limits.max_minutes = 1e-9;
  const std::string message = stopped();
  // The others have nothing left to stop.
  EXPECT_PRED2(contains, message, "after " + std::to_string(1 + (comm_.size() - 1) * pieces_a_rank) + " of ");

  settings_.limits.max_minutes = 0;
  settings_.resume = true;
  ResumableWork work(comm_, settings_);
  EXPECT_EQ(run(work), comm_.is_root() ? pieces_a_rank - 1 : 0);
  expect_squares();
  comm_.barrier();
}

TEST_F(SquaresTest, keeps_pieces_of_an_earlier_call_at_a_stop) {
  settings_.pieces = 2 * comm_.size();
  const double end = wall_seconds() + 0.7; // between the two calls
  settings_.limits.max_minutes = (end - program_start) / 60;
  const auto rank = static_cast<std::uint64_t>(comm_.rank());
  const auto call = [&](ResumableWork& work, std::uint64_t id) {
    PendingPieces pieces;
    pieces.ids = {id};
    std::string result; // gone when the call is over
    pieces.work = [&](std::size_t) { result = "result of " + std::to_string(id); };
    pieces.result = [&](std::size_t) { return result; };
    work.run(pieces);
  };
  {
    ResumableWork work(comm_, settings_);
    call(work, rank);
    while (wall_seconds() < end + 0.1) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_PRED2(contains,
                 collective_error(
                     comm_, [&] { call(work, 1000 + rank); }, ExitCode::stopped_early),
                 "after " + std::to_string(comm_.size()) + " of ");
  }

  Journal journal(comm_, settings_.output, settings_.key, true);

  EXPECT_EQ(std::ssize(journal.kept()), comm_.size());
  journal.read({&rank, 1}, [&](std::uint64_t, const std::string& result) {
    EXPECT_EQ(result, "result of " + std::to_string(rank));
  });
  comm_.barrier();
}

TEST_F(SquaresTest, appends_results_of_earlier_calls_for_the_caller_may_drop_them) {
  settings_.pieces = 3 * comm_.size();
  const auto on_disk = [&] {
    Journal journal(comm_, settings_.output, settings_.key, true);
    comm_.barrier();
    return std::ssize(journal.kept());
  };
  ResumableWork work(comm_, settings_);
  std::vector<std::int64_t> kept;

  for (std::uint64_t call = 0; call < 3; ++call) {
    PendingPieces pieces;
    pieces.ids = {100 * call + static_cast<std::uint64_t>(comm_.rank())};
    pieces.work = [](std::size_t) {};
    pieces.result = [](std::size_t) { return std::string(1000, 'x'); };
    work.run(pieces);
    kept.push_back(on_disk());
  }

  // After the last call the caller has all that there is.
  EXPECT_EQ(kept, (std::vector<std::int64_t>{comm_.size(), 2 * comm_.size(), 2 * comm_.size()}));
  work.finish();
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "out.h5.partial"));
}

TEST_F(SquaresTest, of_which_one_throws_ends_on_all_ranks_and_keeps_what_was_written) {
  if (thread_count() > 1) GTEST_SKIP() << "with one thread each piece is written before the next begins";
  settings_.checkpoint_minutes = 1e-9; // each piece at once
  throws_at_ = static_cast<std::uint64_t>(settings_.pieces) - 1;
  const std::string message = collective_error(comm_, [&] {
    ResumableWork work(comm_, settings_);
    run(work);
  });
  EXPECT_PRED2(contains, message, "piece " + std::to_string(throws_at_) + " is bad");

  throws_at_ = ~std::uint64_t{0};
  settings_.resume = true;
  ResumableWork work(comm_, settings_);
  EXPECT_EQ(run(work), comm_.rank() == comm_.size() - 1 ? 1 : 0);
  expect_squares();
  comm_.barrier();
}

TEST(DecidingSettings, are_the_version_and_the_keys_asked_for) {
  Config config;
  const auto text = [&] { return deciding_settings(resolved_ini(config, Affects::tasks)); };
  const std::string before = text();

  set_key(config, "meta.seed", "17");
  EXPECT_EQ(text(), before);
  set_key(config, "suite.seed", "17");
  EXPECT_EQ(differing_names(before, text()), "suite.seed");
  for (const char* name : {"version = ", "commit = ", "compiler = ", "processor = "})
    EXPECT_PRED2(contains, before, name);
}

} // namespace
} // namespace metasieve
