#include "fuzz/harness.hpp"

#include "files/verify.hpp"

#include <algorithm>
#include <cstdio>
#include <vector>

/// replay FOLDER...: every file below them is tried once, in the order of the names, and read as the program
/// reads it: in a process of its own. A folder that is missing has no files. When the process dies, the last
/// name printed is that of the culprit.
int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  if (const auto code = metasieve::serve_file_check(argc, argv)) return *code;
  std::vector<fs::path> inputs;
  for (int i = 1; i < argc; ++i)
    if (fs::is_directory(argv[i]))
      for (const auto& entry : fs::recursive_directory_iterator(argv[i]))
        if (entry.is_regular_file()) inputs.push_back(entry.path());
  std::sort(inputs.begin(), inputs.end());
  for (const fs::path& path : inputs) {
    std::printf("%s\n", path.filename().c_str());
    std::fflush(stdout);
    metasieve::fuzz::try_input(metasieve::fuzz::get_bytes(path));
  }
  std::printf("%zu inputs\n", inputs.size());
  return inputs.empty() ? 1 : 0;
}
