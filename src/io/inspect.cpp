#include "io/inspect.hpp"

#include "base/words.hpp"
#include "io/bytes.hpp"
#include "io/checkpoint_file.hpp"
#include "io/contents.hpp"
#include "io/dataset_file.hpp"
#include "io/evaluation_file.hpp"
#include "io/file_reader.hpp"
#include "io/policy_file.hpp"
#include "io/results_file.hpp"
#include "io/run_facts.hpp"
#include "io/scaling_file.hpp"
#include "io/scores_file.hpp"
#include "io/suite_file.hpp"
#include "io/sweep_file.hpp"
#include "io/task_spread.hpp"

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
  for (const FindingRow& finding : evaluation.tables.findings)
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

} // namespace metasieve
