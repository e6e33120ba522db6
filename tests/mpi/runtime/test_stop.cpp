#include "runtime/stop_condition.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace metasieve {
namespace {

TEST(SlurmSeconds, of_what_squeue_prints) {
  EXPECT_EQ(slurm_seconds("4:05\n"), 245.0);
  EXPECT_EQ(slurm_seconds("1:00:01"), 3601.0);
  EXPECT_EQ(slurm_seconds("2-03:04:05"), ((2 * 24 + 3) * 60 + 4) * 60 + 5.0);
  EXPECT_EQ(slurm_seconds("0:00"), 0.0);
}

TEST(SlurmSeconds, are_none_where_there_is_no_end) {
  for (const char* text : {"UNLIMITED", "NOT_SET", "INVALID", ""})
    EXPECT_EQ(slurm_seconds(text), std::nullopt) << text;
}

TEST(StopCondition, wants_nothing_without_a_limit) {
  const Communicator comm;
  StopCondition watch(comm, {});

  EXPECT_EQ(watch.requested(), Stop::none);
  EXPECT_EQ(watch.after_step(), Stop::none);
}

TEST(StopCondition, stops_at_the_limit_from_the_start_of_the_program) {
  const Communicator comm;
  RunConfig config;
  config.max_minutes = 1e-9; // has passed

  StopCondition watch(comm, config);

  EXPECT_EQ(watch.requested(), Stop::time_limit);
}

TEST(StopCondition, stops_a_margin_before_the_end_of_a_slurm_job) {
  const Communicator comm;
  const auto in = [](double seconds) {
    return std::to_string(static_cast<long>(static_cast<double>(std::time(nullptr)) + seconds));
  };
  setenv("SLURM_JOB_ID", "1", 1);
  RunConfig config;
  config.margin_minutes = 2;

  setenv("SLURM_JOB_END_TIME", in(60).c_str(), 1);
  const Stop near = StopCondition(comm, config).requested();
  setenv("SLURM_JOB_END_TIME", in(600).c_str(), 1);
  const Stop far = StopCondition(comm, config).requested();
  unsetenv("SLURM_JOB_END_TIME");
  unsetenv("SLURM_JOB_ID");

  EXPECT_EQ(near, Stop::time_limit);
  EXPECT_EQ(far, Stop::none);
}

TEST(StopCondition, names_what_it_stops_for) {
  EXPECT_EQ(to_string(Stop::time_limit), "the time limit");
  EXPECT_EQ(to_string(Stop::user_signal), "SIGUSR1");
  EXPECT_EQ(to_string(Stop::interrupt), "SIGINT");
  EXPECT_EQ(to_string(Stop::terminate), "SIGTERM");
}

} // namespace
} // namespace metasieve
