#include "io/policy_file.hpp"

#include "io/contents.hpp"
#include "io/policy_content.hpp"

namespace metasieve {

void write_policy(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                  const Policy& policy) {
  const Policy shared = broadcast_policy(comm, policy);
  write_file(comm, path, FileType::policy, provenance,
             [&](FileWriter& file) { write_policy_content(file, shared); });
}

std::string policy_content(const std::filesystem::path& path) {
  ByteWriter writer;
  put_policy(writer, read_policy_content(FileReader(path, FileType::policy)));
  return writer.take();
}

Policy read_policy(const Communicator& comm, const std::filesystem::path& path) {
  const std::string bytes = content_of(comm, Content::policy, path);
  ByteReader reader(bytes);
  return get_policy(reader);
}

} // namespace metasieve
