#include "studies/scaling.hpp"

#include "base/for_each.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "files/suite.hpp"
#include "parallel/collective.hpp"
#include "runtime/output_checks.hpp"
#include "runtime/progress.hpp"
#include "runtime/stop_condition.hpp"
#include "runtime/terminal.hpp"
#include "studies/dry_run.hpp"
#include "studies/scaling_points.hpp"
#include "training/resume.hpp"
#include "training/trainer.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

constexpr double lock_patience = 60; // seconds: putting points together takes less

/// Collective: the first ranks do `work` together as at a point, on a communicator of their own; the others
/// wait asleep. @throws CollectiveError on all ranks if the first ranks throw one
void on_point(const Communicator& comm, const ScalingPoint& point,
              const std::function<void(const Communicator&)>& work) {
  const bool is_mine = comm.rank() < point.ranks;
  const Communicator part = comm.split(is_mine ? 0 : 1);
  auto code = ExitCode::done;
  std::string problem;
  if (is_mine) {
    const int before = thread_count();
    set_thread_count(point.threads);
    try {
      work(part);
    } catch (const CollectiveError& error) {
      code = error.code(), problem = error.what();
    }
    set_thread_count(before);
  }
  comm.idle_barrier();
  code = static_cast<ExitCode>(comm.max(static_cast<std::int64_t>(code)));
  problem = comm.broadcast(problem);
  if (code != ExitCode::done) throw CollectiveError(code, to_string(point) + ": " + problem);
}

void remove_folder(const Communicator& comm, const fs::path& folder) {
  std::error_code ignored;
  on_root(comm, [&] { fs::remove_all(folder, ignored); });
}

/// Appends the words that `list` does not have yet.
void unite(std::vector<std::string>& list, const std::vector<std::string>& more) {
  for (const std::string& text : more)
    if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

/// Whether another value of this key would change what is measured.
bool is_of_study(const std::string& key) {
  const std::string section = key.substr(0, key.find('.'));
  return section != "run" && section != "evaluate" && key != "output.log_every" && key != "output.io" &&
         key != "scaling.kinds" && key != "scaling.ranks" && key != "scaling.threads";
}

/// A study without points yet.
Scaling empty_study(const Communicator& comm, const ScalingRequest& request) {
  Scaling study;
  study.config = resolved_ini(request.config);
  if (request.suite) study.suite = SuiteReader(comm, *request.suite).config();
  study.commit = std::string(git_commit());
  return study;
}

void require_same_study(const fs::path& path, const Scaling& point, const Scaling& study) {
  const std::vector<std::string> changed = differing_keys(point.config, study.config, is_of_study);
  const auto refuse = [&](const std::string& what) {
    throw CollectiveError(ExitCode::usage, path.string() + " was measured with " + what +
                                               "; give the same again, or another --output");
  };
  if (!changed.empty()) refuse("other settings: " + joined(changed));
  if (point.suite != study.suite) refuse("another --suite");
  if (point.commit != study.commit) refuse("a program of commit " + point.commit + ", not " + study.commit);
}

/// Collective: the points in the folder, by name; all of one study.
Scaling read_points(const Communicator& comm, const fs::path& folder) {
  const std::string names = run_on_root_and_broadcast(comm, [&] {
    std::vector<std::string> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder / "points", error))
      if (entry.path().extension() == ".h5") found.push_back(entry.path().filename());
    std::sort(found.begin(), found.end());
    return joined(found, "\n");
  });
  Scaling all;
  for (const std::string& name : split(names, '\n')) {
    const fs::path path = folder / "points" / name;
    const Scaling point = read_file<Scaling>(comm, path);
    if (all.points.empty()) {
      all = point;
      continue;
    }
    require_same_study(path, point, all);
    unite(all.hosts, point.hosts);
    unite(all.machines, point.machines);
    all.points.insert(all.points.end(), point.points.begin(), point.points.end());
    all.timing.insert(all.timing.end(), point.timing.begin(), point.timing.end());
    all.iterations.insert(all.iterations.end(), point.iterations.begin(), point.iterations.end());
  }
  std::stable_sort(all.points.begin(), all.points.end(), [](const ScalingRow& a, const ScalingRow& b) {
    return std::tie(a.kind, a.ranks, a.threads) < std::tie(b.kind, b.ranks, b.threads);
  });
  return all;
}

/// Collective: writes scaling.h5 of all points in the folder. @return what they show; "" if there are none
std::string collect(const Communicator& comm, const ScalingRequest& request) {
  const FolderLock lock(comm, request.output, lock_patience);
  const Scaling study = read_points(comm, request.output);
  if (study.points.empty()) return "";
  require_equal_policies(study.points);
  const fs::path file = request.output / "scaling.h5";
  write_scaling(comm, file, study, job_metadata(comm, request.begin), request.config.output.io);
  const bool is_mixed = study.machines.size() > 1;
  return scaling_table(study) +
         (is_mixed ? warning_line("these points are of different machines: " + joined(study.machines)) : "") +
         format("wrote %s (%zu trainings)\n", file.c_str(), study.points.size()) +
         next_line({"python3", "-m", "metasieve", "plot", "scaling", file.string(), "--output",
                    (request.output / "scaling").string()});
}

/// The points that a request asks for. @throws CollectiveError (exit code 2) if this job can measure none, or
/// if those in the folder are of another study
std::vector<ScalingPoint> wanted_points(const Communicator& comm, const ScalingRequest& request) {
  std::vector<ScalingPoint> points = points_of(request.config.scaling, comm.size(), thread_count());
  if (std::all_of(points.begin(), points.end(), [&](const auto& point) { return point.ranks > comm.size(); }))
    throw CollectiveError(
        ExitCode::usage,
        format("scaling.ranks: this job has %d rank(s), fewer than any point needs; start it on "
               "more, or ask for fewer",
               comm.size()));
  const Scaling known = read_points(comm, request.output);
  if (!known.points.empty()) require_same_study(request.output / "points", known, empty_study(comm, request));
  return points;
}

bool is_measured(const Communicator& comm, const ScalingRequest& request, const ScalingPoint& point) {
  std::error_code error;
  return comm.max(std::int64_t{comm.is_root() && fs::exists(file_of(request.output, point), error)}) > 0;
}

/// Collective: trains at a point, writes its file, and says what came out.
void measure(const Communicator& comm, const ScalingRequest& request, const ScalingPoint& point,
             Progress& progress) {
  const double begin = wall_seconds();
  const fs::path file = file_of(request.output, point), scratch = fs::path(file).replace_extension(".part");
  on_root(comm, [&] {
    std::error_code error;
    fs::create_directories(scratch, error);
    if (error) throw DataError("cannot write " + scratch.string() + ": " + error.message());
  });
  FolderLock lock;
  try {
    lock = FolderLock(comm, scratch);
  } catch (const CollectiveError&) {
    return progress.print_line(to_string(point) + ": another job is measuring it");
  }
  if (is_measured(comm, request, point)) return; // by that other job, just now

  const Placement where = placement(comm, point.ranks, point.threads);
  if (where.oversubscribed)
    progress.print_line(
        warning_line(to_string(point) + ": more threads than usable cores; the figures mean little"));
  Scaling study = empty_study(comm, request);
  study.hosts = where.hosts;
  // Not the cores that these ranks may use: of one machine these are more at a point of more ranks.
  study.machines = {format("%d processors a node, %s, %s", node_processors(), processor_model().c_str(),
                           mpi_version().c_str())};
  TrainRequest training = training_at(point, request);
  training.output = scratch / "run";
  std::string profile; // the last repeat counts
  on_point(comm, point, [&](const Communicator& part) {
    const double work = rough_work(part, training);
    for (std::int64_t repeat = 1; repeat <= request.config.scaling.repeats; ++repeat) {
      remove_folder(part, training.output); // left by the repeat before, or by a run that was killed
      const Trained trained = train(part, training);
      add_training(study, point, repeat, trained, work, where);
      if (request.profile) profile = profile_table(trained.profile);
    }
    require_equal_policies(study.points);
  });
  write_scaling(comm, file, study, job_metadata(comm, begin), request.config.output.io);
  remove_folder(comm, scratch);
  if (!comm.is_root()) return; // it may have no trainings
  const auto [least, most] =
      std::minmax_element(study.points.begin(), study.points.end(), [](const auto& a, const auto& b) {
        return a.seconds_per_iteration < b.seconds_per_iteration;
      });
  progress.print_line(to_string(point) + format(": %.5f .. %.5f s an iteration, %.1f s a training",
                                                least->seconds_per_iteration, most->seconds_per_iteration,
                                                least->seconds));
  progress.print_line(profile);
}

/// Collective: the points that this job can measure. @throws CollectiveError (exit code 75) after a stop
void measure_points(const Communicator& comm, const ScalingRequest& request, StopCondition& stop,
                    StatusFile& status) {
  const std::vector<ScalingPoint> points = wanted_points(comm, request);
  Progress progress({!comm.is_root(), "point", std::ssize(points), 0, 0, &status});
  status.begin();
  const auto stop_if = [&](Stop mine) { // the ranks may know of several reasons
    const auto why = static_cast<Stop>(comm.max(static_cast<std::int64_t>(mine)));
    if (why == Stop::none) return;
    throw CollectiveError(ExitCode::stopped_early,
                          "stopped by " + to_string(why) +
                              "; finished points are kept: run the same command again");
  };
  std::int64_t done = 0;
  int left = 0;
  for (const ScalingPoint& point : points) {
    progress.advance(done++);
    if (point.ranks > comm.size()) {
      ++left;
    } else if (is_measured(comm, request, point)) {
      progress.print_line(to_string(point) + ": measured before");
    } else {
      stop_if(stop.requested());
      try {
        measure(comm, request, point, progress);
      } catch (const CollectiveError& error) {
        if (error.code() == ExitCode::stopped_early) stop_if(std::max(stop.requested(), Stop::time_limit));
        throw;
      }
    }
  }
  if (left > 0)
    progress.print_line(
        format("%d point(s) of more than %d ranks are left to a larger job with the same --output", left,
               comm.size()));
}

} // namespace

std::string scale(const Communicator& comm, const ScalingRequest& request) {
  require_writable(comm, {request.output / "scaling.h5"});
  if (request.collect) {
    std::string text = collect(comm, request);
    if (text.empty())
      throw CollectiveError(ExitCode::data,
                            (request.output / "points").string() +
                                ": no point is measured yet; run scaling without --collect first");
    return text;
  }
  StopCondition stop(comm, request.config.run);
  StatusFile status(comm, status_of_folder(request.output), "scaling");
  try {
    status.during([&] { measure_points(comm, request, stop, status); });
  } catch (const CollectiveError& error) {
    if (error.code() == ExitCode::stopped_early)
      Progress({!comm.is_root(), "point"}).print_line(collect(comm, request)); // the points that are finished
    throw;
  }
  return collect(comm, request); // none: another job has the first
}

std::string plan(const Communicator& comm, const ScalingRequest& request) {
  require_writable(comm, {request.output / "scaling.h5"});
  std::string text = "dry run: nothing is written\n";
  for (const ScalingPoint& point : wanted_points(comm, request)) {
    text += to_string(point);
    if (point.ranks > comm.size()) {
      text += ": left to a larger job\n";
    } else if (is_measured(comm, request, point)) {
      text += ": measured before\n";
    } else {
      std::string of_point;
      on_point(comm, point,
               [&](const Communicator& part) { of_point = plan(part, training_at(point, request)); });
      text += format(", %ld repeat(s) of\n", static_cast<long>(request.config.scaling.repeats)) +
              of_point.substr(of_point.find('\n') + 1); // after "dry run"
    }
  }
  return text;
}

} // namespace metasieve
