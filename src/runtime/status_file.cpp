#include "runtime/status_file.hpp"

#include "base/json.hpp"
#include "base/version.hpp"
#include "hdf5/atomic_replace.hpp"
#include "hdf5/job_metadata.hpp"
#include "parallel/for_each.hpp"
#include "runtime/phases.hpp"

namespace metasieve {
namespace {

constexpr double seconds_between = 1;

} // namespace

StatusFile::StatusFile(const Communicator& comm, std::filesystem::path file, std::string command)
    : file_(std::move(file)), command_(std::move(command)), started_(utc_now()), ranks_(comm.size()),
      threads_(thread_count()), is_root_(comm.is_root()), begin_(wall_seconds()) {}

void StatusFile::prepare() {
  if (!file_.empty() && is_root_) {
    std::error_code ignored;
    before_ = text_if_any(file_);
    for (auto path = folder(); path.has_relative_path() && !std::filesystem::exists(path, ignored);
         path = path.parent_path())
      made_.push_back(path);
  }
  enter(Stage::preparing);
}

void StatusFile::begin() {
  if (stage_ != Stage::begun) enter(Stage::begun);
}

void StatusFile::enter(Stage stage) {
  if (file_.empty()) return; // none is kept
  stage_ = stage;
  if (!is_root_) return;
  std::error_code ignored;
  std::filesystem::create_directories(folder(), ignored);
  write("running", nullptr);
  written_ = wall_seconds();
}

std::filesystem::path StatusFile::folder() const { return std::filesystem::absolute(file_).parent_path(); }

void StatusFile::update(const RunState& state) {
  state_ = state;
  if (stage_ == Stage::none || !is_root_ || wall_seconds() - written_ < seconds_between) return;
  write("running", nullptr);
  written_ = wall_seconds();
}

void StatusFile::end(ExitCode code, bool writes) {
  if (stage_ == Stage::preparing && is_root_) undo();
  if (stage_ != Stage::begun || !writes) return;
  if (code == ExitCode::done) {
    state_.done = state_.total;
    state_.seconds_left = 0;
  }
  write(code == ExitCode::done ? "done" : code == ExitCode::stopped_early ? "stopped" : "failed", &code);
}

void StatusFile::undo() const {
  std::error_code ignored;
  try {
    if (before_)
      replace_text(file_, *before_);
    else
      std::filesystem::remove(file_, ignored);
  } catch (const std::exception&) { // the file harms no run
    return;
  }
  for (const std::filesystem::path& folder : made_)
    std::filesystem::remove(folder, ignored); // if it is empty
}

void StatusFile::write(const char* state, const ExitCode* code) const {
  JsonMembers metrics;
  for (const auto& [name, value] : state_.metrics) metrics.emplace_back(name, value);
  const Json all = Json::object({{"command", command_},
                                 {"state", state},
                                 {"done", state_.done},
                                 {"total", state_.total},
                                 {"unit", state_.unit},
                                 {"seconds_elapsed", wall_seconds() - begin_},
                                 {"seconds_left", state_.seconds_left},
                                 {"started", started_},
                                 {"updated", utc_now()},
                                 {"ranks", ranks_},
                                 {"threads", threads_},
                                 {"version", std::string(version())},
                                 {"commit", std::string(git_commit())},
                                 {"metrics", Json::object(metrics)},
                                 {"exit_code", code == nullptr ? Json() : Json(static_cast<int>(*code))}});
  try {
    replace_text(file_, all.text() + "\n");
  } catch (const std::exception&) { // the run itself says what cannot be written
    return;
  }
}

std::filesystem::path status_of_folder(const std::filesystem::path& folder) {
  return folder / "progress.json";
}

std::filesystem::path status_of_file(const std::filesystem::path& file) {
  return file.string() + ".progress.json";
}

} // namespace metasieve
