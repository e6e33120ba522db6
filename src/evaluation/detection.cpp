#include "evaluation/detection.hpp"

#include "methods/partial_dependence.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace metasieve {
namespace {

/// Source, kind of corruption and method, in the order in which they are reported.
using Key = std::tuple<std::string, std::string, Method>;

void add_rows(std::vector<DetectionRow>& out, const Key& key, const DetectionReport& report) {
  const auto add = [&](std::int64_t group, std::int64_t label, const Detection& d) {
    const auto& [source, corruption, method] = key;
    out.push_back({source, corruption, std::string(to_string(method)), group, label, d.rows, d.rejected,
                   d.flipped, d.caught, d.precision(), d.recall()});
  };
  add(-1, -1, report.all());
  add(0, -1, report.of_group(0));
  add(1, -1, report.of_group(1));
  add(-1, 0, report.hidden_positives());
  add(-1, 1, report.false_positives());
  for (const int y : {0, 1})
    for (const int z : {0, 1})
      add(z, y, report.cell[static_cast<std::size_t>(y)][static_cast<std::size_t>(z)]);
}

/// `count` rows of 0..rows-1, evenly spread.
std::vector<Index> spread_rows(Index rows, Index count) {
  std::vector<Index> out;
  for (Index k = 0; k < std::min(rows, count); ++k) out.push_back(k * rows / std::min(rows, count));
  return out;
}

} // namespace

std::vector<DetectionRow> detection_table(const std::vector<TaskResult>& results,
                                          const std::vector<std::string>& names) {
  std::map<Key, DetectionReport> reports;
  std::map<std::string, std::set<Corruption>> kinds;
  for (std::size_t task = 0; task < results.size(); ++task)
    for (const MethodResult& result : results[task].methods) {
      const DetectionReport& report = result.assessment.detection;
      const Corruption corruption = results[task].corruption;
      if (report.all().rejected == 0) continue; // a soft selection, or all rows
      kinds[names[task]].insert(corruption);
      for (const std::string& kind : {std::string("all"), std::string(to_string(corruption))}) {
        DetectionReport& sum = reports[{names[task], kind, result.method}];
        sum = sum + report;
      }
    }
  std::vector<DetectionRow> out;
  for (const auto& [key, report] : reports)
    if (std::get<1>(key) != "all" || kinds[std::get<0>(key)].size() > 1) add_rows(out, key, report);
  return out;
}

Vector response_of(const PreparedTask& task, const Policy& policy) {
  const Matrix features =
      task.features(spread_rows(task.features.rows(), response_rows), Eigen::all).cast<double>();
  const Matrix grid = quantile_grid(features, response_points);
  const PartialDependence response = partial_dependence(policy, features, grid, task.precision);
  Vector out(3 * grid.size());
  out << grid.reshaped<Eigen::RowMajor>(), response.score.reshaped<Eigen::RowMajor>(),
      response.keep.reshaped<Eigen::RowMajor>();
  return out;
}

std::vector<ResponseRow> response_table(const std::vector<std::vector<Vector>>& responses,
                                        const std::string& name, FeatureSet features) {
  std::vector<ResponseRow> out;
  const std::size_t policies = responses.empty() ? 0 : responses.front().size();
  for (std::size_t p = 0; p < policies; ++p) {
    Vector mean = Vector::Zero(responses.front()[p].size());
    for (const std::vector<Vector>& of_task : responses) mean += of_task[p];
    mean /= static_cast<double>(responses.size());
    const Index part = mean.size() / 3;
    for (Index at = 0; at < part; ++at)
      out.push_back({name, static_cast<std::int64_t>(p),
                     std::string(feature_name(features, at / response_points)),
                     static_cast<double>(at % response_points) / static_cast<double>(response_points - 1),
                     mean(at), mean(at + part), mean(at + 2 * part)});
  }
  return out;
}

} // namespace metasieve
