#pragma once

#include "runtime/status_file.hpp"

#include <cstdint>
#include <mutex>
#include <string>

namespace metasieve {

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
