#include "evaluation/evaluate.hpp"

#include "base/text.hpp"
#include "evaluation/findings.hpp"
#include "evaluation/statistics.hpp"
#include "evaluation/task_results.hpp"
#include "methods/partial_dependence.hpp"
#include "parallel/for_each.hpp"
#include "runtime/machine.hpp"
#include "runtime/output_checks.hpp"

#include <algorithm>
#include <set>

namespace metasieve {
namespace {

constexpr std::size_t most_named = 5;

/// Collective: the contents of the input files, which are read once more for it.
std::string key_of_files(const Communicator& comm, const EvaluateRequest& request) {
  std::string key;
  const auto add = [&](const std::string& option, const std::filesystem::path& file) {
    key += option + " = " + std::to_string(hash_file(comm, file)) + "\n";
  };
  for (std::size_t i = 0; i < request.policies.size(); ++i)
    add("--policy " + std::to_string(i + 1), request.policies[i]);
  for (std::size_t i = 0; i < request.datasets.size(); ++i)
    add("--dataset " + std::to_string(i + 1), request.datasets[i]);
  if (request.suite) add("--suite", *request.suite);
  return key;
}

WorkSettings work_settings(const EvaluateRequest& request, const EvaluationPlan& plan,
                           const EvaluationInput& input) {
  WorkSettings settings;
  settings.output = request.output;
  settings.key = "command = evaluate\n--frontier = " + std::to_string(plan.frontier_steps) + "\n" +
                 deciding_settings(resolved_ini(plan.config, Affects::evaluation)) + input.key;
  settings.resume = request.resume;
  for (const TaskSource& source : input.sources) {
    settings.pieces += source.task_count();
    for (const double cost :
         source.costs({0, source.task_count()}, [&](const TaskShape& t) { return plan.cost(t); }))
      settings.longest_seconds = std::max(settings.longest_seconds, 1e-9 * cost);
  }
  settings.checkpoint_minutes = plan.config.output.checkpoint_minutes;
  settings.limits = plan.config.run;
  return settings;
}

/// Predicted seconds of a rank: for each source what is not kept from an earlier run, and at last for the
/// tables, which rank 0 makes.
std::vector<double> work_of(const Communicator& comm, const EvaluationPlan& plan,
                            const EvaluationInput& input, const ResumableWork& work) {
  std::vector<double> seconds;
  Index splits = 0;
  for (std::size_t i = 0; i < input.sources.size(); ++i) {
    const TaskSource& source = input.sources[i];
    double sum = 0;
    for (Index task = 0; task < source.task_count(); ++task)
      if (!work.keeps(piece_id(i, task))) sum += plan.cost(source.shape(task), task);
    seconds.push_back(1e-9 * sum / (comm.size() * thread_count()));
    splits += source.task_count();
  }
  // Bootstrap intervals of each method, and of those that ask a policy against each other one.
  const std::vector<Method>& methods = plan.config.evaluate.methods;
  const auto asking = std::count_if(methods.begin(), methods.end(), asks_policy);
  const auto intervals = static_cast<double>(std::ssize(methods) * (1 + asking));
  seconds.push_back(intervals *
                    (1e-3 * static_cast<double>(input.sources.size()) + 3e-5 * static_cast<double>(splits)));
  return seconds;
}

/// `names` [tasks]: what each comes from, a family or not.
EvaluationRow row_of(const TaskEntry& each, const std::vector<std::string>& names, bool families) {
  const std::string& name = names[static_cast<std::size_t>(each.task)];
  const Assessment& a = each.result.assessment;
  return {name,
          each.task,
          std::string(to_string(each.result.method)),
          a.metrics,
          a.noise_rate_all,
          a.noise_rate_selected,
          a.noise_reduction,
          a.minority_share,
          a.selected,
          static_cast<std::uint8_t>(a.failed),
          each.result.policy,
          families ? name : std::string()};
}

/// All that one evaluation gathers, source by source, alike on every rank.
struct Gathered {
  std::vector<EvaluationRow> rows;
  std::vector<FrontierRow> frontier;
  EvaluationTables tables;
};

template <class T>
void append(std::vector<T>& to, const std::vector<T>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// `results` of the tasks of a source.
void add_source(const std::vector<TaskResult>& results, const TaskSource& source, FeatureSet features,
                Gathered& gathered) {
  const std::vector<std::string> names = source.names({0, source.task_count()});
  const bool families = source.has_families();
  const std::string name = std::set(names.begin(), names.end()).size() == 1 ? names.front() : "all";
  std::vector<TaskEntry> entries;
  std::vector<std::vector<Vector>> responses;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const TaskResult& result = results[i];
    const auto task = static_cast<Index>(i);
    for (const MethodResult& method : result.methods) entries.push_back({task, result.corruption, method});
    for (const MethodResult& point : result.frontier)
      gathered.frontier.push_back({row_of({task, result.corruption, point}, names, families), point.setting});
    if (task < response_tasks) responses.push_back(result.response);
  }
  for (const TaskEntry& entry : entries) gathered.rows.push_back(row_of(entry, names, families));
  append(gathered.tables.detection, detection_table(entries, names));
  append(gathered.tables.response, response_table(responses, name, features));
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
  const bool all_named = places.size() <= most_named;
  places.resize(std::min(places.size(), most_named));
  evaluated.problem =
      format("%ld of %zu fits failed (%.3g %%), more than run.max_failed = %g: tasks or splits ",
             static_cast<long>(evaluated.failed), rows.size(), 100.0 * share, most) +
      joined(places) + (all_named ? "" : ", ...") +
      "; try a larger inner.ridge, leave the failing methods out of evaluate.methods, or look at the rows "
      "with failed = 1";
}

/// On rank 0: everything that follows from the rows.
void summarise_results(Gathered& results, Pooling pooling, Seed seed) {
  EvaluationTables& tables = results.tables;
  tables.summary = summarise(results.rows, pooling, seed);
  tables.paired = compare_in_pairs(results.rows, pooling, seed);
  tables.findings = findings_of(results.rows, tables.summary);
  std::vector<EvaluationRow> baseline;
  for (const EvaluationRow& row : results.rows)
    if (row.method == "baseline") baseline.push_back(row);
  tables.frontier = summarise_frontier(results.frontier, baseline, pooling, seed);
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
  const EvaluationPlan plan = evaluation_plan(request, std::move(input.policies));
  PhaseClock clock(evaluation_phases(plan));
  clock.add(Phase::read, input.read_seconds);
  const WorkSettings settings = work_settings(request, plan, input);
  ResumableWork work(comm, settings);
  Progress progress(
      {comm.is_root(), "task", settings.pieces, work.kept(), 0, work_of(comm, plan, input, work), &status});
  status.prepare(); // until the tasks are read
  work.report_to(progress);
  Gathered results;
  for (std::size_t i = 0; i < input.sources.size(); ++i) {
    const TaskSource& source = input.sources[i];
    add_source(task_results(comm, source, i, plan, work, clock), source, plan.config.policy.features,
               results);
    progress.close(i);
  }
  if (comm.is_root()) {
    const auto timed = clock.measure(Phase::tables);
    summarise_results(results, input.pooling, plan.config.evaluate.seed);
  }

  Lap writing;
  const Range part = my_range(comm, 0, std::vector<double>(results.rows.size(), 1.0));
  write_evaluation(comm, request.output, {resolved_ini(plan.config), job_metadata(comm, request.begin)},
                   {results.rows.begin() + part.begin, results.rows.begin() + part.end}, results.tables);
  work.finish();
  clock.add(Phase::write, writing.seconds());
  progress.clear_line();
  Evaluated evaluated;
  evaluated.config = plan.config;
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
  Lap reading;
  EvaluationInput input{read_policies(comm, request), evaluation_sources(comm, request),
                        request.suite ? Pooling::sources : Pooling::none, key_of_files(comm, request)};
  input.read_seconds = reading.seconds();
  StatusFile status(comm, status_of_file(request.output), "evaluate");
  Evaluated evaluated;
  try {
    status.during([&] {
      evaluated = evaluate(comm, request, std::move(input), status);
      require_few_failed(evaluated); // for the status file
    });
  } catch (const AgreedError&) {
    if (evaluated.problem.empty()) throw; // else the caller shows the tables first
  }
  return evaluated;
}

void require_few_failed(const Evaluated& evaluated) {
  if (!evaluated.problem.empty()) throw AgreedError(ExitCode::numerical, evaluated.problem);
}

} // namespace metasieve
