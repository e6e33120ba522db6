#include "runtime/redirect_stdout.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

namespace metasieve {

StdoutTo::StdoutTo(const std::filesystem::path& file) {
  std::fflush(stdout);
  const int log = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (log < 0) return;
  before_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (before_ >= 0) ::dup2(log, STDOUT_FILENO);
  ::close(log);
}

StdoutTo::~StdoutTo() {
  std::fflush(stdout);
  if (before_ < 0) return;
  ::dup2(before_, STDOUT_FILENO);
  ::close(before_);
}

} // namespace metasieve
