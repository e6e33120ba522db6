#pragma once

#include "config/config.hpp"
#include "training/cost.hpp"

#include <span>
#include <vector>

namespace metasieve {

/// Which rank does what with tasks 0..n-1: consecutive ranges, by rank.
struct Dealing {
  std::vector<Range> prepares; ///< makes or reads them, with probe and features
  std::vector<Range> holds;    ///< visits and assesses them; what another rank prepared is handed over
};

/// Deals tasks such that ranks wait for each other as little as they can. Of the visits it is looked at how
/// each batch falls on the ranks, for they wait for the last after each: cuts between the strata of the
/// batches (see BatchSchedule) make all ranks' parts of a batch alike in number, others balance the cost of
/// all tasks; which is better depends on how unlike the tasks are. Preparation is dealt apart where that
/// saves more than handing tasks over takes. A pure function of its arguments.
[[nodiscard]] Dealing deal(const TaskCosts& costs, const Config& config, int ranks);

/// A task on its way from the rank that prepares it to the one that holds it, often the same.
struct Transfer {
  Index task;
  int from, to;
};

/// Those of a rank, in the order of the tasks.
[[nodiscard]] std::vector<Transfer> transfers_of(const Dealing& dealing, int rank);

/// The seconds for which the last rank is at work in a mean iteration, over the mean rank's: 1 is perfect.
/// visits [tasks]: cost of each; the first `steps` batches.
[[nodiscard]] double batch_imbalance(std::span<const double> visits, const Config& config,
                                     std::span<const Range> shards, Index steps);

} // namespace metasieve
