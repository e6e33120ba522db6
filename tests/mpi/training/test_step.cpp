#include "training/step.hpp"

#include "config/requests.hpp"
#include "meta/batches.hpp"
#include "support/allocations.hpp"
#include "support/configs.hpp"
#include "support/numerics.hpp"
#include "training/cost.hpp"
#include "training/task_pool.hpp"

namespace metasieve {
namespace {

Config thirteen_tasks() {
  return test::small_config(13, {{"family.small.samples", "100:900"},
                                 {"family.small.features", "5:9"},
                                 {"meta.batch", "4"},
                                 {"meta.support", "120"}});
}

/// What a training computes in an iteration, without what it tells of it.
class Iterations {
public:
  Iterations(const Communicator& comm, Config config)
      : comm_(comm), config_(std::move(config)), source_(TaskSource::generator(config_)),
        part_(training_parts(config_, source_.task_count(), true).train),
        clock_({Phase::tasks, Phase::features}), pool_(comm_, source_, part_, clock_),
        batches_(config_.meta.seed, part_.ids.size(), config_.meta.batch), options_(config_.meta_options()),
        policy_(initialise(config_.policy, config_.meta.seed)), adam_(policy_.theta.size()),
        work_(policy_.theta.size(), batches_.size()) {}

  void add_gradients(std::uint64_t step) {
    metasieve::add_gradients({pool_, pool_.by_descending_cost(batches_.of_step(step, pool_.ids())), step},
                             policy_, options_, work_);
  }
  const BatchGradient& mean() { return work_.sum.mean(comm_); }
  const BatchGradient& gradient(std::uint64_t step) {
    add_gradients(step);
    return mean();
  }
  void update(const BatchGradient& mean) { metasieve::update(policy_, adam_, mean, config_.meta, work_); }

private:
  const Communicator& comm_;
  Config config_;
  TaskSource source_;
  TaskPart part_;
  PhaseClock clock_;
  TaskPool pool_;
  BatchSchedule batches_;
  MetaOptions options_;
  Policy policy_;
  Adam adam_;
  StepWorkspace work_;
};

class StepBy : public ::testing::TestWithParam<const char*> {
protected:
  static Config config() {
    Config config = thirteen_tasks();
    set_key(config, "inner.method", GetParam());
    return config;
  }
};

TEST_P(StepBy, in_float32_agree_with_those_in_float64) {
  const Communicator comm;
  Config slow = config();
  set_key(slow, "policy.precision", "float64");
  Iterations fast(comm, config()), reference(comm, slow);

  for (std::uint64_t step = 0; step < 3; ++step) {
    const BatchGradient mean = fast.gradient(step), expected = reference.gradient(step);

    EXPECT_EQ(mean.failed, 0);
    EXPECT_NEAR(mean.loss, expected.loss, 1e-3 * expected.loss);
    // The features are in float32 too: ranks of rows whose losses are all but equal may change places.
    EXPECT_LT(test::relative_error(mean.d_theta, expected.d_theta), 1e-3);
    EXPECT_NE(mean.d_theta, expected.d_theta);
  }
}

TEST_P(StepBy, need_no_new_memory_once_all_tasks_were_seen) {
  if (!test::counts_allocations()) GTEST_SKIP() << "with a sanitizer, allocations are not counted";
  const Communicator comm;
  Iterations iterations(comm, config());
  std::uint64_t step = 0;
  for (; step < 12; ++step) iterations.update(iterations.gradient(step)); // three epochs

  std::size_t allocated = 0;
  const auto count = [&](auto&& work) {
    const std::size_t before = test::allocations();
    work();
    allocated += test::allocations() - before;
  };
  for (; step < 24; ++step) {
    count([&] { iterations.add_gradients(step); });
    const BatchGradient& mean = iterations.mean(); // MPI may take memory for a while
    count([&] { iterations.update(mean); });
  }

  EXPECT_EQ(allocated, 0U);
}

INSTANTIATE_TEST_SUITE_P(methods, StepBy, ::testing::Values("implicit", "unrolled", "first-order"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

} // namespace
} // namespace metasieve
