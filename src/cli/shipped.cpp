#include "cli/shipped.hpp"

namespace metasieve {

namespace fs = std::filesystem;

fs::path shipped_families() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  for (fs::path folder = program.parent_path(); folder.has_relative_path(); folder = folder.parent_path()) {
    fs::path families = folder / METASIEVE_SHARE / "configs/families";
    if (fs::is_directory(families, error)) return families;
  }
  return {};
}

} // namespace metasieve
