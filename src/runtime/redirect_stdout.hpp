#pragma once

#include <filesystem>

namespace metasieve {

/// For as long as it lives, what this process writes to standard output is appended to a file. Where that
/// cannot be opened it stays where it was.
class StdoutTo {
public:
  explicit StdoutTo(const std::filesystem::path& file);
  ~StdoutTo();
  StdoutTo(const StdoutTo&) = delete;
  StdoutTo& operator=(const StdoutTo&) = delete;

private:
  int before_ = -1; ///< a copy of its descriptor
};

} // namespace metasieve
