#pragma once

#include "base/linalg.hpp"
#include "files/file_layout.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
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

/// The policy on the validation tasks, means over tasks where defined.
struct ValidationRow {
  std::int64_t iteration;                                     ///< 0: the untrained policy
  double accuracy, dp_gap, eo_gap;                            ///< fit on the rows of the hard selection
  double baseline_accuracy, baseline_dp_gap, baseline_eo_gap; ///< fit on all rows
  double noise_rate_selected, noise_rate_all;
  // The objective of training: outer loss, on the test rows, of the fit to convergence on all training rows
  // weighted by the keep weights. NaN in files of older programs.
  double loss = std::numeric_limits<double>::quiet_NaN(); ///< as in HistoryRow
  double accuracy_loss = std::numeric_limits<double>::quiet_NaN();
  double fairness_loss = std::numeric_limits<double>::quiet_NaN();
};

/// Seconds and floating-point operations of one phase.
struct PhaseSeconds {
  std::string phase;           ///< at most 31 characters
  std::vector<double> seconds; ///< [ranks], wall time
  std::int64_t flops = 0;      ///< of all ranks, a multiply-add counting two; 0: not counted
};

/// A task that failed numerically, and where.
struct FailureRow {
  std::int64_t task_id;
  std::string kind;                             ///< one of `task_failures`
  std::int64_t count;                           ///< visits that were left out of the means
  std::int64_t first_iteration, last_iteration; ///< of these visits
};

/// One start of the program on this run.
struct SessionRow {
  std::int64_t first_iteration, last_iteration; ///< made in it; last < first: none
  std::int64_t ranks, threads;                  ///< threads of each rank
  double seconds;                               ///< wall time, from the start to the last iteration
  // Empty and 0 in files of older programs. Texts: at most 31, 63 and 63 characters.
  std::string started;    ///< UTC, as "2026-01-31T12:00:00Z"
  std::string host;       ///< node of rank 0
  std::string processor;  ///< of that node
  std::int64_t nodes = 0; ///< that the ranks were on
  // Unknown and "" in files of older programs. Texts: at most 15 and 31 characters.
  Energy energy = {};
  std::string slurm_job = {};
};

struct Results {
  std::vector<HistoryRow> history;
  std::vector<ValidationRow> validation;
  std::vector<FailureRow> failures; ///< by task id
  std::vector<SessionRow> sessions;
  std::vector<PhaseSeconds> timing; ///< of the last session
  Matrix meta_gradient;    ///< [iterations, p], or empty when not saved; rows beyond the history are room
  bool with_flops = false; ///< whether the flops of `timing` are written; they are not read back

  /// Rows of the gradients that have been made.
  [[nodiscard]] Index gradient_rows() const {
    return std::min<Index>(std::ssize(history), meta_gradient.rows());
  }
};

/// The row of this iteration, or nullptr if there is none.
template <class Row>
[[nodiscard]] const Row* row_of(const std::vector<Row>& rows, std::int64_t iteration) {
  const auto found = std::ranges::find(rows, iteration, &Row::iteration);
  return found == rows.end() ? nullptr : &*found;
}

// How the records are stored.
[[nodiscard]] const h5::Records<HistoryRow>& history_records();
[[nodiscard]] const h5::Records<ValidationRow>& validation_records();
[[nodiscard]] const h5::Records<FailureRow>& failure_records();
[[nodiscard]] const h5::Records<SessionRow>& session_records();

/// What a results file and a checkpoint share: /history, /validation, /failures, /sessions, /timing (phase,
/// rank, seconds); /flops and /meta_gradient where there are any.
template <>
[[nodiscard]] const FileLayout<Results>& layout_of<Results>();

/// The tables without optional fields and gradients, as bytes: what a checkpoint's checksum is of, for
/// programs with and without these fields read each other's.
[[nodiscard]] std::string required_values(const Results& results);

} // namespace metasieve
