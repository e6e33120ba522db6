#include "runtime/progress.hpp"

#include "support/collective_error.hpp"
#include "support/scratch.hpp"

#include <chrono>
#include <thread>

namespace metasieve {
namespace {

/// The number of a member of a JSON object that has one member a line.
double member(const std::string& json, const std::string& name) {
  const std::size_t at = json.find("\"" + name + "\": ");
  return at == std::string::npos ? -1.0 : std::stod(json.substr(at + name.size() + 4));
}

/// The status file of a run that is stopped after `work`.
std::string stopped(const Communicator& comm, std::int64_t begun,
                    const std::function<void(Progress& progress)>& work) {
  const test::Scratch scratch(comm);
  StatusFile status(comm, scratch / "progress.json", "train");
  status.begin();
  static_cast<void>(test::collective_error(
      comm,
      [&] {
        status.during([&] {
          Progress progress({true, "iteration", 14, begun, 0, &status});
          work(progress);
          throw CollectiveError(ExitCode::stopped_early, "stopped");
        });
      },
      ExitCode::stopped_early));
  comm.barrier();
  return test::bytes_of(scratch / "progress.json");
}

TEST(Progress, has_time_left_at_the_pace_of_this_run) {
  const Communicator comm;

  const std::string json = stopped(comm, 10, [](Progress& progress) {
    progress.advance_phase("preparing the tasks", 0.5); // is over when the first step begins
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    progress.advance(12);
  });

  EXPECT_EQ(member(json, "done"), 12);
  EXPECT_EQ(member(json, "total"), 14);
  EXPECT_GE(member(json, "seconds_left"), 0.2);
  EXPECT_LT(member(json, "seconds_left"), 2.0);
}

TEST(Progress, has_time_left_of_what_comes_before_the_first_step) {
  const Communicator comm;

  const std::string json = stopped(comm, 0, [](Progress& progress) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    progress.advance_phase("preparing the tasks", 0.1);
  });

  EXPECT_EQ(member(json, "done"), 0);
  EXPECT_GE(member(json, "seconds_left"), 0.9);
}

TEST(Progress, keeps_the_latest_of_each_metric) {
  const Communicator comm;

  const std::string json = stopped(comm, 0, [](Progress& progress) {
    for (const double loss : {3.0, 2.0}) progress.set_metric("loss", loss);
    progress.set_metric("accuracy", 0.75);
  });

  EXPECT_EQ(member(json, "loss"), 2.0);
  EXPECT_EQ(member(json, "accuracy"), 0.75);
}

} // namespace
} // namespace metasieve
