#include "training/trainer.hpp"

#include "base/for_each.hpp"
#include "base/text.hpp"
#include "meta/batches.hpp"
#include "runtime/machine.hpp"
#include "runtime/output_checks.hpp"
#include "runtime/progress.hpp"
#include "runtime/stop_condition.hpp"
#include "training/cost.hpp"
#include "training/resume.hpp"
#include "training/run_record.hpp"
#include "training/step.hpp"
#include "training/validation.hpp"

#include <algorithm>
#include <atomic>

namespace metasieve {
namespace {

/// Decisions after an iteration; the greatest of all ranks counts. Above `write_checkpoint`: stop for a
/// Stop, after a checkpoint.
constexpr std::int64_t go_on = 0, write_checkpoint = 1, stop_offset = 1;

/// "loss 0.4321  accuracy loss 0.3210  gap 0.1111  gradient 0.222"
std::string state_text(const HistoryRow& row) {
  return format("loss %.4f  accuracy loss %.4f  gap %.4f  gradient %.3f", row.loss, row.accuracy_loss,
                row.fairness_loss, row.gradient_norm);
}

/// This rank's tasks.
struct TrainingTasks {
  TaskPool train, held_out;
};

/// Collective: prepares the tasks. @throws CollectiveError (exit code 75) after a stop signal
TrainingTasks prepare_tasks(const Communicator& comm, const TaskSource& source, const TrainingParts& parts,
                            const StopCondition& stop, PhaseClock& clock, Progress& progress) {
  const auto pool_of = [&](const TaskPart& part) {
    const PoolHooks hooks{[&] { return stop.requested() > Stop::time_limit; }, // time: one iteration at least
                          [&](double share) {
                            const double ready = static_cast<double>(part.ids.begin) +
                                                 share * static_cast<double>(part.ids.size());
                            progress.advance_phase("preparing the tasks",
                                                   ready / static_cast<double>(source.task_count()));
                          }};
    TaskPool pool(comm, source, part, clock, hooks);
    const auto reason = static_cast<Stop>(comm.max(static_cast<std::int64_t>(stop.requested())));
    if (reason > Stop::time_limit)
      stop_early(reason, "while the tasks were prepared; earlier checkpoints are unchanged");
    return pool;
  };
  TaskPool train = pool_of(parts.train);
  return {std::move(train), pool_of(parts.held_out)};
}

/// The loop over the meta-iterations.
class Trainer {
public:
  Trainer(const Communicator& comm, const TrainRequest& request, RunRecord& record, TrainingTasks tasks,
          BatchSchedule& batches, StopCondition& stop, Progress& progress)
      : comm_(comm), request_(request), options_(request.config.meta_options()), record_(record),
        tasks_(std::move(tasks)), batches_(batches), stop_(stop), progress_(progress),
        workspace_(record.state.policy.theta.size(), batches.size()) {}

  /// Collective: all iterations that are left, the last one with a checkpoint. @throws CollectiveError
  void run() {
    const Index iterations = request_.end();
    const Validation validation = baseline();
    if (record_.iterations_done() == 0) validate(validation);
    static_cast<void>(stop_.after_step()); // the first iteration begins here
    for (Index t = record_.iterations_done() + 1; t <= iterations; ++t) {
      iterate(t);
      const bool last = t == iterations;
      if (last || validates_after(t)) validate(validation);
      const bool fails = record_.too_many_failed(batches_.size());
      const std::int64_t decision = last || fails ? write_checkpoint : agreed_decision(t);
      if (decision == go_on) continue;
      record_.write_checkpoint();
      if (fails) record_.fail(batches_.size());
      if (decision > write_checkpoint)
        stop_early(static_cast<Stop>(decision - stop_offset),
                   "after iteration " + std::to_string(t) + " of " + std::to_string(iterations) +
                       ", kept in " + (request_.output / checkpoint_name).string());
    }
  }

private:
  [[nodiscard]] bool validates_after(Index t) const {
    const Index every = request_.config.meta.validate_every;
    const std::vector<Index>& others = request_.validate_at;
    return (every > 0 && t % every == 0) || std::find(others.begin(), others.end(), t) != others.end();
  }

  void iterate(Index t) {
    const double begin = wall_seconds();
    Policy& policy = record_.state.policy;
    const auto step = static_cast<std::uint64_t>(t - 1);
    TaskPool& pool = tasks_.train;
    const Batch batch{pool, pool.by_descending_cost(batches_.of_step(step, pool.ids())), step};
    const BatchGradient& gradient =
        gradient_of_batch(batch, policy, options_, workspace_, comm_, record_.clock, request_.measured);
    if (request_.profile)
      for (const TaskOutcome& task : workspace_.outcomes)
        record_.clock.count(Phase::policy, network_flops(task, policy));
    {
      const auto timed = record_.clock.measure(Phase::update);
      update(policy, record_.state.adam, gradient, request_.config.meta, workspace_);
    }
    record_.add(gradient, workspace_.outcomes, wall_seconds() - begin);
    progress_.set_metric("loss", gradient.loss);
    progress_.advance(t, state_text(record_.state.results.history.back()));
  }

  [[nodiscard]] Validation baseline() {
    const auto timed = record_.clock.measure(Phase::validate);
    return {comm_, tasks_.held_out, request_.config.suite.validation_tasks, request_.config.inner.ridge,
            options_.outer};
  }

  void validate(const Validation& validation) {
    if (request_.config.suite.validation_tasks == 0) return;
    const auto timed = record_.clock.measure(Phase::validate);
    const ValidationRow row =
        validation.measure(comm_, record_.state.policy, record_.iterations_done(), record_.failures);
    record_.state.results.validation.push_back(row);
    progress_.set_metric("validation_loss", row.loss);
    progress_.set_metric("validation_accuracy", row.accuracy);
    progress_.set_metric("validation_dp_gap", row.dp_gap);
    progress_.set_metric("validation_eo_gap", row.eo_gap);
    progress_.print_line(validation_text(row));
  }

  /// Collective: the same on every rank. Rank 0's clock says when the next checkpoint is due, each rank's own
  /// when to stop.
  [[nodiscard]] std::int64_t agreed_decision(Index t) {
    const Index every = request_.config.output.checkpoint_every;
    const double minutes = request_.config.output.checkpoint_minutes;
    const bool due = (every > 0 && t % every == 0) ||
                     (minutes > 0 && comm_.is_root() && record_.seconds_since_checkpoint() > 60.0 * minutes);
    const Stop stop = stop_.after_step();
    return comm_.max(stop == Stop::none ? std::int64_t{due} : static_cast<std::int64_t>(stop) + stop_offset);
  }

  const Communicator& comm_;
  const TrainRequest& request_;
  const MetaOptions options_;
  RunRecord& record_;
  TrainingTasks tasks_;
  BatchSchedule& batches_;
  StopCondition& stop_;
  Progress& progress_;
  StepWorkspace workspace_;
};

/// Collective: writes the last files.
Trained finish(const Communicator& comm, const TrainRequest& request, RunRecord& record, Index tasks,
               Index batch) {
  const bool profiles = request.profile && record.has_trained();
  record.write_last_files(profiles);
  Trained trained;
  trained.has_trained = record.has_trained();
  if (profiles) trained.profile = record.clock.profile(comm, record.seconds(), thread_count());
  if (trained.has_trained) record.state.results.timing = record.clock.all_ranks(comm);
  trained.usage = record.usage();
  trained.policy = std::move(record.state.policy);
  trained.results = std::move(record.state.results);
  trained.tasks = tasks;
  trained.batch = batch;
  trained.failed_fits = record.failed_fits;
  trained.peak_bytes = comm.max(peak_bytes());
  trained.seconds = record.seconds();
  return trained;
}

Trained train(const Communicator& comm, const TrainRequest& request, StatusFile& status, RunRecord& record) {
  StopCondition stop(comm, request.config.run);
  const TaskSource source = training_source(comm, request);
  const TrainingParts parts = training_parts(request.config, source.task_count(), source.is_generator());
  const MetaConfig& meta = request.config.meta;
  BatchSchedule batches(meta.seed, parts.train.ids.size(), meta.batch);
  ResumePoint from;
  if (request.resume) from = resume_point(comm, request);
  record.restore(std::move(from.found));
  const Index begun = record.iterations_done();
  Progress progress({!comm.is_root() || request.quiet, "iteration", request.end(), begun,
                     request.config.output.log_every, &status});
  if (comm.is_root() && !from.warning.empty()) progress.warn("warning: " + from.warning);
  for (const std::string& note : from.notes) progress.print_line(note);
  if (begun >= request.end()) { // killed before the last files were written, or asked again
    record.require_known_tasks(fingerprint_of(comm, source));
    if (record.too_many_failed(batches.size())) record.fail(batches.size());
  } else {
    status.prepare();
    TrainingTasks tasks = prepare_tasks(comm, source, parts, stop, record.clock, progress);
    record.require_known_tasks(comm.wrapping_sum(tasks.train.fingerprint() + tasks.held_out.fingerprint()));
    progress.print_line(record.begin_files());
    status.begin();
    Trainer(comm, request, record, std::move(tasks), batches, stop, progress).run();
    progress.clear_line();
  }
  return finish(comm, request, record, parts.train.ids.size(), batches.size());
}

} // namespace

Trained train(const Communicator& comm, const TrainRequest& request) {
  require_writable(comm, request.output_files());
  RunRecord record(comm, request);
  StatusFile status = request.locked || request.quiet
                          ? StatusFile()
                          : StatusFile(comm, status_of_folder(request.output), "train");
  Trained trained;
  status.during([&] { trained = train(comm, request, status, record); });
  return trained;
}

} // namespace metasieve
