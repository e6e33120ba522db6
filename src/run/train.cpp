#include "base/hash.hpp"
#include "io/checkpoint_file.hpp"
#include "io/policy_file.hpp"
#include "parallel/for_each.hpp"
#include "policy/adam.hpp"
#include "run/batch_mean.hpp"
#include "run/failures.hpp"
#include "run/format.hpp"
#include "run/machine.hpp"
#include "run/phase_clock.hpp"
#include "run/progress.hpp"
#include "run/resume.hpp"
#include "run/stages.hpp"
#include "run/stop.hpp"
#include "run/validation.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace metasieve {
namespace {

/// Below so many task fits a share of failures says little.
constexpr double visits_to_judge = 100;

/// The part of a sorted batch that lies in `ids`, as indices into the shard.
std::vector<std::size_t> mine(const std::vector<Index>& batch, Range ids) {
  std::vector<std::size_t> out;
  for (const Index task : batch)
    if (ids.contains(task)) out.push_back(static_cast<std::size_t>(task - ids.begin));
  return out;
}

/// What all ranks do after an iteration; the greater one counts. Values above `checkpoint` are those of Stop.
constexpr std::int64_t go_on = 0, write_checkpoint_now = 1, stop_offset = 1;

class Training {
public:
  Training(const Communicator& comm, const TrainRequest& request)
      : comm_(comm), config_(request.config), folder_(request.output), watch_(comm, request.config.run),
        clock_({"tasks", "features", "adapt", "reduce", "update", "validate", "checkpoint", "write"}),
        source_(request.suite ? TaskSource::suite(comm, *request.suite)
                              : TaskSource::generator(request.config)),
        train_ids_(training_tasks(config_, source_.task_count())), policy_(initial_policy()),
        adam_(policy_.theta.size()) {
    batch_size_ = std::ssize(batch_of_step(config_.meta.seed, 0, train_ids_.size(), config_.meta.batch));
    if (request.resume)
      restore(resume_point(comm, request));
    else
      set_unfinished_aside(comm, folder_);
    first_iteration_ = policy_.trained_iterations + 1;
    if (!config_.output.save_gradients)
      results_.meta_gradient.resize(0, 0);
    else if (policy_.trained_iterations < config_.meta.iterations)
      keep_gradients();
  }

  void run() {
    const Index iterations = config_.meta.iterations;
    Index t = policy_.trained_iterations;
    if (t < iterations) {
      load();
      Validation validation = first_validation();
      Progress progress(comm_.is_root(), "iteration", iterations, config_.output.log_every, t);
      if (t == 0) validate(validation, 0, progress);
      static_cast<void>(watch_.after_step()); // the first iteration begins here
      while (t < iterations) iterate(++t, validation, progress);
    }
    finish();
  }

private:
  [[nodiscard]] Policy initial_policy() const {
    Policy policy = initialise(config_.policy, config_.meta.seed);
    policy.use_group = config_.inner.use_group;
    return policy;
  }

  void restore(std::optional<Checkpoint> checkpoint) {
    if (!checkpoint) return;
    policy_ = std::move(checkpoint->policy);
    adam_.first_moment = std::move(checkpoint->first_moment);
    adam_.second_moment = std::move(checkpoint->second_moment);
    adam_.step = checkpoint->step;
    tasks_ = checkpoint->tasks;
    results_ = std::move(checkpoint->results);
    failures_ = FailureLog(std::move(results_.failures));
    for (const HistoryRow& row : results_.history) failed_ += row.failed_tasks;
  }

  /// Room for the gradients of all iterations on rank 0; those that an earlier session did not keep are NaN.
  void keep_gradients() {
    if (!comm_.is_root()) return;
    const Matrix before = std::move(results_.meta_gradient);
    gradients_ = Matrix::Constant(config_.meta.iterations, policy_.theta.size(),
                                  std::numeric_limits<double>::quiet_NaN());
    gradients_.topRows(before.rows()) = before;
  }

  void load() {
    const auto stopped = [&] { return watch_.wanted() > Stop::time_limit; }; // time: one iteration at least
    const auto load = [&](Range ids, Uses uses) {
      const auto cost = [&](const TaskShape& task) { return total_cost(task, config_, uses); };
      Shard shard = load_shard(comm_, source_, ids, config_, cost, clock_, stopped);
      const auto stop = static_cast<Stop>(comm_.max(static_cast<std::int64_t>(watch_.wanted())));
      if (stop > Stop::time_limit) stop_early(stop, "while the tasks were prepared");
      return shard;
    };
    shard_ = load(train_ids_, {mean_visits(config_, train_ids_.size()), 0.0});
    held_out_ = load({train_ids_.end, source_.task_count()}, {0.0, assessments_per_task(config_)});
    const std::uint64_t tasks = fingerprint(comm_, {&shard_.tasks, &held_out_.tasks});
    if (policy_.trained_iterations > 0 && tasks != tasks_)
      throw AgreedError(ExitCode::usage, "--resume: " + (folder_ / checkpoint_name).string() +
                                             " was trained on other tasks than these; give the same suite "
                                             "again, or start anew in another folder");
    tasks_ = tasks;
  }

  Validation first_validation() {
    const auto timed = clock_.measure("validate");
    return {comm_, held_out_, config_.suite.validation_tasks, config_.inner.ridge};
  }

  void iterate(Index t, const Validation& validation, Progress& progress) {
    const double begin = wall_seconds();
    const BatchMean mean = batch_gradient(t);
    update(mean, t);
    results_.history.push_back({t, mean.loss, mean.accuracy_loss, mean.fairness_loss, mean.d_theta.norm(),
                                mean.failed, mean.clipped, wall_seconds() - begin});
    if (gradients_.size() > 0) gradients_.row(t - 1) = mean.d_theta;
    progress.report(t, state_text(results_.history.back()));
    const bool last = t == config_.meta.iterations;
    if (last || (config_.meta.validate_every > 0 && t % config_.meta.validate_every == 0))
      validate(validation, t, progress);
    require_few_failures(t, mean.failed);
    const std::int64_t decision = last ? write_checkpoint_now : agreed_decision(t);
    if (decision == go_on) return;
    require_equal_replicas();
    write_state();
    if (decision > write_checkpoint_now)
      stop_early(static_cast<Stop>(decision - stop_offset),
                 "after iteration " + std::to_string(t) + " of " + std::to_string(config_.meta.iterations) +
                     ", kept in " + (folder_ / checkpoint_name).string());
  }

  BatchMean batch_gradient(Index t) {
    const auto step = static_cast<std::uint64_t>(t - 1);
    const std::vector<Index> batch =
        batch_of_step(config_.meta.seed, step, train_ids_.size(), config_.meta.batch);
    const std::vector<std::size_t> tasks = mine(batch, shard_.ids);
    const MetaOptions options = config_.meta_options();
    BatchSum sum(policy_.theta.size(), std::ssize(batch));
    std::vector<TaskFailure> failed(tasks.size(), TaskFailure::none);
    {
      const auto timed = clock_.measure("adapt");
      for_each_parallel({0, std::ssize(tasks)}, [&](Index i) {
        const auto at = static_cast<std::size_t>(i);
        const MetaGradient gradient = task_meta_gradient(shard_.tasks[tasks[at]], policy_, options, step);
        failed[at] = gradient.failure;
        sum.add(gradient);
      });
    }
    for (std::size_t i = 0; i < tasks.size(); ++i)
      if (failed[i] != TaskFailure::none) failures_.add(shard_.tasks[tasks[i]].id, failed[i], t);
    const auto timed = clock_.measure("reduce");
    return sum.mean(comm_);
  }

  void update(const BatchMean& mean, Index t) {
    const auto timed = clock_.measure("update");
    policy_.trained_iterations = t;
    if (std::isnan(mean.loss)) return; // every task of the batch failed: counted in the history
    const double decay = 10 * (t - 1) < 7 * config_.meta.iterations ? 1.0 : 0.3;
    policy_.theta = adam_.update(policy_.theta, clipped(mean.d_theta, config_.meta.clip),
                                 decay * config_.meta.learning_rate);
  }

  void validate(const Validation& validation, Index t, Progress& progress) {
    if (config_.suite.validation_tasks == 0) return;
    const auto timed = clock_.measure("validate");
    const ValidationRow row = validation.measure(comm_, policy_, t);
    results_.validation.push_back(row);
    progress.say(format("validation at %ld: accuracy %.4f (%+.2f points)", static_cast<long>(t), row.accuracy,
                        100.0 * (row.accuracy - row.baseline_accuracy)) +
                 compared("DP gap", row.dp_gap, row.baseline_dp_gap) +
                 compared("EO gap", row.eo_gap, row.baseline_eo_gap) +
                 compared("noise kept", row.noise_rate_selected, row.noise_rate_all));
  }

  /// ", DP gap 0.0800 (-52 %)"; without the change where there is nothing to compare with.
  static std::string compared(const char* name, double value, double base) {
    if (std::isnan(value)) return std::string(", ") + name + " undefined";
    return base > 0.0 ? format(", %s %.4f (%+.0f %%)", name, value, 100.0 * (value / base - 1.0))
                      : format(", %s %.4f", name, value);
  }

  static std::string state_text(const HistoryRow& row) {
    return format("loss %.4f  accuracy loss %.4f  gap %.4f  gradient %.3f", row.loss, row.accuracy_loss,
                  row.fairness_loss, row.gradient_norm);
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
    if (!comm_.all_equal(hash_bytes(policy_.theta)))
      throw AgreedError(ExitCode::internal, "the ranks' policies differ after iteration " +
                                                std::to_string(policy_.trained_iterations) +
                                                ": are all nodes of one kind of processor and one build?");
  }

  /// Ends a run that learns from too few of its tasks; what happened stays in results.h5.
  void require_few_failures(Index t, std::int64_t newly_failed) {
    failed_ += newly_failed;
    const double visits = static_cast<double>(t * batch_size_);
    if (static_cast<double>(failed_) <= config_.run.max_failed * visits) return;
    if (visits < visits_to_judge && t < config_.meta.iterations) return;
    collect();
    write_results(comm_, folder_ / "results.h5", {resolved_ini(config_)}, results_);
    throw AgreedError(ExitCode::numerical,
                      std::to_string(failed_) + " of " + std::to_string(std::llround(visits)) +
                          " task fits failed, more than run.max_failed = " +
                          format("%g", config_.run.max_failed) + ": " + failures_text(results_.failures) +
                          "; try a smaller meta.learning_rate or inner.step_size, or a larger inner.ridge");
  }

  /// Collective: completes `results_` up to the last iteration.
  void collect() {
    const Index t = policy_.trained_iterations;
    results_.failures = failures_.all(comm_);
    if (gradients_.size() > 0) results_.meta_gradient = gradients_.topRows(t);
    if (!in_session_) results_.sessions.push_back({});
    in_session_ = true;
    results_.timing = clock_.all_ranks(comm_);
    results_.sessions.back() = {first_iteration_, t, comm_.size(), thread_count(), wall_seconds() - begin_};
  }

  void write_state() {
    const auto timed = clock_.measure("checkpoint");
    collect();
    write_checkpoint(comm_, folder_ / checkpoint_name, folder_ / previous_checkpoint_name,
                     {policy_,
                      adam_.first_moment,
                      adam_.second_moment,
                      adam_.step,
                      tasks_,
                      resolved_ini(config_),
                      {},
                      results_});
    last_written_ = wall_seconds();
  }

  void finish() {
    {
      const auto timed = clock_.measure("write");
      write_policy(comm_, folder_ / "policy.h5", {reproducible_ini(config_)}, policy_);
    }
    if (in_session_) collect(); // else the run was complete, and all is known
    write_results(comm_, folder_ / "results.h5", {resolved_ini(config_)}, results_);
    const double most_bytes = comm_.max(peak_bytes());
    if (comm_.is_root()) report(most_bytes);
  }

  void report(double most_bytes) const {
    std::int64_t clipped_tasks = 0;
    for (const HistoryRow& row : results_.history) clipped_tasks += row.clipped_tasks;
    if (in_session_) std::printf("%s", timing_table(results_.timing).c_str());
    if (failed_ > 0)
      std::printf("warning: %lld task fits failed and were left out: %s; see /failures of results.h5\n",
                  static_cast<long long>(failed_), failures_text(results_.failures).c_str());
    if (clipped_tasks > 0)
      std::printf("warning: %lld task gradients were clipped at norm %g\n",
                  static_cast<long long>(clipped_tasks), BatchSum::bound);
    std::printf(
        "wrote %s, results.h5 and checkpoint.h5 (%ld iterations, %d rank(s) x %d thread(s), %.1f s, at most "
        "%.0f MB on a rank)\n",
        (folder_ / "policy.h5").c_str(), static_cast<long>(config_.meta.iterations), comm_.size(),
        thread_count(), wall_seconds() - begin_, 1e-6 * most_bytes);
  }

  const Communicator& comm_;
  const Config config_;
  const std::filesystem::path folder_;
  StopWatch watch_;
  PhaseClock clock_;
  TaskSource source_;
  Range train_ids_;
  Index batch_size_ = 0;
  Shard shard_, held_out_;
  std::uint64_t tasks_ = 0; ///< their fingerprint
  Policy policy_;
  Adam adam_;
  Results results_;
  FailureLog failures_;
  Matrix gradients_; ///< [iterations, p] on rank 0, if they are kept
  std::int64_t failed_ = 0;
  bool in_session_ = false;   ///< whether results_.sessions has this one already
  Index first_iteration_ = 1; ///< of this session
  double begin_ = wall_seconds(), last_written_ = begin_;
};

} // namespace

Range training_tasks(const Config& config, Index total) {
  const Index held_out = config.suite.validation_tasks;
  if (held_out >= total)
    throw AgreedError(ExitCode::usage, "suite.validation_tasks = " + std::to_string(held_out) +
                                           ": the suite has " + std::to_string(total) +
                                           " tasks, so nothing is left to train on; set it below that");
  return {0, total - held_out};
}

double mean_visits(const Config& config, Index training_tasks) {
  const double tasks = static_cast<double>(training_tasks);
  const double batch =
      config.meta.batch > 0 ? std::min(static_cast<double>(config.meta.batch), tasks) : tasks;
  return static_cast<double>(config.meta.iterations) * batch / tasks;
}

std::vector<std::filesystem::path> TrainRequest::output_files() const {
  return {output / "policy.h5", output / "results.h5", output / checkpoint_name,
          output / previous_checkpoint_name};
}

double assessments_per_task(const Config& config) {
  const Index iterations = config.meta.iterations, every = config.meta.validate_every;
  const Index between = every > 0 ? (iterations - 1) / every : 0;
  return static_cast<double>(between + 3); // the baseline, the start and the end too
}

void train(const Communicator& comm, const TrainRequest& request) {
  require_writable(comm, request.output_files());
  Training(comm, request).run();
}

} // namespace metasieve
