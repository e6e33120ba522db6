#include "runtime/terminal.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>

namespace metasieve {
namespace {

/// The file that Open MPI's mpirun itself writes to, for it gives rank 0 a pseudo-terminal of its own for
/// standard output and a pipe for standard error. Nothing without mpirun.
std::optional<std::string> behind_mpirun(int descriptor) {
  if (std::getenv("OMPI_COMM_WORLD_RANK") == nullptr) return std::nullopt;
  std::error_code error;
  const auto link = "/proc/" + std::to_string(getppid()) + "/fd/" + std::to_string(descriptor);
  return std::filesystem::read_symlink(link, error).string();
}

bool wants_colours() {
  const char *const no_color = std::getenv("NO_COLOR"), *const term = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && (term == nullptr || std::string_view(term) != "dumb");
}

std::string quoted_if_needed(const std::string& word) {
  constexpr const char* safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
  if (!word.empty() && word.find_first_not_of(safe) == std::string::npos) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

} // namespace

bool is_terminal(int descriptor) {
  const std::optional<std::string> target = behind_mpirun(descriptor);
  if (!target) return isatty(descriptor) != 0;
  // Standard output may have been put elsewhere since mpirun made it a terminal.
  const bool ours = descriptor == STDERR_FILENO || isatty(descriptor) != 0;
  return ours && (target->starts_with("/dev/pts/") || target->starts_with("/dev/tty"));
}

std::size_t terminal_width(int descriptor) {
  const std::optional<std::string> target = behind_mpirun(descriptor);
  const int opened = target ? ::open(target->c_str(), O_RDONLY | O_NOCTTY | O_CLOEXEC) : -1;
  winsize size{};
  const bool known = ioctl(opened >= 0 ? opened : descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  if (opened >= 0) ::close(opened);
  return known ? size.ws_col : 80;
}

std::string painted(int descriptor, Paint paint, const std::string& text) {
  constexpr std::array codes{"\033[1m", "\033[33m", "\033[31m"};
  if (!wants_colours() || !is_terminal(descriptor)) return text;
  return codes[static_cast<std::size_t>(paint)] + text + "\033[0m";
}

std::string heading(const std::string& text) { return painted(STDOUT_FILENO, Paint::bold, text); }

std::string warning_line(const std::string& text) {
  return painted(STDOUT_FILENO, Paint::yellow, "warning:") + " " + text + "\n";
}

std::string next_line(const std::vector<std::string>& words) {
  std::string text = heading("next:");
  for (const std::string& word : words) text += " " + quoted_if_needed(word);
  return text + "\n";
}

} // namespace metasieve
