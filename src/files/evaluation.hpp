#pragma once

#include "fairness/metrics.hpp"
#include "files/file_layout.hpp"

#include <array>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace metasieve {

/// Bytes of a source's name at most: what is longer is cut.
inline constexpr std::size_t most_source_bytes = 63;
/// Bytes of a group's name in these records at most.
inline constexpr std::size_t most_group_bytes = 63;

// Names in these records: source and group at most 63 bytes, others 31, or cut. NaN: undefined.

/// One method on one split of one source; the file carries a flag for each value that can be undefined.
struct EvaluationRow {
  std::string source; ///< suite family or data set name
  std::int64_t split; ///< task id, or number of the split
  std::string method;
  Metrics metrics; ///< on the clean test rows
  double noise_rate_all;
  double noise_rate_selected;
  double noise_reduction;   ///< 1 - selected / all
  double minority_share;    ///< share of group 1 in the selection
  double selected;          ///< rows kept, or the sum of the weights
  std::uint8_t failed;      ///< 1 if a fit failed: metrics are NaN
  std::int64_t policy = -1; ///< which of the policies; -1: the method asks none
  std::string family;       ///< of the task; empty for data sets, and in files of older programs
};

/// Mean over the repeats (tasks or splits) where the metric is defined, each the mean over the policies, with
/// an interval: see SourceDesign.
struct SummaryRow {
  std::string source, method, metric;
  double mean, low, high; ///< 95 % interval over splits
  double baseline_change; ///< mean difference to the method `baseline` on the same splits
  double baseline_change_low, baseline_change_high;
  double baseline_relative; ///< mean / mean of baseline - 1
  std::int64_t splits;      ///< where defined
  std::int64_t policies;    ///< whose results are averaged; 1 for a method that asks none
  double policy_sd;         ///< standard deviation of the policies' means; NaN with one policy
  double setting = std::numeric_limits<double>::quiet_NaN();    ///< of a frontier: see FrontierSettings
  double baseline_p = std::numeric_limits<double>::quiet_NaN(); ///< of "no change", two-sided; not in files
};

/// A summary of one point of a sweep.
struct PointSummaryRow : SummaryRow {
  std::int64_t index; ///< of the point
};

/// Rates of a model on the test rows of one group.
struct GroupRates {
  double accuracy, positive_rate, true_positive_rate, false_positive_rate;
};

/// One of them: its name, and the rows that it is a share of.
struct GroupRate {
  const char* name;
  double GroupRates::*rate;
  bool of_zeros, of_ones; ///< whether rows of label 0, and of label 1, are among them
};
inline constexpr std::array<GroupRate, 4> group_rates{
    {{"accuracy", &GroupRates::accuracy, true, true},
     {"positive_rate", &GroupRates::positive_rate, true, true},
     {"true_positive_rate", &GroupRates::true_positive_rate, false, true},
     {"false_positive_rate", &GroupRates::false_positive_rate, true, false}}};

/// A fit on one group of the test rows of one split of a data set. Suites have none: a number of a group
/// means something else in each of their tasks. Nor have fits that failed.
struct GroupRow {
  std::string source; ///< data set name
  std::int64_t split, policy;
  std::string method;
  std::int64_t group;           ///< its number in the data set
  std::int64_t rows, positives; ///< test rows; those of label 1
  GroupRates rates;
};

/// A summary of one of group_rates in one group.
struct GroupSummaryRow : SummaryRow {
  std::int64_t group;
  std::string name; ///< of the group
  double rows;      ///< test rows that the rate is a share of, mean over the splits
};

/// A selection against a peer on the same splits.
struct PairedRow {
  std::string source, method, peer, metric;
  double difference, low, high; ///< method - peer: mean and 95 % interval over splits
  double won;                   ///< share of the splits where `method` is better, ties counted half
  std::int64_t splits;          ///< where both are defined
};

/// Rejected rows as a detector of flipped labels, over all tasks of a source and kind of corruption.
struct DetectionRow {
  std::string source, corruption, method; ///< corruption: see tasks/corruption_kind.hpp, or "all"
  std::int64_t group;                     ///< its number; -1: all
  std::int64_t label; ///< observed: 0 (its flipped rows are hidden positives), 1 (false positives), -1 both
  std::int64_t rows, rejected, flipped, caught;
  double precision, recall; ///< caught / rejected, caught / flipped
};

/// Partial dependence of a policy as trained, mean over tasks at the same quantile of each task.
struct ResponseRow {
  std::string source;
  std::int64_t policy;
  std::string feature;
  double quantile, value; ///< of the feature; `value` as the policy sees it (docs/mathematics.md)
  double score, keep;     ///< mean of v and of the keep weight
};

/// Positives of a group that seem to be labelled negative in the training rows of one split of a data set;
/// see methods/hidden_positives.hpp.
struct HiddenPositivesRow {
  std::string source; ///< data set name
  std::int64_t split, group;
  std::string name; ///< of the group
  double share;     ///< of the group's positives
  double evidence;  ///< log-likelihood that the best share gains over none
};

/// One thing that a reader must know before believing a source's figures, worded by text_of. Files of older
/// programs have the first three fields alone.
struct Finding {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();

  std::string source{},
      kind{};           ///< kind: constant, undefined, failed, small, test_part, hidden, fairness, accuracy
  std::string text{};   ///< at most 255 characters
  std::string method{}; ///< the best one; of a warning: "greedy 3, roh 1", with numbers of splits; or none
  std::string metric{}; ///< accuracy, dp_gap or eo_gap; empty: of all; of a small group: which of group_rates
  std::string group{};  ///< the group that is small, or of hidden positives; empty: not about one group
  double change = none; ///< of the metric against `baseline`: of a gap relative, of the accuracy itself
  double low = none, high = none; ///< 95 % interval of the mean difference
  double cost = none;             ///< accuracy that is lost for the change; negative: a gain
  double balanced_cost = none;    ///< the same of balanced accuracy
  double level = none; ///< the metric of `baseline`; rows that are too few; share of hidden positives
  double floor = none; ///< what a fair model would show of a gap by chance; rows that suffice
};

/// The tables of an evaluation beside its single rows.
struct EvaluationTables {
  std::vector<SummaryRow> summary;
  std::vector<PairedRow> paired;
  std::vector<DetectionRow> detection;
  std::vector<ResponseRow> response;
  std::vector<Finding> findings;
  std::vector<SummaryRow> frontier; ///< empty unless asked for
  std::vector<GroupRow> groups;     ///< of data sets
  std::vector<GroupSummaryRow> group_summary;
  std::vector<HiddenPositivesRow> hidden; ///< of data sets, where it is estimated
  std::set<std::string> one_group;        ///< sources whose tasks have one group, and so no gap; not in files
};

/// Rows of all ranks, and tables.
struct Evaluation {
  std::vector<EvaluationRow> rows;
  EvaluationTables tables;
};

// How summaries are stored.
[[nodiscard]] const h5::Records<SummaryRow>& summary_records();
[[nodiscard]] const h5::Records<PointSummaryRow>& point_summary_records(); ///< after the field `index`

/// Every rank gives its rows, written in rank order to /evaluation; rank 0 alone gives the tables.
template <>
[[nodiscard]] const FileLayout<Evaluation>& layout_of<Evaluation>();

} // namespace metasieve
