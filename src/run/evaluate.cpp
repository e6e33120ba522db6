#include "io/evaluation_file.hpp"
#include "io/policy_file.hpp"
#include "parallel/for_each.hpp"
#include "run/stages.hpp"
#include "run/summary.hpp"
#include "run/task_source.hpp"
#include "selectors/assess.hpp"

#include <cstdio>
#include <cstring>
#include <set>

namespace metasieve {
namespace {

using Rows = std::vector<EvaluationRow>;

/// All methods on all tasks of this rank's shard, in task order.
Rows assess_shard(const Communicator& comm, const Shard& shard, const std::vector<std::string>& sources,
                  const Config& config, const Selectors& selectors) {
  const std::vector<Method>& methods = config.evaluate.methods;
  Rows rows(shard.tasks.size() * methods.size());
  comm.agree([&] {
    for_each_parallel({0, static_cast<Index>(shard.tasks.size())}, [&](Index i) {
      const PreparedTask& task = shard.tasks[static_cast<std::size_t>(i)];
      for (std::size_t m = 0; m < methods.size(); ++m) {
        const Assessment a = assess(methods[m], task, selectors, config.inner.ridge);
        rows[static_cast<std::size_t>(i) * methods.size() + m] = {sources[static_cast<std::size_t>(i)],
                                                                  static_cast<std::int64_t>(task.id),
                                                                  std::string(to_string(methods[m])),
                                                                  a.metrics,
                                                                  a.noise_rate_all,
                                                                  a.noise_rate_selected,
                                                                  a.noise_reduction,
                                                                  a.minority_share,
                                                                  a.selected,
                                                                  static_cast<std::uint8_t>(a.failed)};
      }
    });
  });
  return rows;
}

/// A row as bytes: fixed-size names, then the numbers.
struct PackedRow {
  std::array<char, 64> source, method;
  std::int64_t split;
  Metrics metrics;
  std::array<double, 5> selection;
  std::int64_t failed;
};

/// Collective: all ranks' rows in rank order, on every rank.
Rows gather_rows(const Communicator& comm, const Rows& rows) {
  std::string bytes;
  for (const EvaluationRow& row : rows) {
    PackedRow packed{
        {},
        {},
        row.split,
        row.metrics,
        {row.noise_rate_all, row.noise_rate_selected, row.noise_reduction, row.minority_share, row.selected},
        row.failed};
    row.source.copy(packed.source.data(), packed.source.size() - 1);
    row.method.copy(packed.method.data(), packed.method.size() - 1);
    bytes.append(reinterpret_cast<const char*>(&packed), sizeof packed);
  }
  const std::string all = comm.gather(bytes);
  Rows out;
  for (std::size_t at = 0; at < all.size(); at += sizeof(PackedRow)) {
    PackedRow packed;
    std::memcpy(&packed, all.data() + at, sizeof packed);
    const auto& s = packed.selection;
    out.push_back({packed.source.data(), packed.split, packed.method.data(), packed.metrics, s[0], s[1], s[2],
                   s[3], s[4], static_cast<std::uint8_t>(packed.failed)});
  }
  return out;
}

/// What the policy was made for is what it is asked with, but for keys that the user gave.
Config settings_of(const EvaluateRequest& request, const Policy& policy) {
  Config config = request.config;
  const auto given = [&](const char* key) { return config.explicit_keys.contains(key); };
  if (!given("inner.use_group")) config.inner.use_group = policy.use_group;
  config.policy = policy;
  if (given("policy.keep")) config.policy.keep = request.config.policy.keep;
  if (given("policy.temperature")) config.policy.temperature = request.config.policy.temperature;
  return config;
}

/// Collective: this rank's rows of one source.
Rows evaluate_source(const Communicator& comm, const TaskSource& source, const Config& config,
                     const Selectors& selectors, PhaseClock& clock) {
  const Shard shard = load_shard(comm, source, {0, source.task_count()}, config,
                                 {0.0, static_cast<double>(config.evaluate.methods.size())}, clock);
  const auto timed = clock.measure("assess");
  return assess_shard(comm, shard, source.names(shard.ids), config, selectors);
}

} // namespace

std::vector<TaskSource> evaluation_sources(const Communicator& comm, const EvaluateRequest& request) {
  std::vector<TaskSource> sources;
  if (request.suite) sources.push_back(TaskSource::suite(comm, *request.suite));
  std::set<std::string> names;
  for (const std::filesystem::path& path : request.datasets) {
    if (!names.insert(path.stem().string()).second) // alike on every rank
      throw AgreedError(ExitCode::usage, "--dataset " + path.string() + ": two data sets are called " +
                                             path.stem().string() + "; rename one of the files");
    sources.push_back(TaskSource::dataset(comm, path, request.config.evaluate));
  }
  return sources;
}

void evaluate(const Communicator& comm, const EvaluateRequest& request) {
  require_writable(comm, {request.output});
  const Policy policy = read_policy(comm, request.policy);
  const Config config = settings_of(request, policy);
  const Policy untrained = initialise(config.policy, config.evaluate.seed);
  const Selectors selectors{&config.policy, &untrained, config.policy.keep, config.evaluate.seed};

  PhaseClock clock({"tasks", "features", "assess"});
  Rows all; // by source, then task, then method, whatever the number of ranks
  for (const TaskSource& source : evaluation_sources(comm, request)) {
    const Rows gathered = gather_rows(comm, evaluate_source(comm, source, config, selectors, clock));
    all.insert(all.end(), gathered.begin(), gathered.end());
  }

  const std::vector<SummaryRow> summary =
      summarise(all, request.suite ? Pooling::sources : Pooling::none, config.evaluate.seed);
  const Range part = my_range(comm, 0, std::vector<double>(all.size(), 1.0));
  write_evaluation(comm, request.output, {resolved_ini(config)},
                   Rows(all.begin() + part.begin, all.begin() + part.end), summary);
  if (!comm.is_root()) return;
  std::printf("policy %s: %s, keep %g, the model %s the group\n\n%s", request.policy.c_str(),
              std::string(to_string(policy.features)).c_str(), config.policy.keep,
              config.inner.use_group ? "sees" : "does not see", comparison_table(all, summary).c_str());
  std::printf("\nwrote %s\n", request.output.c_str());
}

} // namespace metasieve
