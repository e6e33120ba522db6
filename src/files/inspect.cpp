#include "files/inspect.hpp"

#include "base/json.hpp"
#include "files/checkpoint.hpp"
#include "files/dataset.hpp"
#include "files/evaluation.hpp"
#include "files/foreign_file.hpp"
#include "files/policy.hpp"
#include "files/results.hpp"
#include "files/scaling.hpp"
#include "files/scores.hpp"
#include "files/suite.hpp"
#include "files/sweep.hpp"
#include "hdf5/reader.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <sstream>

namespace metasieve {
namespace {

template <class Values>
Json list(const Values& values) {
  std::vector<Json> out;
  for (const auto& value : values) out.emplace_back(value);
  return Json::array(out);
}

/// One field of a stored record.
Json value_of(const h5::FieldLayout& layout, const std::byte* from) {
  if (layout.number == nullptr) return h5::padded_text(layout.name, from, layout.size);
  const auto as = [from]<class T>(T value) {
    std::memcpy(&value, from, sizeof value);
    return Json(value);
  };
  if (layout.number == &h5::type_of<double>) return as(double{});
  if (layout.number == &h5::type_of<std::uint8_t>) return as(std::uint8_t{});
  if (layout.number == &h5::type_of<std::int32_t>) return as(std::int32_t{});
  if (layout.number == &h5::type_of<std::uint64_t>) return as(std::uint64_t{});
  return as(std::int64_t{});
}

/// With the names that the file has for its fields.
template <class Record>
Json record(const h5::Records<Record>& records, const Record& value) {
  std::vector<std::byte> bytes(records.size());
  records.store(value, bytes.data());
  JsonMembers members;
  for (const h5::FieldLayout& layout : records.layouts())
    members.emplace_back(layout.name, value_of(layout, bytes.data() + layout.offset));
  return Json::object(members);
}

template <class Record>
Json table(const h5::Records<Record>& records, const std::vector<Record>& values) {
  std::vector<Json> rows;
  for (const Record& value : values) rows.push_back(record(records, value));
  return Json::array(rows);
}

template <class Record>
Json last_of(const h5::Records<Record>& records, const std::vector<Record>& values) {
  return values.empty() ? Json() : record(records, values.back());
}

/// Least, greatest and mean of one quantity over the tasks where it is defined.
template <class Member>
Json spread(const std::vector<Metadata>& tasks, Member member) {
  std::vector<double> values;
  for (const Metadata& task : tasks)
    if (const auto value = static_cast<double>(task.*member); !std::isnan(value)) values.push_back(value);
  if (values.empty()) return Json::object({{"least", Json()}, {"greatest", Json()}, {"mean", Json()}});
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  const double total = std::accumulate(values.begin(), values.end(), 0.0);
  return Json::object({{"least", *least}, {"greatest", *greatest}, {"mean", total / double(values.size())}});
}

Json suite_json(const std::vector<Metadata>& tasks) {
  std::map<std::string, int> counts;
  for (const Metadata& task : tasks) ++counts[task.family];
  return Json::object({{"tasks", tasks.size()},
                       {"families", Json::object({counts.begin(), counts.end()})},
                       {"training_rows", spread(tasks, &Metadata::n_train)},
                       {"test_rows", spread(tasks, &Metadata::n_test)},
                       {"features", spread(tasks, &Metadata::n_features)},
                       {"noise_rate", spread(tasks, &Metadata::train_actual_noise_rate)},
                       {"share_of_group_1", spread(tasks, &Metadata::train_minority_rate)},
                       {"share_of_positives", spread(tasks, &Metadata::train_pos_rate)},
                       {"training_dp_gap", spread(tasks, &Metadata::train_dp_gap)},
                       {"test_dp_gap", spread(tasks, &Metadata::test_dp_gap)}});
}

Json dataset_json(const Dataset& data) {
  const auto ones = [](const Labels& labels) { return labels.cast<Index>().sum(); };
  return Json::object({{"rows", data.x.rows()},
                       {"columns", data.x.cols()},
                       {"feature_names", list(data.feature_names)},
                       {"positive_label", data.positive_label},
                       {"positive_rows", ones(data.y)},
                       {"group_name", data.group_name},
                       {"group_1_rows", ones(data.group)},
                       {"source", data.source},
                       {"source_sha256", data.source_sha256},
                       {"y_clean", data.y_clean.has_value()},
                       {"test_rows", data.split ? Json(ones(*data.split)) : Json()}});
}

Json policy_json(const Policy& policy) {
  return Json::object({{"features", std::string(to_string(policy.features))},
                       {"inputs", feature_count(policy.features)},
                       {"hidden", list(policy.hidden)},
                       {"parameters", policy.theta.size()},
                       {"keep", policy.keep},
                       {"temperature", policy.temperature},
                       {"use_group", policy.use_group},
                       {"trained_iterations", policy.trained_iterations},
                       {"theta_norm", policy.theta.norm()}});
}

JsonMembers training_members(const Results& results) {
  std::int64_t failed = 0;
  for (const HistoryRow& row : results.history) failed += row.failed_tasks;
  JsonMembers seconds;
  for (const PhaseSeconds& phase : results.timing)
    seconds.emplace_back(phase.phase, *std::max_element(phase.seconds.begin(), phase.seconds.end()));
  const Matrix& gradients = results.meta_gradient;
  return {
      {"iterations", results.history.size()},
      {"first_loss", results.history.empty() ? Json() : Json(results.history.front().loss)},
      {"last_iteration", last_of(history_records(), results.history)},
      {"failed_task_fits", failed},
      {"failures", table(failure_records(), results.failures)},
      {"sessions", table(session_records(), results.sessions)},
      {"first_validation",
       results.validation.empty() ? Json() : record(validation_records(), results.validation.front())},
      {"last_validation", last_of(validation_records(), results.validation)},
      {"slowest_rank_seconds", Json::object(seconds)},
      {"meta_gradient",
       gradients.size() > 0 ? list(std::vector{gradients.rows(), gradients.cols()}) : Json()},
  };
}

Json checkpoint_json(const Checkpoint& checkpoint) {
  return Json::object({{"step", checkpoint.adam.step},
                       {"policy", policy_json(checkpoint.policy)},
                       {"training", Json::object(training_members(checkpoint.results))}});
}

Json evaluation_json(const Evaluation& evaluation) {
  const EvaluationNames names = names_in(evaluation.rows);
  return Json::object({{"rows", evaluation.rows.size()},
                       {"sources", list(names.sources)},
                       {"methods", list(names.methods)},
                       {"failed", names.failed},
                       {"findings", table(finding_records(), evaluation.tables.findings)},
                       {"summary", table(summary_records(), evaluation.tables.summary)}});
}

Json scores_json(const std::vector<ScoreRow>& rows) {
  const auto kept = std::count_if(rows.begin(), rows.end(), [](const ScoreRow& row) { return row.selected; });
  return Json::object({{"rows", rows.size()}, {"selected", kept}});
}

Json scaling_json(const Scaling& scaling) {
  std::vector<Json> points;
  for (const ScalingRow& row : scaling.points)
    points.push_back(Json::object({{"kind", row.kind},
                                   {"ranks", row.ranks},
                                   {"threads", row.threads},
                                   {"repeat", row.repeat},
                                   {"tasks", row.tasks},
                                   {"batch", row.batch},
                                   {"iterations", row.iterations},
                                   {"seconds", row.seconds},
                                   {"seconds_per_iteration", row.seconds_per_iteration},
                                   {"oversubscribed", row.oversubscribed != 0}}));
  return Json::object({{"hosts", list(scaling.hosts)},
                       {"machines", list(scaling.machines)},
                       {"suite", scaling.suite.empty() ? "generated" : "read from a file"},
                       {"points", Json::array(points)}});
}

Json sweep_json(const Sweep& sweep) {
  std::vector<Json> columns;
  for (const SweepColumn& column : sweep.table.columns) columns.emplace_back(column.name);
  return Json::object({{"points", sweep.table.rows.size()},
                       {"summary_rows", sweep.summary.size()},
                       {"columns", Json::array(columns)}});
}

Json contents_json(const std::filesystem::path& path, FileType type) {
  switch (type) {
  case FileType::suite: return suite_json(read_suite_head(path).metadata);
  case FileType::dataset: return dataset_json(read_dataset(path));
  case FileType::policy: return policy_json(read_policy(path));
  case FileType::checkpoint: return checkpoint_json(read_checkpoint(path));
  case FileType::results: return Json::object(training_members(read_results(path)));
  case FileType::evaluation: return evaluation_json(read_evaluation(path));
  case FileType::scores: return scores_json(read_scores(path));
  case FileType::scaling: return scaling_json(read_scaling(path));
  case FileType::sweep: return sweep_json(read_sweep(path));
  }
  return {};
}

/// INI text as an object of its sections.
Json config_json(const std::string& text) {
  std::vector<std::pair<std::string, JsonMembers>> sections;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find(" = ");
    if (line.starts_with('[') && line.ends_with(']'))
      sections.emplace_back(line.substr(1, line.size() - 2), JsonMembers());
    else if (equals != std::string::npos && !sections.empty())
      sections.back().second.emplace_back(line.substr(0, equals), line.substr(equals + 3));
  }
  JsonMembers members;
  for (const auto& [name, keys] : sections) members.emplace_back(name, Json::object(keys));
  return Json::object(members);
}

/// One value of an attribute is not a list.
template <class T>
Json one_or_list(const std::vector<T>& values, const ValueLayout& layout) {
  return layout.shape.empty() && !values.empty() ? Json(values.front()) : list(values);
}

Json attribute_json(const FileReader& file, const ValueLayout& layout) {
  if (layout.type == "text") return one_or_list(file.texts(layout.name), layout);
  if (layout.type == "uint64" && layout.shape.empty()) return file.unsigned_integer(layout.name);
  if (layout.type.starts_with("int") || layout.type.starts_with("uint"))
    return one_or_list(file.integers(layout.name), layout);
  if (layout.type.starts_with("float") && layout.shape.empty()) return file.number(layout.name);
  return Json::object({{"type", layout.type}, {"shape", list(layout.shape)}}); // not ours
}

Json attributes_json(const FileReader& file) {
  JsonMembers attributes;
  for (const ValueLayout& layout : file.attributes())
    if (layout.name != "config") attributes.emplace_back(layout.name, attribute_json(file, layout));
  return Json::object(attributes);
}

Json data_sets_json(const FileReader& file) {
  std::vector<Json> data_sets;
  for (const std::string& name : file.data_sets()) {
    const ValueLayout layout = file.layout(name);
    JsonMembers members{{"name", name}, {"type", layout.type}, {"shape", list(layout.shape)}};
    if (!layout.fields.empty()) members.emplace_back("fields", list(layout.fields));
    data_sets.push_back(Json::object(members));
  }
  return Json::array(data_sets);
}

/// By one rank: has the file checked, then renders it.
std::string inspect(const std::filesystem::path& path, bool as_json) {
  static_cast<void>(check_in_child_process(path, "header"));
  const FileReader file(path);
  const std::string type(to_string(file.type()));
  static_cast<void>(check_in_child_process(path, type));
  const Json contents = contents_json(path, file.type());
  const std::string config = file.text_if_any("config");
  if (as_json)
    return Json::object({{"file", path.string()},
                         {"type", type},
                         {"bytes", file.bytes()},
                         {"attributes", attributes_json(file)},
                         {"config", config_json(config)},
                         {"data_sets", data_sets_json(file)},
                         {"contents", contents}})
               .text() +
           "\n";
  std::string text = path.string() + ": " + type + " " + std::to_string(file.version().major) + "." +
                     std::to_string(file.version().minor) + ", " + std::to_string(file.bytes()) + " bytes\n" +
                     attributes_json(file).outline() + "contents:\n" + contents.outline();
  if (!config.empty()) text += "config:\n" + config;
  if (text.back() != '\n') text += '\n';
  return text;
}

} // namespace

std::string inspect_file(const Communicator& comm, const std::filesystem::path& path) {
  return from_root(comm, [&] { return inspect(path, false); });
}

std::string inspect_json(const Communicator& comm, const std::filesystem::path& path) {
  return from_root(comm, [&] { return inspect(path, true); });
}

} // namespace metasieve
