#pragma once

#include "runtime/status_file.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

namespace metasieve {

/// What a run has before it.
struct ProgressSettings {
  bool speaks = false; ///< on standard output; rank 0 alone
  std::string what;    ///< one of the things that are counted: "iteration"
  std::int64_t total = 0;
  std::int64_t begun = 0;       ///< of them, by earlier runs
  std::int64_t log_every = 0;   ///< of them, between lines that are no terminal's; 0: by time
  StatusFile* status = nullptr; ///< that is told too
};

/// What rank 0 tells the user while it works: one rewritten line with the time left on a terminal, a line now
/// and then otherwise; and its status file. Thread-safe.
class Progress {
public:
  explicit Progress(ProgressSettings settings);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// The first step begins, or a phase: what came before says nothing of the pace.
  void start();
  /// `done` of total steps; `state` is appended. The time left is estimated by the pace since start().
  void report(std::int64_t done, const std::string& state);
  /// For a phase that is not counted, as "preparing the tasks": the share of it that is done. The time left
  /// is that of the phase.
  void report_phase(const std::string& phase, double share);
  /// Collective: what was prepared begins; its status file stays, whatever comes.
  void begin_status() const {
    if (settings_.status != nullptr) settings_.status->begin();
  }
  /// For the status file: the latest of a figure.
  void set_metric(const std::string& name, double value);
  /// Lines that stay, the last with or without its end.
  void say(const std::string& line);
  /// "metasieve: warning: LINE" on standard error, however quiet the run is.
  void warn(const std::string& line);
  /// Before others write to standard output.
  void clear_line();

private:
  void tell(const std::string& head, const std::string& state, bool is_due);
  [[nodiscard]] std::string count() const;
  [[nodiscard]] bool is_time() const;

  std::mutex guard_;
  ProgressSettings settings_;
  RunState state_;
  bool terminal_;
  std::size_t width_ = 0;
  double begin_, start_, last_told_;
  bool dirty_ = false;
};

} // namespace metasieve
