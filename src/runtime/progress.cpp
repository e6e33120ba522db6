#include "runtime/progress.hpp"

#include "base/for_each.hpp"
#include "base/json.hpp"
#include "base/stopwatch.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "hdf5/file_header.hpp"
#include "hdf5/raw_file.hpp"
#include "runtime/output_checks.hpp"
#include "runtime/terminal.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

constexpr double seconds_between_files = 1;    ///< of the status file
constexpr double seconds_between_frames = 0.1; ///< on a terminal
constexpr double seconds_between_lines = 30.0; ///< of a log

void write(const std::string& text, std::FILE* file = stdout) {
  std::fputs(text.c_str(), file);
  std::fflush(file);
}

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
  if (stage_ == Stage::none || !is_root_ || wall_seconds() - written_ < seconds_between_files) return;
  write("running", nullptr);
  written_ = wall_seconds();
}

void StatusFile::during(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& caught) {
    const auto* const error = dynamic_cast<const Error*>(&caught);
    const bool is_of_all = dynamic_cast<const CollectiveError*>(&caught) != nullptr;
    end(error == nullptr ? ExitCode::internal : error->code(),
        is_root_ || !is_of_all); // one rank's ends the job
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

Progress::Progress(ProgressSettings settings)
    : settings_(std::move(settings)), on_terminal_(!settings_.is_quiet && is_terminal(STDOUT_FILENO)),
      width_(on_terminal_ ? terminal_width(STDOUT_FILENO) : 0), begin_(wall_seconds()), steps_begin_(begin_),
      last_shown_(begin_) {
  state_.done = settings_.begun;
  state_.total = settings_.total;
  state_.unit = settings_.what + "s";
  if (settings_.status != nullptr) settings_.status->update(state_);
}

Progress::~Progress() { clear_line(); }

bool Progress::is_time() const {
  return wall_seconds() - last_shown_ > (on_terminal_ ? seconds_between_frames : seconds_between_lines);
}

void Progress::advance(std::int64_t done, const std::string& state) {
  const std::lock_guard lock(guard_);
  state_.done = done;
  const bool last = done == state_.total, by_count = settings_.log_every > 0 && !on_terminal_;
  const bool due = by_count ? last || done % settings_.log_every == 0 : is_time() || (last && on_terminal_);
  const std::string head = format("%s %lld/%lld", settings_.what.c_str(), static_cast<long long>(done),
                                  static_cast<long long>(state_.total));
  render(head, state, steps_begin_,
         static_cast<double>(done - settings_.begun) / static_cast<double>(state_.total - settings_.begun),
         due);
}

void Progress::advance_phase(const std::string& phase, double share) {
  const std::lock_guard lock(guard_);
  steps_begin_ = wall_seconds();
  render(phase + format(" %.0f %%", 100.0 * share), "", begin_, share, is_time());
}

/// `share` of the work was done in the time from `since` until now.
void Progress::render(const std::string& head, const std::string& state, double since, double share,
                      bool is_due) {
  const double now = wall_seconds();
  if (share > 0) state_.seconds_left = (now - since) * std::max(1.0 / share - 1.0, 0.0);
  if (settings_.status != nullptr) settings_.status->update(state_);
  if (settings_.is_quiet || !is_due) return;
  last_shown_ = now;
  const std::string left = duration_text(state_.seconds_left) + " left";
  const std::string middle = state.empty() ? "" : "  " + state;
  clear_line();
  if (on_terminal_)
    write((head + ", " + left + middle).substr(0, width_ - 1)); // the end may not fit
  else
    write(head + middle + "  " + duration_text(now - begin_) + ", " + left + "\n");
  has_line_ = on_terminal_;
}

void Progress::set_metric(const std::string& name, double value) {
  const std::lock_guard lock(guard_);
  const auto found = std::find_if(state_.metrics.begin(), state_.metrics.end(),
                                  [&](const auto& metric) { return metric.first == name; });
  if (found == state_.metrics.end())
    state_.metrics.emplace_back(name, value);
  else
    found->second = value;
  if (settings_.status != nullptr) settings_.status->update(state_);
}

void Progress::print_line(const std::string& line) {
  if (settings_.is_quiet || line.empty()) return;
  const std::lock_guard lock(guard_);
  clear_line();
  write(line.ends_with('\n') ? line : line + "\n");
}

void Progress::warn(const std::string& line) {
  const std::lock_guard lock(guard_);
  clear_line();
  write("metasieve: " + line + "\n", stderr);
}

void Progress::clear_line() {
  if (has_line_) write("\r\033[K");
  has_line_ = false;
}

} // namespace metasieve
