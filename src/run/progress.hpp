#pragma once

#include <string>

namespace metasieve {

/// What rank 0 tells the user while it works: one rewritten line with the time left on a terminal, a line
/// every `log_every` steps otherwise. Other ranks construct it with speaks = false and stay silent.
class Progress {
public:
  /// `begun` of the steps were done before.
  Progress(bool speaks, std::string what, long total, long log_every, long begun = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of total steps; `state` is appended.
  void report(long done, const std::string& state);
  /// A line that stays.
  void say(const std::string& line);

private:
  void clear_line();
  bool speaks_, terminal_;
  std::string what_;
  long total_, log_every_, begun_;
  double begin_, last_ = 0;
  bool dirty_ = false;
};

} // namespace metasieve
