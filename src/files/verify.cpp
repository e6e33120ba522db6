#include "files/verify.hpp"

#include "base/bytes.hpp"
#include "files/checkpoint.hpp"
#include "files/foreign_file.hpp"
#include "files/inspect.hpp"
#include "files/suite.hpp"
#include "hdf5/reader.hpp"

#include <algorithm>
#include <optional>

namespace metasieve {
namespace {

/// Tasks that a rank holds at once.
constexpr Index tasks_at_once = 16;

void read_all_tasks(const Communicator& comm, const std::filesystem::path& path) {
  const SuiteReader suite(comm, path);
  const Index stride = tasks_at_once * comm.size();
  for (Index begin = comm.rank() * tasks_at_once, round = 0; round < suite.task_count(); round += stride) {
    const Range mine{std::min(begin + round, suite.task_count()),
                     std::min(begin + round + tasks_at_once, suite.task_count())};
    static_cast<void>(suite.read(mine));
  }
}

FileType type_of_file(const Communicator& comm, const std::filesystem::path& path) {
  const std::string bytes = content_of(comm, Content::header, path);
  return ByteReader(bytes).get<FileType>();
}

/// Where `train --resume` would go on in the folder of this checkpoint.
std::string resumption(const Communicator& comm, const std::filesystem::path& path) {
  try {
    const FoundCheckpoint found = find_checkpoint(comm, path.parent_path());
    if (found.checkpoint)
      return "train --resume goes on from " + found.path.filename().string() + " there, iteration " +
             std::to_string(found.checkpoint->policy.trained_iterations);
  } catch (const AgreedError&) {
    return "no checkpoint in its folder is sound: the training must start anew, without --resume";
  }
  return "train --resume looks for " + std::string(checkpoint_name) + " alone: rename it to go on from it";
}

std::string advice(const Communicator& comm, const std::filesystem::path& path,
                   std::optional<FileType> type) {
  if (!type && (path.filename() == checkpoint_name || path.filename() == previous_checkpoint_name))
    type = FileType::checkpoint;
  if (!type) return "no run can use it";
  switch (*type) {
  case FileType::suite: return "no run can use it: generate it again";
  case FileType::dataset: return "no run can use it: import it again";
  case FileType::policy:
  case FileType::results:
    return "no run can use it: in the folder of its training, train --resume writes it again";
  case FileType::checkpoint: return resumption(comm, path);
  case FileType::evaluation: return "evaluate again";
  case FileType::scores: return "score again";
  case FileType::scaling: return "remove it, and scaling measures or collects again";
  case FileType::sweep: return "sweep --collect makes it again";
  }
  return {};
}

} // namespace

std::string checksums_content(const std::filesystem::path& path) {
  const FileReader file(path);
  int fit = 0, none = 0;
  for (const std::string& name : file.data_sets()) {
    const std::optional<bool> fits = file.checksum_fits(name);
    if (fits && !*fits) file.fail(name, "does not fit its checksum: its values changed after it was written");
    ++(fits ? fit : none);
  }
  return std::to_string(fit) + " checksums fit" +
         (none > 0 ? ", " + std::to_string(none) + " data sets have none" : std::string());
}

std::string verify_file(const Communicator& comm, const std::filesystem::path& path) {
  std::optional<FileType> type;
  try {
    type = type_of_file(comm, path);
    static_cast<void>(inspect_file(comm, path));
    if (*type == FileType::suite) read_all_tasks(comm, path);
    const std::string checksums = content_of(comm, Content::checksums, path);
    std::string text = path.string() + ": sound " + std::string(to_string(*type)) +
                       " file, every value checked, " + checksums;
    if (*type == FileType::checkpoint) text += "; " + resumption(comm, path);
    return text + "\n";
  } catch (const AgreedError& error) {
    const std::string message = error.what();
    if (error.code() != ExitCode::data || message.find(newer_version_advice) != std::string::npos) throw;
    throw AgreedError(error.code(), message + "; " + advice(comm, path, type));
  }
}

} // namespace metasieve
