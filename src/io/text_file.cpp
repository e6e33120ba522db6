#include "io/text_file.hpp"

#include "io/agree.hpp"
#include "io/place_file.hpp"

#include <fstream>

namespace metasieve {

void write_text(const Communicator& comm, const std::filesystem::path& path, const std::string& text) {
  static_cast<void>(from_root(comm, [&] {
    const std::filesystem::path part = path.string() + ".part";
    prepare_place(path, part);
    std::ofstream stream(part, std::ios::binary);
    stream << text << std::flush;
    if (!stream) {
      std::error_code ignored;
      std::filesystem::remove(part, ignored);
      throw DataError("cannot write " + path.string() +
                      ": the disk is full, or a limit on file sizes is reached");
    }
    stream.close();
    put_in_place(part, path);
    return std::string();
  }));
}

} // namespace metasieve
