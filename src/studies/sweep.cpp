#include "studies/sweep.hpp"

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "hdf5/atomic_replace.hpp"
#include "parallel/collective.hpp"
#include "runtime/output_checks.hpp"
#include "runtime/progress.hpp"
#include "runtime/stop_condition.hpp"
#include "studies/sweep_collect.hpp"
#include "studies/sweep_report.hpp"
#include "studies/sweep_run.hpp"
#include "training/resume.hpp"

#include <algorithm>
#include <optional>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

/// Between looks at how far all groups are: at least so long, and so many times as long as a look takes.
constexpr double seconds_between_looks = 5, looks_between_looks = 50;

/// Collective: DIR/sweep.ini, so that the folder says what it is of. Jobs of an array may all write it.
/// @return on rank 0: "note: changed since the last run here: meta.iterations = 60 (was 50)\n", or nothing
std::string write_sweep_ini(const Communicator& comm, const SweepRequest& request) {
  require_writable(comm, {request.output / "sweep.ini"});
  return from_root(comm, [&] {
    fs::create_directories(request.output / "points");
    const fs::path file = request.output / "sweep.ini";
    const std::string text = sweep_ini(request.config);
    const std::optional<std::string> before = text_if_any(file);
    if (before != text) replace_text(file, text);
    const auto changes = before ? changed_keys(*before, text, true) : std::vector<std::string>();
    return changes.empty() ? "" : "note: changed since the last run here: " + joined(changes) + "\n";
  });
}

/// Collective.
PointRunOptions run_options(const Communicator& comm, const SweepRequest& request) {
  return {request.output, comm.broadcast(this_place()), request.retry, request.profile};
}

/// One job whose groups of ranks look through the points for those that they can claim.
class SweepSession {
public:
  SweepSession(const Communicator& comm, const SweepRequest& request, const SweepPoints& points)
      : comm_(comm), points_(points), options_(run_options(comm, request)),
        groups_(comm, request.config.sweep.ranks_per_point), stop_condition_(comm, request.config.run) {
    options_.to_log = true;
  }

  /// Collective. @return what came out, on rank 0
  std::string run(const std::string& notes, StatusFile& status) {
    const double begin = wall_seconds();
    const std::string about = look_for_points();
    const Index before = points_.size() - std::ssize(order_);
    Progress progress({comm_.is_root(), "point", points_.size(), before, 1, &status});
    progress.say(notes + about);
    open_ = order_;
    rotate_order();
    std::optional<AgreedError> problem;
    try {
      while (const std::optional<Index> point = next_point()) {
        run_next(*point);
        report(progress);
      }
    } catch (const AgreedError& error) { // of this group alone
      problem = error;
    }
    comm_.idle_barrier();
    agree_on_file(comm_, [&] {
      if (problem) throw Error(problem->code(), problem->what());
    });
    const std::int64_t made = comm_.sum(made_);
    require_all_done();
    return (made > 0 ? std::to_string(made) + " points in " + duration_text(wall_seconds() - begin) + " by " +
                           std::to_string(groups_.count) + " group(s) of ranks\n"
                     : "") +
           "all " + std::to_string(points_.size()) + " points are done in " + options_.folder.string() +
           "; metasieve sweep --output " + options_.folder.string() + " --collect makes one table of them\n";
  }

private:
  [[nodiscard]] PointStatus status_of(Index point) const {
    return read_status(point_folder(options_.folder, points_.at(point)));
  }

  /// Collective: sets the points that are to be run. Those whose process has died may do so again, so they
  /// come last. @return what rank 0 has seen
  std::string look_for_points() {
    const std::string bytes = from_root(comm_, [&] {
      const SweepView view = view_sweep(points_, options_.folder);
      std::vector<Index> died;
      for (Index i = 0; i < points_.size(); ++i) {
        const PointStatus& status = view.statuses[static_cast<std::size_t>(i)];
        if (is_open(status, options_)) (status.attempts > 0 ? died : order_).push_back(i);
      }
      fresh_ = std::ssize(order_);
      order_.insert(order_.end(), died.begin(), died.end());
      ByteWriter writer;
      writer.put(overview(points_, view, options_.folder)).put(fresh_).put(std::ssize(order_));
      for (const Index point : order_) writer.put(point);
      return writer.take();
    });
    ByteReader reader(bytes);
    std::string about = reader.text();
    fresh_ = reader.get<Index>();
    order_.resize(static_cast<std::size_t>(reader.get<Index>()));
    for (Index& point : order_) point = reader.get<Index>();
    about.pop_back(); // the end of the last line
    return about;
  }

  /// Each group begins elsewhere, so that they seldom want the same point.
  void rotate_order() {
    std::rotate(order_.begin(), order_.begin() + fresh_ * groups_.number / groups_.count,
                order_.begin() + fresh_);
  }

  /// Collective over the group, whose rank 0 decides.
  std::optional<Index> next_point() {
    const std::string bytes = from_root(groups_.mine, [&] {
      Stop stop = stop_condition_.requested();
      // Even a run without time does something, or a job that is queued again and again would never end.
      if (stop == Stop::time_limit && made_ == 0) stop = Stop::none;
      while (stop == Stop::none && next_ < order_.size() && !is_open(status_of(order_[next_]), options_))
        ++next_;
      const bool any = stop == Stop::none && next_ < order_.size();
      return ByteWriter().put(stop).put(any ? order_[next_++] : Index{-1}).take();
    });
    ByteReader reader(bytes);
    if (const auto stop = reader.get<Stop>(); stop != Stop::none) stop_ = stop;
    const auto point = reader.get<Index>();
    return point >= 0 ? std::optional(point) : std::nullopt;
  }

  void run_next(Index point) {
    const double begin = wall_seconds();
    const PointRun run = run_point(groups_.mine, points_, points_.at(point), options_);
    if (!groups_.mine.is_root() || !run.is_made) return;
    ++made_;
    last_ = "point " + std::to_string(point) + format(" %.1f s", wall_seconds() - begin);
  }

  /// What all groups and jobs have done, by rank 0's look at the folders, which takes little of its time.
  void report(Progress& progress) {
    const double now = wall_seconds();
    if (!comm_.is_root() || now < next_look_) return;
    std::erase_if(open_, [&](Index i) { return !is_open(status_of(i), options_); });
    next_look_ =
        wall_seconds() + std::max(seconds_between_looks, looks_between_looks * (wall_seconds() - now));
    if (!open_.empty()) progress.report(points_.size() - std::ssize(open_), last_);
  }

  /// Collective. @throws AgreedError unless all points are done
  void require_all_done() const {
    const auto stop = static_cast<Stop>(comm_.max(static_cast<std::int64_t>(stop_)));
    const std::string bytes = from_root(comm_, [&] {
      std::vector<PointStatus> statuses;
      for (Index i = 0; i < points_.size(); ++i) statuses.push_back(status_of(i));
      const Index done = std::count_if(statuses.begin(), statuses.end(), [](const PointStatus& status) {
        return status.state == PointState::done;
      });
      return ByteWriter().put(done).put(failures_text(points_, statuses)).take();
    });
    ByteReader reader(bytes);
    const auto done = reader.get<Index>();
    const std::string failed = reader.text();
    const std::string all = std::to_string(done) + " of " + std::to_string(points_.size()) + " points";
    if (stop != Stop::none)
      stop_early(stop, "with " + all + " done, and those at work kept in " + options_.folder.string());
    if (!failed.empty()) throw AgreedError(ExitCode::numerical, failed);
    if (done < points_.size())
      throw AgreedError(ExitCode::stopped_early, all +
                                                     " are done, and the others at work in another run; run "
                                                     "the same command again when it has ended");
  }

  const Communicator& comm_;
  const SweepPoints& points_;
  PointRunOptions options_;
  PointGroups groups_;
  StopCondition stop_condition_;
  std::vector<Index> order_; ///< of the points that were to be run at the beginning
  Index fresh_ = 0;          ///< of these: the first ones, whose processes never died
  std::size_t next_ = 0;     ///< on rank 0 of each group: place in `order_`
  std::int64_t made_ = 0;    ///< on rank 0 of each group
  Stop stop_ = Stop::none;
  std::vector<Index> open_; ///< those that rank 0 does not know to be done
  double next_look_ = wall_seconds() + seconds_between_looks;
  std::string last_;
};

std::string run_all(const Communicator& comm, const SweepRequest& request, const SweepPoints& points) {
  const std::string notes = write_sweep_ini(comm, request);
  StatusFile status(comm, status_of_folder(request.output), "sweep");
  status.begin();
  return status.during([&] { return SweepSession(comm, request, points).run(notes, status); });
}

std::string run_one(const Communicator& comm, const SweepRequest& request, const SweepPoints& points) {
  if (request.point >= points.size())
    throw AgreedError(ExitCode::usage, "--point " + std::to_string(request.point) +
                                           ": the sweep has points 0 to " +
                                           std::to_string(points.size() - 1) + "; --list shows them");
  const std::string notes = write_sweep_ini(comm, request);
  const SweepPoint& point = points.at(request.point);
  const PointRun run = run_point(comm, points, point, run_options(comm, request));
  const auto code = static_cast<ExitCode>(comm.max(run.status.code));
  const std::string message = comm.broadcast(run.status.message);
  const std::string name = "point " + std::to_string(request.point) + " (" + point.name() + ")";
  if (run.end == PointEnd::failed)
    throw AgreedError(code, name + " failed: " + message + "; remove the cause, then --retry repeats it");
  if (run.end == PointEnd::stopped) throw AgreedError(ExitCode::stopped_early, name + " was " + message);
  if (run.end == PointEnd::busy)
    throw AgreedError(ExitCode::stopped_early,
                      name + " is at work in another run; run the same command again when that has ended");
  return notes + name + " of " + std::to_string(points.size()) + ", " + points.text(point) + ", is done in " +
         point_folder(request.output, point).string() + "\n";
}

} // namespace

std::string sweep(const Communicator& comm, const SweepRequest& request) {
  const SweepPoints points(comm, request.config, sweep_inputs(comm, request.config.sweep));
  if (request.action == SweepAction::run) return run_all(comm, request, points);
  if (request.action == SweepAction::one_point) return run_one(comm, request, points);
  if (request.action == SweepAction::collect) return collect_sweep(comm, request, points);
  return from_root(comm, [&] {
    const SweepView view = view_sweep(points, request.output);
    return overview(points, view, request.output) +
           (request.action == SweepAction::list ? list_text(points, view) : status_text(points, view));
  });
}

} // namespace metasieve
