#include "files/verify.hpp"

#include "files/checkpoint.hpp"
#include "files/dataset.hpp"
#include "files/evaluation.hpp"
#include "files/file_layout.hpp"
#include "files/inspect.hpp"
#include "files/policy.hpp"
#include "files/results.hpp"
#include "files/scaling.hpp"
#include "files/suite.hpp"
#include "files/sweep.hpp"
#include "hdf5/reader.hpp"
#include "parallel/collective.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <iostream>
#include <new>
#include <string_view>

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

template <class Content>
void read_as(const FileReader& file) {
  static_cast<void>(layout_of<Content>().read(file));
}

constexpr const char* resumed =
    "no run can use it: in the folder of its training, train --resume writes it again";

/// What is done with the files of a type.
struct FileKind {
  /// Reads all that the reader of this type reads, but the values of a suite's tasks. @throws DataError
  void (*read)(const FileReader&);
  const char* advice; ///< what to do about one that is damaged; of a checkpoint see resumption()
};
/// One kind for each FileType, in its order.
constexpr std::array<FileKind, file_type_names.size()> file_kinds{
    {{[](const FileReader& file) { static_cast<void>(read_suite_head(file)); },
      "no run can use it: generate it again"},
     {read_as<Dataset>, "no run can use it: import it again"},
     {read_as<Policy>, resumed},
     {read_as<Checkpoint>, ""},
     {read_as<Results>, resumed},
     {read_as<Evaluation>, "evaluate again"},
     {read_as<ScoreTable>, "score again"},
     {read_as<Scaling>, "remove it, and scaling measures or collects again"},
     {read_as<Sweep>, "sweep --collect makes it again"}}};

const FileKind& kind_of(FileType type) { return file_kinds[static_cast<std::size_t>(type)]; }

/// "12 checksums fit", and how many data sets have none. @throws DataError
std::string checksums_of(const FileReader& file) {
  int fit = 0, none = 0;
  for (const ValueLayout& data_set : file.data_sets()) {
    const std::optional<bool> fits = file.checksum_fits(data_set.name);
    if (fits && !*fits)
      file.fail(data_set.name, "does not fit its checksum: its values changed after it was written");
    ++(fits ? fit : none);
  }
  return std::to_string(fit) + " checksums fit" +
         (none > 0 ? ", " + std::to_string(none) + " data sets have none" : std::string());
}

std::string run_check(std::string_view check, const std::filesystem::path& path) {
  if (const std::optional<FileType> type = file_type_of(check)) {
    const FileReader file(path, *type);
    kind_of(*type).read(file);
    // Small files that others make and copy; a checkpoint has a checksum of its own.
    if (*type == FileType::dataset || *type == FileType::policy) static_cast<void>(checksums_of(file));
    return {};
  }
  const FileReader file(path);
  if (check == "header") { // every attribute and data set
    static_cast<void>(file.attributes());
    static_cast<void>(file.data_sets());
    return std::string(to_string(file.type()));
  }
  kind_of(file.type()).read(file);
  if (check == "whole") return checksums_of(file);
  if (check == "text" || check == "json") return description_of(file, check == "json");
  throw Error(ExitCode::usage, "no such check");
}

/// Collective: the check by a process of its own, or by rank 0 if none can be started.
std::string checked(const Communicator& comm, const std::filesystem::path& path, std::string_view check) {
  return run_on_root_and_broadcast(comm, [&] {
    const std::optional<std::string> text = check_in_child_process(path, check);
    return text ? *text : run_check(check, path);
  });
}

/// Says from where `train --resume` would continue in the folder of this checkpoint.
std::string resumption(const Communicator& comm, const std::filesystem::path& path) {
  try {
    const FoundCheckpoint found = find_checkpoint(comm, path.parent_path());
    if (found.checkpoint)
      return "train --resume goes on from " + found.path.filename().string() + " there, iteration " +
             std::to_string(found.checkpoint->policy.trained_iterations);
  } catch (const CollectiveError&) {
    return "no checkpoint in its folder is sound: the training must start again, without --resume";
  }
  return "train --resume looks for " + std::string(checkpoint_name) + " alone: rename it to go on from it";
}

std::string advice(const Communicator& comm, const std::filesystem::path& path,
                   std::optional<FileType> type) {
  if (!type && (path.filename() == checkpoint_name || path.filename() == previous_checkpoint_name))
    type = FileType::checkpoint;
  if (!type) return "no run can use it";
  return *type == FileType::checkpoint ? resumption(comm, path) : kind_of(*type).advice;
}

/// A damaged file may send HDF5 round in circles; a sound one takes a second for some 100 MB.
void limit_time(const std::filesystem::path& path) {
  std::error_code missing;
  const std::uintmax_t bytes = std::filesystem::file_size(path, missing);
  const rlim_t seconds = 30 + (missing ? 0 : bytes >> 20U);
  const rlimit time{seconds, seconds}, none{0, 0};
  setrlimit(RLIMIT_CPU, &time);
  setrlimit(RLIMIT_CORE, &none);
}

/// What the check returns or throws, for the process that asks.
std::pair<ExitCode, std::string> outcome_of(std::string_view check, const std::filesystem::path& path) {
  try {
    return {ExitCode::done, run_check(check, path)};
  } catch (const Error& error) {
    return {error.code(), error.what()};
  } catch (const std::bad_alloc&) {
    return {ExitCode::internal, "out of memory while reading " + path.string()};
  } catch (const std::exception& error) {
    return {ExitCode::internal, error.what()};
  }
}

} // namespace

std::optional<int> serve_file_check(int argc, char** argv) {
  if (argc != 4 || std::string_view(argv[1]) != check_option) {
    allow_child_processes();
    return std::nullopt;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  limit_time(argv[3]);
  const auto [code, text] = outcome_of(argv[2], argv[3]);
  std::cout << text << std::flush;
  // At once: HDF5's own end may fail on what a damaged file has left of its structures.
  _exit(static_cast<int>(code));
}

std::string inspect_file(const Communicator& comm, const std::filesystem::path& path, bool as_json) {
  return checked(comm, path, as_json ? "json" : "text");
}

std::string verify_file(const Communicator& comm, const std::filesystem::path& path) {
  std::optional<FileType> type;
  try {
    type = file_type_of(checked(comm, path, "header"));
    if (*type == FileType::suite) read_all_tasks(comm, path); // which names a task
    const std::string checksums = checked(comm, path, "whole");
    std::string text = path.string() + ": sound " + std::string(to_string(*type)) +
                       " file, every value checked, " + checksums;
    if (*type == FileType::checkpoint) text += "; " + resumption(comm, path);
    return text + "\n";
  } catch (const CollectiveError& error) {
    const std::string message = error.what();
    if (error.code() != ExitCode::data || message.find(newer_version_advice) != std::string::npos) throw;
    throw CollectiveError(error.code(), message + "; " + advice(comm, path, type));
  }
}

} // namespace metasieve
