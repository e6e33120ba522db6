#include "studies/halving.hpp"

#include "files/results.hpp"
#include "training/trainer.hpp"

#include "support/configs.hpp"
#include "support/scratch.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace metasieve {
namespace {

using State = Standing::State;

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

std::vector<State> states(const Halving& halving, const std::vector<Contender>& points) {
  std::vector<State> out;
  for (const Standing& standing : standings(halving, points)) out.push_back(standing.state);
  return out;
}

TEST(Halving, has_as_many_rungs_as_points_and_iterations_allow) {
  const Halving many = Halving::of(3, 0, 128, 1000), short_ones = Halving::of(3, 0, 128, 26);

  EXPECT_EQ(many.points(128), (std::vector<Index>{128, 43, 15, 5, 2}));
  EXPECT_EQ(many.iterations(1000), (std::vector<Index>{12, 37, 111, 333, 1000}));
  EXPECT_EQ(short_ones.iterations(26), (std::vector<Index>{3, 9, 26}));
  EXPECT_EQ(short_ones.iterations(30), (std::vector<Index>{3, 10, 30}));
  EXPECT_EQ(Halving::of(3, 2, 128, 1000).iterations(1000), (std::vector<Index>{333, 1000}));
  EXPECT_EQ(Halving::of(2, 0, 1, 1000).rungs, 1);
  EXPECT_EQ(Halving::of(1000000000, 0, 1000000, 1000000000).rungs, 1);
  for (const Index off : {0, 1})
    EXPECT_EQ(Halving::of(off, 0, 128, 1000).iterations(7), std::vector<Index>{7});
}

TEST(Halving, share_is_that_of_the_iterations) {
  EXPECT_DOUBLE_EQ((Halving{3, 3}.share(9)), (9.0 / 9 + 3 * (3 - 1) / 9.0 + 1 * (9 - 3) / 9.0) / 9);
  EXPECT_DOUBLE_EQ((Halving{1, 1}.share(9)), 1);
}

TEST(Halving, waits_for_all_points_of_a_rung) {
  const Halving halving{2, 2};

  EXPECT_EQ(states(halving, {{{0.1}}, {{}}, {{0.3}}}),
            (std::vector{State::waits, State::trains, State::waits}));
  EXPECT_EQ(states(halving, {{{0.1}}, {{0.4}}, {{0.3}}}),
            (std::vector{State::trains, State::dropped, State::trains}));
}

TEST(Halving, a_point_that_is_out_blocks_no_rung_and_its_place_is_taken) {
  const std::vector<Contender> points{{{0.3}}, {{}, true}, {{0.2}}, {{0.4}}};

  const std::vector<Standing> found = standings({2, 2}, points);

  EXPECT_EQ(found[0].state, State::trains);
  EXPECT_EQ(found[1].rungs, 0);
  EXPECT_EQ(found[2].state, State::trains);
  EXPECT_EQ(found[3].state, State::dropped) << "two of four";
  EXPECT_EQ(found[3].rungs, 1);
}

TEST(Halving, of_equal_losses_the_first_point_is_better_and_undefined_ones_are_the_worst) {
  EXPECT_EQ(states({2, 2}, {{{undefined}}, {{0.5}}, {{0.5}}, {{0.5}}}),
            (std::vector{State::dropped, State::trains, State::trains, State::dropped}));
  EXPECT_EQ(states({3, 2}, {{{undefined}}, {{undefined}}}), (std::vector{State::trains, State::dropped}));
}

TEST(Halving, a_point_counts_only_as_far_as_it_was_promoted) {
  // The second point was repeated and displaces the first, which has gone further.
  const std::vector<Standing> found = standings({2, 2}, {{{0.5, 0.1}}, {{0.4}}});

  EXPECT_EQ(found[0].state, State::dropped);
  EXPECT_EQ(found[0].rungs, 1);
  EXPECT_EQ(found[1].state, State::trains);
}

TEST(Halving, a_training_in_rungs_has_the_bits_of_one_at_once) {
  const Communicator comm;
  const test::Scratch scratch(comm);
  const Config config = test::small_config(4, {{"meta.iterations", "9"}, // the learning rate falls after 6
                                               {"meta.batch", "2"},
                                               {"meta.validate_every", "0"},
                                               {"policy.hidden", "4"}});
  const auto request_of = [&](const char* folder, Index until) {
    TrainRequest request{config, scratch / folder, {}, true};
    request.quiet = true;
    request.until = until;
    return request;
  };
  train(comm, request_of("whole", 0));

  Trained trained;
  for (const Index end : {1, 7, 9}) {
    TrainRequest request = request_of("rungs", end);
    request.validate_at = {1, 7, 9};
    trained = train(comm, request);
    EXPECT_EQ(trained.policy.trained_iterations, end);
  }

  EXPECT_TRUE(test::bytes_of(scratch / "rungs" / "policy.h5") ==
              test::bytes_of(scratch / "whole" / "policy.h5"));
  for (const Index end : {1, 7, 9})
    EXPECT_NE(row_of(trained.results.validation, std::int64_t{end}), nullptr) << end;
  trained = train(comm, request_of("rungs", 1)); // as after a status that was lost
  EXPECT_FALSE(trained.has_trained);
  EXPECT_NE(row_of(trained.results.validation, std::int64_t{1}), nullptr);
}

} // namespace
} // namespace metasieve
