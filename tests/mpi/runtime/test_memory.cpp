#include "runtime/machine.hpp"

#include "base/for_each.hpp"
#include "support/configs.hpp"
#include "training/cost.hpp"
#include "training/task_pool.hpp"

#include <gtest/gtest.h>

#include <malloc.h>

#include <optional>

namespace metasieve {
namespace {

/// Tasks of which each rank gets several, with what they need for a while much less than what they leave.
Config config_of(int ranks) {
  return test::small_config(16 * Index{ranks},
                            {{"family.small.samples", "1000:2000"}, {"family.small.features", "5:20"}});
}

/// Bytes that malloc has given and not got back, of all threads.
double bytes_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

TEST(Memory, that_a_rank_holds_is_that_of_its_data_and_features) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer has its own malloc";
#endif
  const Communicator comm;
  const Config config = config_of(comm.size());
  const TaskSource source = TaskSource::generator(config);
  PhaseClock clock({Phase::tasks, Phase::features});
  TaskPart all{{0, source.task_count()}, task_use(config, true), config.meta};
  all.use.gradients = 1;
  const auto prepared = [&] { return TaskPool(comm, source, all, clock); };
  static_cast<void>(prepared()); // the program's own pages are there
  give_back_memory();
  const double resident_before = resident_bytes(), in_use_before = bytes_in_use();

  const TaskPool pool = prepared();

  const double in_use = bytes_in_use() - in_use_before, resident = resident_bytes() - resident_before;
  double needed = 0;
  for (Index i = pool.ids().begin; i < pool.ids().end; ++i)
    needed += prepared_bytes(source.shape(i), config.policy.features);
  EXPECT_GT(pool.ids().size(), 3);
  EXPECT_GT(in_use, 0.95 * needed); // what the first one left may be gone
  EXPECT_LT(in_use, 1.05 * needed);
  EXPECT_LT(resident, 1.25 * needed);
}

} // namespace
} // namespace metasieve
