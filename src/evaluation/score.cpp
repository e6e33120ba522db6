#include "evaluation/score.hpp"

#include "base/bytes.hpp"
#include "base/for_each.hpp"
#include "base/text.hpp"
#include "evaluation/plan.hpp"
#include "files/dataset.hpp"
#include "files/policy.hpp"
#include "hdf5/raw_file.hpp"
#include "kernels/meta_features.hpp"
#include "methods/selection.hpp"
#include "parallel/collective.hpp"
#include "runtime/machine.hpp"
#include "runtime/output_checks.hpp"
#include "training/cost.hpp"

#include <fstream>
#include <limits>

namespace metasieve {
namespace {

/// Collective: the policy with the settings that an evaluation on the data set would have.
EvaluationPlan plan_of(const Communicator& comm, const ScoreRequest& request) {
  const EvaluateRequest evaluation{
      request.config, {request.policy}, std::nullopt, {request.dataset}, request.output};
  return evaluation_plan(evaluation, read_policies(comm, evaluation));
}

/// Checks that the files can be written, and that nothing is lost by it: neither an input, nor a table of
/// other contents where the CSV file goes.
void require_free(const Communicator& comm, const ScoreRequest& request) {
  const std::vector<std::filesystem::path> files = request.output_files();
  require_distinct(comm, files, {request.policy, request.dataset});
  require_writable(comm, files);
  static_cast<void>(run_on_root_and_broadcast(comm, [&] {
    std::ifstream stream(std::filesystem::weakly_canonical(std::filesystem::absolute(files.back())));
    std::string first;
    if (std::getline(stream, first) && first + "\n" != scores_csv_header(false) &&
        first + "\n" != scores_csv_header(true))
      throw ConfigError("--output " + request.output.string() + ": the scores as CSV would replace " +
                        files.back().string() + ", which holds something else; choose another name");
    return std::string();
  }));
}

/// Rows that a model would be trained on: a row of weight 0 is no such row.
std::vector<Index> training_rows(const Dataset& data) {
  std::vector<Index> rows;
  for (Index i = 0; i < data.y.size(); ++i)
    if ((!data.split || (*data.split)(i) == 0) && (!data.weight || (*data.weight)(i) > 0)) rows.push_back(i);
  return rows;
}

/// The training rows as a task without test rows. The labels are the data set's; clean ones are not asked
/// for.
PreparedTask task_of(const Dataset& data, const std::vector<Index>& rows, const PrepareOptions& options) {
  const Split all{data.x, data.y, data.group, data.y, std::ssize(data.group_names)};
  Task task;
  task.train = gather(all, rows);
  task.test = gather(all, std::vector<Index>());
  return kernels::prepare(std::move(task), options);
}

ScoreTable scores_of(const Dataset& data, const std::vector<Index>& rows, const Policy& policy,
                     const Selection& selection) {
  const Vector kept = highest(selection.score, policy.keep);
  std::vector<ScoreRow> out;
  for (Index i = 0; i < data.y.size(); ++i)
    out.push_back({data.row ? (*data.row)(i) : i, std::numeric_limits<double>::quiet_NaN(), 0.0, 0, data.y(i),
                   data.group(i)});
  for (std::size_t k = 0; k < rows.size(); ++k) {
    ScoreRow& row = out[static_cast<std::size_t>(rows[k])];
    row.score = selection.score(static_cast<Index>(k));
    row.weight = selection.weights(static_cast<Index>(k)) * (data.weight ? (*data.weight)(rows[k]) : 1.0);
    row.selected = kept(static_cast<Index>(k)) > 0 ? 1 : 0;
  }
  return {std::move(out), data.id.value_or(std::vector<std::string>())};
}

/// Collective: rank 0's estimate on every rank.
void share_estimate(const Communicator& comm, const HiddenPositives& hidden, const Dataset& data,
                    ScoreTable& scores) {
  ByteWriter mine;
  mine.put(hidden);
  const std::string bytes = comm.broadcast(mine.take());
  const auto found = ByteReader(bytes).get<HiddenPositives>();
  if (found.group < 0) return;
  scores.hidden_group = data.group_names.at(static_cast<std::size_t>(found.group));
  scores.hidden_share = found.share;
  scores.hidden_evidence = found.evidence;
}

/// Collective: the request's data set, which must have a number of groups that the policy serves.
Dataset read_for(const Communicator& comm, const ScoreRequest& request, const Policy& policy) {
  Dataset data = read_dataset(comm, request.dataset);
  run_collectively_on_file(comm, [&] { require_groups(policy.features, std::ssize(data.group_names)); });
  return data;
}

} // namespace

std::vector<std::filesystem::path> ScoreRequest::output_files() const {
  std::filesystem::path csv = output;
  csv.replace_extension(".csv");
  if (csv == output) // the same on every rank
    throw CollectiveError(ExitCode::usage,
                          "--output " + output.string() +
                              ": name the HDF5 file, as scores.h5; the CSV file goes beside it");
  return {output, csv};
}

Scored score(const Communicator& comm, const ScoreRequest& request) {
  const std::vector<std::filesystem::path> files = request.output_files();
  require_free(comm, request);
  PhaseClock clock({Phase::read, Phase::features, Phase::score, Phase::write});
  Stopwatch lap;
  const EvaluationPlan plan = plan_of(comm, request);
  const Policy& policy = plan.comparison.policies.front();
  const Dataset data = read_for(comm, request, policy);
  const OutputLock lock(comm, files.front()), lock_of_csv(comm, files.back());
  clock.add(Phase::read, lap.seconds());

  ScoreTable scores; // one task: only rank 0 has work
  HiddenPositives hidden;
  comm.run_collectively([&] {
    if (!comm.is_root()) return;
    const std::vector<Index> training = training_rows(data);
    if (training.empty())
      throw DataError(request.dataset.string() + ": no training row has a weight above 0");
    const PreparedTask task = task_of(data, training, plan.config.prepare_options(plan.config.evaluate.seed));
    clock.add(Phase::features, lap.seconds());
    const Selection selection = policy_selection(task, policy, plan.comparison.selection);
    if (task.probe.status == FitStatus::diverged || !selection.score.allFinite())
      throw Error(ExitCode::numerical,
                  request.dataset.string() +
                      ": its training rows have no finite scores: the logistic regression on them diverged");
    scores = scores_of(data, training, policy, selection);
    hidden = selection.hidden;
    clock.add(Phase::score, lap.seconds());
  });
  share_estimate(comm, hidden, data, scores);
  static_cast<void>(lap.seconds());
  JobMetadata job = job_metadata(comm, request.begin);
  job.inputs = {input_record("policy", hash_file(comm, request.policy), request.policy),
                input_record("dataset", hash_file(comm, request.dataset), request.dataset)};
  write_file(comm, files.front(), {resolved_ini(plan.config), job, plan.config.output.io}, scores);
  write_text(comm, files.back(), scores_csv(scores));
  clock.add(Phase::write, lap.seconds());
  Scored scored{std::move(scores), data.group_names, {}};
  if (request.profile) scored.profile = clock.profile(comm, wall_seconds() - request.begin, thread_count());
  return scored;
}

std::string plan(const Communicator& comm, const ScoreRequest& request) {
  require_free(comm, request);
  const EvaluationPlan evaluation = plan_of(comm, request);
  const Dataset data = read_for(comm, request, evaluation.comparison.policies.front());
  const auto rows = static_cast<Index>(training_rows(data).size());
  const TaskShape shape{rows, 0, data.x.cols()};
  return format(
      "dry run: nothing is written\n  %-16s %ld training rows of %ld\n  memory           %.0f MB on rank "
      "0\n  files            %s and .csv, about %.2f MB\n",
      data.name.c_str(), static_cast<long>(rows), static_cast<long>(data.y.size()),
      28.0 + (prepared_bytes(shape, evaluation.config.policy.features) +
              working_bytes(shape, evaluation.config.policy.features)) /
                 1e6,
      request.output.c_str(), 80e-6 * static_cast<double>(data.y.size()));
}

} // namespace metasieve
