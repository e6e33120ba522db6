#pragma once

#include "io/evaluation_file.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// Whether the union of all sources is summed up too: of the families of a suite, yes; of unrelated data
/// sets, no.
enum class Pooling { none, sources };

/// One row per source, method and metric: mean over splits, 95 % bootstrap interval, and the paired
/// difference to the method `baseline` on the same splits. Where several policies were asked, a split's value
/// is the mean over them: splits are what the interval is over. Pooled, where there are several sources,
/// their union follows as source "all".
[[nodiscard]] std::vector<SummaryRow> summarise(const std::vector<EvaluationRow>& rows, Pooling pooling,
                                                Seed seed);

/// One row per source, method that asks a policy, every other method, and metric of quality.
[[nodiscard]] std::vector<PairedRow> compare_in_pairs(const std::vector<EvaluationRow>& rows, Pooling pooling,
                                                      Seed seed);

/// A row of a frontier: of the method at this setting.
struct FrontierRow {
  EvaluationRow row;
  double setting;
};

/// As `summarise`, for each setting, in their order; `baseline`: the rows of that method.
[[nodiscard]] std::vector<SummaryRow> summarise_frontier(const std::vector<FrontierRow>& points,
                                                         const std::vector<EvaluationRow>& baseline,
                                                         Pooling pooling, Seed seed);

/// What a reader must know before believing the figures, for each source: constant predictors, undefined
/// rates, failed fits, and whether any selection of rows helps fairness or accuracy there, beyond its
/// sampling error.
[[nodiscard]] std::vector<FindingRow> findings_of(const std::vector<EvaluationRow>& rows,
                                                  const std::vector<SummaryRow>& summary);

/// The comparison as a person reads it: per source one line per method, the pairs with their peers in the
/// metric `gap`, and the findings.
[[nodiscard]] std::string comparison_table(const EvaluationTables& tables, const std::string& gap);

/// The frontier as a person reads it.
[[nodiscard]] std::string frontier_table(const std::vector<SummaryRow>& frontier);

} // namespace metasieve
