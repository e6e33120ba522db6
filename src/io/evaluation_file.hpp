#pragma once

#include "fairness/metrics.hpp"
#include "io/suite_file.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// One method on one split of one source. NaN = undefined; the file carries a flag for each value that can
/// be.
struct EvaluationRow {
  std::string source; ///< suite family or data set name, at most 63 characters, or cut
  std::int64_t split; ///< task id, or number of the split
  std::string method; ///< at most 31 characters
  Metrics metrics;    ///< on the clean test rows
  double noise_rate_all;
  double noise_rate_selected;
  double noise_reduction; ///< 1 - selected / all
  double minority_share;  ///< share of group 1 in the selection
  double selected;        ///< rows kept, or the sum of the weights
  std::uint8_t failed;    ///< 1 if a fit failed: metrics are NaN
};

/// Mean over the splits where the metric is defined, with a percentile bootstrap interval.
struct SummaryRow {
  std::string source, method, metric; ///< at most 63, 31, 31 characters
  double mean, low, high;             ///< 95 % interval over splits
  double baseline_change;             ///< mean difference to the method `baseline` on the same splits
  double baseline_change_low, baseline_change_high;
  double baseline_relative; ///< mean / mean of baseline - 1
  std::int64_t splits;      ///< where defined
};

/// Collective; every rank gives its rows, written in rank order to /evaluation; rank 0 gives /summary.
/// @throws AgreedError (exit code 3) naming the file if it cannot be written.
void write_evaluation(const Communicator& comm, const std::filesystem::path& path,
                      const Provenance& provenance, const std::vector<EvaluationRow>& rows,
                      const std::vector<SummaryRow>& summary);

struct Evaluation {
  std::vector<EvaluationRow> rows;
  std::vector<SummaryRow> summary;
};

/// Collective; every rank gets all rows. @throws AgreedError (exit code 3) naming file and data set.
[[nodiscard]] Evaluation read_evaluation(const Communicator& comm, const std::filesystem::path& path);

} // namespace metasieve
