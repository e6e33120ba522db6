#pragma once

#include "base/range.hpp"
#include "run/config.hpp"

#include <span>
#include <vector>

namespace metasieve {

/// Cuts training tasks 0..n-1 into consecutive ranges, one a rank, such that ranks wait for each other as
/// little as they can. phases: phase_costs of the tasks. As shards_balanced_over, but of the visits it is
/// looked at how each batch falls on the ranks: they wait for the last after each. Cuts between the strata of
/// the batches (see BatchSchedule) make all ranks' parts of a batch alike in number, others balance the cost
/// of all tasks; which is better depends on how unlike the tasks are. A pure function of its arguments.
[[nodiscard]] std::vector<Range> training_shards(std::span<const std::vector<double>> phases,
                                                 const Config& config, int ranks);

/// The seconds for which the last rank is at work in a mean iteration, over the mean rank's: 1 is perfect.
/// visits [tasks]: cost of each; the first `steps` batches.
[[nodiscard]] double batch_imbalance(std::span<const double> visits, const Config& config,
                                     std::span<const Range> shards, Index steps);

} // namespace metasieve
