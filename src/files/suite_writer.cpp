#include "files/suite_writer.hpp"

#include "files/suite_layout.hpp"
#include "hdf5/writer.hpp"
#include "parallel/collective.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <vector>

namespace metasieve {
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
    for (std::size_t p = 0; p < suite_parts.size(); ++p)
      for (std::size_t d = 0; d < suite_data_sets; ++d) {
        const auto pieces = suite_pieces(tasks, suite_parts[p], d);
        const auto value_bytes = static_cast<Index>(d == 0 ? sizeof(float) : sizeof(std::uint8_t));
        Index bytes = 0;
        for (const auto& piece : pieces) bytes += std::ssize(piece);
        file_.append(values_[p][d], bytes / value_bytes, [&](Range rows, std::byte* to) {
          for_each_piece(pieces, {rows.begin * value_bytes, rows.end * value_bytes},
                         [&](std::span<const std::byte> from) {
                           std::memcpy(to, from.data(), from.size());
                           to += from.size();
                         });
        });
      }
  }

  void end() {
    file_.end(std::move(metadata_));
    for (auto& part : values_)
      for (FileWriter::Table& table : part) file_.end(std::move(table));
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
    values_[p][0] = file_.begin(group + "/x", h5::type_of<float>(), sum(values), 0, {x_meaning, ""});
    for (std::size_t l = 0; l < suite_labels.size(); ++l)
      values_[p][l + 1] = file_.begin(group + "/" + suite_labels[l].name, h5::type_of<std::uint8_t>(),
                                      sum(rows), 0, {suite_labels[l].meaning, ""});
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

  FileWriter& file_;
  FileWriter::Table metadata_;
  std::array<std::array<FileWriter::Table, suite_data_sets>, suite_parts.size()> values_;
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

} // namespace

void write_suite(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                 std::span<const TaskShape> shapes, const TaskSupply& supply, Index turn_bytes) {
  if (comm.sum(std::ssize(shapes)) == 0)
    throw AgreedError(ExitCode::data,
                      "cannot write " + path.string() + ": a suite must have at least one task");
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

void write_suite(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                 std::span<const Task> tasks) {
  std::vector<TaskShape> shapes;
  for (const Task& task : tasks)
    shapes.push_back({task.train.rows(), task.test.rows(), task.train.columns()});
  const auto supply = [&](Range turn) {
    return tasks.subspan(static_cast<std::size_t>(turn.begin), static_cast<std::size_t>(turn.size()));
  };
  write_suite(comm, path, provenance, shapes, supply);
}

} // namespace metasieve
