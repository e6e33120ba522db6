#include "studies/sweep.hpp"

#include "base/for_each.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "evaluation/evaluate.hpp"
#include "evaluation/plan.hpp"
#include "hdf5/raw_file.hpp"
#include "parallel/collective.hpp"
#include "runtime/machine.hpp"
#include "runtime/output_checks.hpp"
#include "runtime/progress.hpp"
#include "runtime/stop_condition.hpp"
#include "studies/sweep_report.hpp"
#include "studies/sweep_rows.hpp"
#include "training/resume.hpp"
#include "training/trainer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <limits>
#include <optional>
#include <thread>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

/// Time between two looks at the progress of all groups: at least so long, and so many times a look.
constexpr double seconds_between_looks = 5, looks_between_looks = 50;
/// Seconds, and times a look, before a group of ranks without a turn looks for one again.
constexpr double least_pause = 0.05, most_pause = 5, looks_pause = 10;

/// "HOST, process PID, SLURM job ID, since TIME" of this process; without the job outside of SLURM.
std::string this_place() {
  const std::string job = slurm_task();
  return host_name() + ", process " + std::to_string(getpid()) + ", " +
         (job.empty() ? "" : "SLURM job " + job + ", ") + "since " + utc_now();
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
  /// Whether a point of this status is to be run, if no other process is at work on it. This job starts no
  /// point twice but those that it has promoted.
  [[nodiscard]] bool is_open(const PointStatus& status) const {
    switch (status.state) {
    case PointState::left: return true;
    case PointState::running:
    case PointState::died: return status.job != place;
    case PointState::failed: return request.retry && status.job != place;
    default: return false;
    }
  }
  /// The rung that an open point trains for.
  [[nodiscard]] Index next_rung(const PointStatus& status) const {
    return std::min<Index>(std::ssize(status.losses), points.halving().rungs - 1);
  }
  [[nodiscard]] bool is_last(Index rung) const { return rung + 1 == points.halving().rungs; }
  [[nodiscard]] std::vector<PointStatus> statuses() const {
    return read_statuses(request.output, points,
                         [this](const PointStatus& status) { return is_open(status); });
  }
};

/// A point, and the rung that it is to train for.
struct Turn {
  Index point = -1, rung = 0;
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

/// Collective: trains to the end of a rung, and evaluates after the last one. The learning rate is always
/// that of the whole training, so that a policy of the last rung has the bits of a training at once.
/// @return the validation loss at the end of the rung, NaN without validation tasks
/// @throws CollectiveError; std::bad_alloc on one rank
double make_point(const Communicator& comm, const Job& job, Turn turn, bool resume) {
  const Index i = turn.point;
  TrainRequest request{job.points.config(i), job.folder(i), job.points.suite(), resume};
  request.locked = true;
  request.profile = job.request.profile;
  request.validate_at = job.points.rungs(i);
  request.until = request.validate_at[static_cast<std::size_t>(turn.rung)];
  const Trained trained = train(comm, request);
  std::string profile = request.profile ? profile_table(trained.profile) : "";
  if (job.is_last(turn.rung) && job.points.evaluates())
    profile += evaluate_point(comm, job, i, trained.policy);
  if (comm.is_root() && request.profile) std::ofstream(job.folder(i) / "log.txt", std::ios::app) << profile;
  const ValidationRow* const row = row_of(trained.results.validation, request.until);
  return row == nullptr ? std::numeric_limits<double>::quiet_NaN() : row->loss;
}

/// Collective over the ranks that run the point: resumes what an earlier run has begun, and writes to its
/// status how it ended. `to_log`: standard output goes to log.txt. @return whether it was run; else nothing
/// is to be done, or another process is at work on it. @throws CollectiveError if claim or status cannot be
/// written
bool run_point(const Communicator& comm, const Job& job, Turn turn, bool to_log) {
  const Index i = turn.point;
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
    if (!job.is_open(status) || job.next_rung(status) != turn.rung) return "";
    // Files that could not be read would fail again.
    const bool resume = status.code != static_cast<int>(ExitCode::data);
    if (status.state == PointState::failed) status.attempts = 0;
    status.state = PointState::running;
    status.message = "";
    status.code = 0;
    status.row = 0;
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
  bool has_passed = false; // the rung
  try {
    std::optional<RedirectStdout> log;
    if (to_log && comm.is_root()) log.emplace(folder / "log.txt");
    const double loss = make_point(comm, job, turn, action == "resume");
    status.losses.resize(static_cast<std::size_t>(turn.rung));
    status.losses.push_back(loss);
    status.state = job.is_last(turn.rung) ? PointState::done : PointState::left;
    has_passed = true;
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
    if (has_passed) status.files = files_hash(folder, 0);
    write_status(folder, status);
  });
  return true;
}

/// Finds turns for a group of ranks; called by its rank 0.
class Turns {
public:
  Turns(const Job& job, const PointGroups& groups, const StopCondition& stops)
      : job_(job), groups_(groups), stops_(stops), halves_(job.points.halving().rungs > 1) {}

  /// The next turn; none if all are taken or a stop is requested. While others work on points that decide a
  /// rung it waits for them.
  std::optional<Turn> next(bool has_run) {
    for (;;) {
      stop_ = stops_.requested();
      // Even a run without time does something, or a job that is queued again and again would never end.
      if (stop_ == Stop::time_limit && !has_run && !waits_) stop_ = Stop::none;
      while (stop_ == Stop::none && next_ < order_.size()) {
        const Turn turn = order_[next_++];
        if (job_.is_open(read_status(job_.folder(turn.point)))) return turn;
      }
      if (stop_ != Stop::none || knows_all_) return std::nullopt;
      look();
    }
  }
  [[nodiscard]] Stop stop() const { return stop_; } ///< why there was no turn

private:
  /// Lists the turns that are open. Each group of ranks begins elsewhere, so that they seldom want the same
  /// point; points whose process has died may kill it again, so they come last.
  void look() {
    if (has_looked_) std::this_thread::sleep_for(std::chrono::duration<double>(pause_));
    const double begin = wall_seconds();
    std::vector<Turn> died;
    order_.clear();
    next_ = 0;
    bool is_undecided = false, runs = false;
    const std::vector<PointStatus> statuses = job_.statuses();
    for (Index i = 0; i < job_.points.size(); ++i) {
      const PointStatus& status = statuses[static_cast<std::size_t>(i)];
      is_undecided = is_undecided || status.state == PointState::waiting;
      runs = runs || status.state == PointState::running;
      // With rungs it looks again, so a point that is at work elsewhere need not be tried now.
      if (job_.is_open(status) && !(halves_ && status.state == PointState::running))
        (status.attempts > 0 ? died : order_).push_back({i, job_.next_rung(status)});
    }
    std::rotate(order_.begin(), order_.begin() + std::ssize(order_) * groups_.number / groups_.count,
                order_.end());
    order_.insert(order_.end(), died.begin(), died.end());
    // A point of a group that has given up runs no more: nothing would come of waiting for it.
    waits_ = is_undecided && runs && order_.empty();
    knows_all_ = !halves_ || (order_.empty() && !waits_);
    has_looked_ = true;
    pause_ = std::clamp(looks_pause * (wall_seconds() - begin), least_pause, most_pause);
  }

  const Job& job_;
  const PointGroups& groups_;
  const StopCondition& stops_;
  const bool halves_;
  std::vector<Turn> order_;
  std::size_t next_ = 0;
  Stop stop_ = Stop::none;
  double pause_ = 0; ///< seconds before the next look
  bool waits_ = false, knows_all_ = false, has_looked_ = false;
};

/// Collective over a group: runs points until all are done, or a stop is requested. Calls `report` after
/// each. @return why it stopped
Stop run_group(const PointGroups& groups, const Job& job, const StopCondition& stops,
               const std::function<void()>& report) {
  const Communicator& comm = groups.mine;
  Turns turns(job, groups, stops); // on rank 0, as all that decides
  bool has_run = false;
  for (;;) {
    std::optional<Turn> next;
    if (comm.is_root()) next = turns.next(has_run);
    if (job.points.halving().rungs > 1) comm.idle_barrier(); // rank 0 may wait for other groups
    const auto stop = static_cast<Stop>(comm.max(static_cast<std::int64_t>(turns.stop())));
    Turn turn = next.value_or(Turn());
    turn = {comm.max(std::int64_t{turn.point}), comm.max(std::int64_t{turn.rung})};
    if (turn.point < 0) return stop;
    if (!run_point(comm, job, turn, true)) continue;
    has_run = true;
    report();
  }
}

/// Collective. @throws CollectiveError unless all points are done
void require_all_done(const Communicator& comm, const Job& job, Stop stop) {
  std::int64_t done = 0;
  const std::string failed = run_on_root_and_broadcast(comm, [&] {
    const std::vector<PointStatus> statuses = job.statuses();
    done = count(statuses, PointState::done) + count(statuses, PointState::dropped);
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

/// Called by one rank, with a communicator of its own: keeps of finished points what sweep.keep says.
void keep_what_is_wanted(const Communicator& alone, const Job& job,
                         const std::vector<PointStatus>& statuses) {
  if (job.request.config.sweep.keep == Keep::table)
    keep_rows_only(alone, job.request.output, job.points, statuses, job.request.begin);
}

/// Collective: all points, by groups of ranks.
std::string run_all(const Communicator& comm, const Job& job, const std::string& notes, StatusFile& status) {
  const std::string folder = job.request.output.string();
  const PointGroups groups(comm, job.request.config.sweep.ranks_per_point);
  const StopCondition stops(comm, job.request.config.run);
  const Halving& halving = job.points.halving();
  const bool halves = halving.rungs > 1;
  // Rungs that points have passed, or points that are through.
  const auto finished = [&](const std::vector<PointStatus>& statuses) {
    std::int64_t steps = 0;
    for (const PointStatus& point : statuses)
      steps += halves ? std::ssize(point.losses) : point.state >= PointState::done && !job.is_open(point);
    return steps;
  };
  std::int64_t all = 0;
  for (const Index points : halving.points(job.points.size())) all += points;
  std::int64_t begun = 0;
  std::string about;
  on_root(comm, [&] {
    const std::vector<PointStatus> statuses = job.statuses();
    begun = finished(statuses);
    about = notes + overview(job.points, statuses, job.request.output);
  });
  Progress progress({!comm.is_root(), halves ? "training" : "point", all, begun, 1, &status});
  progress.print_line(about);
  const Communicator alone = comm.split(comm.rank());
  // Rank 0 looks at what all groups and jobs have done, which takes little of its time.
  double next_look = wall_seconds() + seconds_between_looks;
  const auto report = [&] {
    const double now = wall_seconds();
    if (!comm.is_root() || now < next_look) return;
    const std::vector<PointStatus> statuses = job.statuses();
    progress.advance(finished(statuses));
    try {
      keep_what_is_wanted(alone, job, statuses);
    } catch (const std::exception&) {
      // The other ranks work; at the end it is tried again, and reported.
    }
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
  const std::string best = run_on_root_and_broadcast(comm, [&] {
    const std::vector<PointStatus> statuses = job.statuses();
    keep_what_is_wanted(alone, job, statuses);
    const std::optional<Index> point = best_point(statuses);
    return point ? "the least validation loss is that of point " + job.points.label(*point) + "\n" : "";
  });
  require_all_done(comm, job, static_cast<Stop>(comm.max(static_cast<std::int64_t>(stop))));
  return "all " + std::to_string(job.points.size()) + " points are done" +
         (job.points.halving().rungs > 1 ? " or dropped in " : " in ") + folder +
         "; metasieve sweep --output " + folder + " --collect makes one table of them\n" +
         (job.points.halving().rungs > 1 || job.request.config.sweep.keep == Keep::table ? best : "");
}

/// Collective: one point, as far as the other points have decided its rungs.
std::string run_one(const Communicator& comm, const Job& job) {
  const Index i = job.request.point;
  const auto status_now = [&] { // with one rung it needs no other point
    return job.points.halving().rungs > 1 ? job.statuses()[static_cast<std::size_t>(i)]
                                          : read_status(job.folder(i));
  };
  for (bool is_promoted = true; is_promoted;) {
    std::int64_t rung = -1;
    if (comm.is_root())
      if (const PointStatus status = status_now(); job.is_open(status)) rung = job.next_rung(status);
    rung = comm.max(rung);
    is_promoted = rung >= 0 && run_point(comm, job, {i, rung}, false) && !job.is_last(rung) &&
                  run_on_root_and_broadcast(comm, [&] {
                    const PointStatus status = status_now();
                    return status.state == PointState::left && status.message.empty() ? "promoted" : "";
                  }) == "promoted";
  }
  const Communicator alone = comm.split(comm.rank());
  return run_on_root_and_broadcast(comm, [&] {
    if (job.request.config.sweep.keep == Keep::table) keep_what_is_wanted(alone, job, job.statuses());
    const PointStatus status = status_now();
    const std::string name = "point " + job.points.label(i);
    const std::string rungs = " after rung " + std::to_string(status.rungs) + " of " +
                              std::to_string(job.points.halving().rungs) + "\n";
    switch (status.state) {
    case PointState::done: break;
    case PointState::dropped: return name + " is dropped" + rungs;
    case PointState::waiting: return name + " waits for the other points" + rungs;
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
      return overview(points, statuses, request.output) + (request.action == SweepAction::list
                                                               ? list_text(points, statuses)
                                                               : status_text(points, statuses));
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
