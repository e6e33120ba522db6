#pragma once

#include <string_view>

namespace metasieve {

/// Version of this program, e.g. "0.1.0".
[[nodiscard]] std::string_view version() noexcept;

/// Commit that this program was built from, 40 hex digits, then "-dirty" if tracked files differed from it;
/// "unknown" if it was not built in a git checkout.
[[nodiscard]] std::string_view git_commit() noexcept;

} // namespace metasieve
