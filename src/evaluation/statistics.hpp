#pragma once

#include "base/linalg.hpp"
#include "base/random.hpp"
#include "files/evaluation.hpp"

#include <limits>
#include <string>
#include <vector>

namespace metasieve {

/// A mean with its 95 % interval; NaN where nothing is defined, the interval also where one value alone is.
struct Estimate {
  double mean = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  Index count = 0; ///< values that are defined
};

/// Of each column of values [splits, k]: the mean and the percentile bootstrap interval over the rows (Efron
/// and Tibshirani 1993, 1000 resamples), NaN left out. Resample b of so many rows is the same for every
/// column and call of a seed, so what is compared is compared on the same resamples.
[[nodiscard]] std::vector<Estimate> bootstrap(const Matrix& values, Seed seed);

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

} // namespace metasieve
