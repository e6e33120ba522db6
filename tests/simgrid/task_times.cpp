#include "task_times.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <queue>
#include <sstream>

namespace metasieve {
namespace {

constexpr double synthetic_seconds = 1e-3; // of one visit, about as long as a real one

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream text(line);
  for (std::string field; std::getline(text, field, ',');) fields.push_back(field);
  return fields;
}

/// The columns of a CSV by name.
std::map<std::string, std::vector<double>> columns_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line)) throw DataError(path + ": cannot be read, or is empty");
  const std::vector<std::string> names = fields_of(line);
  std::map<std::string, std::vector<double>> columns;
  while (std::getline(file, line)) {
    const std::vector<std::string> fields = fields_of(line);
    if (fields.size() != names.size())
      throw DataError(path + ": a row with more or fewer fields than the first");
    for (std::size_t i = 0; i < names.size(); ++i)
      columns[names[i]].push_back(std::strtod(fields[i].c_str(), nullptr));
  }
  return columns;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

} // namespace

TaskTimes::TaskTimes(const std::string& source, Seed seed) : seed_(seed) {
  if (source == "equal") return;
  if (const std::string word = "lognormal:"; source.starts_with(word)) {
    sigma_ = std::strtod(source.c_str() + word.size(), nullptr);
    if (!(sigma_ > 0)) throw ConfigError(source + ": must be lognormal:SIGMA, SIGMA > 0");
    return;
  }
  auto columns = columns_of(source);
  for (const char* name :
       {"predicted_prepare_ns", "prepare_ns", "predicted_visit_ns", "visit_0_ns", "update_ns"})
    if (columns[name].empty()) throw DataError(source + ": no column " + name + "; measure_tasks writes one");
  measured_.resize(columns["prepare_ns"].size());
  update_ = 1e-9 * median(columns["update_ns"]);
  for (const auto& [name, values] : columns)
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (name == "prepare_ns") measured_[i].preparation = values[i] / columns["predicted_prepare_ns"][i];
      if (name.starts_with("visit_"))
        measured_[i].visits.push_back(values[i] / columns["predicted_visit_ns"][i]);
    }
}

const TaskTimes::Measured& TaskTimes::drawn(TaskId id) const {
  const Stream stream(seed_, Draw::bootstrap, id);
  return measured_[static_cast<std::size_t>(stream.below(0, std::ssize(measured_)))];
}

double TaskTimes::preparation(double predicted, TaskId id) const {
  return measured_.empty() ? synthetic_seconds : 1e-9 * predicted * drawn(id).preparation;
}

double TaskTimes::visit(double predicted, TaskId id, std::uint64_t step) const {
  const Stream stream(seed_, Draw::bootstrap, id, step + 1);
  if (measured_.empty())
    return synthetic_seconds * std::exp(sigma_ * stream.normal(0) - 0.5 * sigma_ * sigma_);
  const std::vector<double>& visits = drawn(id).visits;
  return 1e-9 * predicted * visits[static_cast<std::size_t>(stream.below(0, std::ssize(visits)))];
}

double dynamic_schedule(const std::vector<double>& seconds, int threads) {
  std::priority_queue<double, std::vector<double>, std::greater<>> free_at; // soonest first
  for (int thread = 0; thread < threads; ++thread) free_at.push(0.0);
  double last = 0;
  for (const double task : seconds) {
    const double end = free_at.top() + task;
    free_at.pop();
    free_at.push(end);
    last = std::max(last, end);
  }
  return last;
}

} // namespace metasieve
