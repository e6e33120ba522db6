#pragma once

#include "base/random.hpp"
#include "files/evaluation.hpp"

#include <array>
#include <map>
#include <string>
#include <vector>

namespace metasieve {

/// A method on 1000 resamples of the rows of a test part.
struct Resampled {
  Matrix metrics;        ///< [resamples, metrics of a summary]
  Matrix rates_of_group; ///< [resamples, 4 K]: group_rates of group 0, of group 1, ...
};

/// How the repeats of a source came about. It decides how intervals are made, 95 % each:
/// - tasks are independent: percentile bootstrap over tasks (Efron and Tibshirani 1993, 1000 resamples, the
///   same for all that is compared);
/// - random splits of one table share rows, so their spread understates the uncertainty: mean +- t(J - 1) s
///   sqrt(1/J + n_test/n_train) over the J splits (Nadeau and Bengio 2003);
/// - a test part of its own: bootstrap over the test rows, stratified by label and group, of the predictions
///   of the fitted models, the same resamples for all that is compared. The interval covers the chance of the
///   test rows only; there is none of the area under the ROC curve and of what concerns training rows.
struct SourceDesign {
  enum class Kind { tasks, splits, test_part } kind = Kind::tasks;
  double test_over_train = 0;                   ///< of splits: n_test / n_train
  Index groups = 2;                             ///< K; of tasks the largest
  std::map<std::string, Resampled> resampled{}; ///< of a test part, by method
  // Known for a data set alone:
  Index rows = 0;                                ///< of the table, with its test part
  std::vector<std::string> group_names{};        ///< [K], at most most_group_bytes each
  std::array<std::vector<Index>, 2> test_rows{}; ///< [label][group], of a split
  std::vector<Index> untrained{};                ///< groups without a row in the training part
};

/// The designs of the sources, by their names; a source that is not named has independent tasks.
struct SourceDesigns {
  bool pooled = false; ///< whether the union of several sources follows as source "all": families of a suite
  std::map<std::string, SourceDesign> of{};
};

/// Each cell of label and group is resampled for itself; mean over the fits of a method. y, group: [m];
/// predicted [m, fits]: 0 or 1; groups: K. Floors of more than two groups are left undefined.
[[nodiscard]] Resampled resampled_metrics(const Labels& y, const Labels& group, Index groups,
                                          const Matrix& predicted, Seed seed);

/// Rates in a group from its cells: rows of label 0, and of label 1.
[[nodiscard]] GroupRates rates_of(Rate zeros, Rate ones);

/// One row per source, method and metric: mean over repeats, its interval, and the paired difference to the
/// method `baseline` on the same repeats with its interval and p-value. Where several policies were asked,
/// the value of a repeat is the mean over them.
[[nodiscard]] std::vector<SummaryRow> summarise(const std::vector<EvaluationRow>& rows,
                                                const SourceDesigns& designs, Seed seed);

/// `summarise` for each rate in each group of the data sets, whose designs must be known. Ordered by source,
/// group and method.
[[nodiscard]] std::vector<GroupSummaryRow> summarise_groups(const std::vector<GroupRow>& rows,
                                                            const SourceDesigns& designs, Seed seed);

/// One row per source, method that asks a policy, every other method, and metric of quality.
[[nodiscard]] std::vector<PairedRow> compare_in_pairs(const std::vector<EvaluationRow>& rows,
                                                      const SourceDesigns& designs, Seed seed);

/// A row of a frontier: the method at one setting.
struct FrontierRow {
  EvaluationRow row;
  double setting;
};

/// `summarise` for each setting, in their order, against the rows of the method baseline among `rows`. Points
/// on a test part have no interval.
[[nodiscard]] std::vector<SummaryRow> summarise_frontier(const std::vector<FrontierRow>& points,
                                                         const std::vector<EvaluationRow>& rows,
                                                         const SourceDesigns& designs, Seed seed);

} // namespace metasieve
