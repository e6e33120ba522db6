#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace metasieve {

/// Whether a person watches what is written to standard output (1) or standard error (2).
[[nodiscard]] bool is_terminal(int descriptor);

/// Characters that fit on a line of the terminal; 80 if that is not known.
[[nodiscard]] std::size_t terminal_width(int descriptor);

enum class Paint { bold, yellow, red };

/// `text` with colour codes where `descriptor` is a terminal, unless NO_COLOR (https://no-color.org) is set
/// or TERM=dumb; else `text` as it is.
[[nodiscard]] std::string painted(int descriptor, Paint paint, const std::string& text);

/// `text` in bold, for standard output.
[[nodiscard]] std::string heading(const std::string& text);

/// "warning: TEXT", with colour on a terminal.
[[nodiscard]] std::string warning_line(const std::string& text);

/// "next: COMMAND"; `words` with quotes where a shell needs them.
[[nodiscard]] std::string next_line(const std::vector<std::string>& words);

} // namespace metasieve
