#include "training/resume.hpp"

#include "base/text.hpp"
#include "base/version.hpp"
#include "features/prepared_task.hpp"
#include "hdf5/checksum.hpp"
#include "parallel/collective.hpp"

#include <algorithm>
#include <cstdio>
#include <map>

namespace metasieve {
namespace {

/// section.key -> value of a resolved configuration. What is not there had no other value yet.
std::map<std::string, std::string> values_of(const std::string& ini) {
  std::map<std::string, std::string> values;
  for (const auto& [key, value] : stored_ini(ini)) values[current_name(key)] = value;
  values.try_emplace("policy.precision", "float64"); // 0.1.0 knew no other
  return values;
}

/// A run may be made longer, and validation changes no policy.
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

/// That of the policy in a checkpoint may be forged, or of another program: it would be taken for what it is
/// not.
bool fits(const Policy& policy, const Config& config) {
  return policy.features == config.policy.features && policy.hidden == config.policy.hidden &&
         policy.keep == config.policy.keep && policy.temperature == config.policy.temperature &&
         policy.use_group == config.inner.use_group;
}

void tell(const FoundCheckpoint& found, const Config& config) {
  const Checkpoint& checkpoint = *found.checkpoint;
  if (!found.problem.empty()) {
    std::fflush(stdout);
    std::fprintf(stderr, "metasieve: warning: %s; going on from %s\n", found.problem.c_str(),
                 found.path.c_str());
  }
  std::printf("resuming from %s: iteration %ld of %ld\n", found.path.c_str(),
              static_cast<long>(checkpoint.policy.trained_iterations),
              static_cast<long>(config.meta.iterations));
  if (checkpoint.commit != git_commit())
    std::printf(
        "note: it was written by commit %s, and this is %s: the last bits may differ from those of one "
        "uninterrupted run\n",
        checkpoint.commit.c_str(), std::string(git_commit()).c_str());
  const Index planned = iterations_of(checkpoint);
  if (planned < config.meta.iterations && 10 * checkpoint.policy.trained_iterations > 7 * planned)
    std::printf(
        "note: meta.iterations was %ld: iterations from %ld on had the smaller learning rate of its end\n",
        static_cast<long>(planned), static_cast<long>(7 * planned / 10 + 1));
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
    throw AgreedError(code, "--resume: " + found.path.string() + " " + problem); // alike on every rank
  };
  const std::vector<std::string> changed =
      changed_keys(checkpoint.config, resolved_ini(request.config), !request.suite);
  if (!changed.empty())
    refuse(ExitCode::usage, "was made with other settings: " + joined(changed) +
                                "; give the same again, or start anew without --resume in another folder");
  if (!fits(checkpoint.policy, request.config))
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

FoundCheckpoint resume_point(const Communicator& comm, const TrainRequest& request) {
  FoundCheckpoint found;
  try {
    found = find_checkpoint(comm, request.output);
  } catch (const AgreedError& error) {
    throw AgreedError(error.code(), std::string(error.what()) + "; without --resume the run starts anew");
  }
  if (found.checkpoint) {
    require_same_result(found, request);
    if (comm.is_root()) tell(found, request.config);
  } else if (comm.is_root()) {
    std::error_code error;
    const bool aside = std::filesystem::exists(request.output / "checkpoint_unfinished.h5", error);
    std::printf(
        "no checkpoint in %s: starting from the beginning%s\n", request.output.c_str(),
        aside ? " (to go on from checkpoint_unfinished.h5, which a later run has set aside, rename it to "
                "checkpoint.h5)"
              : "");
  }
  return found;
}

void set_damaged_aside(const Communicator& comm, const std::filesystem::path& folder) {
  static_cast<void>(
      from_root(comm, [&] { return set_aside(folder / checkpoint_name, "checkpoint_damaged").string(); }));
}

void set_unfinished_aside(const Communicator& comm, const std::filesystem::path& folder) {
  const std::filesystem::path newest = folder / checkpoint_name, previous = folder / previous_checkpoint_name;
  FoundCheckpoint before;
  try {
    before = find_checkpoint(comm, folder);
  } catch (const AgreedError&) {
    // Nobody knows what it is worth: it is kept.
  }
  const bool finished =
      before.checkpoint && before.checkpoint->policy.trained_iterations >= iterations_of(*before.checkpoint);
  static_cast<void>(from_root(comm, [&] {
    const std::filesystem::path kept =
        finished ? std::filesystem::path()
                 : set_aside(before.path.empty() ? newest : before.path, "checkpoint_unfinished");
    std::error_code ignored; // the other one is of the same run, and older or damaged
    for (const std::filesystem::path& path : {newest, previous}) std::filesystem::remove(path, ignored);
    if (!kept.empty())
      std::printf("note: a run that was not finished is in %s; --resume would have gone on with it, and its "
                  "checkpoint "
                  "is kept as %s\n",
                  folder.c_str(), kept.c_str());
    return std::string();
  }));
}

std::uint64_t fingerprint(TaskId id, const Split& train, const Split& test) {
  std::uint64_t sum = 0, place = 8 * static_cast<std::uint64_t>(id);
  const auto add = [&](const auto& values, Index rows) {
    const auto bytes = std::as_bytes(std::span(values.data(), static_cast<std::size_t>(values.size())));
    ++place;
    if (!bytes.empty())
      sum += checksum(static_cast<std::int64_t>(place << 32U), bytes.size() / static_cast<std::size_t>(rows),
                      bytes);
  };
  for (const Split* split : {&train, &test}) {
    add(split->x, split->rows());
    add(split->y, split->rows());
    add(split->group, split->rows());
    add(split->y_clean, split->rows());
  }
  return sum;
}

} // namespace metasieve
