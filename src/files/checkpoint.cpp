#include "files/checkpoint.hpp"

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/version.hpp"
#include "files/policy.hpp"
#include "hdf5/checksum.hpp"

#include <cmath>
#include <limits>

namespace metasieve {
namespace {

/// 64-bit FNV-1a over all but optional fields. Published: checkpoints carry it.
std::uint64_t checksum_of(const Checkpoint& checkpoint, const std::string& commit) {
  const Policy& policy = checkpoint.policy;
  ByteWriter writer;
  writer.put(policy.features).put(static_cast<std::uint64_t>(policy.hidden.size()));
  for (const Index width : policy.hidden) writer.put(width);
  writer.put(policy.keep).put(policy.temperature).put(policy.use_group).put(policy.trained_iterations);
  writer.put(policy.theta).put(checkpoint.adam.first_moment).put(checkpoint.adam.second_moment);
  writer.put(checkpoint.adam.step).put(checkpoint.tasks).put(checkpoint.config).put(commit);
  const std::uint64_t hash = hash_text(writer.take() + required_values(checkpoint.results));
  const Matrix& gradients = checkpoint.results.meta_gradient;
  const auto size = static_cast<std::size_t>(checkpoint.results.gradient_rows() * gradients.cols());
  return hash_bytes(std::as_bytes(std::span(gradients.data(), size)), hash);
}

/// Reads one of Adam's moments, whose values must be at least `least`.
auto moment_from(double least) {
  return [least](const FileReader& file, const std::string& name, const Checkpoint& checkpoint) -> Vector {
    const Index size = checkpoint.policy.theta.size(), found = file.shape(name, 1).front();
    if (found != size)
      file.fail(name, "has " + std::to_string(found) + " values; the policy has " + std::to_string(size) +
                          " parameters");
    const std::vector<double> values = file.values<double>(name, 1);
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!std::isfinite(values[i]) || values[i] < least)
        file.fail(name, "value " + std::to_string(i) + " is not finite, or negative where it is a square");
    return Eigen::Map<const Vector>(values.data(), size);
  };
}

void check_step(const FileReader& file, const Checkpoint& checkpoint) {
  if (checkpoint.adam.step < 0 || checkpoint.adam.step > checkpoint.policy.trained_iterations)
    file.fail("/", "attribute 'step' must be at least 0, and at most trained_iterations");
}

void check_checksum(const FileReader& file, const Checkpoint& checkpoint) {
  if (file.attribute<std::uint64_t>(checksum_name) != checksum_of(checkpoint, checkpoint.commit))
    file.fail("/", "attribute 'checksum' does not fit the contents: damaged");
}

/// Checks that the history has every iteration once: else a resumed run's results would have gaps.
void check_history(const FileReader& file, const Checkpoint& checkpoint) {
  const std::vector<HistoryRow>& history = checkpoint.results.history;
  const std::int64_t iterations = checkpoint.policy.trained_iterations;
  if (std::ssize(history) != iterations)
    file.fail("/history", "has " + std::to_string(history.size()) +
                              " records; attribute 'trained_iterations' asks for " +
                              std::to_string(iterations));
  for (std::size_t i = 0; i < history.size(); ++i)
    if (history[i].iteration != static_cast<std::int64_t>(i) + 1)
      file.fail("/history", "record " + std::to_string(i) + " is of iteration " +
                                std::to_string(history[i].iteration) + "; must be " + std::to_string(i + 1));
  const Matrix& gradients = checkpoint.results.meta_gradient;
  if (gradients.cols() > 0 &&
      (gradients.cols() != checkpoint.policy.theta.size() || gradients.rows() != iterations))
    file.fail("/meta_gradient", "must be [trained_iterations, parameters]");
}

/// Checks the fields that the checkpoint's checksum does not cover.
void check_optional_fields(const FileReader& file, const Checkpoint&) {
  for (const char* name : {"/validation", "/sessions"})
    if (file.contains(name) && !file.checksum_fits(name).value_or(true))
      file.fail(name, "does not fit its checksum: damaged");
}

bool is_there(const Communicator& comm, const std::filesystem::path& path) {
  std::error_code error;
  return comm.max(std::int64_t{comm.is_root() && std::filesystem::exists(path, error)}) != 0;
}

/// Whether the file is damaged: nothing is known of one that this program, or this user, may not read.
bool means_damage(const CollectiveError& error) {
  const std::string message = error.what();
  return error.code() == ExitCode::data && message.find(newer_version_advice) == std::string::npos &&
         message.find(cannot_be_read) == std::string::npos;
}

} // namespace

template <>
const FileLayout<Checkpoint>& layout_of<Checkpoint>() {
  static const auto layout =
      FileLayout<Checkpoint>(FileType::checkpoint)
          .include(layout_of<Policy>(), &Checkpoint::policy)
          .attribute("step", h5::nested(&Checkpoint::adam, &Adam::step))
          .read_only(check_step)
          .attribute("tasks_fingerprint", &Checkpoint::tasks)
          .attribute_of_every_file("config", &Checkpoint::config)
          .attribute_of_every_file("git_commit", &Checkpoint::commit)
          .written([](FileWriter& file, const Checkpoint& checkpoint) {
            file.attribute(checksum_name, checksum_of(checkpoint, std::string(git_commit())));
          })
          .array("/first_moment", h5::nested(&Checkpoint::adam, &Adam::first_moment),
                 {"Adam's mean of gradients"}, moment_from(-std::numeric_limits<double>::infinity()))
          .array("/second_moment", h5::nested(&Checkpoint::adam, &Adam::second_moment),
                 {"Adam's mean of squared gradients"}, moment_from(0.0))
          .include(layout_of<Results>(), &Checkpoint::results)
          .read_only(check_checksum)
          .read_only(check_optional_fields)
          .read_only(check_history);
  return layout;
}

FoundCheckpoint find_checkpoint(const Communicator& comm, const std::filesystem::path& folder) {
  const std::filesystem::path newest = folder / checkpoint_name, previous = folder / previous_checkpoint_name;
  std::string problem;
  if (is_there(comm, newest)) {
    try {
      return {read_file<Checkpoint>(comm, newest), newest, {}};
    } catch (const CollectiveError& error) {
      if (!means_damage(error) || !is_there(comm, previous)) throw;
      problem = error.what();
    }
  } else if (!is_there(comm, previous)) {
    return {};
  }
  try {
    return {read_file<Checkpoint>(comm, previous), previous,
            problem.empty() ? newest.string() + " is missing" : problem};
  } catch (const CollectiveError& error) {
    if (problem.empty()) throw;
    throw CollectiveError(error.code(), problem + "; and " + error.what());
  }
}

} // namespace metasieve
