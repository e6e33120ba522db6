#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace metasieve {

/// What `metasieve help WORDS` prints: general help; that of a command; or of a topic of help_topics().
/// @throws ConfigError naming the topics there are
[[nodiscard]] std::string help_text(const std::vector<std::string>& words);

/// All of it as a manual page, groff with the man macros. The same for equal versions.
[[nodiscard]] std::string man_page();

/// A script for bash that completes commands, options, keys, their values and file names.
[[nodiscard]] std::string bash_completion();

/// For the build, which has no MPI job: what `help --man` or `help --bash-completion` print; nothing for any
/// other command line (without the program's name).
[[nodiscard]] std::optional<std::string> text_without_mpi(std::span<char* const> arguments);

} // namespace metasieve
