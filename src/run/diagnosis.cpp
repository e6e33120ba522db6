#include "run/diagnosis.hpp"

#include "parallel/for_each.hpp"
#include "selectors/partial_dependence.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <tuple>

namespace metasieve {
namespace {

constexpr Index response_tasks = 20, response_rows = 500, response_points = 11;

/// Sources, kinds and methods in the order in which they are reported.
using Key = std::tuple<std::string, std::string, Method>;

void add_rows(std::vector<DetectionRow>& out, const Key& key, const DetectionReport& report) {
  const auto add = [&](std::int64_t group, std::int64_t label, const Detection& d) {
    out.push_back({std::get<0>(key), std::get<1>(key), std::string(to_string(std::get<2>(key))), group, label,
                   d.rows, d.rejected, d.flipped, d.caught, d.precision(), d.recall()});
  };
  add(-1, -1, report.all());
  for (const std::size_t z : {0U, 1U}) add(static_cast<std::int64_t>(z), -1, report.of_group(z));
  add(-1, 0, report.hidden_positives());
  add(-1, 1, report.false_positives());
  for (const std::size_t y : {0U, 1U})
    for (const std::size_t z : {0U, 1U})
      add(static_cast<std::int64_t>(z), static_cast<std::int64_t>(y), report.cell[y][z]);
}

/// `count` rows of 0..rows-1, evenly spread.
std::vector<Index> spread_rows(Index rows, Index count) {
  std::vector<Index> out;
  for (Index k = 0; k < std::min(rows, count); ++k) out.push_back(k * rows / std::min(rows, count));
  return out;
}

/// grid, score, keep of one task and policy, each [f, points], as numbers.
std::vector<double> response_of(const PreparedTask& task, const Policy& policy) {
  const Matrix features =
      task.features(spread_rows(task.features.rows(), response_rows), Eigen::all).cast<double>();
  const Matrix grid = quantile_grid(features, response_points);
  const PartialDependence response = partial_dependence(policy, features, grid);
  std::vector<double> out;
  for (const Matrix* part : {&grid, &response.score, &response.keep})
    out.insert(out.end(), part->data(), part->data() + part->size());
  return out;
}

} // namespace

std::vector<DetectionRow> detection_table(const std::vector<TaskEntry>& entries,
                                          const std::vector<std::string>& names) {
  std::map<Key, DetectionReport> reports;
  std::map<std::string, std::set<Corruption>> kinds;
  for (const TaskEntry& each : entries) {
    const DetectionReport& report = each.entry.assessment.detection;
    const std::string& source = names[static_cast<std::size_t>(each.task)];
    if (report.all().rejected == 0) continue; // a soft selection, or all rows
    kinds[source].insert(each.corruption);
    for (const std::string& kind : {std::string("all"), std::string(to_string(each.corruption))}) {
      DetectionReport& sum = reports[{source, kind, each.entry.method}];
      sum = sum + report;
    }
  }
  std::vector<DetectionRow> out;
  for (const auto& [key, report] : reports)
    if (std::get<1>(key) != "all" || kinds[std::get<0>(key)].size() > 1) add_rows(out, key, report);
  return out;
}

std::vector<ResponseRow> response_table(const Communicator& comm, const Shard& shard, const std::string& name,
                                        const std::vector<Policy>& policies) {
  const Index features = feature_count(policies.front().features);
  const Index size = 3 * features * response_points, count = std::ssize(policies);
  const Index mine = std::clamp<Index>(response_tasks - shard.ids.begin, 0, std::ssize(shard.tasks));
  std::string bytes(static_cast<std::size_t>(mine * count * size) * sizeof(double), '\0');
  comm.agree([&] {
    for_each_parallel({0, mine * count}, [&](Index k) {
      const std::vector<double> response = response_of(shard.tasks[static_cast<std::size_t>(k / count)],
                                                       policies[static_cast<std::size_t>(k % count)]);
      std::memcpy(bytes.data() + static_cast<std::size_t>(k * size) * sizeof(double), response.data(),
                  response.size() * sizeof(double));
    });
  });
  const std::string all = comm.gather(bytes); // by task, then policy
  const auto results = static_cast<Index>(all.size() / sizeof(double)) / size;
  Matrix sum = Matrix::Zero(count, size);
  Vector result(size);
  for (Index k = 0; k < results; ++k) {
    std::memcpy(result.data(), all.data() + static_cast<std::size_t>(k * size) * sizeof(double),
                static_cast<std::size_t>(size) * sizeof(double));
    sum.row(k % count) += result;
  }
  const Matrix mean = sum / static_cast<double>(std::max<Index>(1, results / count));
  std::vector<ResponseRow> out;
  for (Index p = 0; p < count; ++p)
    for (Index j = 0; j < features; ++j)
      for (Index g = 0; g < response_points; ++g) {
        const Index at = j * response_points + g, part = features * response_points;
        out.push_back({name, p, std::string(feature_name(policies.front().features, j)),
                       static_cast<double>(g) / static_cast<double>(response_points - 1), mean(p, at),
                       mean(p, at + part), mean(p, at + 2 * part)});
      }
  return out;
}

} // namespace metasieve
