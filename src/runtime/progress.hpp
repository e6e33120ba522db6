#pragma once

#include "base/error.hpp"
#include "parallel/communicator.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace metasieve {

/// How far a run is.
struct RunState {
  std::int64_t done = 0, total = 0;
  std::string unit; ///< iterations, tasks or points
  double seconds_left = 0;
  std::vector<std::pair<std::string, double>> metrics; ///< latest value of each
};

/// A small JSON file for programs that watch a run: what it is, how far it is, and how it ended. Rank 0
/// replaces it as a whole, at most once a second. A run continues if it cannot be written; a killed run
/// leaves `running` with an old `updated`.
class StatusFile {
public:
  StatusFile() = default; ///< writes nothing
  StatusFile(const Communicator& comm, const std::filesystem::path& file, std::string command);

  /// Collective: writes the file, though the run may still refuse: if it ends before begin(), all is
  /// restored.
  void prepare();
  /// Collective: writes the file, for the run may now change its folder.
  void begin();
  /// Called by rank 0; does nothing on the others, nor before prepare() or begin().
  void update(const RunState& state);

  /// Collective: runs `work`, writes how it ended, and lets its exception pass.
  void during(const std::function<void()>& work);

private:
  enum class Stage : std::uint8_t { none, preparing, begun };

  void enter(Stage stage);
  void end(ExitCode code, bool writes);
  void undo() const;
  void write(const char* state, const ExitCode* code) const;

  std::filesystem::path file_; ///< absolute; empty: none is kept
  std::string command_, started_;
  int ranks_ = 1, threads_ = 1;
  bool is_root_ = false;
  Stage stage_ = Stage::none;
  std::optional<std::string> before_;     ///< contents of the file before prepare()
  std::filesystem::path existing_folder_; ///< the innermost one before prepare()
  double begin_ = 0, written_ = 0;        ///< wall_seconds()
  RunState state_;
};

/// The status file of a run with an output folder: progress.json in it.
[[nodiscard]] std::filesystem::path status_of_folder(const std::filesystem::path& folder);
/// The status file of a run with an output file: FILE.progress.json.
[[nodiscard]] std::filesystem::path status_of_file(const std::filesystem::path& file);

struct ProgressSettings {
  bool is_quiet = true;         ///< prints nothing, as all ranks but 0
  std::string what;             ///< name of one step: "iteration"
  std::int64_t total = 0;       ///< steps of the whole run
  std::int64_t begun = 0;       ///< steps that earlier runs have done
  std::int64_t log_every = 0;   ///< steps between two lines of a log; 0: a line every half minute
  StatusFile* status = nullptr; ///< updated as well
};

/// Shows how far a run is: on a terminal in one line that is rewritten, elsewhere in a line now and then, and
/// in the status file. The time left follows from the pace so far. Thread-safe.
class Progress {
public:
  explicit Progress(ProgressSettings settings);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of all steps are done; `state` ends the line.
  void advance(std::int64_t done, const std::string& state = "");
  /// `share`, at most 1, of what precedes the first step is done, as "preparing the tasks".
  void advance_phase(const std::string& phase, double share);
  /// Collective: begins the status file.
  void begin_status() const {
    if (settings_.status != nullptr) settings_.status->begin();
  }
  /// Latest value of a figure, for the status file.
  void set_metric(const std::string& name, double value);
  /// Prints lines that stay; the last may lack its line break. Nothing if it is empty.
  void print_line(const std::string& line);
  /// Prints "metasieve: LINE" on standard error, also where it is quiet.
  void warn(const std::string& line);
  /// Removes the rewritten line, before others write to standard output.
  void clear_line();

private:
  void render(const std::string& head, const std::string& state, double since, double share, bool is_due);
  [[nodiscard]] bool is_time() const;

  std::mutex guard_;
  ProgressSettings settings_;
  RunState state_;
  bool on_terminal_, has_line_ = false;
  std::size_t width_;
  double begin_, steps_begin_, last_shown_; ///< wall_seconds()
};

} // namespace metasieve
