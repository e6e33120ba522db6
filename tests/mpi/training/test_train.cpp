#include "config/requests.hpp"

#include "cli/console_summary.hpp"
#include "files/results.hpp"
#include "meta/meta_gradient.hpp"
#include "studies/dry_run.hpp"
#include "support/collective_error.hpp"
#include "support/configs.hpp"
#include "support/scratch.hpp"
#include "training/generate.hpp"
#include "training/task_source.hpp"
#include "training/trainer.hpp"

#include <cmath>

namespace metasieve {
namespace {

using test::collective_error;
using test::contains;
using test::Scratch;

/// Three training tasks and one for validation.
Config four_tasks() { return test::small_config(4, {{"meta.iterations", "6"}, {"meta.batch", "2"}}); }

std::string printed(const std::function<void()>& work) {
  testing::internal::CaptureStdout();
  work();
  return testing::internal::GetCapturedStdout();
}

/// The message with which a training ends because too many fits failed.
std::string numerical_failure(const Communicator& comm, const TrainRequest& request) {
  std::string message;
  printed([&] {
    message = collective_error(
        comm, [&] { train(comm, request); }, ExitCode::numerical);
  });
  return message;
}

TEST(Train, of_which_most_fits_failed_ends_with_the_exit_code_of_a_numerical_failure) {
  const Communicator comm;
  const Scratch scratch(comm);
  Config config = four_tasks();
  set_key(config, "meta.learning_rate", "1e200"); // from the first update on, the policy overflows

  const std::string message = numerical_failure(comm, {config, scratch.folder(), {}});

  EXPECT_PRED2(contains, message, "10 of 12 task fits failed");
  EXPECT_FALSE(std::filesystem::exists(scratch / "policy.h5")); // it would mean nothing
  const Results results = read_file<Results>(comm, scratch / "results.h5");
  EXPECT_EQ(results.history.size(), 6U);
  std::int64_t failures = 0;
  for (const FailureRow& row : results.failures) {
    EXPECT_EQ(row.kind, row.task_id < 3 ? "policy" : "validation"); // task 3 is held out
    EXPECT_TRUE(row.task_id >= 0 && row.task_id < 4);
    if (row.task_id == 3) continue;
    failures += row.count;
    EXPECT_TRUE(row.first_iteration >= 2 && row.last_iteration <= 6);
    EXPECT_PRED2(contains, message, std::to_string(row.task_id) + " (policy)");
  }
  EXPECT_EQ(failures, 10);
  EXPECT_TRUE(std::isfinite(results.validation.front().loss));
  EXPECT_TRUE(std::isnan(results.validation.back().loss));
}

/// With all rows as support and the fit to convergence, training computes the same of a task as validation.
TEST(Train, measures_its_objective_on_the_validation_tasks) {
  const Communicator comm;
  const Scratch scratch(comm);
  Config config = four_tasks();
  set_key(config, "suite.validation_tasks", "2");
  set_key(config, "meta.support", "0");
  set_key(config, "meta.fairness", "dp");
  set_key(config, "meta.fairness_weight", "3");
  set_key(config, "meta.accuracy_loss", "logistic");
  Trained trained;
  printed([&] { trained = train(comm, {config, scratch.folder(), {}}); });

  const auto expected = [&](const Policy& policy) {
    const TaskSource source = TaskSource::generator(config);
    Vector sum = Vector::Zero(3);
    for (const Index id : {2, 3}) {
      Task made = source.make(id);
      const Seed seed{made.metadata.seed};
      const PreparedTask task = prepare(
          std::move(made), {config.policy.features, config.inner.use_group, config.inner.ridge, seed});
      const MetaGradient one = task_meta_gradient(task, policy, config.meta_options(), 0);
      sum += Vector{{one.loss, one.accuracy_loss, one.fairness_loss}};
    }
    return Vector(sum / 2);
  };
  Policy untrained = initialise(config.policy, config.meta.seed);
  untrained.use_group = config.inner.use_group;
  const std::vector<ValidationRow>& rows = trained.results.validation;

  EXPECT_EQ(rows.front().iteration, 0);
  EXPECT_EQ(rows.back().iteration, 6);
  for (const auto& [row, wanted] :
       {std::pair(rows.front(), expected(untrained)), std::pair(rows.back(), expected(trained.policy))}) {
    EXPECT_NEAR(row.loss, wanted(0), 1e-6);
    EXPECT_NEAR(row.accuracy_loss, wanted(1), 1e-6);
    EXPECT_NEAR(row.fairness_loss, wanted(2), 1e-6);
    EXPECT_NEAR(row.loss, row.accuracy_loss + 3 * row.fairness_loss, 1e-12);
  }
  EXPECT_NE(rows.front().loss, rows.back().loss);
}

TEST(Train, ends_early_once_enough_fits_failed_to_judge) {
  const Communicator comm;
  const Scratch scratch(comm);
  Config config = four_tasks();
  set_key(config, "meta.learning_rate", "1e200");
  set_key(config, "meta.iterations", "1000");
  set_key(config, "run.max_failed", "0.9");

  const std::string message = numerical_failure(comm, {config, scratch.folder(), {}});

  EXPECT_PRED2(contains, message, "98 of 100 task fits failed, more than run.max_failed = 0.9: tasks ");
  EXPECT_EQ(read_file<Results>(comm, scratch / "results.h5").history.size(), 50U);
}

TEST(Train, may_be_told_that_failures_do_not_matter) {
  const Communicator comm;
  const Scratch scratch(comm);
  Config config = four_tasks();
  set_key(config, "meta.learning_rate", "1e200");
  set_key(config, "run.max_failed", "1");

  const TrainRequest request{config, scratch.folder(), {}};
  Trained trained;
  printed([&] { trained = train(comm, request); });

  EXPECT_EQ(trained.failed_fits, 10);
  EXPECT_PRED2(contains, summary_of(request, trained, comm.size(), 1),
               "warning: 10 task fits failed and were left out: tasks ");
  EXPECT_TRUE(std::filesystem::exists(scratch / "policy.h5"));
}

TEST(Train, prints_numbers_where_there_is_no_label_noise_to_compare_with) {
  const Communicator comm;
  const Scratch scratch(comm);
  Config config = four_tasks();
  set_key(config, "family.small.label_noise", "0");

  const TrainRequest request{config, scratch.folder(), {}};
  Trained trained;
  std::string text = printed([&] { trained = train(comm, request); });
  text += summary_of(request, trained, comm.size(), 1);

  EXPECT_EQ(text.find("nan"), std::string::npos) << text;
  EXPECT_EQ(text.find("inf"), std::string::npos) << text;
}

TEST(Plan, that_does_not_fit_into_memory_is_refused) {
  const Communicator comm;
  const Scratch scratch(comm);
  Config config = four_tasks();
  set_key(config, "family.small.samples", "20000");
  set_key(config, "family.small.features", "20");
  set_key(config, "suite.tasks", "200000"); // 500 GB with their features
  const TrainRequest request{config, scratch.folder(), {}};

  const std::string message = collective_error(
      comm, [&] { static_cast<void>(plan(comm, request)); }, ExitCode::usage);

  EXPECT_PRED2(contains, message, "does not fit: " + std::to_string(comm.size()) + " rank(s) take ");
  EXPECT_PRED2(contains, message, "it would take about ");
  EXPECT_PRED2(contains, message, "or suite.hold = regenerate");
}

TEST(Plan, of_tasks_that_are_not_held_fits) {
  const Communicator comm;
  const Scratch scratch(comm);
  Config config = four_tasks();
  set_key(config, "family.small.samples", "20000");
  set_key(config, "suite.tasks", "200000");
  set_key(config, "suite.hold", "regenerate");
  set_key(config, "suite.hold_features", "false");
  set_key(config, "policy.features", "basic");

  EXPECT_PRED2(contains, plan(comm, TrainRequest{config, scratch.folder(), {}}), "memory per rank");
}

TEST(Train, learns_the_same_policy_however_tasks_are_held) {
  const Communicator comm;
  const Scratch scratch(comm);
  Config config = four_tasks();
  printed([&] { generate(comm, {config, scratch / "suite.h5"}); });
  const auto policy_of = [&](const char* hold, const char* features, bool from_file) {
    set_key(config, "suite.hold", hold);
    set_key(config, "suite.hold_features", features);
    const std::optional<std::filesystem::path> suite =
        from_file ? std::optional(scratch / "suite.h5") : std::nullopt;
    const std::filesystem::path folder = scratch / (std::string(hold) + features + (from_file ? "file" : ""));
    printed([&] { train(comm, {config, folder, suite}); });
    return test::bytes_of(folder / "policy.h5");
  };

  const std::string expected = policy_of("memory", "true", false);

  EXPECT_GT(expected.size(), 5000U);
  EXPECT_TRUE(policy_of("memory", "true", true) == expected);
  for (const bool from_file : {false, true})
    for (const char* features : {"true", "false"})
      EXPECT_TRUE(policy_of("regenerate", features, from_file) == expected) << features << from_file;
}

TEST(Train, goes_on_with_tasks_held_in_another_way) {
  const Communicator comm;
  const Scratch scratch(comm);
  Config config = four_tasks();
  printed([&] { train(comm, {config, scratch / "whole", {}}); });
  set_key(config, "run.max_minutes", "1e-9"); // makes one iteration
  collective_error(
      comm,
      [&] {
        train(comm, {config, scratch / "run", {}});
      },
      ExitCode::stopped_early);
  set_key(config, "run.max_minutes", "0");
  set_key(config, "suite.hold", "regenerate");

  printed([&] { train(comm, {config, scratch / "run", {}, true}); });

  EXPECT_TRUE(test::bytes_of(scratch / "run" / "policy.h5") ==
              test::bytes_of(scratch / "whole" / "policy.h5"));
}

/// The number after `name` in the text of a dry run, in bytes.
double planned_bytes(const std::string& text, const std::string& name) {
  const std::size_t at = text.find(name);
  if (at == std::string::npos) return std::nan("");
  const std::size_t digits = text.find_first_of("0123456789", at + name.size());
  return 1e6 * std::stod(text.substr(digits));
}

TEST(Plan, of_a_training_foretells_the_size_of_its_files) {
  const Communicator comm;
  const Scratch scratch(comm);
  Config config = four_tasks();
  set_key(config, "meta.iterations", "30");
  set_key(config, "output.save_gradients", "true");
  const TrainRequest request{config, scratch.folder(), {}};

  const std::string text = plan(comm, request);
  printed([&] { train(comm, request); });

  for (const std::string name : {"policy.h5", "checkpoint.h5", "results.h5"}) {
    const auto bytes = static_cast<double>(std::filesystem::file_size(scratch / name));
    EXPECT_NEAR(planned_bytes(text, name), bytes, 0.2 * bytes + 5e3) << name; // printed to 10 kB
  }
}

} // namespace
} // namespace metasieve
