#pragma once

#include "parallel/communicator.hpp"
#include "training/cost.hpp"

namespace metasieve {

/// How long this machine takes, now and with all ranks and threads at work, beside what the formulas of
/// cost.hpp say: 2 is twice as long.
struct Speed {
  double generation = 1, preparation = 1, visit = 1, assessment = 1, contest = 1;
};

/// Which of them are wanted: each takes some tenths of a second.
struct Wanted {
  bool generation = false, training = false, contest = false;
};

/// Collective: times each stage on a task of this shape (or smaller, if it is large), as `config` asks. Ranks
/// and threads work at once, as in the run; the slowest rank counts.
[[nodiscard]] Speed calibrate(const Communicator& comm, const TaskShape& task, const Config& config,
                              const Wanted& wanted);

} // namespace metasieve
