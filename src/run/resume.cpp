#include "run/resume.hpp"

#include "base/version.hpp"
#include "features/prepared_task.hpp"
#include "io/agree.hpp"
#include "io/checksum.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <sstream>

namespace metasieve {
namespace {

/// section.key -> value of a resolved configuration.
std::map<std::string, std::string> values_of(const std::string& ini) {
  std::map<std::string, std::string> values;
  std::istringstream lines(ini);
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find(" = ");
    if (line.starts_with('[') && line.ends_with(']')) section = line.substr(1, line.size() - 2);
    if (equals != std::string::npos) values[section + "." + line.substr(0, equals)] = line.substr(equals + 3);
  }
  return values;
}

bool says_which_tasks(const std::string& key) {
  return key == "suite.tasks" || key == "suite.seed" || key == "suite.mixture" || key.starts_with("family.");
}

std::string value_or(const std::map<std::string, std::string>& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? "nothing" : found->second;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// Iterations that the run of a checkpoint was to make; 0 if it does not say.
Index iterations_of(const Checkpoint& checkpoint) {
  const std::string value = value_or(values_of(checkpoint.config), "meta.iterations");
  return std::strtol(value.c_str(), nullptr, 10);
}

void require_same_result(const FoundCheckpoint& found, const TrainRequest& request) {
  const Checkpoint& checkpoint = *found.checkpoint;
  const std::vector<std::string> changed =
      changed_keys(checkpoint.config, resolved_ini(request.config), !request.suite);
  const auto refuse = [&](const std::string& problem) {
    throw AgreedError(ExitCode::usage,
                      "--resume: " + found.path.string() + " " + problem); // alike on every rank
  };
  if (!changed.empty())
    refuse("was made with other settings: " + joined(changed) +
           "; give the same again, or start anew without --resume in another folder");
  if (checkpoint.policy.trained_iterations > request.config.meta.iterations)
    refuse("is at iteration " + std::to_string(checkpoint.policy.trained_iterations) +
           ", beyond meta.iterations = " + std::to_string(request.config.meta.iterations) +
           "; give at least as many");
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
  if (planned != config.meta.iterations && 10 * checkpoint.policy.trained_iterations > 7 * planned)
    std::printf(
        "note: meta.iterations was %ld: iterations from %ld on had the smaller learning rate of its end\n",
        static_cast<long>(planned), static_cast<long>(7 * planned / 10 + 1));
}

/// Or the next checkpoint would push the sound one out.
void set_damaged_aside(const Communicator& comm, const std::filesystem::path& folder) {
  static_cast<void>(from_root(comm, [&] {
    std::error_code ignored; // it may be missing
    std::filesystem::rename(folder / checkpoint_name, folder / "checkpoint_damaged.h5", ignored);
    return std::string();
  }));
}

} // namespace

std::vector<std::string> changed_keys(const std::string& before, const std::string& now, bool with_tasks) {
  const std::map<std::string, std::string> then = values_of(before), current = values_of(now);
  std::map<std::string, std::string> all = then;
  all.insert(current.begin(), current.end());
  std::vector<std::string> changed;
  for (const auto& [key, value] : all) {
    const std::string is = value_or(current, key), was = value_or(then, key);
    if (is == was || !changes_training(key) || (!with_tasks && says_which_tasks(key))) continue;
    changed.push_back(key);
    changed.back() += " = " + is + " (was " + was + ")";
  }
  return changed;
}

std::optional<Checkpoint> resume_point(const Communicator& comm, const TrainRequest& request) {
  FoundCheckpoint found = find_checkpoint(comm, request.output);
  if (!found.checkpoint) {
    if (comm.is_root())
      std::printf("no checkpoint in %s: starting from the beginning\n", request.output.c_str());
    return std::nullopt;
  }
  require_same_result(found, request);
  if (comm.is_root()) tell(found, request.config);
  if (!found.problem.empty()) set_damaged_aside(comm, request.output);
  return std::move(found.checkpoint);
}

void set_unfinished_aside(const Communicator& comm, const std::filesystem::path& folder) {
  FoundCheckpoint found;
  try {
    found = find_checkpoint(comm, folder);
  } catch (const AgreedError&) {
    return; // of no use to anybody
  }
  if (!found.checkpoint || found.checkpoint->policy.trained_iterations >= iterations_of(*found.checkpoint))
    return;
  const std::filesystem::path kept = folder / "checkpoint_unfinished.h5";
  static_cast<void>(from_root(comm, [&] {
    std::error_code error;
    std::filesystem::rename(found.path, kept, error);
    if (!error)
      std::printf(
          "note: %s was at iteration %ld of a run that was not finished, which --resume would have gone "
          "on with; it is kept as %s\n",
          found.path.c_str(), static_cast<long>(found.checkpoint->policy.trained_iterations), kept.c_str());
    return std::string();
  }));
}

std::uint64_t fingerprint(const Communicator& comm,
                          const std::vector<const std::vector<PreparedTask>*>& shards) {
  std::uint64_t sum = 0;
  const auto add = [&](std::uint64_t place, const auto& values, Index rows) {
    if (values.size() == 0) return;
    const auto bytes = std::as_bytes(std::span(values.data(), static_cast<std::size_t>(values.size())));
    sum += checksum(static_cast<std::int64_t>(place << 32U), bytes.size() / static_cast<std::size_t>(rows),
                    bytes);
  };
  for (const std::vector<PreparedTask>* shard : shards)
    for (const PreparedTask& task : *shard) {
      std::uint64_t place = 8 * static_cast<std::uint64_t>(task.id);
      for (const Split* split : {&task.train, &task.test}) {
        add(++place, split->x, split->rows());
        add(++place, split->y, split->rows());
        add(++place, split->group, split->rows());
        add(++place, split->y_clean, split->rows());
      }
    }
  return comm.wrapping_sum(sum);
}

} // namespace metasieve
