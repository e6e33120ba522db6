#include "io/results_file.hpp"

#include "io/agree.hpp"
#include "io/result_content.hpp"

namespace metasieve {

void write_results(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                   const Results& results) {
  write_file(comm, path, FileType::results, provenance,
             [&](FileWriter& file) { write_result_content(file, results); });
}

Results read_results(const Communicator& comm, const std::filesystem::path& path) {
  const std::string bytes = from_root(comm, [&] {
    ByteWriter writer;
    put_results(writer, read_result_content(FileReader(path, FileType::results)));
    return writer.take();
  });
  ByteReader reader(bytes);
  return get_results(reader);
}

} // namespace metasieve
