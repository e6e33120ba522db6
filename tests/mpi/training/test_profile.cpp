#include "base/for_each.hpp"
#include "config/requests.hpp"
#include "meta/batches.hpp"
#include "support/configs.hpp"
#include "support/scratch.hpp"
#include "training/cost.hpp"
#include "training/step.hpp"
#include "training/task_source.hpp"
#include "training/trainer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace metasieve {
namespace {

using test::Scratch;

/// Tasks of which some have fewer rows than meta.support, others more.
Config five_tasks() {
  return test::small_config(5, {{"family.small.samples", "90:400"},
                                {"family.small.features", "5:7"},
                                {"meta.iterations", "6"},
                                {"meta.batch", "3"},
                                {"meta.support", "150"},
                                {"policy.hidden", "8,4"}});
}

Trained trained(const Communicator& comm, const Scratch& scratch, const Config& config) {
  TrainRequest request{config, scratch.folder(), {}};
  request.quiet = request.profile = true;
  return train(comm, request);
}

const PhaseSeconds& phase(const Profile& profile, Phase name) {
  for (const PhaseSeconds& each : profile.phases)
    if (each.phase == to_string(name)) return each;
  throw std::out_of_range(to_string(name));
}

/// Multiply-adds of the network, one by one as its loops would do them.
std::int64_t multiply_adds(const std::vector<Index>& widths, bool back) {
  std::int64_t sum = 0;
  for (std::size_t layer = 0; layer + 1 < widths.size(); ++layer)
    for (Index input = 0; input < widths[layer]; ++input)
      for (Index output = 0; output < widths[layer + 1]; ++output) {
        ++sum;                        // of z, or of d_weight
        if (back && layer > 0) ++sum; // of d_input
      }
  return sum;
}

/// Rows that all visits of the training look at.
std::int64_t rows_visited(const Config& config) {
  const TaskSource source = TaskSource::generator(config);
  std::int64_t rows = 0;
  for (Index step = 0; step < config.meta.iterations; ++step)
    for (const Index task :
         batch_of_step(config.meta.seed, static_cast<std::uint64_t>(step),
                       training_parts(config, source.task_count(), true).train.ids.size(), config.meta.batch))
      rows += std::min(source.shape(task).train_rows, config.meta.support);
  return rows;
}

TEST(Flops, of_the_network_are_those_of_its_layers) {
  const Policy policy; // 16, 64, 32, 1

  EXPECT_EQ(forward_flops(policy), 2 * multiply_adds({16, 64, 32, 1}, false));
  EXPECT_EQ(pullback_flops(policy), 2 * multiply_adds({16, 64, 32, 1}, true));
}

TEST(Flops, of_a_gradient_end_where_it_failed) {
  const Policy policy;
  const auto flops_of = [&](TaskFailure failure, Index rows) {
    return network_flops({TaskId{}, rows, failure}, policy);
  };

  EXPECT_EQ(flops_of(TaskFailure::none, 60), 60 * (forward_flops(policy) + pullback_flops(policy)));
  EXPECT_EQ(flops_of(TaskFailure::gradient, 60), flops_of(TaskFailure::none, 60));
  EXPECT_EQ(flops_of(TaskFailure::inner_fit, 60), 60 * forward_flops(policy));
  EXPECT_EQ(flops_of(TaskFailure::one_class, 60), 0);
}

/// The expected count knows nothing of ranks.
TEST(Profile, of_a_training_counts_what_the_shapes_say) {
  const Communicator comm;
  const Scratch scratch(comm);
  const Config config = five_tasks();

  const Trained out = trained(comm, scratch, config);

  const std::int64_t policy = phase(out.profile, Phase::policy).flops;
  const Index features = feature_count(config.policy.features);
  const std::int64_t of_row =
      2 * (multiply_adds({features, 8, 4, 1}, false) + multiply_adds({features, 8, 4, 1}, true));
  EXPECT_EQ(policy, of_row * rows_visited(config));
  EXPECT_TRUE(out.results.with_flops);
  for (const PhaseSeconds& each : out.results.timing)
    EXPECT_EQ(each.flops, each.phase == "policy" ? policy : 0) << each.phase;
}

TEST(Profile, of_a_training_covers_all_of_its_time) {
  const Communicator comm;
  const Scratch scratch(comm);

  const Profile profile = trained(comm, scratch, five_tasks()).profile;

  ASSERT_EQ(std::ssize(profile.seconds), comm.size());
  EXPECT_EQ(profile.phases.back().phase, "rest");
  for (std::size_t rank = 0; rank < profile.seconds.size(); ++rank) {
    double sum = 0;
    for (const PhaseSeconds& each : profile.phases) {
      EXPECT_GE(each.seconds.at(rank), 0.0) << each.phase;
      sum += each.seconds.at(rank);
    }
    EXPECT_NEAR(sum, profile.seconds[rank], 1e-9); // fails if phases overlap: `rest` is cut at 0
  }
  EXPECT_GT(phase(profile, Phase::features).seconds.front(), 0.0);
}

TEST(Profile, is_not_made_unless_asked_for) {
  const Communicator comm;
  const Scratch scratch(comm);
  TrainRequest request{five_tasks(), scratch.folder(), {}};
  request.quiet = true;

  const Trained out = train(comm, request);

  EXPECT_TRUE(out.profile.phases.empty());
  EXPECT_FALSE(out.results.with_flops);
}

TEST(ProfileTable, has_shares_rates_and_imbalance) {
  const Profile profile{
      {{"features", {2.0, 4.0}, 0}, {"policy", {1.0, 1.0}, 8'000'000'000}, {"rest", {1.0, 3.0}, 0}},
      {4.0, 8.0},
      2};

  std::istringstream lines(profile_table(profile));
  std::vector<std::vector<std::string>> words;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream of_line(line);
    words.emplace_back(std::istream_iterator<std::string>(of_line), std::istream_iterator<std::string>());
  }

  using Words = std::vector<std::string>;
  ASSERT_EQ(words.size(), 6U); // title, header, phases, all
  EXPECT_EQ(words[2], (Words{"features", "2.000", "3.000", "4.000", "1.33", "50.0%"}));
  // 8 GFLOP in 2 s of two threads: 2 GFLOP/s a core.
  EXPECT_EQ(words[3], (Words{"policy", "1.000", "1.000", "1.000", "1.00", "16.7%", "8", "2"}));
  EXPECT_EQ(words[4], (Words{"rest", "1.000", "2.000", "3.000", "1.50", "33.3%"}));
  EXPECT_EQ(words[5], (Words{"all", "4.000", "6.000", "8.000", "1.33", "100.0%"}));
}

TEST(PhaseClock, adds_what_threads_tell_it_at_a_time) {
  const Communicator comm;
  PhaseClock clock({Phase::make, Phase::write});

  for_each_parallel({0, 1000}, [&](Index) {
    clock.add(Phase::write, 0.5);
    clock.count(Phase::write, 3);
  });
  const Profile profile = clock.profile(comm, 600.0, 1);

  EXPECT_EQ(profile.phases[1].seconds, std::vector<double>(static_cast<std::size_t>(comm.size()), 500.0));
  EXPECT_EQ(profile.phases[1].flops, 3000 * comm.size());
  EXPECT_EQ(phase(profile, Phase::rest).seconds,
            std::vector<double>(static_cast<std::size_t>(comm.size()), 100.0));
  EXPECT_THROW(clock.add(Phase::read, 1.0), std::out_of_range);
}

} // namespace
} // namespace metasieve
