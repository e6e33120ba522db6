#include "config/settings.hpp"
#include "config/sweep_grammar.hpp"
#include "runtime/output_checks.hpp"
#include "studies/sweep_points.hpp"

#include "support/collective_error.hpp"
#include "support/scratch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace metasieve {
namespace {

SweepConfig sweep_of(const KeyValues& swept) {
  SweepConfig sweep;
  sweep.swept = swept;
  return sweep;
}

std::vector<double> numbers(const std::vector<std::string>& values) {
  std::vector<double> out;
  for (const std::string& value : values) out.push_back(std::stod(value));
  return out;
}

TEST(SweepGrammar, divides_at_commas_or_at_semicolons_but_not_within_parentheses) {
  EXPECT_EQ(list_items("1, 2 ,3"), (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_EQ(list_items("64,32; 128"), (std::vector<std::string>{"64,32", "128"}));
  EXPECT_EQ(list_items("uniform(0, 1)"), (std::vector<std::string>{"uniform(0, 1)"}));
  EXPECT_EQ(list_items("a(1;2), b"), (std::vector<std::string>{"a(1;2)", "b"}));
}

TEST(SweepGrammar, lists_are_axes_and_those_together_are_one) {
  SweepConfig sweep = sweep_of({{"policy.keep", "0.6, 0.7"}, {"meta.clip", "1,2,3"}, {"meta.batch", "4,8"}});
  sweep.together = "meta.batch, policy.keep";

  const std::vector<SweepAxis> axes = sweep_axes(sweep);

  ASSERT_EQ(axes.size(), 2U);
  EXPECT_EQ(axes[0].keys, (std::vector<std::string>{"policy.keep", "meta.batch"}));
  EXPECT_EQ(axes[0].values[1], (std::vector<std::string>{"4", "8"}));
  EXPECT_EQ(axes[1].size(), 3);
}

TEST(SweepGrammar, a_latin_hypercube_has_one_value_in_each_stratum_of_each_key) {
  SweepConfig sweep = sweep_of({{"policy.keep", "uniform(0.1, 0.9)"}, {"meta.clip", "log(0.01, 100)"}});
  sweep.samples = 64;

  const std::vector<SweepAxis> axes = sweep_axes(sweep);

  ASSERT_EQ(axes.size(), 1U);
  std::set<int> keeps, clips;
  for (const double keep : numbers(axes[0].values[0]))
    keeps.insert(static_cast<int>(std::floor(64 * (keep - 0.1) / 0.8 + 1e-4)));
  for (const double clip : numbers(axes[0].values[1]))
    clips.insert(static_cast<int>(std::floor(64 * std::log(clip / 0.01) / std::log(1e4) + 1e-4)));
  EXPECT_GE(keeps.size(), 63U); // one may be rounded, to six digits, across a border
  EXPECT_GE(clips.size(), 63U);
  EXPECT_NE(numbers(axes[0].values[0]).front(), *keeps.begin()) << "in random order";
}

TEST(SweepGrammar, a_draw_depends_on_seed_key_and_place_alone) {
  SweepConfig one = sweep_of({{"meta.clip", "uniform(0, 1)"}});
  one.samples = 8;
  one.sampling = Sampling::random;
  SweepConfig more = sweep_of({{"policy.keep", "uniform(0, 1)"}, {"meta.clip", "uniform(0, 1)"}});
  more.samples = 12;
  more.sampling = Sampling::random;

  const std::vector<std::string> few = sweep_axes(one)[0].values[0];
  const std::vector<std::vector<std::string>> many = sweep_axes(more)[0].values;

  EXPECT_TRUE(std::equal(few.begin(), few.end(), many[1].begin()));
  EXPECT_NE(many[0], many[1]);
  one.seed = Seed{2};
  EXPECT_NE(sweep_axes(one)[0].values[0], few);
}

TEST(SweepGrammar, whole_numbers_stay_whole_and_reach_both_ends) {
  SweepConfig sweep = sweep_of({{"meta.batch", "uniform(1, 4)"}, {"family.a.samples", "log(20, 40)"}});
  sweep.samples = 400;

  const std::vector<SweepAxis> axes = sweep_axes(sweep);

  const std::vector<std::string>& batch = axes[0].values[0];
  for (const char* value : {"1", "2", "3", "4"})
    EXPECT_EQ(std::count(batch.begin(), batch.end(), value), 100) << value;
  for (const double samples : numbers(axes[0].values[1])) {
    EXPECT_EQ(samples, std::floor(samples));
    EXPECT_GE(samples, 20);
    EXPECT_LE(samples, 40);
  }
}

Config base() {
  Config config;
  set_key(config, "suite.mixture", "a:1");
  set_key(config, "family.a.samples", "60:100");
  set_key(config, "sweep.policy.keep", "0.6, 0.7");
  set_key(config, "sweep.meta.batch", "4, 8, 16");
  return config;
}

std::vector<std::string> names(const Communicator& comm, const Config& config) {
  std::vector<std::string> out;
  const SweepPoints points(comm, config);
  for (Index i = 0; i < points.size(); ++i) out.push_back(points.name(i));
  return out;
}

TEST(SweepPoints, values_and_configuration_of_each) {
  const Communicator comm;
  const SweepPoints points(comm, base());

  ASSERT_EQ(points.size(), 6);
  EXPECT_EQ(points.text(4), "policy.keep = 0.7, meta.batch = 8");
  const Config config = points.config(4);
  EXPECT_EQ(config.policy.keep, 0.7);
  EXPECT_EQ(config.meta.batch, 8);
  EXPECT_EQ(points.name(4).size(), 16U);
}

TEST(SweepPoints, a_name_changes_with_what_decides_the_results_and_with_nothing_else) {
  const Communicator comm;
  const std::vector<std::string> before = names(comm, base());
  const auto with = [&](const char* key, const char* value) {
    Config config = base();
    set_key(config, key, value);
    return names(comm, config);
  };

  EXPECT_EQ(std::set(before.begin(), before.end()).size(), 6U);
  EXPECT_EQ(with("output.log_every", "3"), before);
  EXPECT_EQ(with("run.max_minutes", "3"), before);
  EXPECT_EQ(with("sweep.attempts", "3"), before);
  EXPECT_EQ(with("sweep.ranks_per_point", "3"), before);
  EXPECT_EQ(with("sweep.keep", "table"), before);
  EXPECT_EQ(with("sweep.halving", "7"), before) << "six points have one rung";
  for (const auto& [key, value] : {std::pair("meta.iterations", "3"),
                                   {"family.a.minority", "0.4"},
                                   {"evaluate.seed", "3"},
                                   {"sweep.halving", "3"},
                                   {"sweep.evaluate_tasks", "3"},
                                   {"suite.seed", "5"}}) {
    const std::vector<std::string> after = with(key, value);
    for (std::size_t i = 0; i < before.size(); ++i) EXPECT_NE(after[i], before[i]) << key;
  }
  const std::vector<std::string> other = with("sweep.meta.batch", "8, 4, 32");
  EXPECT_EQ(other[0], before[1]);
  EXPECT_EQ(other[1], before[0]);
  Config without = base();
  set_key(without, "sweep.evaluate_tasks", "0");
  const std::vector<std::string> unmeasured = names(comm, without);
  set_key(without, "evaluate.seed", "9");
  EXPECT_EQ(names(comm, without), unmeasured) << "nothing is evaluated";
}

TEST(SweepPoints, a_kept_sweep_tells_of_its_lists_and_a_training_does_not) {
  const Config config = base();
  const std::string ini = sweep_ini(config);

  EXPECT_NE(ini.find("[sweep]\n"), std::string::npos);
  EXPECT_NE(ini.find("policy.keep = 0.6, 0.7\n"), std::string::npos);
  EXPECT_NE(ini.find("[family.a]\n"), std::string::npos);
  EXPECT_EQ(resolved_ini(config).find("sweep"), std::string::npos);
}

TEST(SweepPoints, too_many_are_refused) {
  const Communicator comm;
  std::string values = "1";
  for (int i = 2; i <= 1001; ++i) values += "," + std::to_string(i);
  Config config = base();
  set_key(config, "sweep.meta.batch", values);
  set_key(config, "sweep.meta.seed", values);

  const std::string message = test::collective_error(
      comm, [&] { const SweepPoints points(comm, config); }, ExitCode::usage);

  EXPECT_PRED2(test::contains, message, "2004002 points, and at most 1000000");
}

TEST(SweepPointStatus, is_read_as_it_was_written) {
  const Communicator comm;
  const test::Scratch scratch(comm);
  if (!comm.is_root()) return;
  PointStatus status;
  status.state = PointState::failed;
  status.message = "two\nlines = one";
  status.attempts = 2;
  status.core_seconds = 0.1;
  status.files = ~std::uint64_t{0};
  status.losses = {0.1, std::nan(""), 1.0 / 3};
  status.row = 3;

  write_status(scratch.folder(), status);
  const PointStatus read = read_status(scratch.folder());

  EXPECT_EQ(read.state, PointState::failed);
  EXPECT_EQ(read.message, "two lines = one");
  EXPECT_EQ(read.attempts, 2);
  EXPECT_EQ(read.core_seconds, 0.1);
  EXPECT_EQ(read.files, status.files);
  ASSERT_EQ(read.losses.size(), 3U);
  EXPECT_EQ(read.losses[0], 0.1);
  EXPECT_TRUE(std::isnan(read.losses[1]));
  EXPECT_EQ(read.losses[2], 1.0 / 3);
  EXPECT_EQ(read.row, 3);
}

TEST(SweepPointStatus, says_whether_the_process_at_work_lives) {
  const Communicator comm;
  const test::Scratch scratch(comm);
  if (!comm.is_root()) return;
  PointStatus status;
  status.state = PointState::running;
  write_status(scratch.folder(), status);

  auto claim = FileLock::try_lock(scratch / "claim");
  EXPECT_EQ(read_status(scratch.folder()).state, PointState::running);
  claim.reset(); // as the system does when a process is killed
  EXPECT_EQ(read_status(scratch.folder()).state, PointState::died);
}

TEST(FileLock, is_had_by_one_rank_at_a_time) {
  const Communicator comm;
  const test::Scratch scratch(comm);
  constexpr int rounds = 50;
  std::int64_t mine = 0, overlaps = 0;

  for (int tries = 0; mine < rounds && tries < 1'000'000; ++tries) {
    const auto lock = FileLock::try_lock(scratch / "claim");
    if (!lock) continue;
    ++mine;
    const int file = ::open((scratch / "busy").c_str(), O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    overlaps += file < 0 ? 1 : 0;
    if (file >= 0) ::close(file), std::filesystem::remove(scratch / "busy");
  }

  EXPECT_EQ(mine, rounds);
  EXPECT_EQ(comm.sum(overlaps), 0);
  comm.barrier();
  EXPECT_FALSE(FileLock::is_held(scratch / "claim"));
  EXPECT_FALSE(FileLock::is_held(scratch / "none"));
}

} // namespace
} // namespace metasieve
