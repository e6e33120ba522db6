#include "training/resume.hpp"

#include "base/text.hpp"
#include "base/version.hpp"
#include "parallel/collective.hpp"
#include "tasks/family.hpp"

#include <algorithm>
#include <map>

namespace metasieve {
namespace {

/// section.key -> value of a resolved configuration. A missing key has the value of what older programs did.
std::map<std::string, std::string> values_of(const std::string& ini) {
  std::map<std::string, std::string> values;
  for (const auto& [key, value] : stored_ini(ini)) values[current_name(key)] = value;
  values.try_emplace("policy.precision", "float64"); // 0.1.0 knew no other
  for (const auto& [key, value] : std::map(values))
    if (key.starts_with("family.")) // older programs did what later knobs do by default
      for (const std::string& knob : family_keys())
        values.try_emplace(key.substr(0, key.rfind('.') + 1) + knob, knob_text({}, knob));
  return values;
}

/// Whether --resume accepts another value: a run may be made longer, and validation changes no policy.
bool may_change(const std::string& key) { return key == "meta.iterations" || key == "meta.validate_every"; }

std::string value_or(const std::map<std::string, std::string>& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? "nothing" : found->second;
}

/// Iterations that the run of a checkpoint was to make; 0 if it does not say.
Index iterations_of(const Checkpoint& checkpoint) {
  return parse_number<Index>(value_or(values_of(checkpoint.config), "meta.iterations")).value_or(0);
}

/// NAME.h5, or NAME_2.h5 ... if that is there: nothing is replaced.
std::filesystem::path free_name(const std::filesystem::path& folder, const std::string& name) {
  std::filesystem::path path = folder / (name + ".h5");
  std::error_code error;
  for (int i = 2; std::filesystem::exists(path, error); ++i)
    path = folder / (name + "_" + std::to_string(i) + ".h5");
  return path;
}

/// The file under another name; nothing if there is none.
std::filesystem::path set_aside(const std::filesystem::path& path, const std::string& name) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return {};
  std::filesystem::path kept = free_name(path.parent_path(), name);
  std::filesystem::rename(path, kept, error);
  if (error) throw DataError("cannot write " + kept.string() + ": " + error.message());
  return kept;
}

/// Whether a checkpoint's policy is what the configuration makes: the file may be forged, or of another
/// program.
bool is_like(const Policy& policy, const Policy& shape, bool use_group) {
  return policy.features == shape.features && policy.hidden == shape.hidden && policy.keep == shape.keep &&
         policy.temperature == shape.temperature && policy.use_group == use_group;
}

std::vector<std::string> notes_of(const FoundCheckpoint& found, Index iterations) {
  const Checkpoint& checkpoint = *found.checkpoint;
  const Index done = checkpoint.policy.trained_iterations, planned = iterations_of(checkpoint);
  std::vector<std::string> notes{format("resuming from %s: iteration %ld of %ld", found.path.c_str(),
                                        static_cast<long>(done), static_cast<long>(iterations))};
  if (checkpoint.commit != git_commit())
    notes.push_back("note: it was written by commit " + checkpoint.commit + ", and this is " +
                    std::string(git_commit()) +
                    ": the last bits may differ from those of one uninterrupted run");
  if (planned < iterations && 10 * done > 7 * planned)
    notes.push_back(format(
        "note: meta.iterations was %ld: iterations from %ld on had the smaller learning rate of its end",
        static_cast<long>(planned), static_cast<long>(7 * planned / 10 + 1)));
  return notes;
}

} // namespace

std::vector<std::string> changed_keys(const std::string& before, const std::string& now, bool with_tasks) {
  return differing_keys(before, now, [&](const std::string& key) {
    const Affects affects = affects_of(key);
    return !may_change(key) && (affects == Affects::policy || (with_tasks && affects == Affects::tasks));
  });
}

std::vector<std::string> differing_keys(const std::string& before, const std::string& now,
                                        const std::function<bool(const std::string& key)>& counts) {
  const std::map<std::string, std::string> then = values_of(before), current = values_of(now);
  std::map<std::string, std::string> all = then;
  all.insert(current.begin(), current.end());
  std::vector<std::string> changed;
  for (const auto& [key, value] : all) {
    const std::string is = value_or(current, key), was = value_or(then, key);
    if (is == was || !counts(key)) continue;
    changed.push_back(key);
    changed.back() += " = " + is + " (was " + was + ")";
  }
  return changed;
}

void require_same_result(const FoundCheckpoint& found, const TrainRequest& request) {
  const Checkpoint& checkpoint = *found.checkpoint;
  const Index done = checkpoint.policy.trained_iterations, wanted = request.config.meta.iterations;
  const auto refuse = [&](ExitCode code, const std::string& problem) {
    throw CollectiveError(code, "--resume: " + found.path.string() + " " + problem); // the same on every rank
  };
  const std::vector<std::string> changed =
      changed_keys(checkpoint.config, resolved_ini(request.config), !request.suite);
  if (!changed.empty())
    refuse(ExitCode::usage, "was made with other settings: " + joined(changed) +
                                "; give the same again, or start over without --resume in another folder");
  if (!is_like(checkpoint.policy, request.config.policy, request.config.inner.use_group))
    refuse(ExitCode::data, "holds another policy than its own configuration makes: damaged");
  if (done > wanted)
    refuse(ExitCode::usage, "is at iteration " + std::to_string(done) + ", beyond meta.iterations = " +
                                std::to_string(wanted) + "; give at least as many");
  if (wanted < iterations_of(checkpoint) && 10 * done > 7 * wanted)
    refuse(ExitCode::usage, "is at iteration " + std::to_string(done) + " of " +
                                std::to_string(iterations_of(checkpoint)) + ", and with meta.iterations = " +
                                std::to_string(wanted) + " the learning rate would have fallen after " +
                                std::to_string(7 * wanted / 10) + "; give at least as many as before");
}

ResumePoint resume_point(const Communicator& comm, const TrainRequest& request) {
  FoundCheckpoint found;
  try {
    found = find_checkpoint(comm, request.output);
  } catch (const CollectiveError& error) {
    throw CollectiveError(error.code(), std::string(error.what()) + "; without --resume the run starts over");
  }
  if (found.checkpoint) {
    require_same_result(found, request);
    ResumePoint point{{}, notes_of(found, request.config.meta.iterations), ""};
    if (!found.problem.empty()) point.warning = found.problem + "; going on from " + found.path.string();
    point.found = std::move(found);
    return point;
  }
  std::error_code error;
  const bool aside = std::filesystem::exists(request.output / "checkpoint_unfinished.h5", error);
  return {{},
          {"no checkpoint in " + request.output.string() + ": starting from the beginning" +
           (aside ? " (to go on from checkpoint_unfinished.h5, which a later run has set aside, rename it to "
                    "checkpoint.h5)"
                  : "")},
          ""};
}

std::string back_up_finished(const Communicator& comm, const std::filesystem::path& folder) {
  return run_on_root_and_broadcast(comm, [&] {
    std::error_code error;
    if (!std::filesystem::exists(folder / "policy.h5", error)) return std::string();
    const std::vector<std::string> names{"policy.h5", "results.h5"};
    const auto backup_of = [&](const std::string& name, int number) {
      return folder / ("#" + name + "." + std::to_string(number) + "#");
    };
    int number = 1;
    while (std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return std::filesystem::exists(backup_of(name, number), error);
    }))
      ++number;
    std::vector<std::string> kept;
    for (const std::string& name : names) {
      if (!std::filesystem::exists(folder / name, error)) continue;
      std::filesystem::rename(folder / name, backup_of(name, number), error);
      if (error) throw DataError("cannot write " + backup_of(name, number).string() + ": " + error.message());
      kept.push_back(backup_of(name, number).filename().string());
    }
    return "note: a finished run is in " + folder.string() + "; its files are kept as " +
           joined(kept, " and ");
  });
}

void set_damaged_aside(const Communicator& comm, const std::filesystem::path& folder) {
  on_root(comm, [&] { set_aside(folder / checkpoint_name, "checkpoint_damaged"); });
}

std::string set_unfinished_aside(const Communicator& comm, const std::filesystem::path& folder) {
  const std::filesystem::path newest = folder / checkpoint_name, previous = folder / previous_checkpoint_name;
  FoundCheckpoint before;
  try {
    before = find_checkpoint(comm, folder);
  } catch (const CollectiveError&) {
    // Its value is unknown: it is kept.
  }
  const bool finished =
      before.checkpoint && before.checkpoint->policy.trained_iterations >= iterations_of(*before.checkpoint);
  return run_on_root_and_broadcast(comm, [&] {
    const std::filesystem::path kept =
        finished ? std::filesystem::path()
                 : set_aside(before.path.empty() ? newest : before.path, "checkpoint_unfinished");
    std::error_code ignored; // the other one is of the same run, and older or damaged
    for (const std::filesystem::path& path : {newest, previous}) std::filesystem::remove(path, ignored);
    return kept.empty()
               ? std::string()
               : "note: a run that was not finished is in " + folder.string() +
                     "; --resume would have gone on with it, and its checkpoint is kept as " + kept.string();
  });
}

} // namespace metasieve
