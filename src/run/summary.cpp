#include "run/summary.hpp"

#include "base/random.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

namespace metasieve {
namespace {

struct Quantity {
  const char* name;
  double (*value)(const EvaluationRow&);
};

constexpr std::array<Quantity, 15> quantities{{
    {"accuracy", [](const EvaluationRow& r) { return r.metrics.accuracy; }},
    {"dp_gap", [](const EvaluationRow& r) { return r.metrics.dp_gap; }},
    {"eo_gap", [](const EvaluationRow& r) { return r.metrics.eo_gap; }},
    {"eopp_gap", [](const EvaluationRow& r) { return r.metrics.eopp_gap; }},
    {"roh_dp", [](const EvaluationRow& r) { return r.metrics.roh_dp; }},
    {"roh_eo", [](const EvaluationRow& r) { return r.metrics.roh_eo; }},
    {"noise_rate_all", [](const EvaluationRow& r) { return r.noise_rate_all; }},
    {"noise_rate_selected", [](const EvaluationRow& r) { return r.noise_rate_selected; }},
    {"noise_reduction", [](const EvaluationRow& r) { return r.noise_reduction; }},
    {"minority_share", [](const EvaluationRow& r) { return r.minority_share; }},
    {"selected", [](const EvaluationRow& r) { return r.selected; }},
    {"auc", [](const EvaluationRow& r) { return r.metrics.auc; }},
    {"balanced_accuracy", [](const EvaluationRow& r) { return r.metrics.balanced_accuracy; }},
    {"positive_rate", [](const EvaluationRow& r) { return r.metrics.positive_rate; }},
    {"worst_group_accuracy", [](const EvaluationRow& r) { return r.metrics.worst_group_accuracy; }},
}};

constexpr Index resamples = 1000;
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

using Rows = std::vector<const EvaluationRow*>;

/// Means of the resampled values, sorted. Resample b of size n is the same for every method and metric.
std::vector<double> bootstrap_means(const std::vector<double>& values, Seed seed) {
  const auto count = static_cast<Index>(values.size());
  std::vector<double> means;
  for (Index b = 0; b < resamples; ++b) {
    const Stream stream(seed, Draw::bootstrap, TaskId{static_cast<std::uint64_t>(b)});
    double sum = 0;
    for (Index i = 0; i < count; ++i) sum += values[static_cast<std::size_t>(stream.below(i, count))];
    means.push_back(sum / static_cast<double>(count));
  }
  std::sort(means.begin(), means.end());
  return means;
}

struct Estimate {
  double mean = undefined, low = undefined, high = undefined;
};

Estimate estimate(const std::vector<double>& values, Seed seed) {
  if (values.empty()) return {};
  double sum = 0;
  for (const double value : values) sum += value;
  const std::vector<double> means = bootstrap_means(values, seed);
  return {sum / static_cast<double>(values.size()), means[resamples * 25 / 1000],
          means[resamples * 975 / 1000 - 1]};
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? undefined : sum / static_cast<double>(values.size());
}

SummaryRow summarise_one(const std::string& source, const std::string& method, const Quantity& quantity,
                         const Rows& rows, const Rows& baseline, Seed seed) {
  std::vector<double> values, own, reference, differences;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double value = quantity.value(*rows[i]);
    if (std::isnan(value)) continue;
    values.push_back(value);
    const double base = i < baseline.size() ? quantity.value(*baseline[i]) : undefined;
    if (std::isnan(base)) continue;
    own.push_back(value);
    reference.push_back(base);
    differences.push_back(value - base);
  }
  const Estimate level = estimate(values, seed), change = estimate(differences, seed);
  const double base_mean = mean(reference);
  return {source,
          method,
          quantity.name,
          level.mean,
          level.low,
          level.high,
          change.mean,
          change.low,
          change.high,
          base_mean > 0 ? mean(own) / base_mean - 1.0 : undefined,
          static_cast<std::int64_t>(values.size())};
}

std::vector<std::string> in_order_of_appearance(const std::vector<EvaluationRow>& rows,
                                                const std::string EvaluationRow::*field) {
  std::vector<std::string> names;
  for (const EvaluationRow& row : rows)
    if (std::find(names.begin(), names.end(), row.*field) == names.end()) names.push_back(row.*field);
  return names;
}

} // namespace

std::vector<SummaryRow> summarise(const std::vector<EvaluationRow>& rows, Pooling pooling, Seed seed) {
  const std::vector<std::string> sources = in_order_of_appearance(rows, &EvaluationRow::source);
  const bool pooled = pooling == Pooling::sources && sources.size() > 1;
  const std::vector<std::string> methods = in_order_of_appearance(rows, &EvaluationRow::method);
  std::map<std::pair<std::string, std::string>, Rows>
      cells; // splits in the order of the rows: paired over methods
  for (const EvaluationRow& row : rows) {
    cells[{row.source, row.method}].push_back(&row);
    if (pooled) cells[{"all", row.method}].push_back(&row);
  }
  std::vector<std::string> blocks = sources;
  if (pooled) blocks.emplace_back("all");
  std::vector<SummaryRow> summary;
  for (const std::string& source : blocks)
    for (const std::string& method : methods)
      for (const Quantity& quantity : quantities)
        summary.push_back(summarise_one(source, method, quantity, cells[{source, method}],
                                        cells[{source, "baseline"}], seed));
  return summary;
}

} // namespace metasieve
