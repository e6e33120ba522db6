#include "studies/scaling.hpp"

#include "base/text.hpp"
#include "base/version.hpp"
#include "files/suite.hpp"
#include "hdf5/handles.hpp"
#include "parallel/collective.hpp"
#include "parallel/communicator.hpp"
#include "parallel/for_each.hpp"
#include "runtime/folder_lock.hpp"
#include "runtime/output_checks.hpp"
#include "runtime/progress.hpp"
#include "runtime/stop_condition.hpp"
#include "runtime/terminal.hpp"
#include "studies/dry_run.hpp"
#include "studies/scaling_points.hpp"
#include "training/resume.hpp"
#include "training/trainer.hpp"

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <tuple>

namespace metasieve {
namespace {

/// Collective: the first `ranks` ranks do `work` together, on a communicator of their own; the others wait
/// asleep. What those throw alike, all ranks throw: AgreedError.
void on_first_ranks(const Communicator& comm, int ranks,
                    const std::function<void(const Communicator&)>& work) {
  const bool mine = comm.rank() < ranks;
  const Communicator part = comm.split(mine ? 0 : 1);
  auto code = ExitCode::done;
  std::string problem;
  if (mine) {
    try {
      work(part);
    } catch (const AgreedError& error) {
      code = error.code(), problem = error.what();
    }
  }
  comm.idle_barrier();
  if (comm.max(std::int64_t{h5::gave_up_file()}) > 0) h5::give_up_file(); // all must end the program alike
  code = static_cast<ExitCode>(comm.max(static_cast<std::int64_t>(code)));
  problem = comm.broadcast(problem);
  if (code != ExitCode::done) throw AgreedError(code, problem);
}

namespace fs = std::filesystem;

constexpr double lock_patience = 60; // seconds: putting points together takes less

/// Sets the number of threads for as long as it lives.
class Threads {
public:
  explicit Threads(int count) { set_thread_count(count); }
  ~Threads() { set_thread_count(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

private:
  int before_ = thread_count();
};

/// Adds what is not there yet.
void unite(std::vector<std::string>& list, const std::vector<std::string>& more) {
  for (const std::string& text : more)
    if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

/// Whether a difference in this key makes other measurements.
bool is_of_study(const std::string& key) {
  const std::string section = key.substr(0, key.find('.'));
  return section != "run" && section != "evaluate" && key != "output.log_every" && key != "scaling.kinds" &&
         key != "scaling.ranks" && key != "scaling.threads";
}

void require_same_study(const fs::path& path, const Scaling& point, const std::string& config,
                        const std::string& suite, const std::string& commit) {
  const std::vector<std::string> changed = differing_keys(point.config, config, is_of_study);
  const auto refuse = [&](const std::string& what) {
    throw AgreedError(ExitCode::usage, path.string() + " was measured with " + what +
                                           "; give the same again, or another --output");
  };
  if (!changed.empty()) refuse("other settings: " + joined(changed));
  if (point.suite != suite) refuse("another --suite");
  if (point.commit != commit) refuse("a program of commit " + point.commit + ", not " + commit);
}

/// Collective: the points in the folder, by name; all of one study.
Scaling read_points(const Communicator& comm, const fs::path& folder) {
  std::istringstream names(from_root(comm, [&] {
    std::vector<std::string> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder / "points", error))
      if (entry.path().extension() == ".h5") found.push_back(entry.path().filename().string());
    std::sort(found.begin(), found.end());
    std::string text;
    for (const std::string& name : found) text += name + "\n";
    return text;
  }));
  Scaling all;
  for (std::string name; std::getline(names, name);) {
    const fs::path path = folder / "points" / name;
    Scaling point = read_scaling(comm, path);
    if (all.points.empty())
      all.config = point.config, all.suite = point.suite, all.commit = point.commit;
    else
      require_same_study(path, point, all.config, all.suite, all.commit);
    unite(all.hosts, point.hosts);
    unite(all.machines, point.machines);
    append(all.points, point.points);
    append(all.timing, point.timing);
    append(all.iterations, point.iterations);
  }
  std::stable_sort(all.points.begin(), all.points.end(), [](const ScalingRow& a, const ScalingRow& b) {
    return std::tie(a.kind, a.ranks, a.threads) < std::tie(b.kind, b.ranks, b.threads);
  });
  return all;
}

/// Collective: scaling.h5 of all points in the folder, told on standard output. @return whether there are
/// any
bool collect(const Communicator& comm, const ScalingRequest& request) {
  const fs::path& folder = request.output;
  const FolderLock lock(comm, folder, lock_patience);
  const Scaling study = read_points(comm, folder);
  if (study.points.empty()) return false;
  require_equal_policies(study.points);
  write_scaling(comm, folder / "scaling.h5", study, job_metadata(comm, request.begin));
  if (!comm.is_root()) return true;
  std::printf("%s", scaling_table(study).c_str());
  if (study.machines.size() > 1)
    std::fputs(warning_line("these points are of different machines: " + joined(study.machines)).c_str(),
               stdout);
  std::printf("wrote %s (%zu trainings)\n", (folder / "scaling.h5").c_str(), study.points.size());
  std::printf("%s", next_line({"python3", "analysis/scaling.py", (folder / "scaling.h5").string(), "--output",
                               folder.string()})
                        .c_str());
  return true;
}

/// The measurement of the points of one request.
class Study {
public:
  Study(const Communicator& comm, const ScalingRequest& request)
      : comm_(comm), request_(request), stop_condition_(comm, request.config.run),
        points_(points_of(request.config.scaling, comm.size(), thread_count())) {
    if (std::all_of(points_.begin(), points_.end(),
                    [&](const ScalingPoint& p) { return p.ranks > comm.size(); }))
      throw AgreedError(ExitCode::usage,
                        format("scaling.ranks: this job has %d rank(s), fewer than any point "
                               "needs; start it on more, or ask for fewer",
                               comm.size()));
    if (request.suite) suite_ = SuiteReader(comm, *request.suite).config();
  }

  /// Collective: what a dry run tells.
  [[nodiscard]] std::string plan() const {
    std::string text = "dry run: nothing is written\n";
    require_known_points();
    for (const ScalingPoint& point : points_) {
      text += to_string(point);
      if (point.ranks > comm_.size())
        text += ": left to a larger job\n";
      else if (is_measured(point))
        text += ": measured before\n";
      else
        text +=
            format(", %ld repeat(s) of\n", static_cast<long>(request_.config.scaling.repeats)) + plan(point);
    }
    return text;
  }

  /// Collective. `status` is told how far it is.
  void run(StatusFile& status) {
    require_known_points();
    // Silent: each point says when it is measured.
    Progress progress({true, "point", std::ssize(points_), 0, 0, &status});
    status.begin();
    std::int64_t done = 0;
    for (const ScalingPoint& point : points_) {
      progress.advance(done++);
      if (point.ranks > comm_.size()) {
        ++left_;
        continue;
      }
      if (is_measured(point)) {
        say(to_string(point) + ": measured before");
        continue;
      }
      require_time();
      measure(point);
    }
    if (left_ > 0)
      say(format("%d point(s) of more than %d ranks are left to a larger job with the same --output", left_,
                 comm_.size()));
  }

private:
  /// Collective: those in the folder are of this study.
  void require_known_points() const {
    const Scaling there = read_points(comm_, request_.output);
    if (!there.points.empty())
      require_same_study(request_.output / "points", there, resolved_ini(request_.config), suite_,
                         std::string(git_commit()));
  }

  [[nodiscard]] std::string plan(const ScalingPoint& point) const {
    std::string text;
    on_point(point,
             [&](const Communicator& part) { text = metasieve::plan(part, training_at(point, request_)); });
    return text.substr(text.find('\n') + 1); // after "dry run"
  }

  void say(const std::string& line) const {
    if (!comm_.is_root()) return;
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  }

  [[nodiscard]] bool is_measured(const ScalingPoint& point) const {
    std::error_code error;
    return comm_.max(std::int64_t{comm_.is_root() && fs::exists(file_of(request_.output, point), error)}) > 0;
  }

  /// Collective: the ranks may know of several reasons.
  [[noreturn]] void stop_now(Stop mine) const {
    const auto why = static_cast<Stop>(comm_.max(static_cast<std::int64_t>(mine)));
    throw AgreedError(ExitCode::stopped_early, "stopped by " + to_string(why) +
                                                   "; finished points are kept: run the same command again");
  }

  void require_time() {
    const Stop mine = stop_condition_.requested();
    if (comm_.max(static_cast<std::int64_t>(mine)) > static_cast<std::int64_t>(Stop::none)) stop_now(mine);
  }

  /// Collective: what the ranks of the point do, with its number of threads.
  void on_point(const ScalingPoint& point, const std::function<void(const Communicator&)>& work) const {
    try {
      on_first_ranks(comm_, point.ranks, [&](const Communicator& part) {
        const Threads threads(point.threads);
        work(part);
      });
    } catch (const AgreedError& error) {
      if (error.code() == ExitCode::stopped_early)
        stop_now(std::max(stop_condition_.requested(), Stop::time_limit));
      throw AgreedError(error.code(), to_string(point) + ": " + error.what());
    }
  }

  static void remove(const Communicator& comm, const fs::path& folder) {
    static_cast<void>(from_root(comm, [&] {
      std::error_code ignored;
      fs::remove_all(folder, ignored);
      return std::string();
    }));
  }

  void measure(const ScalingPoint& point) {
    const double begin = wall_seconds();
    const fs::path file = file_of(request_.output, point);
    const fs::path scratch = fs::path(file).replace_extension(".part");
    static_cast<void>(from_root(comm_, [&] {
      std::error_code error;
      fs::create_directories(scratch, error);
      if (error) throw DataError("cannot write " + scratch.string() + ": " + error.message());
      return std::string();
    }));
    FolderLock lock;
    try {
      lock = FolderLock(comm_, scratch);
    } catch (const AgreedError&) {
      return say(to_string(point) + ": another job is measuring it");
    }
    if (is_measured(point)) return; // by that other job, just now

    const Placement where = placement(comm_, point.ranks, point.threads);
    if (where.oversubscribed && comm_.is_root())
      std::fputs(warning_line(to_string(point) + ": more threads than usable cores; the figures mean little")
                     .c_str(),
                 stdout);
    Scaling study{
        resolved_ini(request_.config), suite_, std::string(git_commit()), where.hosts, {}, {}, {}, {}};
    unite(study.machines, {format("%d usable cores a node, %s, %s", where.cores.front(),
                                  processor_model().c_str(), mpi_version().c_str())});
    TrainRequest training = training_at(point, request_);
    training.output = scratch / "run";
    std::string profile; // of the last repeat
    on_point(point, [&](const Communicator& part) {
      const double work = predicted_work(part, training);
      for (std::int64_t repeat = 1; repeat <= request_.config.scaling.repeats; ++repeat) {
        remove(part, training.output); // of the repeat before, or of a run that was killed
        const Trained trained = train(part, training);
        add_training(study, point, repeat, trained, work, where);
        if (request_.profile && part.is_root()) profile = profile_table(trained.profile);
      }
      require_equal_policies(study.points);
    });
    write_scaling(comm_, file, study, job_metadata(comm_, begin));
    remove(comm_, scratch);
    if (!comm_.is_root()) return; // has no trainings
    const auto [least, most] =
        std::minmax_element(study.points.begin(), study.points.end(), [](const auto& a, const auto& b) {
          return a.seconds_per_iteration < b.seconds_per_iteration;
        });
    say(to_string(point) + format(": %.5f .. %.5f s an iteration, %.1f s a training",
                                  least->seconds_per_iteration, most->seconds_per_iteration, least->seconds));
    std::fputs(profile.c_str(), stdout);
  }

  const Communicator& comm_;
  const ScalingRequest& request_;
  StopCondition stop_condition_;
  std::vector<ScalingPoint> points_;
  std::string suite_;
  int left_ = 0;
};

} // namespace

void scale(const Communicator& comm, const ScalingRequest& request) {
  require_writable(comm, {request.output / "scaling.h5"});
  if (request.collect) {
    if (!collect(comm, request))
      throw AgreedError(ExitCode::data,
                        (request.output / "points").string() +
                            ": no point is measured yet; run scaling without --collect first");
    return;
  }
  std::optional<AgreedError> stopped;
  try {
    Study study(comm, request);
    StatusFile status(comm, status_of_folder(request.output), "scaling");
    status.during([&] { study.run(status); });
  } catch (const AgreedError& error) {
    if (error.code() != ExitCode::stopped_early) throw;
    stopped = error;
  }
  static_cast<void>(collect(comm, request)); // none: the first was stopped, or another job has it
  if (stopped) throw AgreedError(*stopped);
}

std::string plan(const Communicator& comm, const ScalingRequest& request) {
  require_writable(comm, {request.output / "scaling.h5"});
  return Study(comm, request).plan();
}

} // namespace metasieve
