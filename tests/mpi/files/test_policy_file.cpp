#include "files/policy.hpp"
#include "files/results.hpp"

#include "support/collective_error.hpp"
#include "support/damage.hpp"
#include "support/sample_files.hpp"
#include "support/scratch.hpp"

namespace metasieve {
namespace {

using test::collective_error;
using test::contains;
using test::Scratch;

void expect_same(const Policy& a, const Policy& b) {
  EXPECT_EQ(a.features, b.features);
  EXPECT_EQ(a.hidden, b.hidden);
  EXPECT_EQ(a.keep, b.keep);
  EXPECT_EQ(a.temperature, b.temperature);
  EXPECT_EQ(a.use_group, b.use_group);
  EXPECT_EQ(a.trained_iterations, b.trained_iterations);
  EXPECT_TRUE(a.theta == b.theta);
}

/// A good policy file and checkpoint, to be damaged.
class DamagedPolicy : public testing::Test {
protected:
  DamagedPolicy() {
    write_file(comm_, policy_, {}, test::sample_policy());
    write_checkpoint(comm_, checkpoint_, {}, test::sample_checkpoint());
    good_policy_ = test::bytes_of(policy_);
    good_checkpoint_ = test::bytes_of(checkpoint_);
  }

  std::string policy_error(const std::function<void(hid_t)>& change) {
    return error(policy_, good_policy_, change,
                 [&] { static_cast<void>(read_file<Policy>(comm_, policy_)); });
  }
  std::string checkpoint_error(const std::function<void(hid_t)>& change) {
    return error(checkpoint_, good_checkpoint_, change,
                 [&] { static_cast<void>(read_file<Checkpoint>(comm_, checkpoint_)); });
  }

  Communicator comm_;
  Scratch scratch_{comm_};
  std::filesystem::path policy_ = scratch_ / "policy.h5", checkpoint_ = scratch_ / "checkpoint.h5";
  std::string good_policy_, good_checkpoint_;

private:
  std::string error(const std::filesystem::path& path, const std::string& good,
                    const std::function<void(hid_t)>& change, const std::function<void()>& read) {
    comm_.barrier();
    if (comm_.is_root()) test::put_bytes(path, good), test::edit(path, change);
    comm_.barrier();
    const std::string message = collective_error(comm_, read);
    EXPECT_TRUE(message.starts_with(path.string() + ": ")) << message;
    EXPECT_EQ(test::open_ids(), 0) << message;
    return message;
  }
};

TEST(PolicyFile, comes_back_bit_for_bit_and_is_rank_0s) {
  const Communicator comm;
  const Scratch scratch(comm);
  const Policy policy = test::sample_policy();
  Policy other = policy;
  other.theta.setZero();
  other.hidden = {1};
  write_file(comm, scratch / "p.h5", {"[meta]\n"}, comm.is_root() ? policy : other);
  expect_same(read_file<Policy>(comm, scratch / "p.h5"), policy);
}

TEST(PolicyFile, without_hidden_layers) {
  const Communicator comm;
  const Scratch scratch(comm);
  Policy policy = test::sample_policy();
  policy.hidden.clear();
  policy.theta = Vector::LinSpaced(11, 0, 1);
  write_file(comm, scratch / "p.h5", {}, policy);
  expect_same(read_file<Policy>(comm, scratch / "p.h5"), policy);
}

/// Open MPI has been seen to write what lay there into the gaps of a file.
void leave_text_in_freed_memory() {
  std::vector<std::string> blocks;
  for (std::size_t size = 500; size < 12000; size += 8) blocks.emplace_back(size, 'c');
}

TEST(PolicyFile, has_the_same_bytes_for_any_number_of_ranks) {
  const Communicator comm;
  const Scratch scratch(comm);
  for (int i = 0; i < 5; ++i) {
    leave_text_in_freed_memory();
    write_file(comm, scratch / "together.h5", {"[meta]\n"}, test::sample_policy());
    if (comm.is_root()) {
      write_file(Communicator(MPI_COMM_SELF), scratch / "alone.h5", {"[meta]\n"}, test::sample_policy());
      EXPECT_TRUE(test::bytes_of(scratch / "together.h5") == test::bytes_of(scratch / "alone.h5"));
      EXPECT_FALSE(contains(test::bytes_of(scratch / "together.h5"), "cccccccc"));
    }
  }
}

TEST(CheckpointFile, comes_back_bit_for_bit) {
  const Communicator comm;
  const Scratch scratch(comm);
  const Checkpoint saved = test::sample_checkpoint();
  Checkpoint other; // of ranks that do not write
  other.policy = test::sample_policy();
  write_checkpoint(comm, scratch / "c.h5", {}, comm.is_root() ? saved : other);

  const Checkpoint read = read_file<Checkpoint>(comm, scratch / "c.h5");

  expect_same(read.policy, saved.policy);
  EXPECT_TRUE(read.adam.first_moment == saved.adam.first_moment);
  EXPECT_TRUE(read.adam.second_moment == saved.adam.second_moment);
  EXPECT_EQ(read.adam.step, saved.adam.step);
  EXPECT_EQ(read.tasks, saved.tasks);
  EXPECT_EQ(read.config, saved.config);
  EXPECT_EQ(read.results.history.size(), 2U);
  EXPECT_EQ(read.results.history[1].loss, 1.0 / 3);
  EXPECT_EQ(read.results.validation.size(), 2U);
  EXPECT_TRUE(std::isnan(read.results.validation[1].dp_gap));
  EXPECT_EQ(read.results.failures[0].kind, "inner_fit");
  EXPECT_EQ(read.results.sessions[0].threads, 2);
  EXPECT_EQ(read.results.meta_gradient.rows(), 2);
}

TEST(CheckpointFile, of_an_untrained_policy_has_no_history) {
  const Communicator comm;
  const Scratch scratch(comm);
  Checkpoint saved = test::sample_checkpoint();
  saved.results = {};
  saved.adam.step = saved.policy.trained_iterations = 0;
  write_checkpoint(comm, scratch / "c.h5", {}, saved);
  EXPECT_TRUE(read_file<Checkpoint>(comm, scratch / "c.h5").results.history.empty());
}

TEST_F(DamagedPolicy, attributes) {
  const auto with = [&](const char* name, const auto& value) {
    return policy_error([&](hid_t f) { test::set_attribute(f, name, value); });
  };
  const std::vector<std::int64_t> other{5, 4}, negative{5, -3}, huge{1 << 20, 1 << 20}, more{5, 3, 2};
  const std::vector<std::int64_t> many(1000, 1);
  EXPECT_PRED2(contains, with("feature_set", std::string("full99")),
               "must be seed10, full16, context27, relative28 or fair56");
  EXPECT_PRED2(contains, with("feature_set", std::string("full16")), "/layers/0/weight: has another shape");
  EXPECT_PRED2(contains, with("hidden", other), "/layers/1/weight: has another shape");
  EXPECT_PRED2(contains, with("hidden", negative), "has width -3");
  EXPECT_PRED2(contains, with("hidden", huge), "/layers/0/weight: has another shape");
  EXPECT_PRED2(contains, with("hidden", more), "/layers: has 3 layers");
  EXPECT_PRED2(contains, with("hidden", many), "more than 64 layers");
  EXPECT_PRED2(contains, with("hidden", 5.0), "attribute 'hidden' is float64");
  for (const double keep : {0.0, 1.0, -1.0, test::undefined})
    EXPECT_PRED2(contains, with("keep", keep), "'keep' must be between 0 and 1");
  for (const double temperature : {0.0, -1.0, test::undefined, HUGE_VAL})
    EXPECT_PRED2(contains, with("temperature", temperature), "'temperature' must be above 0");
  EXPECT_PRED2(contains, with("use_group", std::int64_t{2}), "'use_group' must be 0 or 1");
  EXPECT_PRED2(contains, with("trained_iterations", std::int64_t{-1}), "must be at least 0");
  EXPECT_PRED2(contains, policy_error([](hid_t f) { H5Adelete(f, "keep"); }), "attribute 'keep' is missing");
}

TEST_F(DamagedPolicy, layers) {
  EXPECT_PRED2(contains,
               policy_error([](hid_t f) { test::set_value(f, "/layers/1/weight", 7, test::undefined); }),
               "/layers/1/weight: value 7 is not finite");
  EXPECT_PRED2(contains, policy_error([](hid_t f) { test::remove(f, "/layers/2/bias"); }),
               "/layers/2/bias: is missing");
  EXPECT_PRED2(contains, policy_error([](hid_t f) { test::remove(f, "/layers/2"); }),
               "/layers: has 2 layers");
  EXPECT_PRED2(contains, policy_error([](hid_t f) { test::remove(f, "/layers"); }), "/layers: is missing");
  const std::vector<double> values(5, 1.0);
  EXPECT_PRED2(contains, policy_error([&](hid_t f) {
                 test::replace(f, "/layers/0/bias", {5, 1}, values);
               }),
               "/layers/0/bias: has shape [5, 1]; must have 1 dimension");
  EXPECT_PRED2(contains, policy_error([&](hid_t f) { test::replace(f, "/layers/0/bias", {4}, values); }),
               "/layers/0/bias: has another shape");
}

TEST_F(DamagedPolicy, checkpoint) {
  EXPECT_PRED2(contains, checkpoint_error([](hid_t f) { test::set_value(f, "/first_moment", 3, 1.0); }),
               "'checksum' does not fit");
  EXPECT_PRED2(contains, checkpoint_error([](hid_t f) { test::set_value(f, "/layers/0/weight", 3, 1.0); }),
               "'checksum' does not fit");
  EXPECT_PRED2(contains, checkpoint_error([](hid_t f) { test::set_attribute(f, "step", std::int64_t{1}); }),
               "'checksum' does not fit");
  EXPECT_PRED2(contains, checkpoint_error([](hid_t f) { test::set_attribute(f, "step", std::int64_t{-3}); }),
               "'step' must be at least 0");
  EXPECT_PRED2(contains, checkpoint_error([](hid_t f) { test::set_value(f, "/second_moment", 0, -1e-9); }),
               "/second_moment: value 0 is not finite, or negative");
  EXPECT_PRED2(contains, checkpoint_error([](hid_t f) { test::set_attribute(f, "step", std::int64_t{3}); }),
               "at most trained_iterations");
  EXPECT_PRED2(contains,
               checkpoint_error([](hid_t f) { test::set_value(f, "/second_moment", 0, test::undefined); }),
               "/second_moment: value 0 is not finite");
  EXPECT_PRED2(contains, checkpoint_error([](hid_t f) {
                 test::replace(f, "/second_moment", {2}, std::vector<double>{1, 2});
               }),
               "/second_moment: has 2 values; the policy has");
  EXPECT_PRED2(contains, checkpoint_error([](hid_t f) {
                 test::replace(f, "/history", {2}, std::vector<double>{1, 2});
               }),
               "/history: has type float64; must be a compound");
}

TEST_F(DamagedPolicy, one_taken_for_the_other) {
  EXPECT_PRED2(contains,
               collective_error(comm_, [&] { static_cast<void>(read_file<Policy>(comm_, checkpoint_)); }),
               "is a metasieve-checkpoint file; must be metasieve-policy");
}

TEST_F(DamagedPolicy, truncated_at_any_length) {
  for (std::size_t length = 1; length < good_checkpoint_.size(); length += 1 + good_checkpoint_.size() / 40) {
    comm_.barrier();
    if (comm_.is_root()) test::put_bytes(checkpoint_, good_checkpoint_.substr(0, length));
    comm_.barrier();
    collective_error(comm_, [&] { static_cast<void>(read_file<Checkpoint>(comm_, checkpoint_)); });
  }
}

} // namespace
} // namespace metasieve
