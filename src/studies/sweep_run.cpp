#include "studies/sweep_run.hpp"

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "evaluation/evaluate.hpp"
#include "evaluation/plan.hpp"
#include "parallel/collective.hpp"
#include "parallel/for_each.hpp"
#include "runtime/redirect_stdout.hpp"
#include "training/trainer.hpp"

#include <fstream>
#include <optional>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

/// One run of a point by the ranks of `comm`. Claim and status are rank 0's.
class PointRunner {
public:
  PointRunner(const Communicator& comm, const SweepPoints& points, const SweepPoint& point,
              const PointRunOptions& options)
      : comm_(comm), points_(points), point_(point), config_(points.config(point)), options_(options),
        folder_(point_folder(options.folder, point)) {}

  PointRun run() {
    if (const std::optional<PointEnd> known = begin()) return {*known, status_};
    const double started = wall_seconds();
    const PointEnd end = work();
    finish(end, wall_seconds() - started);
    return {end, status_, true};
  }

private:
  /// Collective: rank 0 claims the point, and looks what is to be done now that nobody else can change it.
  std::optional<PointEnd> begin() {
    const std::string bytes = from_root(comm_, [&] {
      const std::optional<PointEnd> known = claim();
      // Files that cannot be read would be in the way again.
      const bool resume = status_.code != static_cast<int>(ExitCode::data);
      if (!known) mark_running();
      return ByteWriter().put(known.has_value()).put(known.value_or(PointEnd::done)).put(resume).take();
    });
    ByteReader reader(bytes);
    const auto is_known = reader.get<bool>();
    const auto end = reader.get<PointEnd>();
    resume_ = reader.get<bool>();
    return is_known ? std::optional(end) : std::nullopt;
  }

  /// @return how it ended before, if nothing is to be done
  std::optional<PointEnd> claim() {
    fs::create_directories(folder_);
    claim_ = PointClaim::take(folder_, options_.job);
    status_ = read_status(folder_);
    if (!claim_) return PointEnd::busy;
    if (status_.state == PointState::running && !options_.retry &&
        status_.attempts >= config_.sweep.attempts) {
      fail(ExitCode::internal, "its process died " + std::to_string(status_.attempts) +
                                   " time(s), the last on " + status_.place + ": out of memory, or killed?");
      write_status(folder_, status_);
    }
    if (is_open(status_, options_)) return std::nullopt;
    claim_.reset();
    return status_.state == PointState::done ? PointEnd::done : PointEnd::failed;
  }

  void mark_running() {
    if (status_.state == PointState::failed) status_.attempts = 0;
    status_.state = PointState::running;
    ++status_.attempts;
    status_.code = 0;
    status_.message.clear();
    status_.values = points_.text(point_);
    status_.place = this_place();
    status_.job = options_.job;
    status_.ranks = comm_.size();
    status_.threads = thread_count();
    write_status(folder_, status_);
  }

  void fail(ExitCode code, const std::string& message) {
    status_.state = PointState::failed;
    status_.code = static_cast<int>(code);
    status_.message = message;
  }

  /// Collective, but for what ends the job.
  PointEnd work() {
    std::optional<StdoutTo> log;
    if (options_.to_log && comm_.is_root()) log.emplace(folder_ / "log.txt");
    try {
      TrainRequest request{config_, folder_, points_.inputs().suite, resume_};
      request.locked = true;
      request.profile = options_.profile;
      const Trained trained = train(comm_, request);
      if (options_.profile && comm_.is_root())
        std::ofstream(folder_ / "log.txt", std::ios::app) << profile_table(trained.profile);
      if (points_.evaluates()) evaluate_policy(trained.policy);
      status_.state = PointState::done;
      return PointEnd::done;
    } catch (const AgreedError& error) {
      if (error.code() == ExitCode::stopped_early) {
        status_.state = PointState::left;
        status_.message = error.what();
        return PointEnd::stopped;
      }
      fail(error.code(), error.what());
    } catch (const std::bad_alloc&) {
      if (comm_.size() > 1) throw; // the others may wait in a collective call
      fail(ExitCode::internal, "out of memory: give it more ranks (sweep.ranks_per_point) on more nodes");
    }
    return PointEnd::failed;
  }

  void evaluate_policy(const Policy& policy) const {
    EvaluateRequest request;
    request.config = config_;
    request.policies = {folder_ / "policy.h5"};
    request.datasets = points_.inputs().datasets;
    request.output = folder_ / "evaluation.h5";
    request.resume = true;
    request.profile = options_.profile;
    EvaluationInput input{{policy}, {}, Pooling::none, ""};
    input.key =
        "point = " + point_.name() + "\n--policy = " + std::to_string(hash_bytes(policy.theta)) + "\n";
    if (request.datasets.empty()) {
      SuiteConfig& suite = request.config.suite; // the same families, other tasks
      suite.tasks = config_.sweep.evaluate_tasks;
      suite.validation_tasks = 0;
      suite.seed = config_.sweep.evaluate_seed;
      input.sources.push_back(TaskSource::generator(request.config));
      input.pooling = Pooling::sources;
    } else {
      input.sources = evaluation_sources(comm_, request);
    }
    StatusFile none; // that of the sweep counts points
    const Evaluated evaluated = evaluate(comm_, request, std::move(input), none);
    if (options_.profile && comm_.is_root())
      std::ofstream(folder_ / "log.txt", std::ios::app) << profile_table(evaluated.profile);
    require_few_failed(evaluated);
  }

  /// Collective.
  void finish(PointEnd end, double seconds) {
    static_cast<void>(from_root(comm_, [&] {
      --status_.attempts;
      status_.seconds += seconds;
      status_.core_seconds += seconds * static_cast<double>(status_.ranks * status_.threads);
      if (end == PointEnd::done) status_.files = files_hash(folder_);
      write_status(folder_, status_);
      claim_.reset();
      return std::string();
    }));
  }

  const Communicator& comm_;
  const SweepPoints& points_;
  const SweepPoint& point_;
  const Config config_;
  const PointRunOptions& options_;
  const fs::path folder_;
  bool resume_ = true;
  std::optional<PointClaim> claim_;
  PointStatus status_;
};

} // namespace

PointGroups::PointGroups(const Communicator& comm, Index ranks_per_point)
    : count(ranks_per_point == 0 || ranks_per_point > comm.size()
                ? 1
                : comm.size() / static_cast<int>(ranks_per_point)),
      number(comm.rank() * count / comm.size()), mine(comm.split(number)) {}

fs::path point_folder(const fs::path& sweep, const SweepPoint& point) {
  return sweep / "points" / point.name();
}

bool is_open(const PointStatus& status, const PointRunOptions& options) {
  if (status.state == PointState::failed) return options.retry && status.job != options.job;
  return status.state != PointState::done;
}

PointRun run_point(const Communicator& comm, const SweepPoints& points, const SweepPoint& point,
                   const PointRunOptions& options) {
  return PointRunner(comm, points, point, options).run();
}

} // namespace metasieve
