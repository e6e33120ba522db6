#include "studies/sweep_run.hpp"

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "evaluation/evaluate.hpp"
#include "evaluation/plan.hpp"
#include "parallel/collective.hpp"
#include "parallel/for_each.hpp"
#include "runtime/folder_lock.hpp"
#include "runtime/phases.hpp"
#include "runtime/redirect_stdout.hpp"
#include "studies/sweep_cost.hpp"
#include "training/trainer.hpp"

#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <optional>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

/// "HOST, process PID, since TIME"
std::string this_place() {
  std::array<char, 32> text{};
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
  return host_name() + ", process " + std::to_string(getpid()) + ", since " + text.data();
}

/// One visit, by the ranks of `comm`. Its status is rank 0's.
class PointVisitor {
public:
  PointVisitor(const Communicator& comm, const SweepPoints& points, const SweepPoint& point,
               const VisitOptions& options)
      : comm_(comm), points_(points), config_(points.config(point)), options_(options),
        folder_(point_folder(options.folder, point)) {
    status_.values = points.text(point);
  }

  Visit run() {
    static_cast<void>(from_root(comm_, [&] {
      fs::create_directories(folder_);
      return std::string();
    }));
    std::optional<FolderLock> lock;
    try {
      lock.emplace(comm_, folder_);
    } catch (const AgreedError&) {
      return {VisitEnd::busy, status_};
    }
    if (const std::optional<VisitEnd> known = begin()) return {*known, status_};
    const double started = wall_seconds();
    const VisitEnd end = work();
    const double seconds = wall_seconds() - started;
    finish(end, seconds);
    return {end, status_, seconds};
  }

private:
  /// Collective: rank 0 looks at the status, now that nobody else can change it.
  std::optional<VisitEnd> begin() {
    const std::string bytes = from_root(comm_, [&] {
      const std::string values = std::move(status_.values);
      status_ = read_status(folder_);
      status_.values = values;
      std::optional<VisitEnd> known;
      if (status_.state == PointState::done && read_result(folder_)) known = VisitEnd::done;
      if (status_.state == PointState::failed && !options_.retry) known = VisitEnd::failed;
      // One that cannot be read would be in the way again.
      const bool anew =
          status_.state == PointState::failed && status_.code == static_cast<int>(ExitCode::data);
      if (status_.state == PointState::failed) status_.deaths = 0;
      const bool died = status_.state == PointState::running;
      if (!known && died && !options_.retry && status_.deaths >= config_.sweep.attempts) {
        fail(ExitCode::internal, "its process died " + std::to_string(status_.deaths) +
                                     " time(s), the last on " + status_.place +
                                     ": out of memory, or killed?");
        write_status(folder_, status_);
        known = VisitEnd::failed;
      }
      if (!known) mark_running();
      return ByteWriter().put(known.has_value()).put(known.value_or(VisitEnd::done)).put(anew).take();
    });
    ByteReader reader(bytes);
    const auto is_known = reader.get<bool>();
    const auto end = reader.get<VisitEnd>();
    resume_ = !reader.get<bool>();
    return is_known ? std::optional(end) : std::nullopt;
  }

  void mark_running() {
    status_.state = PointState::running;
    ++status_.deaths;
    status_.code = 0;
    status_.message.clear();
    status_.place = this_place();
    status_.ranks = comm_.size();
    status_.threads = thread_count();
    status_.predicted = options_.predicted;
    write_status(folder_, status_);
  }

  void fail(ExitCode code, const std::string& message) {
    status_.state = PointState::failed;
    status_.code = static_cast<int>(code);
    status_.message = message;
  }

  /// Collective, but for what ends the job.
  VisitEnd work() {
    std::optional<StdoutTo> log;
    if (options_.to_log && comm_.is_root()) log.emplace(folder_ / "log.txt");
    try {
      make();
      return VisitEnd::done;
    } catch (const AgreedError& error) {
      if (error.code() == ExitCode::stopped_early) {
        status_.message = error.what();
        return VisitEnd::stopped;
      }
      fail(error.code(), error.what());
    } catch (const std::bad_alloc&) {
      if (comm_.size() > 1) throw; // the others may wait in a collective call
      fail(ExitCode::internal, "out of memory: give it more ranks (sweep.ranks_per_point) on more nodes");
    }
    return VisitEnd::failed;
  }

  void make() {
    TrainRequest request{config_, folder_, points_.inputs().suite, resume_};
    request.locked = true;
    request.profile = options_.profile;
    const Trained trained = train(comm_, request);
    const EvaluationTables tables = points_.evaluates() ? evaluated(trained.policy) : EvaluationTables();
    if (comm_.is_root()) result_ = point_result(trained, tables);
  }

  [[nodiscard]] EvaluationTables evaluated(const Policy& policy) const {
    EvaluateRequest request;
    request.config = config_;
    request.policies = {folder_ / "policy.h5"};
    request.datasets = points_.inputs().datasets;
    request.output = folder_ / "evaluation.h5";
    request.resume = true;
    request.profile = options_.profile;
    EvaluationInput input{{policy}, {}, Pooling::none, ""};
    input.key = points_.key(config_) + "--policy = " + std::to_string(hash_bytes(policy.theta)) + "\n";
    if (request.datasets.empty()) {
      request.config = held_out_config(config_);
      input.sources.push_back(TaskSource::generator(request.config));
      input.pooling = Pooling::sources;
    } else {
      input.sources = evaluation_sources(comm_, request);
    }
    StatusFile none; // the sweep tells how far it is
    Evaluated result = evaluate(comm_, request, std::move(input), none);
    if (options_.profile && comm_.is_root()) std::fputs(profile_table(result.profile).c_str(), stdout);
    return std::move(result.tables);
  }

  /// Collective.
  void finish(VisitEnd end, double seconds) {
    static_cast<void>(from_root(comm_, [&] {
      --status_.deaths;
      status_.seconds += seconds;
      status_.core_seconds += seconds * static_cast<double>(status_.ranks * status_.threads);
      if (end == VisitEnd::stopped) status_.state = PointState::left;
      if (end == VisitEnd::done) {
        write_result(folder_, result_);
        status_.state = PointState::done;
      }
      write_status(folder_, status_);
      return std::string();
    }));
  }

  const Communicator& comm_;
  const SweepPoints& points_;
  const Config config_;
  const VisitOptions& options_;
  const fs::path folder_;
  bool resume_ = true;
  PointStatus status_;
  PointResult result_; ///< on rank 0
};

} // namespace

SweepGroups::SweepGroups(const Communicator& comm, Index ranks_per_point)
    : count(ranks_per_point == 0 || ranks_per_point > comm.size()
                ? 1
                : comm.size() / static_cast<int>(ranks_per_point)),
      mine(comm.split(comm.rank() * count / comm.size())) {}

fs::path point_folder(const fs::path& sweep, const SweepPoint& point) {
  return sweep / "points" / point.name();
}

Visit visit_point(const Communicator& comm, const SweepPoints& points, const SweepPoint& point,
                  const VisitOptions& options) {
  return PointVisitor(comm, points, point, options).run();
}

} // namespace metasieve
