#include "io/text_file.hpp"

#include "io/agree.hpp"
#include "io/place_file.hpp"

#include <unistd.h>

#include <fstream>
#include <sstream>

namespace metasieve {
namespace {

/// Removes the unfinished file, if it is still there when the scope ends.
struct Removal {
  const std::filesystem::path& part;
  explicit Removal(const std::filesystem::path& file) : part(file) {}
  Removal(const Removal&) = delete;
  Removal& operator=(const Removal&) = delete;
  ~Removal() {
    std::error_code ignored;
    std::filesystem::remove(part, ignored);
  }
};

void write_part(const std::filesystem::path& part, const std::filesystem::path& path,
                const std::string& text) {
  std::ofstream stream(part, std::ios::binary);
  stream << text << std::flush;
  if (!stream)
    throw DataError("cannot write " + path.string() +
                    ": the disk is full, or a limit on file sizes is reached");
}

} // namespace

void write_text(const Communicator& comm, const std::filesystem::path& path, const std::string& text) {
  static_cast<void>(from_root(comm, [&] {
    const std::filesystem::path part = path.string() + ".part";
    prepare_place(path, part);
    const Removal removal{part};
    write_part(part, path, text);
    put_in_place(part, path);
    return std::string();
  }));
}

void replace_text(const std::filesystem::path& path, const std::string& text) {
  const std::filesystem::path part =
      path.string() + "." + host_name() + "." + std::to_string(getpid()) + ".part";
  const Removal removal{part};
  write_part(part, path, text);
  std::error_code error;
  std::filesystem::rename(part, path, error);
  if (error) throw DataError("cannot write " + path.string() + ": " + error.message());
}

std::optional<std::string> text_if_any(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::nullopt;
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

} // namespace metasieve
