#include "studies/sweep.hpp"

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "config/requests.hpp"
#include "hdf5/atomic_replace.hpp"
#include "parallel/collective.hpp"
#include "parallel/for_each.hpp"
#include "runtime/output_checks.hpp"
#include "runtime/progress.hpp"
#include "studies/sweep_collect.hpp"
#include "studies/sweep_queue.hpp"
#include "studies/sweep_report.hpp"
#include "studies/sweep_run.hpp"
#include "training/resume.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <optional>
#include <tuple>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

constexpr double seconds_between_lines = 5;

/// "note: since the last run here: meta.iterations = 60 (was 50)"
std::string changes_text(const std::string& before, const std::string& now) {
  const std::vector<std::string> changes = changed_keys(before, now, true);
  return changes.empty() ? "" : "note: changed since the last run here: " + joined(changes) + "\n";
}

/// Collective: DIR/sweep.ini, so that the folder says what it is of. Jobs of an array may all write it.
void write_sweep_ini(const Communicator& comm, const SweepRequest& request) {
  require_writable(comm, {request.output / "sweep.ini"});
  static_cast<void>(from_root(comm, [&] {
    fs::create_directories(request.output / "points");
    const fs::path file = request.output / "sweep.ini";
    const std::string text = sweep_ini(request.config);
    const std::optional<std::string> before = text_if_any(file);
    if (before) std::printf("%s", changes_text(*before, text).c_str());
    if (before != text) replace_text(file, text);
    return std::string();
  }));
}

/// A point that is to be made, and what it is predicted to take.
struct Job {
  Index point;
  double predicted;
};

/// By rank 0: the longest first. Those whose process has died may do so again, so they come last.
std::vector<Job> jobs_of(const SweepView& view, bool retry) {
  std::vector<Job> jobs;
  for (Index i = 0; i < std::ssize(view.statuses); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const PointState state = view.statuses[at].state;
    if (state != PointState::done && (state != PointState::failed || retry))
      jobs.push_back({i, view.predicted[at]});
  }
  const auto rank = [&](const Job& job) {
    const PointStatus& status = view.statuses[static_cast<std::size_t>(job.point)];
    return std::tuple(status.state == PointState::running ? status.deaths : 0, -job.predicted, job.point);
  };
  std::sort(jobs.begin(), jobs.end(), [&](const Job& a, const Job& b) { return rank(a) < rank(b); });
  return jobs;
}

std::vector<Job> broadcast(const Communicator& comm, const std::vector<Job>& jobs) {
  const std::string bytes = comm.broadcast(
      {reinterpret_cast<const char*>(jobs.data()), comm.is_root() ? jobs.size() * sizeof(Job) : 0});
  std::vector<Job> all(bytes.size() / sizeof(Job));
  if (!all.empty()) std::memcpy(all.data(), bytes.data(), bytes.size());
  return all;
}

/// One job of several groups of ranks that take points from a queue.
class SweepSession {
public:
  SweepSession(const Communicator& comm, const SweepRequest& request, const SweepPoints& points,
               std::vector<Job> jobs, StatusFile& status)
      : comm_(comm), request_(request), points_(points), jobs_(std::move(jobs)), status_(status),
        groups_(comm, request.config.sweep.ranks_per_point), watch_(comm, request.config.run),
        queue_(comm, request.output / "queue") {}

  /// Collective.
  void run() {
    const double begin = wall_seconds();
    {
      const double work = std::accumulate(jobs_.begin(), jobs_.end(), 0.0,
                                          [](double sum, const Job& job) { return sum + job.predicted; });
      const Index before = points_.size() - std::ssize(jobs_);
      Progress progress({comm_.is_root(), "point", points_.size(), before, 1, {work}, &status_});
      std::optional<AgreedError> problem;
      try {
        while (const std::optional<Job> job = next_job()) {
          visit(*job);
          report(progress);
        }
      } catch (const AgreedError& error) { // of this group alone
        problem = error;
      }
      comm_.idle_barrier();
      queue_.remove();
      agree_on_file(comm_, [&] {
        if (problem) throw Error(problem->code(), problem->what());
      });
    }
    summarise(wall_seconds() - begin);
  }

  /// Collective: why it ended before its time.
  [[nodiscard]] Stop stop() const { return static_cast<Stop>(comm_.max(static_cast<std::int64_t>(stop_))); }

private:
  /// Collective over the group, whose rank 0 decides.
  std::optional<Job> next_job() {
    const std::string bytes = from_root(groups_.mine, [&] {
      Stop stop = watch_.wanted();
      // Even a run without time does something, or a job that is queued again and again would never end.
      if (stop == Stop::time_limit && visits_ == 0) stop = Stop::none;
      return ByteWriter().put(stop).put(stop == Stop::none ? queue_.take() : Index{0}).take();
    });
    ByteReader reader(bytes);
    const Stop stop = reader.get<Stop>();
    const auto ticket = reader.get<Index>();
    if (stop != Stop::none) stop_ = stop;
    if (stop != Stop::none || ticket >= std::ssize(jobs_)) return std::nullopt;
    return jobs_[static_cast<std::size_t>(ticket)];
  }

  void visit(const Job& job) {
    const Visit visit = visit_point(groups_.mine, points_, points_.at(job.point),
                                    {request_.output, request_.retry, request_.profile, true, job.predicted});
    if (!groups_.mine.is_root()) return;
    ++visits_;
    seconds_ += visit.seconds;
    last_ = "point " + std::to_string(job.point) + format(" %.1f s", visit.seconds);
  }

  /// Rank 0's own count of what all groups have taken: each but its own is at work on its last one, and half
  /// through with it.
  void report(Progress& progress) {
    if (!comm_.is_root()) return;
    const Index taken = std::min<Index>(queue_.taken(), std::ssize(jobs_));
    const Index done = std::max<Index>(taken - groups_.count + 1, 1);
    double work = 0;
    for (Index i = 0; i < taken; ++i)
      work += (i < done ? 1.0 : 0.5) * jobs_[static_cast<std::size_t>(i)].predicted;
    progress.did(0, work - told_work_);
    told_work_ = work;
    const double now = wall_seconds();
    if (now - reported_ < seconds_between_lines || done >= std::ssize(jobs_)) return;
    reported_ = now;
    progress.report(points_.size() - std::ssize(jobs_) + done, last_);
  }

  void summarise(double wall) const {
    const std::int64_t visits = comm_.sum(visits_);
    const std::vector<double> all = comm_.gather(std::span(&seconds_, 1));
    const double seconds = std::accumulate(all.begin(), all.end(), 0.0);
    if (!comm_.is_root() || visits == 0) return;
    const auto count = static_cast<double>(visits);
    std::printf(
        "%lld points in %.1f s by %d group(s) of ranks: %.1f ms a point and group, %.1f ms of it beside "
        "training and evaluation\n",
        static_cast<long long>(visits), wall, groups_.count, 1e3 * wall * groups_.count / count,
        1e3 * (wall * groups_.count - seconds) / count);
  }

  const Communicator& comm_;
  const SweepRequest& request_;
  const SweepPoints& points_;
  std::vector<Job> jobs_;
  StatusFile& status_;
  SweepGroups groups_;
  StopWatch watch_;
  SweepQueue queue_;
  Stop stop_ = Stop::none;
  std::int64_t visits_ = 0; ///< on rank 0 of each group
  double seconds_ = 0;      ///< on rank 0 of each group
  double reported_ = wall_seconds(), told_work_ = 0;
  std::string last_;
};

/// Collective. @throws AgreedError unless all points are done
void require_all_done(const Communicator& comm, const SweepRequest& request, const SweepPoints& points,
                      const SweepSession& session) {
  const Stop stop = session.stop();
  std::int64_t done = 0;
  const std::string failed = from_root(comm, [&] {
    std::vector<PointStatus> statuses;
    for (const SweepPoint& point : points.all()) {
      statuses.push_back(read_status(point_folder(request.output, point)));
      done += statuses.back().state == PointState::done ? 1 : 0;
    }
    return failures_text(points, statuses);
  });
  done = comm.max(done);
  const std::string all = std::to_string(done) + " of " + std::to_string(points.size()) + " points";
  if (stop != Stop::none)
    stop_early(stop, "with " + all + " done, and those at work kept in " + request.output.string());
  if (!failed.empty()) throw AgreedError(ExitCode::numerical, failed);
  if (done < points.size())
    throw AgreedError(ExitCode::stopped_early,
                      all + " are done, and the others at work in another run; run the "
                            "same command again when it has ended");
  if (comm.is_root())
    std::printf(
        "all %lld points are done in %s; metasieve sweep --output %s --collect makes one table of them\n",
        static_cast<long long>(points.size()), request.output.c_str(), request.output.c_str());
}

void run_all(const Communicator& comm, const SweepRequest& request, const SweepPoints& points,
             SweepCosts& costs) {
  write_sweep_ini(comm, request);
  std::vector<Job> jobs;
  const std::string text = from_root(comm, [&] {
    const SweepView view = view_sweep(points, request.output, costs);
    jobs = jobs_of(view, request.retry);
    return overview(points, view, request.output);
  });
  if (comm.is_root()) std::printf("%s", text.c_str());
  std::fflush(stdout);
  StatusFile status(comm, status_of_folder(request.output), "sweep");
  status.begin();
  status.during([&] {
    SweepSession session(comm, request, points, broadcast(comm, jobs), status);
    session.run();
    require_all_done(comm, request, points, session);
  });
}

void run_one(const Communicator& comm, const SweepRequest& request, const SweepPoints& points,
             SweepCosts& costs) {
  if (request.point >= points.size())
    throw AgreedError(ExitCode::usage, "--point " + std::to_string(request.point) +
                                           ": the sweep has points 0 to " +
                                           std::to_string(points.size() - 1) + "; --list shows them");
  write_sweep_ini(comm, request);
  const SweepPoint& point = points.at(request.point);
  const std::string name = "point " + std::to_string(request.point) + " (" + point.name() + ")";
  if (comm.is_root())
    std::printf("%s of %ld: %s\n", name.c_str(), static_cast<long>(points.size()),
                points.text(point).c_str());
  std::fflush(stdout);
  VisitOptions options{request.output, request.retry, request.profile};
  options.predicted = costs.of(points.config(point)).seconds();
  const Visit visit = visit_point(comm, points, point, options);
  const auto code = static_cast<ExitCode>(comm.max(visit.status.code));
  const std::string message = comm.broadcast(visit.status.message);
  switch (visit.end) {
  case VisitEnd::done:
    if (comm.is_root())
      std::printf("%s is done in %s\n", name.c_str(), point_folder(request.output, point).c_str());
    return;
  case VisitEnd::failed:
    throw AgreedError(code, name + " failed: " + message + "; mend the cause, and --retry makes it anew");
  case VisitEnd::stopped: throw AgreedError(ExitCode::stopped_early, name + " was " + message);
  case VisitEnd::busy:
    throw AgreedError(ExitCode::stopped_early, name +
                                                   " is at work in another run; run the same command again "
                                                   "when that has ended");
  }
}

} // namespace

void sweep(const Communicator& comm, const SweepRequest& request) {
  const SweepPoints points(comm, request.config, sweep_inputs(comm, request.config.sweep));
  SweepCosts costs(comm, request.config, points.inputs());
  if (request.action == SweepAction::run) return run_all(comm, request, points, costs);
  if (request.action == SweepAction::one_point) return run_one(comm, request, points, costs);
  if (request.action == SweepAction::collect) return collect_sweep(comm, request, points);
  Speed speed;
  if (request.action == SweepAction::list) {
    const Config first = points.config(points.at(0));
    speed = calibrate(comm, costs.typical(first), first,
                      {.generation = true, .training = true, .contest = points.evaluates()});
  }
  const std::string text = from_root(comm, [&] {
    const SweepView view = view_sweep(points, request.output, costs, speed);
    return overview(points, view, request.output) +
           (request.action == SweepAction::list ? list_text(points, view) : status_text(points, view));
  });
  if (comm.is_root()) std::fputs(text.c_str(), stdout);
}

} // namespace metasieve
