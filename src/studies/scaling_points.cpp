#include "studies/scaling_points.hpp"

#include "base/hash.hpp"
#include "base/text.hpp"
#include "meta/batches.hpp"
#include "training/cost.hpp"
#include "training/task_source.hpp"
#include "training/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

namespace metasieve {
namespace {

std::vector<int> ranks_of(const ScalingConfig& config, int job_ranks) {
  std::set<int> ranks(config.ranks.begin(), config.ranks.end());
  if (ranks.empty()) {
    for (int power = 1; power < job_ranks; power *= 2) ranks.insert(power);
    ranks.insert(job_ranks);
  }
  return {ranks.begin(), ranks.end()};
}

Spread spread_of(const std::vector<double>& seconds) {
  const auto [low, high] = std::minmax_element(seconds.begin(), seconds.end());
  return {*low, std::accumulate(seconds.begin(), seconds.end(), 0.0) / static_cast<double>(seconds.size()),
          *high};
}

void add(std::vector<double>& sum, const std::vector<double>& more) {
  std::transform(sum.begin(), sum.end(), more.begin(), sum.begin(), std::plus<>());
}

/// Seconds by rank, for each phase of a study.
std::map<std::string, std::vector<double>> phases_of(const Results& results) {
  static const std::map<std::string, std::string> names{
      {"tasks", "generate"}, {"checkpoint", "io"}, {"write", "io"}}; // all other phases keep their names
  std::map<std::string, std::vector<double>> phases;
  for (const PhaseSeconds& phase : results.timing) {
    const auto other = names.find(phase.phase);
    std::vector<double>& sum = phases[other == names.end() ? phase.phase : other->second];
    sum.resize(phase.seconds.size(), 0.0);
    add(sum, phase.seconds);
  }
  return phases;
}

double mean_iteration_seconds(const Results& results) {
  double sum = 0;
  for (const HistoryRow& row : results.history) sum += row.seconds;
  return sum / static_cast<double>(results.history.size());
}

std::string text_of(const ScalingRow& row) {
  return row.kind + " scaling, " + std::to_string(row.ranks) + " rank(s) x " + std::to_string(row.threads) +
         " thread(s), repeat " + std::to_string(row.repeat);
}

} // namespace

std::string to_string(ScalingKind kind) { return kind == ScalingKind::strong ? "strong" : "weak"; }

std::string to_string(const ScalingPoint& point) {
  return to_string(point.kind) + ", " + std::to_string(point.ranks) + " rank(s) x " +
         std::to_string(point.threads) + " thread(s)";
}

std::filesystem::path file_of(const std::filesystem::path& folder, const ScalingPoint& point) {
  return folder / "points" /
         (to_string(point.kind) + "_r" + std::to_string(point.ranks) + "_t" + std::to_string(point.threads) +
          ".h5");
}

std::vector<ScalingPoint> points_of(const ScalingConfig& config, int job_ranks, int job_threads) {
  const std::vector<Index> threads =
      config.threads.empty() ? std::vector<Index>{job_threads} : config.threads;
  std::vector<ScalingPoint> points;
  for (const ScalingKind kind : config.kinds)
    for (const int ranks : ranks_of(config, job_ranks))
      for (const Index count : threads) points.push_back({kind, ranks, static_cast<int>(count)});
  return points;
}

TrainRequest training_at(const ScalingPoint& point, const ScalingRequest& request) {
  TrainRequest training{request.config, request.output, request.suite};
  training.quiet = training.measured = true;
  training.profile = request.profile;
  if (point.kind == ScalingKind::strong) return training;
  Config& config = training.config;
  config.suite.tasks = config.scaling.weak_tasks * point.cores() + config.suite.validation_tasks;
  config.meta.batch *= point.cores(); // 0 stays: all
  training.suite.reset();
  return training;
}

double rough_work(const Communicator& comm, const TrainRequest& request) {
  const TaskSource source = training_source(comm, request);
  TaskPart part = training_parts(request.config, source.task_count(), source.is_generator()).train;
  part.use.gradients = 1;
  const std::vector<double> costs = task_costs(source.shapes(part.ids), part.use).uses;
  BatchSchedule batches(part.meta.seed, part.ids.size(), part.meta.batch);
  double nanoseconds = 0;
  for (Index t = 0; t < part.meta.iterations; ++t)
    for (const Index task : batches.of_step(static_cast<std::uint64_t>(t), part.ids))
      nanoseconds += costs[static_cast<std::size_t>(task)];
  return 1e-9 * nanoseconds / static_cast<double>(part.meta.iterations);
}

void add_training(Scaling& study, const ScalingPoint& point, std::int64_t repeat, const Trained& trained,
                  double work, const Placement& where) {
  const std::string kind = to_string(point.kind);
  const auto phases = phases_of(trained.results);
  ScalingRow row{};
  row.kind = kind;
  row.ranks = point.ranks, row.threads = point.threads, row.repeat = repeat;
  row.nodes = std::ssize(where.hosts);
  row.tasks = trained.tasks, row.batch = trained.batch;
  row.iterations = std::ssize(trained.results.history);
  row.parameters = trained.policy.theta.size();
  row.seconds = trained.seconds;
  row.seconds_per_iteration = mean_iteration_seconds(trained.results);
  row.work = work;
  std::map<std::string, double> mean;
  for (std::size_t k = 0; k < scaling_phases.size(); ++k) {
    const std::string phase(scaling_phases.at(k));
    const std::vector<double>& seconds = phases.at(phase);
    row.phases.at(k) = spread_of(seconds);
    mean[phase] = row.phases.at(k).mean;
    for (std::size_t rank = 0; rank < seconds.size(); ++rank)
      study.timing.push_back(
          {kind, point.ranks, point.threads, repeat, phase, static_cast<std::int64_t>(rank), seconds[rank]});
  }
  const double busy = mean["make"] + mean["policy"] + mean["inner"];
  row.imbalance = busy > 0 ? (busy + mean["idle"] + mean["wait"]) / busy : 1.0;
  std::vector<double> of_rank(phases.at("make").size(), 0.0);
  for (const char* phase : {"make", "policy", "inner"}) add(of_rank, phases.at(phase));
  row.shard_imbalance = busy > 0 ? spread_of(of_rank).max / busy : 1.0;
  row.allreduce_share = mean["reduce"] / (row.seconds_per_iteration * static_cast<double>(row.iterations));
  row.policy_hash = hash_bytes(trained.policy.theta);
  row.oversubscribed = where.oversubscribed ? 1 : 0;
  study.points.push_back(row);
  for (const HistoryRow& iteration : trained.results.history)
    study.iterations.push_back(
        {kind, point.ranks, point.threads, repeat, iteration.iteration, iteration.seconds});
}

void require_equal_policies(const std::vector<ScalingRow>& points) {
  std::map<std::tuple<std::string, std::int64_t, std::int64_t>, const ScalingRow*> first;
  for (const ScalingRow& row : points) {
    const ScalingRow& other = *first.try_emplace({row.kind, row.tasks, row.batch}, &row).first->second;
    if (row.policy_hash != other.policy_hash)
      throw CollectiveError(ExitCode::internal,
                            "the policies of the same training differ: " + text_of(other) + ", and " +
                                text_of(row) + ": are all nodes of one kind of processor and one build?");
  }
}

namespace {

/// Medians over the repeats at one point.
struct PointMedians {
  const ScalingRow* first;
  std::size_t repeats;
  double cores, least, seconds, most; ///< seconds of an iteration
  double rate;                        ///< rough work per second
  double imbalance, allreduce;
};

std::vector<double> sorted(const std::vector<const ScalingRow*>& rows, const auto& value) {
  std::vector<double> all;
  for (const ScalingRow* row : rows) all.push_back(value(*row));
  std::sort(all.begin(), all.end());
  return all;
}

double median(const std::vector<const ScalingRow*>& rows, const auto& value) {
  const std::vector<double> all = sorted(rows, value);
  return 0.5 * (all[(all.size() - 1) / 2] + all[all.size() / 2]);
}

/// The points of one kind, by cores.
std::vector<PointMedians> medians_of(const Scaling& study, const std::string& kind) {
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<const ScalingRow*>> points;
  for (const ScalingRow& row : study.points)
    if (row.kind == kind) points[{row.ranks * row.threads, row.ranks}].push_back(&row);
  const auto seconds = [](const ScalingRow& row) { return row.seconds_per_iteration; };
  std::vector<PointMedians> medians;
  for (const auto& [place, rows] : points)
    medians.push_back(
        {rows.front(), rows.size(), static_cast<double>(place.first), sorted(rows, seconds).front(),
         median(rows, seconds), sorted(rows, seconds).back(),
         median(rows, [](const ScalingRow& row) { return row.work / row.seconds_per_iteration; }),
         median(rows, [](const ScalingRow& row) { return row.imbalance; }),
         median(rows, [](const ScalingRow& row) { return row.allreduce_share; })});
  return medians;
}

std::string line_of(const PointMedians& point, const PointMedians& base) {
  const double speedup = point.rate / base.rate;
  const ScalingRow& row = *point.first;
  return format("  %5lld  %7lld  %5lld  %11.5f  %9.5f .. %-9.5f  %8.2f  %8.0f %%  %9.3f  %8.1f %%%s\n",
                static_cast<long long>(row.ranks), static_cast<long long>(row.threads),
                static_cast<long long>(row.nodes), point.seconds, point.least, point.most, speedup,
                100.0 * speedup * base.cores / point.cores, point.imbalance, 100.0 * point.allreduce,
                row.oversubscribed != 0 ? "  oversubscribed" : "");
}

/// Speed-up on the most cores that were not oversubscribed, and what was lost there.
std::string sentence(const std::string& kind, const std::vector<PointMedians>& points) {
  const PointMedians& base = points.front();
  const auto last = std::find_if(points.rbegin(), points.rend(),
                                 [](const auto& point) { return point.first->oversubscribed == 0; });
  if (last == points.rend() || last->cores == base.cores)
    return kind +
           ": points on more cores than the first, without oversubscription, would show how it scales\n";
  const double speedup = last->rate / base.rate;
  return format("%s: %.0f cores do %.2f times the work of %.0f (efficiency %.0f %%); cores wait for slower "
                "ones %.0f %% of the time, and the allreduce takes %.1f %%\n",
                kind.c_str(), last->cores, speedup, base.cores, 100.0 * speedup * base.cores / last->cores,
                100.0 * (1.0 - 1.0 / last->imbalance), 100.0 * last->allreduce);
}

constexpr const char* heading = "  ranks  threads  nodes  s/iteration    least .. most        speed-up  "
                                "efficiency  imbalance  allreduce\n";

} // namespace

std::string scaling_table(const Scaling& study) {
  std::string text, sentences;
  for (const std::string kind : {"strong", "weak"}) {
    const std::vector<PointMedians> points = medians_of(study, kind);
    if (points.empty()) continue;
    std::size_t repeats = 0;
    for (const PointMedians& point : points) repeats = std::max(repeats, point.repeats);
    text += format("%s scaling, median of up to %zu repeat(s)\n", kind.c_str(), repeats) + heading;
    for (const PointMedians& point : points) text += line_of(point, points.front());
    sentences += sentence(kind, points);
  }
  return text + sentences;
}

} // namespace metasieve
