#include "files/suite_writer.hpp"

#include "files/suite.hpp"
#include "files/suite_layout.hpp"
#include "hdf5/collective_reader.hpp"
#include "hdf5/writer.hpp"
#include "parallel/collective.hpp"

#include <algorithm>
#include <array>
#include <numeric>

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

namespace {

void check_task(const Task& task) {
  const Metadata& metadata = task.metadata;
  const auto refuse = [&](const std::string& problem) {
    throw DataError("task " + std::to_string(metadata.task_id) + ": " + problem);
  };
  if (metadata.family.size() > 31)
    refuse("family name '" + metadata.family + "' is longer than 31 characters");
  if (static_cast<std::uint64_t>(task.id) != metadata.task_id) refuse("id differs from metadata.task_id");
  for (const SuitePart& part : suite_parts) {
    const Split& split = task.*part.split;
    if (split.rows() < 1 || split.rows() != metadata.*part.rows) refuse("rows differ from metadata");
    if (split.columns() < 1 || split.columns() != metadata.n_features) refuse("columns differ from metadata");
    for (const SuiteLabels& labels : suite_labels)
      if ((split.*labels.labels).size() != split.rows())
        refuse(std::string(labels.name) + " must have one value a row");
  }
}

/// The rank's tasks in turns, each as long as its rows fit into `turn_bytes`; at least one task a turn.
std::vector<Range> turns_of(std::span<const TaskShape> shapes, Index turn_bytes) {
  std::vector<Range> turns;
  Index bytes = 0;
  for (Index i = 0; i < std::ssize(shapes); ++i) {
    const TaskShape& shape = shapes[static_cast<std::size_t>(i)];
    const Index more = (shape.train_rows + shape.test_rows) * (4 * shape.columns + 3);
    if (turns.empty() || bytes + more > turn_bytes) {
      turns.push_back({i, i});
      bytes = 0;
    }
    turns.back().end = i + 1;
    bytes += more;
  }
  return turns;
}

Index rows_of(const SuitePart& part, const TaskShape& shape) {
  return part.split == &Task::train ? shape.train_rows : shape.test_rows;
}

/// The data sets of a suite file while it is written.
class SuiteTables {
public:
  SuiteTables(FileWriter& file, std::span<const TaskShape> shapes) : file_(file) {
    metadata_ = file.begin("/metadata", metadata_records().type().get(), std::ssize(shapes), 0,
                           {metadata_meaning, ""});
    for (std::size_t p = 0; p < suite_parts.size(); ++p) begin_part(p, shapes);
  }

  /// The next tasks of this rank.
  void append(std::span<const Task> tasks) {
    file_.append(metadata_, std::ssize(tasks), [&](Range rows, std::byte* to) {
      for (Index i = rows.begin; i < rows.end; ++i, to += metadata_records().size())
        metadata_records().store(tasks[static_cast<std::size_t>(i)].metadata, to);
    });
    for (std::size_t p = 0; p < suite_parts.size(); ++p) {
      const auto part = suite_parts[p].split;
      append_values<float>(x_[p], tasks, [&](const Task& task) -> const MatrixF& { return (task.*part).x; });
      for (std::size_t l = 0; l < suite_labels.size(); ++l)
        append_values<std::uint8_t>(labels_[p][l], tasks, [&](const Task& task) -> const Labels& {
          return task.*part.*suite_labels[l].labels;
        });
    }
  }

  void end() {
    file_.end(std::move(metadata_));
    for (std::size_t p = 0; p < suite_parts.size(); ++p) {
      file_.end(std::move(x_[p]));
      for (FileWriter::Table& labels : labels_[p]) file_.end(std::move(labels));
    }
  }

private:
  void begin_part(std::size_t p, std::span<const TaskShape> shapes) {
    const SuitePart& part = suite_parts[p];
    const std::string group = part.name;
    file_.group(group);
    std::vector<std::int64_t> rows, values;
    for (const TaskShape& shape : shapes) {
      rows.push_back(rows_of(part, shape));
      values.push_back(rows.back() * shape.columns);
    }
    const auto sum = [](const std::vector<std::int64_t>& sizes) {
      return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
    };
    x_[p] = file_.begin(group + "/x", h5::type_of<float>(), sum(values), 0, {x_meaning, ""});
    for (std::size_t l = 0; l < suite_labels.size(); ++l)
      labels_[p][l] = file_.begin(group + "/" + suite_labels[l].name, h5::type_of<std::uint8_t>(), sum(rows),
                                  0, {suite_labels[l].meaning, ""});
    write_offsets(group + "/row_offset", rows, {row_offset_meaning, "rows"});
    write_offsets(group + "/x_offset", values, {x_offset_meaning, "values"});
  }

  /// Offsets of this rank's tasks in the whole file; the last rank adds the total.
  void write_offsets(const std::string& name, const std::vector<std::int64_t>& sizes,
                     const Meaning& meaning) {
    const Communicator& comm = file_.communicator();
    auto at = static_cast<std::uint64_t>(
        comm.exclusive_sum(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0})));
    std::vector<std::uint64_t> offsets;
    for (const std::int64_t size : sizes) {
      offsets.push_back(at);
      at += static_cast<std::uint64_t>(size);
    }
    if (comm.rank() == comm.size() - 1) offsets.push_back(at);
    file_.write(name, std::span<const std::uint64_t>(offsets), meaning);
  }

  template <class T>
  void append_values(FileWriter::Table& table, std::span<const Task> tasks, const auto& values_of) {
    SpanSequence<const T> pieces;
    for (const Task& task : tasks) {
      const auto& values = values_of(task);
      pieces.add({values.data(), static_cast<std::size_t>(values.size())});
    }
    file_.append(table, pieces.size(), [&](Range range, std::byte* to) { pieces.copy_to(range, to); });
  }

  FileWriter& file_;
  FileWriter::Table metadata_;
  std::array<FileWriter::Table, suite_parts.size()> x_;
  std::array<std::array<FileWriter::Table, suite_labels.size()>, suite_parts.size()> labels_;
};

/// The name of a suite until it is packed; what is there goes at the end.
class PlainSuite {
public:
  PlainSuite(const Communicator& comm, const std::filesystem::path& path)
      : comm_(comm), path_(path.string() + ".plain") {}
  ~PlainSuite() {
    std::error_code ignored;
    if (comm_.is_root()) std::filesystem::remove(path_, ignored);
  }
  PlainSuite(const PlainSuite&) = delete;
  PlainSuite& operator=(const PlainSuite&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
  const Communicator& comm_;
  std::filesystem::path path_;
};

/// Collective: refuses what would make a suite that no reader takes. `first`: place in the file of tasks[0].
class TaskChecks {
public:
  TaskChecks(const Communicator& comm, const std::filesystem::path& path) : comm_(comm), path_(path) {}

  void check(std::span<const Task> tasks, std::span<const TaskShape> shapes, std::int64_t first) {
    if (!knows_first_) { // the first turn: the rank of the first task tells its id
      const bool has_first = !tasks.empty() && first == 0;
      first_id_ = comm_.wrapping_sum(has_first ? tasks[0].metadata.task_id : 0);
      knows_first_ = true;
    }
    agree_on_file(comm_, [&] {
      try {
        if (tasks.size() != shapes.size()) throw DataError("tasks and shapes must be as many");
        for (std::size_t i = 0; i < tasks.size(); ++i)
          check_place(tasks[i], shapes[i], first + std::int64_t(i));
      } catch (const DataError& error) {
        throw DataError("cannot write " + path_.string() + ": " + error.what());
      }
    });
  }

private:
  void check_place(const Task& task, const TaskShape& shape, std::int64_t place) const {
    check_task(task);
    if (task.train.rows() != shape.train_rows || task.test.rows() != shape.test_rows ||
        task.train.columns() != shape.columns)
      throw DataError("task " + std::to_string(task.metadata.task_id) +
                      ": has another shape than was announced");
    // Ids must go on from rank to rank without a gap.
    if (task.metadata.task_id != first_id_ + static_cast<std::uint64_t>(place))
      throw DataError("task ids must be consecutive over the ranks, but " +
                      std::to_string(task.metadata.task_id) + " is at place " + std::to_string(place));
  }

  const Communicator& comm_;
  std::filesystem::path path_;
  bool knows_first_ = false;
  std::uint64_t first_id_ = 0;
};

void write_plain(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                 std::span<const TaskShape> shapes, const TaskSupply& supply, Index turn_bytes) {
  const std::int64_t first = comm.exclusive_sum(std::ssize(shapes));
  std::vector<Range> turns = turns_of(shapes, turn_bytes);
  turns.resize(static_cast<std::size_t>(comm.max(std::ssize(turns))),
               {std::ssize(shapes), std::ssize(shapes)}); // no more tasks, but all take part in each turn
  TaskChecks checks(comm, path);
  write_file(comm, path, FileType::suite, provenance, [&](FileWriter& file) {
    SuiteTables tables(file, shapes);
    for (const Range& turn : turns) {
      const std::span<const Task> tasks = supply(turn);
      checks.check(
          tasks, shapes.subspan(static_cast<std::size_t>(turn.begin), static_cast<std::size_t>(turn.size())),
          first + turn.begin);
      tables.append(tasks);
    }
    tables.end();
  });
}

} // namespace

void write_suite(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                 std::span<const TaskShape> shapes, const TaskSupply& supply, Index turn_bytes,
                 Compression compression) {
  if (comm.sum(std::ssize(shapes)) == 0)
    throw AgreedError(ExitCode::data,
                      "cannot write " + path.string() + ": a suite must have at least one task");
  if (compression == Compression::none)
    return write_plain(comm, path, provenance, shapes, supply, turn_bytes);
  const PlainSuite plain(comm, path);
  write_plain(comm, plain.path(), provenance, shapes, supply, turn_bytes);
  pack_suite(comm, plain.path(), path, compression);
}

void write_suite(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                 std::span<const Task> tasks, Compression compression) {
  std::vector<TaskShape> shapes;
  for (const Task& task : tasks)
    shapes.push_back({task.train.rows(), task.test.rows(), task.train.columns()});
  const auto supply = [&](Range turn) {
    return tasks.subspan(static_cast<std::size_t>(turn.begin), static_cast<std::size_t>(turn.size()));
  };
  write_suite(comm, path, provenance, shapes, supply, suite_turn_bytes, compression);
}

} // namespace metasieve
