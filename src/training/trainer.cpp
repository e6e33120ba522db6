#include "training/trainer.hpp"

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "config/requests.hpp"
#include "files/checkpoint.hpp"
#include "files/policy.hpp"
#include "meta/batches.hpp"
#include "parallel/for_each.hpp"
#include "policy/adam.hpp"
#include "runtime/folder_lock.hpp"
#include "runtime/machine.hpp"
#include "runtime/output_checks.hpp"
#include "runtime/phases.hpp"
#include "runtime/progress.hpp"
#include "runtime/stop_condition.hpp"
#include "training/batch_sum.hpp"
#include "training/console_summary.hpp"
#include "training/cost.hpp"
#include "training/failures.hpp"
#include "training/flops.hpp"
#include "training/resume.hpp"
#include "training/task_gradients.hpp"
#include "training/task_pool.hpp"
#include "training/training_work.hpp"
#include "training/validation.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace metasieve {
namespace {

/// ", DP gap 0.0800 (-52 %)"; without the change where there is nothing to compare with.
std::string compared(const char* name, double value, double base) {
  if (std::isnan(value)) return std::string(", ") + name + " undefined";
  return base > 0.0 ? format(", %s %.4f (%+.0f %%)", name, value, 100.0 * (value / base - 1.0))
                    : format(", %s %.4f", name, value);
}

} // namespace

std::string state_text(const HistoryRow& row) {
  return format("loss %.4f  accuracy loss %.4f  gap %.4f  gradient %.3f", row.loss, row.accuracy_loss,
                row.fairness_loss, row.gradient_norm);
}

std::string validation_text(const ValidationRow& row) {
  return format("validation at %ld: accuracy %.4f (%+.2f points)", static_cast<long>(row.iteration),
                row.accuracy, 100.0 * (row.accuracy - row.baseline_accuracy)) +
         compared("DP gap", row.dp_gap, row.baseline_dp_gap) +
         compared("EO gap", row.eo_gap, row.baseline_eo_gap) +
         compared("noise kept", row.noise_rate_selected, row.noise_rate_all) +
         compared("loss", row.loss, 0.0); // the baseline has none
}

std::vector<std::filesystem::path> TrainRequest::output_files() const {
  return {output / "policy.h5", output / "results.h5", output / checkpoint_name,
          output / previous_checkpoint_name};
}

namespace {

/// Below so many task fits a share of failures says little.
constexpr double visits_to_judge = 100;

std::vector<Phase> phases(bool measured) {
  std::vector<Phase> all{Phase::tasks,  Phase::features, Phase::make,
                         Phase::policy, Phase::inner,    Phase::idle};
  if (measured) all.push_back(Phase::wait);
  all.insert(all.end(), {Phase::reduce, Phase::update, Phase::validate, Phase::checkpoint, Phase::write});
  return all;
}

/// What all ranks do after an iteration; the greater one counts. Values above `checkpoint` are those of Stop.
constexpr std::int64_t go_on = 0, write_checkpoint_now = 1, stop_offset = 1;

class Training {
public:
  Training(const Communicator& comm, const TrainRequest& request)
      : comm_(comm), config_(request.config), folder_(request.output),
        speaks_(comm.is_root() && !request.quiet), measured_(request.measured), profiled_(request.profile),
        locked_(request.locked), lock_(locked_ ? FolderLock() : FolderLock(comm, folder_)),
        watch_(comm, request.config.run), clock_(phases(request.measured)),
        status_(!locked_ && !request.quiet ? StatusFile(comm, status_of_folder(folder_), "train")
                                           : StatusFile()),
        source_(training_source(comm, request)), train_ids_(training_tasks(config_, source_.task_count())),
        batches_(config_.meta.seed, train_ids_.size(), config_.meta.batch),
        gradients_(config_.meta_options()), sum_(parameter_count(config_.policy), batches_.size()) {
    state_.policy = initialise(config_.policy, config_.meta.seed);
    state_.policy.use_group = config_.inner.use_group;
    state_.config = resolved_ini(config_);
    if (request.resume) restore(resume_point(comm, request));
    first_iteration_ = state_.policy.trained_iterations + 1;
  }

  Trained run() {
    return status_.during([&] { return made(); });
  }

private:
  Trained made() {
    const Index iterations = config_.meta.iterations;
    Index t = state_.policy.trained_iterations;
    if (t == iterations) { // killed before the last files were written, or asked again
      require_known_tasks(fingerprint_of(comm_, source_, {0, source_.task_count()}));
      if (too_many_failed(t)) fail(t);
      return finish();
    }
    if (comm_.is_root()) work_ = TrainingWork(config_, source_, train_ids_.size(), comm_.size(), t);
    Progress progress(
        {speaks_, "iteration", iterations, t, config_.output.log_every, work_.whole(), &status_});
    status_.prepare();
    load(progress);
    begin_files();
    Adam adam = restored_adam();
    const Validation validation = first_validation();
    progress.did(kind(TrainingPart::validate), work_.validation());
    if (t == 0) validate(validation, 0, progress);
    static_cast<void>(watch_.after_step()); // the first iteration begins here
    while (t < iterations) iterate(++t, adam, validation, progress);
    progress.clear_line();
    return finish();
  }

  [[nodiscard]] static std::size_t kind(TrainingPart part) { return static_cast<std::size_t>(part); }

  void restore(FoundCheckpoint found) {
    if (!found.checkpoint) return;
    resumed_from_ = found.path;
    newest_is_damaged_ = !found.problem.empty();
    std::string config = std::move(state_.config); // harmless keys may have changed
    state_ = std::move(*found.checkpoint);
    state_.config = std::move(config);
    failures_ = FailureLog(state_.results.failures);
    for (const HistoryRow& row : state_.results.history) failed_ += row.failed_tasks;
    if (!config_.output.save_gradients || !comm_.is_root()) state_.results.meta_gradient.resize(0, 0);
  }

  [[nodiscard]] Adam restored_adam() const {
    Adam adam(state_.policy.theta.size());
    if (state_.step == 0) return adam;
    adam.first_moment = state_.first_moment;
    adam.second_moment = state_.second_moment;
    adam.step = state_.step;
    return adam;
  }

  void load(Progress& progress) {
    const auto stopped = [&] { return watch_.wanted() > Stop::time_limit; }; // time: one iteration at least
    const auto prepared = [&](double seconds) {
      progress.did(kind(TrainingPart::prepare), seconds / thread_count());
      progress.report_phase("preparing the tasks", kind(TrainingPart::prepare));
    };
    const auto load = [&](Range ids, Uses uses) {
      Shard shard(comm_, source_, ids, config_, uses, clock_, stopped, prepared);
      const auto stop = static_cast<Stop>(comm_.max(static_cast<std::int64_t>(watch_.wanted())));
      if (stop > Stop::time_limit)
        stop_early(stop, "while the tasks were prepared; what was kept before is as it was");
      return shard;
    };
    shard_ = load(train_ids_, {mean_visits(config_, train_ids_.size()), 0.0, source_.is_generator()});
    held_out_ = load({train_ids_.end, source_.task_count()},
                     {0.0, assessments_per_task(config_), source_.is_generator()});
    require_known_tasks(comm_.wrapping_sum(shard_.fingerprint() + held_out_.fingerprint()));
    progress.close(kind(TrainingPart::prepare));
  }

  /// `tasks`: the fingerprint of all of them.
  void require_known_tasks(std::uint64_t tasks) {
    if (!resumed_from_.empty() && tasks != state_.tasks)
      throw AgreedError(ExitCode::usage, "--resume: " + resumed_from_.string() +
                                             " was trained on other tasks than these; give the same suite "
                                             "again, or start anew in another folder");
    state_.tasks = tasks;
  }

  /// Nothing in the folder was changed before this.
  void begin_files() {
    if (resumed_from_.empty())
      set_unfinished_aside(comm_, folder_);
    else if (newest_is_damaged_)
      set_damaged_aside(comm_, folder_);
    status_.begin();
    state_.results.history.reserve(static_cast<std::size_t>(config_.meta.iterations));
    if (!config_.output.save_gradients || !comm_.is_root()) return;
    // Room for all; those that an earlier session did not keep stay NaN.
    const Matrix before = std::move(state_.results.meta_gradient);
    Matrix& gradients = state_.results.meta_gradient;
    gradients = Matrix::Constant(config_.meta.iterations, state_.policy.theta.size(),
                                 std::numeric_limits<double>::quiet_NaN());
    if (before.size() > 0) gradients.topRows(before.rows()) = before;
  }

  Validation first_validation() {
    const auto timed = clock_.measure(Phase::validate);
    return {comm_, held_out_, config_.suite.validation_tasks, config_.inner.ridge,
            config_.meta_options().outer};
  }

  void iterate(Index t, Adam& adam, const Validation& validation, Progress& progress) {
    const double begin = wall_seconds();
    const BatchMean& mean = batch_gradient(t);
    update(adam, mean, t);
    Results& results = state_.results;
    results.history.push_back({t, mean.loss, mean.accuracy_loss, mean.fairness_loss, mean.d_theta.norm(),
                               mean.failed, mean.clipped, wall_seconds() - begin});
    if (results.meta_gradient.size() > 0) results.meta_gradient.row(t - 1) = mean.d_theta;
    progress.did(kind(TrainingPart::iterate), work_.iteration(t));
    progress.set_metric("loss", mean.loss);
    progress.report(t, state_text(results.history.back()));
    failed_ += mean.failed;
    const bool last = t == config_.meta.iterations;
    if (last || (config_.meta.validate_every > 0 && t % config_.meta.validate_every == 0))
      validate(validation, t, progress);
    const bool bad = too_many_failed(t);
    const std::int64_t decision = last || bad ? write_checkpoint_now : agreed_decision(t);
    if (decision == go_on) return;
    require_equal_replicas();
    write_state(adam);
    progress.did(kind(TrainingPart::write), TrainingWork::write());
    if (bad) fail(t);
    if (decision > write_checkpoint_now)
      stop_early(static_cast<Stop>(decision - stop_offset),
                 "after iteration " + std::to_string(t) + " of " + std::to_string(config_.meta.iterations) +
                     ", kept in " + (folder_ / checkpoint_name).string());
  }

  const BatchMean& batch_gradient(Index t) {
    const auto step = static_cast<std::uint64_t>(t - 1);
    const std::vector<Index>& tasks = shard_.in_turn(batches_.of_step(step, shard_.ids()));
    gradients_.begin(state_.policy, step);
    sum_.clear();
    const Visits& visits = sum_.add_all(std::ssize(tasks), [&](Index i) {
      const auto task = shard_.task(tasks[static_cast<std::size_t>(i)]);
      const MetaGradient& gradient = gradients_.of(*task);
      if (profiled_) count_visit(*task, gradient.failure);
      return std::pair(task->id, &gradient);
    });
    clock_.add(Phase::make, visits.make_seconds);
    clock_.add(Phase::policy, visits.policy_seconds);
    clock_.add(Phase::inner, visits.inner_seconds);
    clock_.add(Phase::idle, visits.idle_seconds);
    for (const auto& [id, failure] : visits.failures) failures_.add(id, failure, t);
    if (measured_) {
      const auto timed = clock_.measure(Phase::wait);
      comm_.barrier();
    }
    const auto timed = clock_.measure(Phase::reduce);
    return sum_.mean(comm_);
  }

  void count_visit(const PreparedTask& task, TaskFailure failure) {
    const MetaOptions options = config_.meta_options();
    const TaskShape shape = shape_of(task);
    clock_.count(Phase::policy, network_flops(shape, state_.policy, options.support, failure));
    clock_.count(Phase::inner, inner_flops(shape, options, config_.inner.use_group, failure));
  }

  void update(Adam& adam, const BatchMean& mean, Index t) {
    const auto timed = clock_.measure(Phase::update);
    state_.policy.trained_iterations = t;
    if (std::isnan(mean.loss)) return; // every task of the batch failed: counted in the history
    const double decay = 10 * (t - 1) < 7 * config_.meta.iterations ? 1.0 : 0.3;
    scaled_gradient_ = clip_factor(mean.d_theta, config_.meta.clip) * mean.d_theta;
    adam.move(state_.policy.theta, scaled_gradient_, decay * config_.meta.learning_rate);
  }

  void validate(const Validation& validation, Index t, Progress& progress) {
    if (config_.suite.validation_tasks == 0) return;
    const auto timed = clock_.measure(Phase::validate);
    const ValidationRow row = validation.measure(comm_, state_.policy, t, failures_);
    state_.results.validation.push_back(row);
    progress.did(kind(TrainingPart::validate), work_.validation());
    progress.set_metric("validation_loss", row.loss);
    progress.set_metric("validation_accuracy", row.accuracy);
    progress.set_metric("validation_dp_gap", row.dp_gap);
    progress.set_metric("validation_eo_gap", row.eo_gap);
    progress.say(validation_text(row));
  }

  /// Collective: the same on every rank. Rank 0's clock tells when the next checkpoint is due, each rank's
  /// own when to stop.
  std::int64_t agreed_decision(Index t) {
    const Index every = config_.output.checkpoint_every;
    const double minutes = config_.output.checkpoint_minutes;
    const bool due = (every > 0 && t % every == 0) ||
                     (minutes > 0 && comm_.is_root() && wall_seconds() - last_written_ > 60.0 * minutes);
    const Stop stop = watch_.after_step();
    return comm_.max(stop == Stop::none ? std::int64_t{due} : static_cast<std::int64_t>(stop) + stop_offset);
  }

  void require_equal_replicas() const {
    if (!comm_.all_equal(hash_bytes(state_.policy.theta)))
      throw AgreedError(ExitCode::internal, "the ranks' policies differ after iteration " +
                                                std::to_string(state_.policy.trained_iterations) +
                                                ": are all nodes of one kind of processor and one build?");
  }

  [[nodiscard]] bool too_many_failed(Index t) const {
    const auto visits = static_cast<double>(t * batches_.size());
    return static_cast<double>(failed_) > config_.run.max_failed * visits &&
           (visits >= visits_to_judge || t == config_.meta.iterations);
  }

  /// Ends a run that learns from too few of its tasks; the checkpoint is written, and results.h5 says what
  /// happened.
  [[noreturn]] void fail(Index t) {
    write_last_results();
    throw AgreedError(
        ExitCode::numerical,
        format("%ld of %ld task fits failed, more than run.max_failed = %g: ", static_cast<long>(failed_),
               static_cast<long>(t * batches_.size()), config_.run.max_failed) +
            failures_text(state_.results.failures) + "; " + failures_advice(state_.results.failures) +
            ", or raise run.max_failed and --resume");
  }

  /// Collective: completes the results up to the last iteration.
  void collect() {
    Results& results = state_.results;
    results.failures = failures_.all(comm_);
    if (!in_session_) results.sessions.push_back({});
    in_session_ = true;
    results.timing = clock_.all_ranks(comm_);
    results.sessions.back() = {first_iteration_,
                               state_.policy.trained_iterations,
                               facts_.ranks,
                               facts_.threads,
                               wall_seconds() - begin_,
                               started_,
                               host_name(),
                               facts_.processor,
                               facts_.nodes};
  }

  void write_last_results() {
    facts_.seconds = wall_seconds() - begin_;
    write_results(comm_, folder_ / "results.h5", {state_.config, facts_}, state_.results);
  }

  void write_state(const Adam& adam) {
    const auto timed = clock_.measure(Phase::checkpoint);
    collect();
    state_.first_moment = adam.first_moment;
    state_.second_moment = adam.second_moment;
    state_.step = adam.step;
    write_checkpoint(comm_, folder_ / checkpoint_name, folder_ / previous_checkpoint_name, state_);
    last_written_ = wall_seconds();
    if (!locked_ && !lock_.found()) lock_ = FolderLock(comm_, folder_); // it is there now
  }

  Trained finish() {
    {
      const auto timed = clock_.measure(Phase::write);
      write_policy(comm_, folder_ / "policy.h5", {reproducible_ini(config_)}, state_.policy);
    }
    if (in_session_) collect(); // else the run was complete, and all is known
    const bool profiles = profiled_ && in_session_;
    if (profiles) state_.results.flops = counted(profile());
    {
      const auto timed = clock_.measure(Phase::write);
      write_last_results();
    }
    const double most_bytes = comm_.max(peak_bytes());
    Profile profile = profiles ? this->profile() : Profile();
    if (speaks_) report(most_bytes, profile);
    if (in_session_) state_.results.timing = clock_.all_ranks(comm_);
    return {std::move(state_.policy), std::move(state_.results), train_ids_.size(),
            batches_.size(),          wall_seconds() - begin_,   std::move(profile)};
  }

  /// Collective.
  [[nodiscard]] Profile profile() const {
    return clock_.profile(comm_, wall_seconds() - begin_, thread_count());
  }

  void report(double most_bytes, const Profile& profile) const {
    const Results& results = state_.results;
    if (in_session_)
      std::printf("%s", profiled_ ? profile_table(profile).c_str() : timing_table(results.timing).c_str());
    std::printf("%s", training_warnings(results, failed_).c_str());
    std::printf("%s", validation_table(results.validation, config_.suite.validation_tasks).c_str());
    std::printf(
        "wrote %s, results.h5 and checkpoint.h5 (%ld iterations, %d rank(s) x %d thread(s), %.1f s, at most "
        "%.0f MB on a rank)\n",
        (folder_ / "policy.h5").c_str(), static_cast<long>(config_.meta.iterations), comm_.size(),
        thread_count(), wall_seconds() - begin_, 1e-6 * most_bytes);
    if (!locked_)
      std::printf("%s", next_line({"metasieve", "evaluate", "--policy", (folder_ / "policy.h5").string(),
                                   "--suite", "NEW_SUITE", "--output", (folder_ / "evaluation.h5").string()})
                            .c_str());
  }

  const Communicator& comm_;
  const Config config_;
  const std::filesystem::path folder_;
  const bool speaks_, measured_, profiled_;
  const bool locked_; ///< by the caller
  FolderLock lock_;
  StopWatch watch_;
  PhaseClock clock_;
  StatusFile status_; ///< none of a training that is a part of another command
  TrainingWork work_; ///< on rank 0
  TaskSource source_;
  Range train_ids_;
  BatchSchedule batches_;
  TaskGradients gradients_;
  BatchSum sum_;
  Vector scaled_gradient_; ///< [p]
  Shard shard_, held_out_;
  Checkpoint state_; ///< Adam's part is set when it is written
  std::filesystem::path resumed_from_;
  bool newest_is_damaged_ = false;
  FailureLog failures_;
  std::int64_t failed_ = 0; ///< visits of training tasks
  bool in_session_ = false; ///< whether state_.results.sessions has this one already
  Index first_iteration_ = 1;
  double begin_ = wall_seconds(), last_written_ = begin_;
  std::string started_ = utc_now();
  JobMetadata facts_ = job_metadata(comm_, begin_);
};

} // namespace

Trained train(const Communicator& comm, const TrainRequest& request) {
  require_writable(comm, request.output_files());
  return Training(comm, request).run();
}

} // namespace metasieve
