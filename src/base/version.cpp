#include "base/version.hpp"

#include "generated/version.hpp"

namespace metasieve {

std::string_view version() noexcept { return build::version; }
std::string_view git_commit() noexcept { return build::git_commit; }

} // namespace metasieve
