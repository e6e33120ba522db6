#include "base/hash.hpp"
#include "io/agree.hpp"
#include "io/policy_content.hpp"
#include "io/result_records.hpp"
#include "io/results_file.hpp"

#include <cmath>

namespace metasieve {
namespace {

std::uint64_t checksum(const Checkpoint& checkpoint) {
  std::uint64_t hash = hash_bytes(std::as_bytes(std::span(&checkpoint.step, 1)));
  for (const Vector* values : {&checkpoint.policy.theta, &checkpoint.first_moment, &checkpoint.second_moment})
    hash = hash_bytes(*values, hash);
  return hash;
}

Vector read_moment(const FileReader& file, const std::string& name, Index size) {
  if (file.shape(name, 1).front() != size)
    file.fail(name, "has " + std::to_string(file.shape(name, 1).front()) + " values; the policy has " +
                        std::to_string(size) + " parameters");
  const std::vector<double> values = file.values<double>(name, 1);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i])) file.fail(name, "value " + std::to_string(i) + " is not finite");
  return Eigen::Map<const Vector>(values.data(), size);
}

Checkpoint read_content(const FileReader& file) {
  Checkpoint checkpoint;
  checkpoint.policy = read_policy_content(file);
  checkpoint.step = file.integer("step");
  if (checkpoint.step < 0) file.fail("/", "attribute 'step' must be at least 0");
  checkpoint.first_moment = read_moment(file, "/first_moment", checkpoint.policy.theta.size());
  checkpoint.second_moment = read_moment(file, "/second_moment", checkpoint.policy.theta.size());
  checkpoint.history = file.records("/history", history_records());
  checkpoint.validation = file.records("/validation", validation_records());
  if (file.unsigned_integer("checksum") != checksum(checkpoint))
    file.fail("/", "attribute 'checksum' does not fit the contents: damaged; resume from another checkpoint");
  return checkpoint;
}

std::span<const double> mine(const Communicator& comm, const Vector& values) {
  return {values.data(), static_cast<std::size_t>(comm.is_root() ? values.size() : 0)};
}

template <class T>
std::span<const T> mine(const Communicator& comm, const std::vector<T>& values) {
  return std::span(values).first(comm.is_root() ? values.size() : 0);
}

} // namespace

void write_checkpoint(const Communicator& comm, const std::filesystem::path& path,
                      const Provenance& provenance, const Checkpoint& checkpoint) {
  const Policy policy = broadcast_policy(comm, checkpoint.policy);
  const std::string bytes =
      comm.broadcast(ByteWriter().put(checkpoint.step).put(checksum(checkpoint)).take());
  ByteReader reader(bytes);
  const auto step = reader.get<std::int64_t>();
  const auto sum = reader.get<std::uint64_t>();
  write_file(comm, path, FileType::checkpoint, provenance, [&](FileWriter& file) {
    write_policy_content(file, policy);
    file.attribute("step", step);
    file.attribute("checksum", sum);
    file.write("/first_moment", mine(comm, checkpoint.first_moment), {"Adam's mean of gradients", ""});
    file.write("/second_moment", mine(comm, checkpoint.second_moment),
               {"Adam's mean of squared gradients", ""});
    file.write("/history", history_records(), mine(comm, checkpoint.history), {"as in a results file", ""});
    file.write("/validation", validation_records(), mine(comm, checkpoint.validation),
               {"as in a results file", ""});
  });
}

Checkpoint read_checkpoint(const Communicator& comm, const std::filesystem::path& path) {
  const std::string bytes = from_root(comm, [&] {
    const Checkpoint checkpoint = read_content(FileReader(path, FileType::checkpoint));
    ByteWriter writer;
    put_policy(writer, checkpoint.policy);
    return writer.put(checkpoint.first_moment)
        .put(checkpoint.second_moment)
        .put(checkpoint.step)
        .put(history_records().pack(checkpoint.history))
        .put(validation_records().pack(checkpoint.validation))
        .take();
  });
  ByteReader reader(bytes);
  Checkpoint checkpoint;
  checkpoint.policy = get_policy(reader);
  checkpoint.first_moment = reader.array<Vector>();
  checkpoint.second_moment = reader.array<Vector>();
  checkpoint.step = reader.get<std::int64_t>();
  checkpoint.history = history_records().unpack(reader.text());
  checkpoint.validation = validation_records().unpack(reader.text());
  return checkpoint;
}

} // namespace metasieve
