#include "evaluation/evaluate.hpp"

#include "base/text.hpp"
#include "evaluation/comparison_table.hpp"
#include "evaluation/findings.hpp"
#include "evaluation/statistics.hpp"
#include "evaluation/task_results.hpp"
#include "methods/partial_dependence.hpp"
#include "parallel/for_each.hpp"
#include "runtime/machine.hpp"
#include "runtime/output_checks.hpp"
#include "training/console_summary.hpp"

#include <algorithm>
#include <cstdio>
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
  const Config& config = plan.config;
  WorkSettings settings;
  settings.output = request.output;
  settings.key = "command = evaluate\n--frontier = " + std::to_string(plan.frontier_steps) + "\n" +
                 deciding_settings(config, changes_results) + input.key;
  settings.resume = request.resume;
  for (const TaskSource& source : input.sources) {
    settings.pieces += source.task_count();
    for (const double cost :
         source.costs({0, source.task_count()}, [&](const TaskShape& t) { return plan.cost(t); }))
      settings.longest_seconds = std::max(settings.longest_seconds, 1e-9 * cost);
  }
  settings.checkpoint_minutes = config.output.checkpoint_minutes;
  settings.limits = config.run;
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
  const Assessment& a = each.entry.assessment;
  return {name,
          each.task,
          std::string(to_string(each.entry.method)),
          a.metrics,
          a.noise_rate_all,
          a.noise_rate_selected,
          a.noise_reduction,
          a.minority_share,
          a.selected,
          static_cast<std::uint8_t>(a.failed),
          each.entry.policy,
          families ? name : std::string()};
}

/// All that one evaluation gathers, source by source, alike on every rank.
struct Outcome {
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
                Outcome& outcome) {
  const std::vector<std::string> names = source.names({0, source.task_count()});
  const bool families = source.has_families();
  const std::string name = std::set(names.begin(), names.end()).size() == 1 ? names.front() : "all";
  std::vector<TaskEntry> entries;
  std::vector<std::vector<Vector>> responses;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const TaskResult& result = results[i];
    const auto task = static_cast<Index>(i);
    for (const Entry& entry : result.entries) entries.push_back({task, result.corruption, entry});
    for (const Entry& entry : result.frontier)
      outcome.frontier.push_back({row_of({task, result.corruption, entry}, names, families), entry.setting});
    if (task < response_tasks) responses.push_back(result.response);
  }
  for (const TaskEntry& entry : entries) outcome.rows.push_back(row_of(entry, names, families));
  append(outcome.tables.detection, detection_table(entries, names));
  append(outcome.tables.response, response_table(responses, name, features));
}

/// Too many failed fits make the comparison meaningless. @throws AgreedError (exit code 4)
void require_few_failed(const std::vector<EvaluationRow>& rows, double most) {
  std::vector<std::string> named;
  Index failed = 0;
  for (const EvaluationRow& row : rows) {
    if (row.failed == 0) continue;
    ++failed;
    const std::string place = row.source + " " + std::to_string(row.split);
    if (named.empty() || named.back() != place) named.push_back(place);
  }
  const double share = static_cast<double>(failed) / static_cast<double>(rows.size());
  if (rows.empty() || share <= most) return;
  std::string places;
  for (std::size_t i = 0; i < std::min(named.size(), most_named); ++i)
    places += (i == 0 ? "" : ", ") + named[i];
  if (named.size() > most_named) places += ", ...";
  throw AgreedError(
      ExitCode::numerical,
      format("%ld of %zu fits failed (%.3g %%), more than run.max_failed = %g: tasks or splits ",
             static_cast<long>(failed), rows.size(), 100.0 * share, most) +
          places +
          "; try a larger inner.ridge, leave the failing methods out of "
          "evaluate.methods, or look at the rows with failed = 1");
}

/// On rank 0: everything that follows from the rows.
void summarise_results(Outcome& results, Pooling pooling, Seed seed) {
  EvaluationTables& tables = results.tables;
  tables.summary = summarise(results.rows, pooling, seed);
  tables.paired = compare_in_pairs(results.rows, pooling, seed);
  tables.findings = findings_of(results.rows, tables.summary);
  std::vector<EvaluationRow> baseline;
  for (const EvaluationRow& row : results.rows)
    if (row.method == "baseline") baseline.push_back(row);
  tables.frontier = summarise_frontier(results.frontier, baseline, pooling, seed);
}

void print_comparison(const EvaluateRequest& request, const EvaluationPlan& plan, const Outcome& results) {
  const Policy& policy = plan.contest.policies.front();
  std::printf("policy %s%s: %s, keep %g, the model %s the group\n", request.policies.front().c_str(),
              request.policies.size() > 1
                  ? (" and " + std::to_string(request.policies.size() - 1) + " more").c_str()
                  : "",
              std::string(to_string(policy.features)).c_str(), policy.keep,
              plan.config.inner.use_group ? "sees" : "does not see");
  const EvaluateConfig& config = plan.config.evaluate;
  if (config.adapt.steps > 0 || config.rounds > 0)
    std::printf("meta_*: adapted by %ld steps at fairness weight %g, %ld rounds\n",
                static_cast<long>(config.adapt.steps), config.adapt.outer.fairness_weight,
                static_cast<long>(config.rounds));
  std::printf("\n%s",
              comparison_table(results.tables, config.fairness == Gap::dp ? "dp_gap" : "eo_gap").c_str());
  if (plan.frontier_steps > 0) std::fputs(frontier_table(results.tables.frontier).c_str(), stdout);
  const auto failed = std::count_if(results.rows.begin(), results.rows.end(),
                                    [](const EvaluationRow& row) { return row.failed != 0; });
  if (failed > 0)
    std::fputs(warning_line(format("%ld of %zu fits failed", static_cast<long>(failed), results.rows.size()))
                   .c_str(),
               stdout);
  std::printf("\n%swrote %s\n", evaluation_closing(results.tables.summary, policy.keep).c_str(),
              request.output.c_str());
}

} // namespace

std::vector<TaskSource> evaluation_sources(const Communicator& comm, const EvaluateRequest& request) {
  std::vector<TaskSource> sources;
  if (request.suite) sources.push_back(TaskSource::suite(comm, *request.suite));
  std::set<std::string> names;
  for (const std::filesystem::path& path : request.datasets) {
    if (path.stem() == "all") // alike on every rank
      throw AgreedError(ExitCode::usage,
                        "--dataset " + path.string() +
                            ": reports call the union of all sources `all`; rename the file");
    if (!names.insert(path.stem().string()).second) // alike on every rank
      throw AgreedError(ExitCode::usage, "--dataset " + path.string() + ": two data sets are called " +
                                             path.stem().string() + "; rename one of the files");
    sources.push_back(TaskSource::dataset(comm, path, request.config.evaluate));
  }
  return sources;
}

std::vector<std::filesystem::path> EvaluateRequest::input_files() const {
  std::vector<std::filesystem::path> files = policies;
  files.insert(files.end(), datasets.begin(), datasets.end());
  if (suite) files.push_back(*suite);
  return files;
}

EvaluationTables evaluate(const Communicator& comm, const EvaluateRequest& request, EvaluationInput input,
                          StatusFile& status) {
  const EvaluationPlan plan = evaluation_plan(request, std::move(input.policies));
  PhaseClock clock(evaluation_phases(plan));
  clock.add(Phase::read, input.read_seconds);
  const WorkSettings settings = work_settings(request, plan, input);
  ResumableWork work(comm, settings);
  Progress progress(
      {comm.is_root(), "task", settings.pieces, work.kept(), 0, work_of(comm, plan, input, work), &status});
  status.prepare(); // until the tasks are read
  work.tell(progress);
  Outcome results;
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
  write_evaluation(comm, request.output, {resolved_ini(plan.config), run_facts(comm, request.begin)},
                   {results.rows.begin() + part.begin, results.rows.begin() + part.end}, results.tables);
  work.finish();
  clock.add(Phase::write, writing.seconds());
  progress.clear_line();
  if (comm.is_root()) print_comparison(request, plan, results);
  if (request.profile) print_profile(comm, clock, request.begin);
  require_few_failed(results.rows, plan.config.run.max_failed);
  return std::move(results.tables);
}

void evaluate(const Communicator& comm, const EvaluateRequest& request) {
  require_distinct(comm, {request.output}, request.input_files());
  require_writable(comm, {request.output});
  Lap reading;
  EvaluationInput input{read_policies(comm, request), evaluation_sources(comm, request),
                        request.suite ? Pooling::sources : Pooling::none, key_of_files(comm, request)};
  input.read_seconds = reading.seconds();
  StatusFile status(comm, status_of_file(request.output), "evaluate");
  const double begin = wall_seconds();
  status.during([&] { evaluate(comm, request, std::move(input), status); });
  if (comm.is_root())
    std::printf("  in %s on %d rank(s) x %d thread(s)\n%s", duration_text(wall_seconds() - begin).c_str(),
                comm.size(), thread_count(),
                next_line({"python3", "analysis/plot_comparison.py", request.output.string(), "--output",
                           "comparison.png"})
                    .c_str());
}

} // namespace metasieve
