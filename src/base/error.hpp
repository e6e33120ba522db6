#pragma once

#include <stdexcept>
#include <string>

namespace metasieve {

/// What the process returns to the shell. The same on every rank.
enum class ExitCode : int {
  done = 0,
  usage = 2,          ///< command line or configuration
  data = 3,           ///< bad or unreadable data, or I/O failure
  numerical = 4,      ///< too many tasks failed numerically
  internal = 70,      ///< a bug: please report it
  stopped_early = 75, ///< a good checkpoint is there: run again
};

/// Base of all that metasieve throws on purpose: one line that names the culprit, what is wrong and what
/// would be right.
class Error : public std::runtime_error {
public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

private:
  ExitCode code_;
};

/// A key, option or family outside its domain. Exit code 2.
struct ConfigError : Error {
  explicit ConfigError(const std::string& message) : Error(ExitCode::usage, message) {}
};

/// A file whose contents cannot be used, or that cannot be read or written. Exit code 3.
struct DataError : Error {
  explicit DataError(const std::string& message) : Error(ExitCode::data, message) {}
};

} // namespace metasieve
