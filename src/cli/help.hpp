#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace metasieve {

/// What `metasieve help WORDS` prints: general help; that of a command; or of a topic that general help
/// lists, among them the manual page (groff with the man macros; equal for equal versions) and the
/// completions for bash. @throws ConfigError naming the commands there are
[[nodiscard]] std::string help_text(const std::vector<std::string>& words);

/// For the build, which has no MPI job: what `help --man` or `help --bash-completion` print; nothing for any
/// other command line (without the program's name).
[[nodiscard]] std::optional<std::string> text_without_mpi(std::span<char* const> arguments);

} // namespace metasieve
