#pragma once

#include "io/suite_file.hpp"
#include "policy/network.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace metasieve {

/// One meta-iteration, means over the batch.
struct HistoryRow {
  std::int64_t iteration; ///< from 1
  double loss;            ///< accuracy_loss + fairness_weight * fairness_loss
  double accuracy_loss;
  double fairness_loss;
  double gradient_norm;       ///< of the batch mean, before clipping
  std::int64_t failed_tasks;  ///< inner fits that did not succeed; left out of the means
  std::int64_t clipped_tasks; ///< task gradients beyond the bound of the exact sum
  double seconds;             ///< wall time of the iteration
};

/// Hard selection on the validation tasks, means over tasks where defined.
struct ValidationRow {
  std::int64_t iteration; ///< 0: the untrained policy
  double accuracy, dp_gap, eo_gap;
  double baseline_accuracy, baseline_dp_gap, baseline_eo_gap; ///< fit on all rows
  double noise_rate_selected, noise_rate_all;
};

/// Seconds of one phase, for each rank.
struct PhaseSeconds {
  std::string phase;           ///< at most 31 characters
  std::vector<double> seconds; ///< [ranks]
};

struct Results {
  std::vector<HistoryRow> history;
  std::vector<ValidationRow> validation;
  std::vector<PhaseSeconds> timing;
  Matrix meta_gradient; ///< [iterations, p], or empty when not saved
};

/// Collective; rank 0's results are written: /history, /validation, /timing (compound: phase, rank, seconds),
/// /meta_gradient.
void write_results(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                   const Results& results);

/// Collective; every rank gets what `write_results` wrote. @throws AgreedError (exit code 3) naming file and
/// data set.
[[nodiscard]] Results read_results(const Communicator& comm, const std::filesystem::path& path);

/// Adam's state (Kingma and Ba 2015), enough with the policy to continue bit for bit.
struct Checkpoint {
  Policy policy;
  Vector first_moment;  ///< [p]
  Vector second_moment; ///< [p]
  std::int64_t step = 0;
  std::vector<HistoryRow> history;
  std::vector<ValidationRow> validation;
};

/// Collective; rank 0's state is written, with an attribute `checksum` (64-bit FNV-1a over step, theta and
/// moments).
void write_checkpoint(const Communicator& comm, const std::filesystem::path& path,
                      const Provenance& provenance, const Checkpoint& checkpoint);

/// Collective. @throws AgreedError (exit code 3) naming file and data set: what `read_policy` refuses,
/// moments that do not fit the policy, a checksum that does not fit the contents.
[[nodiscard]] Checkpoint read_checkpoint(const Communicator& comm, const std::filesystem::path& path);

} // namespace metasieve
