#include "training/run_record.hpp"

#include "base/hash.hpp"
#include "base/text.hpp"
#include "files/policy.hpp"
#include "runtime/machine.hpp"
#include "training/resume.hpp"

#include <limits>

namespace metasieve {
namespace {

/// Below so many task fits a share of failures says little.
constexpr double fits_to_judge = 100;

std::vector<Phase> phases(bool measured) {
  std::vector<Phase> all{Phase::tasks,  Phase::features, Phase::make,       Phase::policy,
                         Phase::inner,  Phase::idle,     Phase::wait,       Phase::reduce,
                         Phase::update, Phase::validate, Phase::checkpoint, Phase::write};
  if (!measured) std::erase(all, Phase::wait);
  return all;
}

} // namespace

std::vector<std::filesystem::path> TrainRequest::output_files() const {
  return {output / "policy.h5", output / "results.h5", output / checkpoint_name,
          output / previous_checkpoint_name};
}

RunRecord::RunRecord(const Communicator& comm, const TrainRequest& request)
    : clock(phases(request.measured)), comm_(comm), request_(request),
      lock_(request.locked ? FolderLock() : FolderLock(comm, request.output)), begin_(wall_seconds()),
      last_written_(begin_), started_(utc_now()), facts_(job_metadata(comm, begin_)), energy_(comm) {
  if (request.suite) facts_.inputs = {input_record("suite", std::nullopt, *request.suite)};
  state.policy = initialise(request.config.policy, request.config.meta.seed);
  state.policy.use_group = request.config.inner.use_group;
  state.adam = Adam(state.policy.theta.size());
  state.config = resolved_ini(request.config);
}

void RunRecord::restore(FoundCheckpoint found) {
  if (!found.checkpoint) return;
  resumed_from_ = found.path;
  newest_is_damaged_ = !found.problem.empty();
  std::string config = std::move(state.config); // harmless keys may have changed
  state = std::move(*found.checkpoint);
  state.config = std::move(config);
  if (comm_.is_root())
    for (const FailureRow& row : state.results.failures) failures.add(row);
  for (const HistoryRow& row : state.results.history) failed_fits += row.failed_tasks;
  if (!request_.config.output.save_gradients || !comm_.is_root()) state.results.meta_gradient.resize(0, 0);
  first_iteration_ = iterations_done() + 1;
}

void RunRecord::require_known_tasks(std::uint64_t tasks) {
  if (is_resumed() && tasks != state.tasks)
    throw CollectiveError(ExitCode::usage, "--resume: " + resumed_from_.string() +
                                               " was trained on other tasks than these; give the same suite "
                                               "again, or start over in another folder");
  state.tasks = tasks;
}

std::string RunRecord::begin_files() {
  std::string note;
  if (!is_resumed()) {
    note = set_unfinished_aside(comm_, request_.output);
    // A point of a sweep is made again on purpose.
    const std::string more = request_.locked ? "" : back_up_finished(comm_, request_.output);
    note += (note.empty() || more.empty() ? "" : "\n") + more;
  } else if (newest_is_damaged_)
    set_damaged_aside(comm_, request_.output);
  state.results.history.reserve(static_cast<std::size_t>(request_.config.meta.iterations));
  if (!request_.config.output.save_gradients || !comm_.is_root()) return note;
  // Room for all; those that an earlier session did not keep stay NaN.
  const Matrix before = std::move(state.results.meta_gradient);
  Matrix& gradients = state.results.meta_gradient;
  gradients = Matrix::Constant(request_.config.meta.iterations, state.policy.theta.size(),
                               std::numeric_limits<double>::quiet_NaN());
  if (before.size() > 0) gradients.topRows(before.rows()) = before;
  return note;
}

void RunRecord::add(const BatchGradient& mean, const std::vector<TaskOutcome>& outcomes, double seconds) {
  const Index t = iterations_done();
  state.results.history.push_back({t, mean.loss, mean.accuracy_loss, mean.fairness_loss, mean.d_theta.norm(),
                                   mean.failed, mean.clipped, seconds});
  if (state.results.meta_gradient.size() > 0) state.results.meta_gradient.row(t - 1) = mean.d_theta;
  failed_fits += mean.failed;
  for (const TaskOutcome& outcome : outcomes)
    if (outcome.failure != TaskFailure::none) failures.add(outcome.id, outcome.failure, t);
}

bool RunRecord::too_many_failed(Index batch) const {
  const auto fits = static_cast<double>(iterations_done() * batch);
  return static_cast<double>(failed_fits) > request_.config.run.max_failed * fits &&
         (fits >= fits_to_judge || iterations_done() == request_.config.meta.iterations);
}

void RunRecord::fail(Index batch) {
  write_last_results();
  throw CollectiveError(
      ExitCode::numerical,
      format("%ld of %ld task fits failed, more than run.max_failed = %g: ", static_cast<long>(failed_fits),
             static_cast<long>(iterations_done() * batch), request_.config.run.max_failed) +
          failures_text(state.results.failures) + "; " + failures_advice(state.results.failures) +
          ", or raise run.max_failed and --resume");
}

/// Collective: all of the results, up to the last iteration.
void RunRecord::complete_results() {
  Results& results = state.results;
  results.failures = failures.all(comm_);
  if (!has_session_) results.sessions.push_back({});
  has_session_ = true;
  results.timing = clock.all_ranks(comm_);
  results.sessions.back() = {first_iteration_, iterations_done(), facts_.ranks,    facts_.threads,
                             seconds(),        started_,          host_name(),     facts_.processor,
                             facts_.nodes,     energy_.used(),    facts_.slurm_job};
}

Usage RunRecord::usage() const {
  const std::vector<SessionRow>& sessions = state.results.sessions;
  Usage total;
  for (const SessionRow& part : sessions) {
    total.core_hours += core_hours(part.ranks, part.threads, part.seconds);
    total.energy = &part == &sessions.front() ? part.energy : total.energy + part.energy;
  }
  total.is_of_last_part = !sessions.empty() && sessions.front().first_iteration > 1;
  return total;
}

void RunRecord::write_checkpoint() {
  if (!comm_.all_equal(hash_bytes(state.policy.theta)))
    throw CollectiveError(ExitCode::internal, "the ranks' policies differ after iteration " +
                                                  std::to_string(iterations_done()) +
                                                  ": are all nodes of one kind of processor and one build?");
  const auto timed = clock.measure(Phase::checkpoint);
  complete_results();
  metasieve::write_checkpoint(comm_, request_.output / checkpoint_name,
                              request_.output / previous_checkpoint_name, state, request_.config.output.io);
  last_written_ = wall_seconds();
  if (!request_.locked && !lock_.found()) lock_ = FolderLock(comm_, request_.output); // it is there now
}

void RunRecord::write_last_files(bool profiles) {
  {
    const auto timed = clock.measure(Phase::write);
    write_file(comm_, request_.output / "policy.h5",
               {resolved_ini(request_.config, Affects::policy), std::nullopt, request_.config.output.io},
               state.policy);
  }
  if (has_trained()) complete_results(); // else the run was complete, and all is known
  state.results.with_flops = profiles;
  const auto timed = clock.measure(Phase::write);
  write_last_results();
}

void RunRecord::write_last_results() {
  facts_.seconds = seconds();
  facts_.usage = usage();
  write_file(comm_, request_.output / "results.h5", {state.config, facts_, request_.config.output.io},
             state.results);
}

} // namespace metasieve
