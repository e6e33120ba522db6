#include "base/hash.hpp"
#include "io/policy_file.hpp"
#include "parallel/exact_sum.hpp"
#include "parallel/for_each.hpp"
#include "policy/adam.hpp"
#include "run/phase_clock.hpp"
#include "run/progress.hpp"
#include "run/stages.hpp"
#include "run/validation.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

namespace metasieve {
namespace {

/// Largest norm of one task's gradient in the exact sum: far beyond what a healthy task gives (of order 1),
/// and small enough that the fixed point resolves 1e-14 at a batch of 16.
constexpr double task_gradient_bound = 1e3;

/// Means over the tasks of a batch that succeeded.
struct BatchMean {
  double loss, accuracy_loss, fairness_loss;
  Vector d_theta; // [p]
  std::int64_t failed, clipped;
};

constexpr Index extra_sums = 5; // after d_theta: loss, accuracy loss, fairness loss, succeeded, clipped

std::vector<double> pack(const MetaGradient& gradient) {
  std::vector<double> out(static_cast<std::size_t>(gradient.d_theta.size() + extra_sums), 0.0);
  Eigen::Map<Vector> packed(out.data(), static_cast<Index>(out.size()));
  if (gradient.status == FitStatus::diverged) return out; // counted as not succeeded
  const auto bounded = [](double value) {
    return std::clamp(value, -task_gradient_bound, task_gradient_bound);
  };
  const bool beyond = gradient.d_theta.norm() > task_gradient_bound;
  packed << clipped(gradient.d_theta, task_gradient_bound * (1.0 - 1e-12)), bounded(gradient.loss),
      bounded(gradient.accuracy_loss), bounded(gradient.fairness_loss), 1.0, beyond ? 1.0 : 0.0;
  return out;
}

BatchMean unpack(const Vector& total, Index batch_size) {
  const Index p = total.size() - extra_sums;
  const double succeeded = total(p + 3); // 0: the means are NaN, and d_theta is not used
  return {total(p) / succeeded,
          total(p + 1) / succeeded,
          total(p + 2) / succeeded,
          succeeded > 0 ? Vector(total.head(p) / succeeded) : Vector(Vector::Zero(p)),
          batch_size - static_cast<std::int64_t>(succeeded),
          static_cast<std::int64_t>(total(p + 4))};
}

/// The part of a sorted batch that lies in `ids`, as indices into the shard.
std::vector<std::size_t> mine(const std::vector<Index>& batch, Range ids) {
  std::vector<std::size_t> out;
  for (const Index task : batch)
    if (ids.contains(task)) out.push_back(static_cast<std::size_t>(task - ids.begin));
  return out;
}

class Training {
public:
  Training(const Communicator& comm, const TrainRequest& request)
      : comm_(comm), config_(request.config), folder_(request.output),
        clock_({"tasks", "features", "adapt", "reduce", "update", "validate", "write"}),
        source_(request.suite ? TaskSource::suite(comm, *request.suite)
                              : TaskSource::generator(request.config)) {
    const Range training = training_tasks(config_, source_.task_count());
    train_tasks_ = training.size();
    const auto load = [&](Range ids, Uses uses) {
      const auto cost = [&](const TaskShape& task) { return total_cost(task, config_, uses); };
      return load_shard(comm, source_, ids, config_, cost, clock_);
    };
    shard_ = load(training, {mean_visits(config_, train_tasks_), 0.0});
    held_out_ = load({training.end, source_.task_count()}, {0.0, assessments_per_task(config_)});
    policy_ = initialise(config_.policy, config_.meta.seed);
    policy_.use_group = config_.inner.use_group;
  }

  void run() {
    Adam adam(policy_.theta.size());
    Validation validation = first_validation();
    Progress progress(comm_.is_root(), "iteration", config_.meta.iterations, config_.output.log_every);
    if (config_.output.save_gradients && comm_.is_root())
      results_.meta_gradient.resize(config_.meta.iterations, policy_.theta.size());
    validate(validation, 0, progress);
    double last_checkpoint = wall_seconds();
    for (Index t = 1; t <= config_.meta.iterations; ++t) {
      const double begin = wall_seconds();
      const BatchMean mean = batch_gradient(static_cast<std::uint64_t>(t - 1));
      update(adam, mean, t);
      const double norm = mean.d_theta.norm();
      results_.history.push_back({t, mean.loss, mean.accuracy_loss, mean.fairness_loss, norm, mean.failed,
                                  mean.clipped, wall_seconds() - begin});
      if (results_.meta_gradient.size() > 0) results_.meta_gradient.row(t - 1) = mean.d_theta;
      progress.report(t, state_text(results_.history.back()));
      const bool last = t == config_.meta.iterations;
      if (last || (config_.meta.validate_every > 0 && t % config_.meta.validate_every == 0))
        validate(validation, t, progress);
      if (last || checkpoint_due(t, last_checkpoint)) {
        require_equal_replicas();
        write(adam);
        last_checkpoint = wall_seconds();
      }
    }
    finish();
  }

private:
  Validation first_validation() {
    const auto timed = clock_.measure("validate");
    return {comm_, held_out_, config_.suite.validation_tasks, config_.inner.ridge};
  }

  BatchMean batch_gradient(std::uint64_t step) {
    const std::vector<Index> batch = batch_of_step(config_.meta.seed, step, train_tasks_, config_.meta.batch);
    const std::vector<std::size_t> tasks = mine(batch, shard_.ids);
    const MetaOptions options = config_.meta_options();
    ExactSum sum(policy_.theta.size() + extra_sums, task_gradient_bound,
                 static_cast<std::int64_t>(batch.size()));
    {
      const auto timed = clock_.measure("adapt");
      for_each_parallel({0, static_cast<Index>(tasks.size())}, [&](Index i) {
        sum.add(pack(
            task_meta_gradient(shard_.tasks[tasks[static_cast<std::size_t>(i)]], policy_, options, step)));
      });
    }
    const auto timed = clock_.measure("reduce");
    return unpack(sum.total(comm_), static_cast<Index>(batch.size()));
  }

  void update(Adam& adam, const BatchMean& mean, Index t) {
    const auto timed = clock_.measure("update");
    policy_.trained_iterations = t;
    if (std::isnan(mean.loss)) return; // every task of the batch failed: counted in the history
    const double decay = 10 * (t - 1) < 7 * config_.meta.iterations ? 1.0 : 0.3;
    policy_.theta = adam.update(policy_.theta, clipped(mean.d_theta, config_.meta.clip),
                                decay * config_.meta.learning_rate);
  }

  void validate(const Validation& validation, Index t, Progress& progress) {
    if (config_.suite.validation_tasks == 0) return;
    const auto timed = clock_.measure("validate");
    const ValidationRow row = validation.measure(comm_, policy_, t);
    results_.validation.push_back(row);
    std::array<char, 128> line{};
    std::snprintf(line.data(), line.size(), "validation at %ld: accuracy %.4f (%+.2f points)",
                  static_cast<long>(t), row.accuracy, 100.0 * (row.accuracy - row.baseline_accuracy));
    progress.say(line.data() + compared("DP gap", row.dp_gap, row.baseline_dp_gap) +
                 compared("EO gap", row.eo_gap, row.baseline_eo_gap) +
                 compared("noise kept", row.noise_rate_selected, row.noise_rate_all));
  }

  /// ", DP gap 0.0800 (-52 %)"; without the change where there is nothing to compare with.
  static std::string compared(const char* name, double value, double base) {
    if (std::isnan(value)) return std::string(", ") + name + " undefined";
    std::array<char, 64> text{};
    if (base > 0.0)
      std::snprintf(text.data(), text.size(), ", %s %.4f (%+.0f %%)", name, value,
                    100.0 * (value / base - 1.0));
    else
      std::snprintf(text.data(), text.size(), ", %s %.4f", name, value);
    return text.data();
  }

  static std::string state_text(const HistoryRow& row) {
    std::array<char, 128> line{};
    std::snprintf(line.data(), line.size(), "loss %.4f  accuracy loss %.4f  gap %.4f  gradient %.3f",
                  row.loss, row.accuracy_loss, row.fairness_loss, row.gradient_norm);
    return line.data();
  }

  bool checkpoint_due(Index t, double last_checkpoint) const {
    if (config_.output.checkpoint_every > 0 && t % config_.output.checkpoint_every == 0) return true;
    if (config_.output.checkpoint_minutes <= 0) return false;
    // Rank 0's clock decides for all: clocks differ.
    const bool due =
        comm_.is_root() && wall_seconds() - last_checkpoint > 60.0 * config_.output.checkpoint_minutes;
    return comm_.max(std::int64_t{due}) != 0;
  }

  void require_equal_replicas() const {
    if (!comm_.all_equal(hash_bytes(policy_.theta)))
      throw AgreedError(ExitCode::internal, "the ranks' policies differ after iteration " +
                                                std::to_string(policy_.trained_iterations) +
                                                ": are all nodes of one kind of processor and one build?");
  }

  void write(const Adam& adam) {
    const auto timed = clock_.measure("write");
    write_checkpoint(
        comm_, folder_ / "checkpoint.h5", {resolved_ini(config_)},
        {policy_, adam.first_moment, adam.second_moment, adam.step, results_.history, results_.validation});
  }

  void finish() {
    std::int64_t failed = 0, clipped_tasks = 0;
    for (const HistoryRow& row : results_.history)
      failed += row.failed_tasks, clipped_tasks += row.clipped_tasks;
    {
      const auto timed = clock_.measure("write");
      write_policy(comm_, folder_ / "policy.h5", {resolved_ini(config_)}, policy_);
    }
    results_.timing = clock_.all_ranks(comm_);
    write_results(comm_, folder_ / "results.h5", {resolved_ini(config_)}, results_);
    if (comm_.is_root()) report(failed, clipped_tasks);
    const double visits = mean_visits(config_, train_tasks_) * static_cast<double>(train_tasks_);
    if (static_cast<double>(failed) > 0.5 * visits)
      throw AgreedError(ExitCode::numerical,
                        std::to_string(failed) + " of " + std::to_string(std::llround(visits)) +
                            " task fits failed, so this policy means nothing: try a smaller "
                            "meta.learning_rate or inner.step_size, or a larger inner.ridge");
  }

  void report(std::int64_t failed, std::int64_t clipped_tasks) const {
    std::printf("%s", timing_table(results_.timing).c_str());
    if (failed + clipped_tasks > 0)
      std::printf(
          "warning: %lld task fits failed and were left out, %lld task gradients were clipped at norm %g\n",
          static_cast<long long>(failed), static_cast<long long>(clipped_tasks), task_gradient_bound);
    std::printf("wrote %s, results.h5 and checkpoint.h5 (%ld iterations, %d rank(s) x %d thread(s))\n",
                (folder_ / "policy.h5").c_str(), static_cast<long>(config_.meta.iterations), comm_.size(),
                thread_count());
  }

  const Communicator& comm_;
  const Config config_;
  const std::filesystem::path folder_;
  PhaseClock clock_;
  TaskSource source_;
  Index train_tasks_ = 0;
  Shard shard_, held_out_;
  Policy policy_;
  Results results_;
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
  return {output / "policy.h5", output / "results.h5", output / "checkpoint.h5"};
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
