#pragma once

#include "base/random.hpp"
#include "files/evaluation.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// Whether the union of all sources is summed up too: of the families of a suite, yes; of unrelated data
/// sets, no.
enum class Pooling { none, sources };

/// One row per source, method and metric: mean over splits, 95 % percentile bootstrap interval (Efron and
/// Tibshirani 1993, 1000 resamples, the same for all that is compared), and the paired difference to the
/// method `baseline` on the same splits. Where several policies were asked, a split's value
/// is the mean over them: splits are what the interval is over. Pooled, where there are several sources,
/// their union follows as source "all".
[[nodiscard]] std::vector<SummaryRow> summarise(const std::vector<EvaluationRow>& rows, Pooling pooling,
                                                Seed seed);

/// One row per source, method that asks a policy, every other method, and metric of quality.
[[nodiscard]] std::vector<PairedRow> compare_in_pairs(const std::vector<EvaluationRow>& rows, Pooling pooling,
                                                      Seed seed);

/// A row of a frontier: the method at one setting.
struct FrontierRow {
  EvaluationRow row;
  double setting;
};

/// `summarise` for each setting, in their order, against the rows of the method baseline among `rows`.
[[nodiscard]] std::vector<SummaryRow> summarise_frontier(const std::vector<FrontierRow>& points,
                                                         const std::vector<EvaluationRow>& rows,
                                                         Pooling pooling, Seed seed);

} // namespace metasieve
