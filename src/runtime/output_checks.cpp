#include "runtime/output_checks.hpp"

#include "parallel/collective.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

/// Leaves nothing behind. @return 0, or errno
int try_to_write_into(const fs::path& folder) {
  const fs::path trial = folder / (".metasieve." + std::to_string(getpid()) + ".trial");
  const int file = ::open(trial.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (file < 0) return errno;
  ::close(file);
  ::unlink(trial.c_str());
  return 0;
}

void require_writable(const fs::path& file) {
  const auto refuse = [&](const std::string& problem) {
    throw DataError("cannot write " + file.string() + ": " + problem);
  };
  if (!file.has_filename()) refuse("it names no file");
  std::error_code error;
  const fs::file_status there = fs::status(file, error);
  if (fs::is_directory(there)) refuse("it is a folder");
  if (fs::exists(there) && !fs::is_regular_file(there)) refuse("it is no regular file");
  const fs::path folder = existing_folder(file);
  if (!fs::is_directory(folder, error)) refuse(folder.string() + " is no folder");
  if (const int problem = try_to_write_into(folder); problem != 0)
    refuse("folder " + folder.string() + ": " + std::generic_category().message(problem));
}

} // namespace

fs::path existing_folder(const fs::path& path) {
  std::error_code error;
  fs::path folder = fs::absolute(path, error).parent_path();
  while (folder.has_relative_path() && !fs::exists(folder, error)) folder = folder.parent_path();
  return folder;
}

void require_distinct(const Communicator& comm, const std::vector<fs::path>& outputs,
                      const std::vector<fs::path>& inputs) {
  on_root(comm, [&] {
    for (const fs::path& output : outputs)
      for (const fs::path& input : inputs)
        if (fs::weakly_canonical(fs::absolute(output)) == fs::weakly_canonical(fs::absolute(input)))
          throw ConfigError("--output " + output.string() + ": would replace the input " + input.string() +
                            "; choose another name");
  });
}

void require_writable(const Communicator& comm, const std::vector<fs::path>& files) {
  on_root(comm, [&] {
    for (const fs::path& file : files) require_writable(file);
  });
}

} // namespace metasieve
