#pragma once

#include "base/linalg.hpp"
#include "base/random.hpp"

#include <cstdint>
#include <vector>

namespace metasieve {

/// Which tasks make up the batch of each meta-iteration: a pure function of (seed, step, tasks, size). The
/// tasks are cut into `size` strata of consecutive indices and each stratum gives one, every task once before
/// any comes again: so each batch holds all families alike, and every rank, owning consecutive tasks, gets
/// its share.
class BatchSchedule {
public:
  /// tasks >= 1. size = 0 or >= tasks: all of them are in every batch.
  BatchSchedule(Seed seed, Index tasks, Index size);

  /// Tasks of a batch.
  [[nodiscard]] Index size() const noexcept { return strata_; }

  /// The part of the batch of `step` that lies in `mine`, sorted. Amortised O(size of that part), as long
  /// as it is asked for the same `mine` step by step: orders are kept until they are used up.
  /// Valid until the next call.
  [[nodiscard]] const std::vector<Index>& of_step(std::uint64_t step, Range mine);

private:
  /// In which order the tasks of one stratum are taken.
  struct Order {
    std::uint64_t round = 0;  ///< times that all of them were taken before
    std::vector<Index> order; ///< empty: not drawn yet
  };

  [[nodiscard]] Index begin_of(Index stratum) const noexcept { return stratum * tasks_ / strata_; }
  [[nodiscard]] Index taken(Index stratum, std::uint64_t step);

  Seed seed_;
  Index tasks_, strata_;
  Index first_ = 0; ///< stratum of orders_[0]
  std::vector<Order> orders_;
  std::vector<Index> batch_;
  Sampler sampler_;
};

/// The whole batch of one step, sorted.
[[nodiscard]] std::vector<Index> batch_of_step(Seed seed, std::uint64_t step, Index tasks, Index size);

} // namespace metasieve
