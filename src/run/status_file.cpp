#include "run/status_file.hpp"

#include "base/json.hpp"
#include "base/version.hpp"
#include "io/provenance.hpp"
#include "io/text_file.hpp"
#include "parallel/for_each.hpp"
#include "run/phase_clock.hpp"

namespace metasieve {
namespace {

constexpr double seconds_between = 1;

} // namespace

StatusFile::StatusFile(const Communicator& comm, std::filesystem::path file, std::string command)
    : file_(std::move(file)), command_(std::move(command)), started_(utc_now()), ranks_(comm.size()),
      threads_(thread_count()), is_root_(comm.is_root()), begin_(wall_seconds()) {}

void StatusFile::begin() {
  begun_ = !file_.empty();
  if (!begun_ || !is_root_) return;
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::absolute(file_).parent_path(), ignored);
  write("running", nullptr);
  written_ = wall_seconds();
}

void StatusFile::update(const RunState& state) {
  state_ = state;
  if (!begun_ || !is_root_ || wall_seconds() - written_ < seconds_between) return;
  write("running", nullptr);
  written_ = wall_seconds();
}

void StatusFile::end(ExitCode code, bool writes) {
  if (!begun_ || !writes) return;
  if (code == ExitCode::done) {
    state_.done = state_.total;
    state_.seconds_left = 0;
  }
  write(code == ExitCode::done ? "done" : code == ExitCode::stopped_early ? "stopped" : "failed", &code);
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
