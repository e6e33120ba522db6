#include "files/inspect.hpp"

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "files/checkpoint.hpp"
#include "files/dataset.hpp"
#include "files/evaluation.hpp"
#include "files/foreign_file.hpp"
#include "files/policy.hpp"
#include "files/result_records.hpp"
#include "files/results.hpp"
#include "files/scaling.hpp"
#include "files/scores.hpp"
#include "files/suite.hpp"
#include "files/sweep.hpp"
#include "hdf5/job_metadata.hpp"
#include "hdf5/provenance.hpp"
#include "hdf5/reader.hpp"

#include <algorithm>
#include <iomanip>
#include <map>
#include <sstream>

namespace metasieve {
namespace {

/// Type, size and origin, from the root attributes.
struct Header {
  FileType type;
  std::string text;
  std::string config;
};

Header read_header(const Communicator& comm, const std::filesystem::path& path) {
  const std::string bytes = content_of(comm, Content::header, path);
  ByteReader reader(bytes);
  const auto type = reader.get<FileType>();
  std::string text = reader.text();
  return {type, std::move(text), reader.text()};
}

/// A line "  name   value".
class Lines {
public:
  template <class Value>
  Lines& add(const std::string& name, const Value& value) {
    out_ << "  " << std::left << std::setw(20) << name << value << "\n";
    return *this;
  }
  [[nodiscard]] std::string text() const { return out_.str(); }

private:
  std::ostringstream out_;
};

/// "least .. greatest, mean M" over the defined values.
template <class Member>
std::string spread(const std::vector<Metadata>& tasks, Member member) {
  const TaskSpread of = task_spread(tasks, member);
  if (of.defined == 0) return "undefined";
  std::ostringstream out;
  out << std::setprecision(4) << of.least << " .. " << of.greatest << ", mean " << of.mean;
  return out.str();
}

std::string describe_suite(const Communicator& comm, const std::filesystem::path& path) {
  const SuiteReader suite(comm, path);
  const std::vector<Metadata>& tasks = suite.metadata();
  std::map<std::string, int> families;
  for (const Metadata& task : tasks) ++families[task.family];
  Lines lines;
  lines.add("tasks", tasks.size());
  for (const auto& [name, count] : families) lines.add("family " + name, count);
  lines.add("training rows", spread(tasks, &Metadata::n_train))
      .add("test rows", spread(tasks, &Metadata::n_test))
      .add("features", spread(tasks, &Metadata::n_features))
      .add("noise rate", spread(tasks, &Metadata::train_actual_noise_rate))
      .add("share of group 1", spread(tasks, &Metadata::train_minority_rate))
      .add("share of positives", spread(tasks, &Metadata::train_pos_rate))
      .add("training dp_gap", spread(tasks, &Metadata::train_dp_gap))
      .add("test dp_gap", spread(tasks, &Metadata::test_dp_gap));
  return lines.text();
}

std::string describe_dataset(const Communicator& comm, const std::filesystem::path& path) {
  const Dataset data = read_dataset(comm, path);
  const std::string names = joined(data.feature_names);
  const auto ones = [](const Labels& labels) { return labels.cast<Index>().sum(); };
  Lines lines;
  lines.add("rows", data.x.rows())
      .add("columns", std::to_string(data.x.cols()) + (names.empty() ? "" : ": " + names))
      .add("label 1", data.positive_label + ", " + std::to_string(ones(data.y)) + " rows")
      .add("group 1", data.group_name + ", " + std::to_string(ones(data.group)) + " rows")
      .add("source", data.source)
      .add("source_sha256", data.source_sha256)
      .add("y_clean", data.y_clean ? "yes" : "no")
      .add("split", data.split ? std::to_string(ones(*data.split)) + " test rows" : "no");
  return lines.text();
}

std::string describe(const Policy& policy) {
  std::string shape = std::to_string(feature_count(policy.features));
  for (const Index width : policy.hidden) shape += " -> " + std::to_string(width);
  return Lines()
      .add("features", to_string(policy.features))
      .add("layers", shape + " -> 1, " + std::to_string(policy.theta.size()) + " parameters")
      .add("keep", policy.keep)
      .add("temperature", policy.temperature)
      .add("use_group", policy.use_group ? "yes" : "no")
      .add("trained_iterations", policy.trained_iterations)
      .add("norm of theta", policy.theta.norm())
      .text();
}

/// As training left it, or has it so far.
std::string describe_training(const Results& results) {
  const std::vector<HistoryRow>& history = results.history;
  Lines lines;
  lines.add("iterations", history.size());
  std::int64_t failed = 0;
  for (const HistoryRow& row : history) failed += row.failed_tasks;
  if (!history.empty())
    lines.add("first loss", history.front().loss)
        .add("last loss", history.back().loss)
        .add("failed task fits", failed);
  for (const FailureRow& row : results.failures)
    lines.add("  task " + std::to_string(row.task_id),
              row.kind + ", " + std::to_string(row.count) + " times, iterations " +
                  std::to_string(row.first_iteration) + " to " + std::to_string(row.last_iteration));
  for (const SessionRow& row : results.sessions)
    lines.add("session", "iterations " + std::to_string(row.first_iteration) + " to " +
                             std::to_string(row.last_iteration) + ", " + std::to_string(row.ranks) +
                             " rank(s) x " + std::to_string(row.threads) + " thread(s), " +
                             std::to_string(row.seconds) + " s" +
                             (row.started.empty() ? "" : ", " + row.started + " on " + row.host));
  if (!results.validation.empty()) {
    const ValidationRow& last = results.validation.back();
    lines.add("validation at", last.iteration)
        .add("  accuracy",
             std::to_string(last.accuracy) + ", baseline " + std::to_string(last.baseline_accuracy))
        .add("  dp_gap", std::to_string(last.dp_gap) + ", baseline " + std::to_string(last.baseline_dp_gap))
        .add("  eo_gap", std::to_string(last.eo_gap) + ", baseline " + std::to_string(last.baseline_eo_gap));
    if (!std::isnan(last.loss))
      lines.add("  loss", std::to_string(last.loss) + ": accuracy_loss " +
                              std::to_string(last.accuracy_loss) + ", fairness_loss " +
                              std::to_string(last.fairness_loss));
  }
  return lines.text();
}

std::string describe_results(const Communicator& comm, const std::filesystem::path& path) {
  const Results results = read_results(comm, path);
  Lines lines;
  for (const PhaseSeconds& phase : results.timing)
    lines.add("seconds " + phase.phase, *std::max_element(phase.seconds.begin(), phase.seconds.end()));
  if (results.meta_gradient.size() > 0)
    lines.add("meta_gradient", std::to_string(results.meta_gradient.rows()) + " x " +
                                   std::to_string(results.meta_gradient.cols()));
  return describe_training(results) + lines.text();
}

std::string describe_checkpoint(const Communicator& comm, const std::filesystem::path& path) {
  const Checkpoint checkpoint = read_checkpoint(comm, path);
  return Lines().add("step", checkpoint.step).text() + describe(checkpoint.policy) +
         describe_training(checkpoint.results);
}

std::string describe_evaluation(const Communicator& comm, const std::filesystem::path& path) {
  const Evaluation evaluation = read_evaluation(comm, path);
  const EvaluationNames names = names_in(evaluation.rows);
  std::ostringstream out;
  out << Lines()
             .add("rows", evaluation.rows.size())
             .add("sources", names.sources.size())
             .add("methods", names.methods.size())
             .add("failed", names.failed)
             .text();
  for (const Finding& finding : evaluation.tables.findings)
    out << "  " << finding.source << "  " << finding.kind << ": " << finding.text << "\n";
  for (const SummaryRow& row : evaluation.tables.summary)
    out << "  " << row.source << "  " << row.method << "  " << row.metric << "  " << row.mean << " ["
        << row.low << ", " << row.high << "]\n";
  return out.str();
}

std::string describe_scores(const Communicator& comm, const std::filesystem::path& path) {
  const std::vector<ScoreRow> rows = read_scores(comm, path);
  const auto kept = std::count_if(rows.begin(), rows.end(), [](const ScoreRow& row) { return row.selected; });
  return Lines().add("rows", rows.size()).add("selected", kept).text();
}

std::string describe_scaling(const Communicator& comm, const std::filesystem::path& path) {
  const Scaling scaling = read_scaling(comm, path);
  Lines lines;
  lines.add("hosts", joined(scaling.hosts));
  for (const std::string& machine : scaling.machines) lines.add("machine", machine);
  lines.add("suite", scaling.suite.empty() ? "generated" : "read from a file");
  for (const ScalingRow& row : scaling.points)
    lines.add(row.kind + " " + std::to_string(row.ranks) + " x " + std::to_string(row.threads),
              std::to_string(row.seconds_per_iteration) + " s an iteration, repeat " +
                  std::to_string(row.repeat) + ", " + std::to_string(row.batch) + " of " +
                  std::to_string(row.tasks) + " tasks" + (row.oversubscribed != 0 ? ", oversubscribed" : ""));
  return lines.text();
}

std::string describe_sweep(const Communicator& comm, const std::filesystem::path& path) {
  const Sweep sweep = read_sweep(comm, path);
  std::string names;
  for (const SweepColumn& column : sweep.table.columns) names += (names.empty() ? "" : ", ") + column.name;
  return Lines()
      .add("points", sweep.table.rows.size())
      .add("summary rows", sweep.summary.size())
      .add("columns", std::to_string(sweep.table.columns.size()) + ": " + names)
      .text();
}

std::string describe(const Communicator& comm, const std::filesystem::path& path, FileType type) {
  switch (type) {
  case FileType::suite: return describe_suite(comm, path);
  case FileType::dataset: return describe_dataset(comm, path);
  case FileType::policy: return describe(read_policy(comm, path));
  case FileType::checkpoint: return describe_checkpoint(comm, path);
  case FileType::results: return describe_results(comm, path);
  case FileType::evaluation: return describe_evaluation(comm, path);
  case FileType::scores: return describe_scores(comm, path);
  case FileType::scaling: return describe_scaling(comm, path);
  case FileType::sweep: return describe_sweep(comm, path);
  }
  return {};
}

} // namespace

std::string header_content(const std::filesystem::path& path) {
  const FileReader file(path);
  std::ostringstream out;
  out << path.string() << ": " << to_string(file.type()) << " " << file.version().major << "."
      << file.version().minor << ", " << file.bytes() << " bytes\n";
  for (const char* name : {"created_by", "git_commit", "created"})
    if (file.has_attribute(name))
      out << "  " << std::left << std::setw(20) << name << file.text(name) << "\n";
  if (const auto run = read_run_facts(file))
    out << "  " << std::left << std::setw(20) << "written by" << to_string(*run) << "\n";
  return ByteWriter().put(file.type()).put(out.str()).put(file.text_if_any("config")).take();
}

std::string inspect_file(const Communicator& comm, const std::filesystem::path& path) {
  const Header header = read_header(comm, path);
  std::string text = header.text + describe(comm, path, header.type);
  if (!header.config.empty()) text += "config:\n" + header.config;
  if (text.back() != '\n') text += '\n';
  return text;
}

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

Json suite_json(const Communicator& comm, const std::filesystem::path& path) {
  const SuiteReader suite(comm, path);
  const std::vector<Metadata>& tasks = suite.metadata();
  std::map<std::string, int> counts;
  for (const Metadata& task : tasks) ++counts[task.family];
  JsonMembers families;
  for (const auto& [name, count] : counts) families.emplace_back(name, count);
  const auto spread = [&](auto member) {
    const TaskSpread of = task_spread(tasks, member);
    return Json::object({{"least", of.least}, {"greatest", of.greatest}, {"mean", of.mean}});
  };
  return Json::object({{"tasks", tasks.size()},
                       {"families", Json::object(families)},
                       {"training_rows", spread(&Metadata::n_train)},
                       {"test_rows", spread(&Metadata::n_test)},
                       {"features", spread(&Metadata::n_features)},
                       {"noise_rate", spread(&Metadata::train_actual_noise_rate)},
                       {"share_of_group_1", spread(&Metadata::train_minority_rate)},
                       {"share_of_positives", spread(&Metadata::train_pos_rate)},
                       {"training_dp_gap", spread(&Metadata::train_dp_gap)},
                       {"test_dp_gap", spread(&Metadata::test_dp_gap)}});
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
  return Json::object({{"step", checkpoint.step},
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

Json contents_json(const Communicator& comm, const std::filesystem::path& path, FileType type) {
  switch (type) {
  case FileType::suite: return suite_json(comm, path);
  case FileType::dataset: return dataset_json(read_dataset(comm, path));
  case FileType::policy: return policy_json(read_policy(comm, path));
  case FileType::checkpoint: return checkpoint_json(read_checkpoint(comm, path));
  case FileType::results: return Json::object(training_members(read_results(comm, path)));
  case FileType::evaluation: return evaluation_json(read_evaluation(comm, path));
  case FileType::scores: return scores_json(read_scores(comm, path));
  case FileType::scaling: return scaling_json(read_scaling(comm, path));
  case FileType::sweep: return sweep_json(read_sweep(comm, path));
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

} // namespace

std::string layout_content(const std::filesystem::path& path) {
  const FileReader file(path);
  JsonMembers attributes;
  for (const ValueLayout& layout : file.attributes())
    if (layout.name != "config") attributes.emplace_back(layout.name, attribute_json(file, layout));
  std::vector<Json> data_sets;
  for (const std::string& name : file.data_sets()) {
    const ValueLayout layout = file.layout(name);
    JsonMembers members{{"name", name}, {"type", layout.type}, {"shape", list(layout.shape)}};
    if (!layout.fields.empty()) members.emplace_back("fields", list(layout.fields));
    data_sets.push_back(Json::object(members));
  }
  return ByteWriter()
      .put(file.type())
      .put(file.bytes())
      .put(Json::object(attributes).text())
      .put(config_json(file.text_if_any("config")).text())
      .put(Json::array(data_sets).text())
      .take();
}

std::string inspect_json(const Communicator& comm, const std::filesystem::path& path) {
  const std::string bytes = content_of(comm, Content::layout, path);
  ByteReader reader(bytes);
  const auto type = reader.get<FileType>();
  JsonMembers members{{"file", path.string()},
                      {"type", std::string(to_string(type))},
                      {"bytes", reader.get<std::uint64_t>()}};
  for (const char* part : {"attributes", "config", "data_sets"})
    members.emplace_back(part, Json::of_text(reader.text()));
  members.emplace_back("contents", contents_json(comm, path, type));
  return Json::object(members).text() + "\n";
}

} // namespace metasieve
