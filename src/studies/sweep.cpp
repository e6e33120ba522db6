#include "studies/sweep.hpp"

#include "base/for_each.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "evaluation/evaluate.hpp"
#include "evaluation/plan.hpp"
#include "hdf5/raw_file.hpp"
#include "parallel/collective.hpp"
#include "runtime/output_checks.hpp"
#include "runtime/progress.hpp"
#include "runtime/stop_condition.hpp"
#include "studies/sweep_report.hpp"
#include "training/resume.hpp"
#include "training/trainer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <optional>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

/// Time between two looks at the progress of all groups: at least so long, and so many times a look.
constexpr double seconds_between_looks = 5, looks_between_looks = 50;

/// "HOST, process PID, since TIME" of this process.
std::string this_place() {
  return host_name() + ", process " + std::to_string(getpid()) + ", since " + utc_now();
}

/// Appends what this process writes to standard output to a file while it lives, if that can be opened.
class RedirectStdout {
public:
  explicit RedirectStdout(const fs::path& file) {
    std::fflush(stdout);
    const int log = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (log < 0) return;
    before_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (before_ >= 0) ::dup2(log, STDOUT_FILENO);
    ::close(log);
  }
  ~RedirectStdout() {
    std::fflush(stdout);
    if (before_ < 0) return;
    ::dup2(before_, STDOUT_FILENO);
    ::close(before_);
  }
  RedirectStdout(const RedirectStdout&) = delete;
  RedirectStdout& operator=(const RedirectStdout&) = delete;

private:
  int before_ = -1; ///< a copy of the descriptor of standard output
};

/// One job that works on a sweep.
struct Job {
  const SweepRequest& request;
  const SweepPoints& points;
  std::string place; ///< this_place() of rank 0

  [[nodiscard]] fs::path folder(Index i) const { return points.folder(request.output, i); }
  /// Whether a point of this status is to be run, if no other process is at work on it. This job runs no
  /// point twice.
  [[nodiscard]] bool is_open(const PointStatus& status) const {
    if (status.state == PointState::left) return true;
    return status.state != PointState::done && status.job != place &&
           (status.state != PointState::failed || request.retry);
  }
};

/// Collective: DIR/sweep.ini, the configuration of the sweep. Jobs of an array may all write it.
/// @return on rank 0: "note: changed since the last run here: meta.iterations = 60 (was 50)\n", or nothing
std::string write_sweep_ini(const Communicator& comm, const SweepRequest& request) {
  const fs::path file = request.output / "sweep.ini";
  require_writable(comm, {file});
  return run_on_root_and_broadcast(comm, [&] {
    fs::create_directories(request.output / "points");
    const std::string text = sweep_ini(request.config), before = text_if_any(file).value_or(text);
    replace_text(file, text);
    const std::vector<std::string> changes = changed_keys(before, text, true);
    return changes.empty() ? "" : "note: changed since the last run here: " + joined(changes) + "\n";
  });
}

/// Collective. @return text of the profile, if that is asked for
std::string evaluate_point(const Communicator& comm, const Job& job, Index i, const Policy& policy) {
  EvaluateRequest request;
  request.config = job.points.config(i);
  request.policies = {job.folder(i) / "policy.h5"};
  request.datasets = job.points.datasets();
  request.output = job.folder(i) / "evaluation.h5";
  std::error_code none;
  request.resume = comm.max(std::int64_t{fs::exists(request.output.string() + ".partial", none)}) > 0;
  request.profile = job.request.profile;
  EvaluationInput input{{policy}, {}, false, ""};
  input.key =
      "point = " + job.points.name(i) + "\n--policy = " + std::to_string(hash_bytes(policy.theta)) + "\n";
  if (request.datasets.empty()) {
    SuiteConfig& suite = request.config.suite; // other tasks of the same families
    suite.tasks = request.config.sweep.evaluate_tasks;
    suite.validation_tasks = 0;
    suite.seed = request.config.sweep.evaluate_seed;
    input.sources.push_back(TaskSource::generator(request.config));
    input.pooled = true;
  } else {
    input.sources = evaluation_sources(comm, request);
  }
  StatusFile none_kept; // the sweep's counts points
  const Evaluated evaluated = evaluate(comm, request, std::move(input), none_kept);
  require_few_failed(evaluated);
  return request.profile ? profile_table(evaluated.profile) : "";
}

/// Collective: trains and evaluates. @throws CollectiveError; std::bad_alloc on one rank
void make_point(const Communicator& comm, const Job& job, Index i, bool resume) {
  TrainRequest request{job.points.config(i), job.folder(i), job.points.suite(), resume};
  request.locked = true;
  request.profile = job.request.profile;
  const Trained trained = train(comm, request);
  std::string profile = request.profile ? profile_table(trained.profile) : "";
  if (job.points.evaluates()) profile += evaluate_point(comm, job, i, trained.policy);
  if (comm.is_root() && request.profile) std::ofstream(job.folder(i) / "log.txt", std::ios::app) << profile;
}

/// Collective over the ranks that run the point: resumes what an earlier run has begun, and writes to its
/// status how it ended. `to_log`: standard output goes to log.txt. @return whether it was run; else nothing
/// is to be done, or another process is at work on it. @throws CollectiveError if claim or status cannot be
/// written
bool run_point(const Communicator& comm, const Job& job, Index i, bool to_log) {
  const fs::path folder = job.folder(i);
  std::optional<FileLock> claim; // on rank 0, as the status
  PointStatus status;
  const auto fail = [&](ExitCode code, const std::string& message) {
    status.state = PointState::failed;
    status.code = static_cast<int>(code);
    status.message = message;
  };
  const std::string action = run_on_root_and_broadcast(comm, [&] {
    fs::create_directories(folder);
    claim = FileLock::try_lock(folder / "claim");
    if (!claim) return "";
    status = read_status(folder); // `running`: by this very lock
    const bool has_died = status.state == PointState::running || status.state == PointState::died;
    if (has_died && !job.request.retry && status.attempts >= job.request.config.sweep.attempts) {
      fail(ExitCode::internal, "its process died " + std::to_string(status.attempts) +
                                   " time(s), the last on " + status.place + ": out of memory, or killed?");
      write_status(folder, status);
    }
    if (!job.is_open(status)) return "";
    // Files that could not be read would fail again.
    const bool resume = status.code != static_cast<int>(ExitCode::data);
    if (status.state == PointState::failed) status.attempts = 0;
    status.state = PointState::running;
    status.message = "";
    status.code = 0;
    status.values = job.points.text(i);
    status.place = this_place();
    status.job = job.place;
    ++status.attempts;
    status.ranks = comm.size();
    status.threads = thread_count();
    write_status(folder, status);
    return resume ? "resume" : "begin";
  });
  if (action.empty()) return false;

  const double begin = wall_seconds();
  try {
    std::optional<RedirectStdout> log;
    if (to_log && comm.is_root()) log.emplace(folder / "log.txt");
    make_point(comm, job, i, action == "resume");
    status.state = PointState::done;
  } catch (const CollectiveError& error) {
    fail(error.code(), error.what());
    if (error.code() == ExitCode::stopped_early) status.state = PointState::left;
  } catch (const std::bad_alloc&) {
    if (comm.size() > 1) throw; // the others may wait in a collective call
    fail(ExitCode::internal, "out of memory: give it more ranks (sweep.ranks_per_point) on more nodes");
  }
  on_root(comm, [&] {
    const double seconds = wall_seconds() - begin;
    --status.attempts;
    status.seconds += seconds;
    status.core_seconds += seconds * static_cast<double>(status.ranks * status.threads);
    if (status.state == PointState::done) status.files = files_hash(folder);
    write_status(folder, status);
  });
  return true;
}

/// Points that are to be run; called by one rank of a group. Each group of ranks begins elsewhere, so that
/// they seldom want the same point; points whose process has died may kill it again, so they come last.
std::vector<Index> open_points(const Job& job, const PointGroups& groups) {
  std::vector<Index> order, died;
  for (Index i = 0; i < job.points.size(); ++i)
    if (const PointStatus status = read_status(job.folder(i)); job.is_open(status))
      (status.attempts > 0 ? died : order).push_back(i);
  std::rotate(order.begin(), order.begin() + std::ssize(order) * groups.number / groups.count, order.end());
  order.insert(order.end(), died.begin(), died.end());
  return order;
}

/// Collective over a group: runs points until all are done, or a stop is requested. Calls `report` after
/// each. @return why it stopped
Stop run_group(const PointGroups& groups, const Job& job, const StopCondition& stops,
               const std::function<void()>& report) {
  const Communicator& comm = groups.mine;
  std::vector<Index> order; // on rank 0, as all that decides
  if (comm.is_root()) order = open_points(job, groups);
  bool has_run = false;
  for (auto next = order.begin();;) {
    Index point = -1;
    Stop stop = stops.requested();
    // Even a run without time does something, or a job that is queued again and again would never end.
    if (stop == Stop::time_limit && !has_run) stop = Stop::none;
    for (; stop == Stop::none && point < 0 && next != order.end(); ++next)
      if (job.is_open(read_status(job.folder(*next)))) point = *next;
    stop = static_cast<Stop>(comm.max(comm.is_root() ? static_cast<std::int64_t>(stop) : 0));
    point = comm.max(std::int64_t{point});
    if (point < 0) return stop;
    if (!run_point(comm, job, point, true)) continue;
    has_run = true;
    report();
  }
}

/// Collective. @throws CollectiveError unless all points are done
void require_all_done(const Communicator& comm, const Job& job, Stop stop) {
  std::int64_t done = 0;
  const std::string failed = run_on_root_and_broadcast(comm, [&] {
    const std::vector<PointStatus> statuses = read_statuses(job.request.output, job.points);
    done = count(statuses, PointState::done);
    return failures_text(statuses);
  });
  done = comm.max(done);
  const std::string all = std::to_string(done) + " of " + std::to_string(job.points.size()) + " points";
  if (stop != Stop::none)
    stop_early(stop, "with " + all + " done, and those at work kept in " + job.request.output.string());
  if (!failed.empty()) throw CollectiveError(ExitCode::numerical, failed);
  if (done < job.points.size())
    throw CollectiveError(ExitCode::stopped_early,
                          all + " are done, and the others at work in another run; run "
                                "the same command again when it has ended");
}

/// Collective: all points, by groups of ranks.
std::string run_all(const Communicator& comm, const Job& job, const std::string& notes, StatusFile& status) {
  const std::string folder = job.request.output.string();
  const PointGroups groups(comm, job.request.config.sweep.ranks_per_point);
  const StopCondition stops(comm, job.request.config.run);
  const auto finished = [&](const std::vector<PointStatus>& statuses) {
    return std::count_if(statuses.begin(), statuses.end(), [&](const PointStatus& point) {
      return point.state >= PointState::done && !job.is_open(point);
    });
  };
  Index begun = 0;
  std::string about;
  on_root(comm, [&] {
    const std::vector<PointStatus> statuses = read_statuses(job.request.output, job.points);
    begun = finished(statuses);
    about = notes + overview(job.points, statuses, job.request.output);
  });
  Progress progress({!comm.is_root(), "point", job.points.size(), begun, 1, &status});
  progress.print_line(about);
  // Rank 0 looks at what all groups and jobs have done, which takes little of its time.
  double next_look = wall_seconds() + seconds_between_looks;
  const auto report = [&] {
    const double now = wall_seconds();
    if (!comm.is_root() || now < next_look) return;
    progress.advance(finished(read_statuses(job.request.output, job.points)));
    next_look = now + std::max(seconds_between_looks, looks_between_looks * (wall_seconds() - now));
  };
  Stop stop = Stop::none;
  std::optional<CollectiveError> problem;
  try {
    stop = run_group(groups, job, stops, report);
  } catch (const CollectiveError& error) { // other groups continue
    problem = error;
  }
  comm.idle_barrier();
  run_collectively_on_file(comm, [&] {
    if (problem) throw Error(problem->code(), problem->what());
  });
  require_all_done(comm, job, static_cast<Stop>(comm.max(static_cast<std::int64_t>(stop))));
  return "all " + std::to_string(job.points.size()) + " points are done in " + folder +
         "; metasieve sweep --output " + folder + " --collect makes one table of them\n";
}

std::string run_one(const Communicator& comm, const Job& job) {
  const Index i = job.request.point;
  run_point(comm, job, i, false);
  return run_on_root_and_broadcast(comm, [&] {
    const PointStatus status = read_status(job.folder(i));
    const std::string name = "point " + job.points.label(i);
    switch (status.state) {
    case PointState::done: break;
    case PointState::failed:
      throw Error(static_cast<ExitCode>(status.code),
                  name + " failed: " + status.message + "; remove the cause, then --retry repeats it");
    case PointState::left: throw Error(ExitCode::stopped_early, name + " was " + status.message);
    default:
      throw Error(ExitCode::stopped_early,
                  name + " is at work in another run; run the same command again when that has ended");
    }
    return name + " of " + std::to_string(job.points.size()) + ", " + job.points.text(i) + ", is done in " +
           job.folder(i).string() + "\n";
  });
}

} // namespace

std::string sweep(const Communicator& comm, const SweepRequest& request) {
  const SweepPoints points(comm, request.config);
  const Job job{request, points, comm.broadcast(this_place())};
  if (request.action == SweepAction::collect) return collect_sweep(comm, request, points);
  if (request.action == SweepAction::list || request.action == SweepAction::status)
    return run_on_root_and_broadcast(comm, [&] {
      const std::vector<PointStatus> statuses = read_statuses(request.output, points);
      return overview(points, statuses, request.output) +
             (request.action == SweepAction::list ? list_text(points, statuses) : status_text(statuses));
    });
  if (request.action == SweepAction::one_point && request.point >= points.size())
    throw CollectiveError(ExitCode::usage, "--point " + std::to_string(request.point) +
                                               ": the sweep has points 0 to " +
                                               std::to_string(points.size() - 1) + "; --list shows them");
  const std::string notes = write_sweep_ini(comm, request);
  if (request.action == SweepAction::one_point) return notes + run_one(comm, job);
  StatusFile status(comm, status_of_folder(request.output), "sweep");
  status.begin();
  std::string text;
  status.during([&] { text = run_all(comm, job, notes, status); });
  return text;
}

} // namespace metasieve
