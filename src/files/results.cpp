#include "files/results.hpp"

#include "files/foreign_file.hpp"
#include "files/result_records.hpp"

namespace metasieve {

void write_results(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                   const Results& results) {
  write_file(comm, path, FileType::results, provenance,
             [&](FileWriter& file) { write_result_content(file, results); });
}

std::string results_content(const std::filesystem::path& path) {
  ByteWriter writer;
  put_results(writer, read_result_content(FileReader(path, FileType::results)));
  return writer.take();
}

Results read_results(const Communicator& comm, const std::filesystem::path& path) {
  const std::string bytes = content_of(comm, Content::results, path);
  ByteReader reader(bytes);
  return get_results(reader);
}

} // namespace metasieve
