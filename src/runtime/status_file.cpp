#include "runtime/status_file.hpp"

#include "base/json.hpp"
#include "base/stopwatch.hpp"
#include "base/version.hpp"
#include "hdf5/file_header.hpp"
#include "hdf5/raw_file.hpp"
#include "parallel/for_each.hpp"
#include "runtime/output_checks.hpp"

namespace metasieve {
namespace {

namespace fs = std::filesystem;

constexpr double seconds_between = 1;

/// Replaces the file; a failure harms no run.
void try_to_replace(const fs::path& file, const std::string& text) {
  try {
    replace_text(file, text);
  } catch (const std::exception&) {
    return;
  }
}

} // namespace

StatusFile::StatusFile(const Communicator& comm, const fs::path& file, std::string command)
    : file_(fs::absolute(file)), command_(std::move(command)), started_(utc_now()), ranks_(comm.size()),
      threads_(thread_count()), is_root_(comm.is_root()), begin_(wall_seconds()) {}

void StatusFile::prepare() {
  if (!file_.empty() && is_root_) {
    before_ = text_if_any(file_);
    existing_folder_ = existing_folder(file_);
  }
  enter(Stage::preparing);
}

void StatusFile::begin() {
  if (stage_ != Stage::begun) enter(Stage::begun);
}

void StatusFile::enter(Stage stage) {
  if (file_.empty()) return;
  stage_ = stage;
  if (!is_root_) return;
  std::error_code ignored;
  fs::create_directories(file_.parent_path(), ignored);
  written_ = 0;
  update(state_);
}

void StatusFile::update(const RunState& state) {
  state_ = state;
  if (stage_ == Stage::none || !is_root_ || wall_seconds() - written_ < seconds_between) return;
  write("running", nullptr);
  written_ = wall_seconds();
}

void StatusFile::during(const std::function<void()>& work) {
  try {
    work();
  } catch (const CollectiveError& error) {
    end(error.code(), is_root_);
    throw;
  } catch (const Error& error) { // of this rank alone, which ends the job
    end(error.code(), true);
    throw;
  } catch (...) {
    end(ExitCode::internal, true);
    throw;
  }
  end(ExitCode::done, is_root_);
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

/// Restores the file, and removes the folders that were made for it, if they are empty.
void StatusFile::undo() const {
  std::error_code ignored;
  if (before_)
    try_to_replace(file_, *before_);
  else
    fs::remove(file_, ignored);
  for (fs::path folder = file_.parent_path(); folder != existing_folder_ && folder.has_relative_path();
       folder = folder.parent_path())
    fs::remove(folder, ignored);
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
  try_to_replace(file_, all.text() + "\n");
}

fs::path status_of_folder(const fs::path& folder) { return folder / "progress.json"; }

fs::path status_of_file(const fs::path& file) { return file.string() + ".progress.json"; }

} // namespace metasieve
