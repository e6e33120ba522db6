#pragma once

#include "parallel/communicator.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace metasieve::test {

/// A temporary folder that all ranks share; rank 0 makes and removes it. Collective.
class Scratch {
public:
  explicit Scratch(const Communicator& comm) : comm_(comm) {
    std::string name = (std::filesystem::temp_directory_path() / "metasieve-test-XXXXXX").string();
    if (comm_.is_root() && mkdtemp(name.data()) == nullptr) comm_.abort(ExitCode::internal);
    folder_ = comm_.broadcast(name);
  }
  ~Scratch() {
    comm_.barrier();
    std::error_code ignored;
    if (comm_.is_root()) std::filesystem::remove_all(folder_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

private:
  const Communicator& comm_;
  std::filesystem::path folder_;
};

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void put_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

} // namespace metasieve::test
