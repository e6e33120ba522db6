#pragma once

#include "runtime/status_file.hpp"

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

namespace metasieve {

/// Estimates how long work still takes that is of several kinds, as iterations and validations: the cost of
/// each is predicted, in any one unit, and its pace measured; a kind that was not measured yet is taken to
/// go at the pace of all others. Has no clock: it is told what was done, and how long that took.
class TimeLeft {
public:
  /// Predicted work of each kind, at least one; 0 is legal.
  explicit TimeLeft(const std::vector<double>& work);

  /// `work` of a kind took `seconds`. More than was predicted in all is legal.
  void add(std::size_t kind, double work, double seconds);

  /// Nothing more of this kind comes, whatever was predicted.
  void close(std::size_t kind);

  [[nodiscard]] double seconds() const; ///< left; 0 as long as nothing was measured
  [[nodiscard]] double share() const;   ///< of all the time that is over, in [0, 1]
  /// Of the work of a kind that is done, in [0, 1]; 1 if there is none.
  [[nodiscard]] double share_of(std::size_t kind) const;

private:
  struct Kind {
    double work = 0, done = 0, seconds = 0;
  };
  std::vector<Kind> kinds_;
};

/// What a run has before it.
struct ProgressSettings {
  bool speaks = false; ///< on standard output; rank 0 alone
  std::string what;    ///< one of the things that are counted: "iteration"
  std::int64_t total = 0;
  std::int64_t begun = 0;       ///< of them, by earlier runs
  std::int64_t log_every = 0;   ///< of them, between lines that are no terminal's; 0: by time
  std::vector<double> work;     ///< predicted of each kind: see TimeLeft
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

  /// A thread begins, and ends, `work` of a kind. Time goes to the kind that ended last.
  void begin(std::size_t kind, double work);
  void end(std::size_t kind, double work);
  /// `work` of a kind was done since the last such call; 0: what was done meanwhile counts for nothing.
  void did(std::size_t kind, double work);

  /// No more of a kind comes.
  void close(std::size_t kind);

  /// `done` of total steps; `state` is appended.
  void report(std::int64_t done, const std::string& state);
  /// The same where nobody counts the steps of all ranks: by the share of the time that is over.
  void report_share(const std::string& state);
  /// Of something that is not counted, as "preparing the tasks".
  void report_phase(const std::string& phase, std::size_t kind);
  /// Collective: what was prepared begins; its status file stays, whatever comes.
  void begin_status() const {
    if (settings_.status != nullptr) settings_.status->begin();
  }
  /// For the status file: the latest of a figure.
  void set_metric(const std::string& name, double value);
  /// A line that stays.
  void say(const std::string& line);
  /// Before others write to standard output.
  void clear_line();

private:
  void account(std::size_t kind);
  void tell(const std::string& head, const std::string& state, bool is_due);
  [[nodiscard]] std::string count() const;
  [[nodiscard]] bool is_time() const;

  std::mutex guard_;
  ProgressSettings settings_;
  TimeLeft left_;
  std::vector<double> in_flight_, finished_, accounted_; ///< work of each kind
  RunState state_;
  bool terminal_;
  std::size_t width_ = 0;
  double begin_, last_event_, last_told_;
  bool dirty_ = false;
};

} // namespace metasieve
