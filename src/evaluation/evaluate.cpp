#include "evaluation/evaluate.hpp"

#include "base/for_each.hpp"
#include "base/text.hpp"
#include "evaluation/findings.hpp"
#include "evaluation/statistics.hpp"
#include "evaluation/task_results.hpp"
#include "hdf5/raw_file.hpp"
#include "methods/partial_dependence.hpp"
#include "runtime/energy.hpp"
#include "runtime/machine.hpp"
#include "runtime/output_checks.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>

namespace metasieve {
namespace {

/// Collective: notes the contents of the input files, which are read once more for it.
void identify_files(const Communicator& comm, const EvaluateRequest& request, EvaluationInput& input) {
  const auto add = [&](const std::string& kind, const std::string& number,
                       const std::filesystem::path& file) {
    const std::uint64_t hash = hash_file(comm, file);
    input.key += "--" + kind + number + " = " + std::to_string(hash) + "\n";
    input.files.push_back(input_record(kind, hash, file));
  };
  for (std::size_t i = 0; i < request.policies.size(); ++i)
    add("policy", " " + std::to_string(i + 1), request.policies[i]);
  for (std::size_t i = 0; i < request.datasets.size(); ++i)
    add("dataset", " " + std::to_string(i + 1), request.datasets[i]);
  if (request.suite) add("suite", "", *request.suite);
}

WorkSettings work_settings(const EvaluateRequest& request, const EvaluationPlan& plan,
                           const EvaluationInput& input) {
  WorkSettings settings;
  settings.output = request.output;
  settings.key = "command = evaluate\n--frontier = " + std::to_string(plan.frontier_steps) + "\n" +
                 deciding_settings(resolved_ini(plan.config, Affects::evaluation)) + input.key;
  settings.resume = request.resume;
  for (const TaskSource& source : input.sources) settings.pieces += source.task_count();
  settings.checkpoint_minutes = plan.config.output.checkpoint_minutes;
  settings.limits = plan.config.run;
  return settings;
}

/// `source` of the task: a family or not.
EvaluationRow row_of(Index task, const MethodResult& result, const std::string& source, bool family) {
  const Assessment& a = result.assessment;
  return {source,
          task,
          std::string(to_string(result.method)),
          a.metrics,
          a.noise_rate_all,
          a.noise_rate_selected,
          a.noise_reduction,
          a.minority_share,
          a.selected,
          static_cast<std::uint8_t>(a.failed),
          result.policy,
          family ? source : std::string()};
}

/// Adds the groups of the test rows of a fit; none of one that failed.
void add_groups(std::vector<GroupRow>& out, const std::string& source, Index split,
                const MethodResult& result) {
  const auto& [of_zeros, of_ones] = result.assessment.cells;
  for (std::size_t z = 0; z < of_zeros.size(); ++z) {
    const Rate zeros = of_zeros[z], ones = of_ones[z];
    out.push_back({source, split, result.policy, std::string(to_string(result.method)),
                   static_cast<std::int64_t>(z), static_cast<std::int64_t>(zeros.rows + ones.rows),
                   static_cast<std::int64_t>(ones.rows), rates_of(zeros, ones)});
  }
}

/// Adds the estimates of hidden positives on the splits of a data set.
void add_hidden(std::vector<HiddenPositivesRow>& out, const TaskSource& source,
                const std::vector<TaskResult>& results) {
  for (std::size_t split = 0; split < results.size(); ++split) {
    const HiddenPositives& hidden = results[split].hidden;
    if (hidden.group < 0) continue;
    const std::string& name = source.group_names().at(static_cast<std::size_t>(hidden.group));
    out.push_back({source.name(0), static_cast<std::int64_t>(split), hidden.group,
                   cut_text(name, most_group_bytes), hidden.share, hidden.evidence});
  }
}

/// How the repeats of a data set's source come about; `results` of its splits.
SourceDesign design_of(const TaskSource& source, const std::vector<TaskResult>& results, Seed seed) {
  const Split& table = *source.table();
  const Labels* const own = source.own_split();
  const TaskShape shape = source.shape(0);
  SourceDesign design;
  design.kind = own != nullptr ? SourceDesign::Kind::test_part : SourceDesign::Kind::splits;
  design.rows = table.rows();
  design.groups = table.groups;
  for (const std::string& name : source.group_names())
    design.group_names.push_back(cut_text(name, most_group_bytes));
  design.test_over_train = static_cast<double>(shape.test_rows) / static_cast<double>(shape.train_rows);
  const std::vector<Index> none(static_cast<std::size_t>(table.groups), 0);
  design.test_rows = {none, none};
  std::vector<Index> test, training = none; // training: rows of each group
  for (Index i = 0; i < table.rows(); ++i) {
    const bool trains = own != nullptr && (*own)(i) == 0;
    ++(trains ? training : design.test_rows[table.y_clean(i)])[table.group(i)];
    if (!trains) test.push_back(i);
  }
  if (own == nullptr) { // random rows of each cell are for testing
    for (std::vector<Index>& cells : design.test_rows)
      for (Index& cell : cells) cell = cell * shape.test_rows / std::max(table.rows(), Index{1});
    return design;
  }
  for (Index z = 0; z < table.groups; ++z)
    if (training[static_cast<std::size_t>(z)] == 0) design.untrained.push_back(z);
  std::map<std::string, std::vector<const Labels*>> fits;
  for (const TaskResult& result : results)
    for (const MethodResult& method : result.methods)
      if (method.predicted.size() > 0)
        fits[std::string(to_string(method.method))].push_back(&method.predicted);
  const Labels y = table.y_clean(test), group = table.group(test);
  for (const auto& [method, of_method] : fits) {
    Matrix predicted(std::ssize(test), std::ssize(of_method));
    for (Index k = 0; k < predicted.cols(); ++k)
      predicted.col(k) = of_method[static_cast<std::size_t>(k)]->cast<double>();
    design.resampled[method] = resampled_metrics(y, group, table.groups, predicted, seed);
  }
  return design;
}

/// Results that one evaluation gathers, source by source, the same on every rank.
struct Gathered {
  SourceDesigns designs;
  std::vector<EvaluationRow> rows;
  std::vector<FrontierRow> frontier;
  EvaluationTables tables;
};

/// Adds the `results` of the tasks of a source.
void add_source(const std::vector<TaskResult>& results, const TaskSource& source, FeatureSet features,
                Gathered& gathered) {
  std::vector<std::string> names;
  for (Index i = 0; i < source.task_count(); ++i) names.push_back(source.name(i));
  const bool families = source.has_families();
  SourceDesigns& designs = gathered.designs;
  const auto raise_groups = [&](const std::string& name, Index groups) {
    const auto [at, is_first] = designs.of.try_emplace(name);
    at->second.groups = is_first ? groups : std::max(at->second.groups, groups);
  };
  for (std::size_t i = 0; i < results.size(); ++i) {
    const TaskResult& result = results[i];
    const auto task = static_cast<Index>(i);
    for (const MethodResult& method : result.methods)
      gathered.rows.push_back(row_of(task, method, names[i], families));
    if (!result.methods.empty()) { // each knows the groups of the task
      const Index groups = std::ssize(result.methods.front().assessment.detection.cell[0]);
      raise_groups(names[i], groups);
      if (designs.pooled) raise_groups("all", groups);
    }
    for (const MethodResult& point : result.frontier)
      gathered.frontier.push_back({row_of(task, point, names[i], families), point.setting});
  }
  std::ranges::move(detection_table(results, names), std::back_inserter(gathered.tables.detection));
  const std::string name = std::set(names.begin(), names.end()).size() == 1 ? names.front() : "all";
  std::ranges::move(response_table(results, name, features), std::back_inserter(gathered.tables.response));
}

/// Counts the fits that failed, and says so where their share is larger than `most`: then the comparison
/// says nothing.
void count_failed(const std::vector<EvaluationRow>& rows, double most, Evaluated& evaluated) {
  std::vector<std::string> places;
  for (const EvaluationRow& row : rows) {
    if (row.failed == 0) continue;
    ++evaluated.failed;
    const std::string place = row.source + " " + std::to_string(row.split);
    if (places.empty() || places.back() != place) places.push_back(place);
  }
  evaluated.fits = std::ssize(rows);
  const double share = static_cast<double>(evaluated.failed) / static_cast<double>(rows.size());
  if (rows.empty() || share <= most) return;
  evaluated.problem =
      format("%ld of %zu fits failed (%.3g %%), more than run.max_failed = %g: in ",
             static_cast<long>(evaluated.failed), rows.size(), 100.0 * share, most) +
      first_few(places) +
      "; try a larger inner.ridge, leave the failing methods out of evaluate.methods, or look at the rows "
      "with failed = 1";
}

/// On rank 0: everything that follows from the rows.
void summarise_results(Gathered& results, Seed seed) {
  EvaluationTables& tables = results.tables;
  for (const auto& [source, design] : results.designs.of)
    if (design.groups == 1) tables.one_group.insert(source);
  tables.summary = summarise(results.rows, results.designs, seed);
  tables.group_summary = summarise_groups(tables.groups, results.designs, seed);
  tables.paired = compare_in_pairs(results.rows, results.designs, seed);
  tables.findings = findings_of(results.rows, tables.summary, results.designs, tables.hidden);
  tables.frontier = summarise_frontier(results.frontier, results.rows, results.designs, seed);
}

} // namespace

std::vector<std::filesystem::path> EvaluateRequest::input_files() const {
  std::vector<std::filesystem::path> files = policies;
  files.insert(files.end(), datasets.begin(), datasets.end());
  if (suite) files.push_back(*suite);
  return files;
}

Evaluated evaluate(const Communicator& comm, const EvaluateRequest& request, EvaluationInput input,
                   StatusFile& status) {
  const double begin = wall_seconds();
  EnergyMeter energy(comm);
  EvaluationPlan plan = evaluation_plan(request, std::move(input.policies));
  for (const TaskSource& source : input.sources) require_groups(comm, source, plan.config.policy.features);
  plan.comparison.keep_predictions = std::ranges::any_of(
      input.sources, [](const TaskSource& source) { return source.own_split() != nullptr; });
  PhaseClock clock(evaluation_phases(plan));
  clock.add(Phase::read, input.read_seconds);
  const WorkSettings settings = work_settings(request, plan, input);
  ResumableWork work(comm, settings);
  Progress progress({!comm.is_root(), "task", settings.pieces, work.kept(), 0, &status});
  status.prepare(); // until the tasks are read
  work.report_to(progress);
  Gathered results;
  results.designs.pooled = input.pooled;
  for (std::size_t i = 0; i < input.sources.size(); ++i) {
    const TaskSource& source = input.sources[i];
    const std::vector<TaskResult> done = task_results(comm, source, i, plan, work, clock);
    add_source(done, source, plan.config.policy.features, results);
    if (comm.is_root() && source.table() != nullptr) {
      const auto timed = clock.measure(Phase::tables);
      const std::string name = source.name(0);
      results.designs.of[name] = design_of(source, done, plan.config.evaluate.seed);
      for (std::size_t split = 0; split < done.size(); ++split)
        for (const MethodResult& method : done[split].methods)
          add_groups(results.tables.groups, name, static_cast<Index>(split), method);
      add_hidden(results.tables.hidden, source, done);
    }
  }
  if (comm.is_root()) {
    const auto timed = clock.measure(Phase::tables);
    summarise_results(results, plan.config.evaluate.seed);
  }

  Stopwatch writing;
  const Range part = my_range(comm, std::vector<double>(results.rows.size(), 1.0));
  JobMetadata job = job_metadata(comm, request.begin);
  job.inputs = input.files;
  job.usage = {core_hours(job.ranks, job.threads, job.seconds), energy.used(), work.kept() > 0};
  write_file(comm, request.output, {resolved_ini(plan.config), job, plan.config.output.io},
             Evaluation{{results.rows.begin() + part.begin, results.rows.begin() + part.end},
                        comm.is_root() ? results.tables : EvaluationTables{}});
  work.finish();
  clock.add(Phase::write, writing.seconds());
  progress.clear_line();
  Evaluated evaluated;
  evaluated.config = plan.config;
  evaluated.usage = *job.usage;
  evaluated.tables = std::move(results.tables);
  count_failed(results.rows, plan.config.run.max_failed, evaluated);
  if (request.profile)
    evaluated.profile = clock.profile(comm, wall_seconds() - request.begin, thread_count());
  evaluated.seconds = wall_seconds() - begin;
  return evaluated;
}

Evaluated evaluate(const Communicator& comm, const EvaluateRequest& request) {
  require_distinct(comm, {request.output}, request.input_files());
  require_writable(comm, {request.output});
  Stopwatch reading;
  EvaluationInput input{read_policies(comm, request), evaluation_sources(comm, request),
                        request.suite.has_value(), ""};
  identify_files(comm, request, input);
  input.read_seconds = reading.seconds();
  static_cast<void>(evaluation_plan(request, input.policies)); // what it refuses leaves no trace
  const OutputLock lock(comm, request.output);
  StatusFile status(comm, status_of_file(request.output), "evaluate");
  Evaluated evaluated;
  try {
    status.during([&] {
      evaluated = evaluate(comm, request, std::move(input), status);
      require_few_failed(evaluated); // for the status file
    });
  } catch (const CollectiveError&) {
    if (evaluated.problem.empty()) throw; // else the caller shows the tables first
  }
  return evaluated;
}

void require_few_failed(const Evaluated& evaluated) {
  if (!evaluated.problem.empty()) throw CollectiveError(ExitCode::numerical, evaluated.problem);
}

} // namespace metasieve
