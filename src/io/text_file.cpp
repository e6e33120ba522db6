#include "io/text_file.hpp"

#include "io/agree.hpp"
#include "io/place_file.hpp"

#include <fstream>

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

} // namespace

void write_text(const Communicator& comm, const std::filesystem::path& path, const std::string& text) {
  static_cast<void>(from_root(comm, [&] {
    const std::filesystem::path part = path.string() + ".part";
    prepare_place(path, part);
    const Removal removal{part};
    std::ofstream stream(part, std::ios::binary);
    stream << text << std::flush;
    if (!stream)
      throw DataError("cannot write " + path.string() +
                      ": the disk is full, or a limit on file sizes is reached");
    stream.close();
    put_in_place(part, path);
    return std::string();
  }));
}

} // namespace metasieve
