#include "io/suite_packing.hpp"

#include "io/agree.hpp"
#include "io/collective_file.hpp"
#include "io/file_writer.hpp"
#include "io/suite_layout.hpp"
#include "io/task_records.hpp"

namespace metasieve {
namespace {

/// Copies data sets from one file to the other.
class Packer {
public:
  Packer(const Communicator& comm, CollectiveFile& from, FileWriter& to)
      : comm_(comm), from_(from), to_(to) {}

  /// All `rows` of a one-dimensional data set. In each round the ranks take the next chunks, in their order.
  void copy(const std::string& name, hid_t type, Index rows, const Meaning& meaning, Storage storage) {
    const auto row_bytes = static_cast<Index>(H5Tget_size(type));
    const Index block = transfer_bytes / chunk_bytes * (chunk_bytes / row_bytes); // whole chunks
    const Index rounds = (rows + block * comm_.size() - 1) / (block * comm_.size());
    const auto mine_of = [&](Index round) {
      const Index begin = (round * comm_.size() + comm_.rank()) * block;
      return Range{std::min(begin, rows), std::min(begin + block, rows)};
    };
    Index mine = 0;
    for (Index round = 0; round < rounds; ++round) mine += mine_of(round).size();
    FileWriter::Table table = to_.begin(name, type, mine, 0, meaning, storage);
    for (Index round = 0; round < rounds; ++round) {
      std::vector<std::byte> bytes;
      from_.read(name, type, mine_of(round), [&](Range, const std::byte* values) {
        bytes.assign(values, values + mine_of(round).size() * row_bytes);
      });
      to_.write_rows(table, mine_of(round), bytes);
    }
    to_.end(std::move(table));
  }

private:
  const Communicator& comm_;
  CollectiveFile& from_;
  FileWriter& to_;
};

} // namespace

void pack_suite(const Communicator& comm, const std::filesystem::path& plain,
                const std::filesystem::path& path, Compression compression) {
  const SuiteReader suite(comm, plain);
  const auto bytes = static_cast<std::uint64_t>(comm.max(
      static_cast<std::int64_t>(std::filesystem::file_size(plain)))); // one node may still see an older size
  const Storage of_x = compression == Compression::all ? Storage::packed : Storage::plain;
  read_together(comm, plain, [&](CollectiveFile& from) {
    write_file(comm, path, FileType::suite, {suite.config()}, [&](FileWriter& to) {
      to.reserve(bytes);
      Packer packer(comm, from, to);
      packer.copy("/metadata", metadata_records().type().get(), suite.task_count(), {metadata_meaning, ""},
                  Storage::plain);
      for (const SuitePart& part : suite_parts) {
        const std::string group = part.name;
        to.group(group);
        Index rows = 0, values = 0;
        for (const Metadata& task : suite.metadata()) {
          rows += task.*part.rows;
          values += task.*part.rows * task.n_features;
        }
        packer.copy(group + "/x", h5::type_of<float>(), values, {x_meaning, ""}, of_x);
        for (const SuiteLabels& labels : suite_labels)
          packer.copy(group + "/" + labels.name, h5::type_of<std::uint8_t>(), rows, {labels.meaning, ""},
                      Storage::packed);
        const Index offsets = suite.task_count() + 1;
        packer.copy(group + "/row_offset", h5::type_of<std::uint64_t>(), offsets,
                    {row_offset_meaning, "rows"}, Storage::plain);
        packer.copy(group + "/x_offset", h5::type_of<std::uint64_t>(), offsets, {x_offset_meaning, "values"},
                    Storage::plain);
      }
    });
  });
}

} // namespace metasieve
