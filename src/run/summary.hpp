#pragma once

#include "io/evaluation_file.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// Whether the union of all sources is summed up too: of the families of a suite, yes; of unrelated data
/// sets, no.
enum class Pooling { none, sources };

/// One row per source, method and metric: mean over splits, 95 % percentile bootstrap interval (Efron and
/// Tibshirani 1993, 1000 resamples of the splits), and the paired difference to the method `baseline` on the
/// same splits. Pooled, where there are several sources, their union follows as source "all".
[[nodiscard]] std::vector<SummaryRow> summarise(const std::vector<EvaluationRow>& rows, Pooling pooling,
                                                Seed seed);

/// The comparison as a person reads it: one block per source, one line per method; notes on constant
/// predictors, undefined rates and failed fits.
[[nodiscard]] std::string comparison_table(const std::vector<EvaluationRow>& rows,
                                           const std::vector<SummaryRow>& summary);

} // namespace metasieve
