#include "io/policy_file.hpp"
#include "parallel/for_each.hpp"
#include "run/diagnosis.hpp"
#include "run/evaluation_plan.hpp"
#include "run/summary.hpp"

#include <cstdio>
#include <cstring>
#include <set>

namespace metasieve {
namespace {

static_assert(std::is_trivially_copyable_v<TaskEntry>);
using TaskEntries = std::vector<TaskEntry>;

/// Collective: what `compete` gives for each task of the shard; all ranks' entries, in the order of the
/// tasks, on every rank.
TaskEntries entries_of(const Communicator& comm, const Shard& shard,
                       const std::function<std::vector<Entry>(const PreparedTask&)>& compete) {
  std::vector<TaskEntries> of_task(shard.tasks.size());
  comm.agree([&] {
    for_each_parallel({0, std::ssize(shard.tasks)}, [&](Index i) {
      const auto at = static_cast<std::size_t>(i);
      for (const Entry& entry : compete(shard.tasks[at]))
        of_task[at].push_back({shard.ids.begin + i, shard.tasks[at].corruption, entry});
    });
  });
  std::string mine;
  for (const TaskEntries& entries : of_task)
    mine.append(reinterpret_cast<const char*>(entries.data()), entries.size() * sizeof(TaskEntry));
  const std::string all = comm.gather(mine);
  TaskEntries out(all.size() / sizeof(TaskEntry));
  if (!all.empty()) std::memcpy(static_cast<void*>(out.data()), all.data(), all.size());
  return out;
}

EvaluationRow row_of(const TaskEntry& each, const std::vector<std::string>& names) {
  const Assessment& a = each.entry.assessment;
  return {names[static_cast<std::size_t>(each.task)],
          each.task,
          std::string(to_string(each.entry.method)),
          a.metrics,
          a.noise_rate_all,
          a.noise_rate_selected,
          a.noise_reduction,
          a.minority_share,
          a.selected,
          static_cast<std::uint8_t>(a.failed),
          each.entry.policy};
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

/// Collective.
void add_source(const Communicator& comm, const TaskSource& source, const EvaluationPlan& plan,
                PhaseClock& clock, Outcome& results) {
  const auto cost = [&](const TaskShape& task) { return plan.cost(task); };
  const Shard shard = load_shard(comm, source, {0, source.task_count()}, plan.config, cost, clock);
  const std::vector<std::string> names = source.names({0, source.task_count()});
  const std::string name = std::set(names.begin(), names.end()).size() == 1 ? names.front() : "all";
  const auto timed = clock.measure("assess");
  const TaskEntries entries = entries_of(comm, shard, [&](const PreparedTask& task) {
    return contest(task, plan.config.evaluate.methods, plan.contest);
  });
  for (const TaskEntry& entry : entries) results.rows.push_back(row_of(entry, names));
  append(results.tables.detection, detection_table(entries, names));
  append(results.tables.response, response_table(comm, shard, name, plan.contest.policies));
  if (plan.frontier_steps == 0) return;
  for (const TaskEntry& entry : entries_of(comm, shard, [&](const PreparedTask& task) {
         return frontier(task, plan.config.evaluate.frontier, plan.frontier_contest());
       }))
    results.frontier.push_back({row_of(entry, names), entry.entry.setting});
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
  std::printf("\nwrote %s\n", request.output.c_str());
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

void evaluate(const Communicator& comm, const EvaluateRequest& request) {
  require_distinct(comm, {request.output}, request.input_files());
  require_writable(comm, {request.output});
  const EvaluationPlan plan = evaluation_plan(comm, request);
  PhaseClock clock({"tasks", "features", "assess"});
  Outcome results;
  for (const TaskSource& source : evaluation_sources(comm, request))
    add_source(comm, source, plan, clock, results);
  if (comm.is_root())
    summarise_results(results, request.suite ? Pooling::sources : Pooling::none, plan.config.evaluate.seed);

  const Range part = my_range(comm, 0, std::vector<double>(results.rows.size(), 1.0));
  write_evaluation(comm, request.output, {resolved_ini(plan.config)},
                   {results.rows.begin() + part.begin, results.rows.begin() + part.end}, results.tables);
  if (comm.is_root()) print_comparison(request, plan, results);
}

} // namespace metasieve
