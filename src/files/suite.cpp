#include "files/suite.hpp"

#include "files/file_layout.hpp"
#include "parallel/collective.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>

namespace metasieve {
namespace {

constexpr std::int64_t block_bytes = std::int64_t{4} << 20; // read at once: stays in the cache
constexpr std::int64_t blocks_ahead = 4;                    // that the system is asked for in advance
constexpr std::int64_t begun_bytes = std::int64_t{8} << 20; // read from disk while the structure is checked

/// Tasks with room for their rows.
std::vector<Task> empty_tasks(std::span<const Metadata> metadata) {
  std::vector<Task> tasks;
  for (const Metadata& each : metadata) {
    Task& task = tasks.emplace_back();
    task.id = TaskId{each.task_id};
    task.metadata = each;
    for (const SuitePart& part : suite_parts) {
      Split& split = task.*part.split;
      const Index rows = shape_of(each).*part.rows;
      split.groups = each.groups;
      split.x.resize(rows, each.n_features);
      for (Labels* labels : {&split.y, &split.group, &split.y_clean}) labels->resize(rows);
    }
  }
  return tasks;
}

bool are_sound(std::span<const float> values) {
  // Exponent all ones: NaN or infinite. Without a branch, for compilers to make it a loop over vectors.
  std::uint32_t bad = 0;
  for (const float value : values) bad += (std::bit_cast<std::uint32_t>(value) & 0x7f800000U) == 0x7f800000U;
  return bad == 0;
}

std::uint8_t largest(std::span<const std::uint8_t> values) {
  std::uint8_t most = 0;
  for (const std::uint8_t value : values) most = std::max(most, value);
  return most;
}

/// @throws DataError naming file, data set and task
void check_values(const std::string& path, const SuitePart& part, const Task& task) {
  const Split& split = task.*part.split;
  const auto refuse = [&](const std::string& name, const std::string& problem) {
    throw DataError(path + ": " + part.path(name) + ": task " + std::to_string(task.metadata.task_id) + ", " +
                    problem);
  };
  if (!are_sound(std::span(split.x.data(), static_cast<std::size_t>(split.x.size()))))
    for (Index i = 0; i < split.x.size(); ++i)
      if (!std::isfinite(split.x.data()[i]))
        refuse("x", "value " + std::to_string(i) +
                        (std::isnan(split.x.data()[i]) ? " is NaN" : " is infinite") +
                        "; features must be finite");
  for (const SuiteArray& array : suite_arrays) {
    if (array.is_features()) continue;
    const Labels& values = split.*array.labels;
    const Index below = array.labels == &Split::group ? split.groups : 2;
    if (largest(std::span(values.data(), static_cast<std::size_t>(values.size()))) < below) continue;
    for (Index i = 0; i < split.rows(); ++i)
      if (values(i) >= below)
        refuse(array.name,
               "row " + std::to_string(i) + " is " + std::to_string(values(i)) + "; must be " +
                   (below == 2 ? "0 or 1" : "less than the number of groups, " + std::to_string(below)));
  }
}

/// Reads the values that begin at `place` into the pieces, one after the other.
void read_pieces(const RawFile& file, const std::filesystem::path& path, std::int64_t place,
                 const std::vector<std::span<std::byte>>& pieces) {
  Index size = 0;
  for (const std::span<std::byte> piece : pieces) size += std::ssize(piece);
  const auto read = [&](std::int64_t offset, std::span<std::byte> to) {
    if (file.read(place + offset, to) != to.size())
      throw DataError(path.string() + ": ends before its values do; generate it again");
  };
  if (pieces.size() == 1) return read(0, pieces.front());
  std::vector<std::byte> block(static_cast<std::size_t>(std::min(block_bytes, size)));
  for (Index begin = 0; begin < size; begin += block_bytes) {
    file.read_ahead(place + begin + blocks_ahead * block_bytes, block_bytes);
    const Range range{begin, std::min(begin + block_bytes, size)};
    read(begin, std::span(block).first(static_cast<std::size_t>(range.size())));
    const std::byte* from = block.data();
    for_each_piece(pieces, range, [&](std::span<std::byte> to) {
      std::memcpy(to.data(), from, to.size());
      from += to.size();
    });
  }
}

/// Collective: has the file checked, then reads its head.
SuiteHead read_head(const Communicator& comm, const std::filesystem::path& path) {
  std::error_code error;
  if (comm.is_root() && std::filesystem::is_regular_file(path, error)) try {
      RawFile::open(path).read_ahead(0, begun_bytes); // while another process looks at the structure
    } catch (const DataError&) {                      // which says why
    }
  check_together(comm, path, FileType::suite);
  SuiteHead head;
  run_collectively_on_file(comm, [&] { head = read_suite_head(FileReader(path, FileType::suite)); });
  return head;
}

/// Refuses a task that would make a suite that no reader takes, or is not the one of this shape and id.
void check_task(const Task& task, const TaskShape& shape, std::uint64_t id) {
  const Metadata& metadata = task.metadata;
  const auto require = [&](bool sound, const std::string& problem) {
    if (!sound) throw DataError("task " + std::to_string(metadata.task_id) + ": " + problem);
  };
  require(metadata.family.size() <= 31, "family name '" + metadata.family + "' is longer than 31 characters");
  for (const SuitePart& part : suite_parts) {
    const Split& split = task.*part.split;
    const Index rows = split.rows(), columns = split.columns();
    require(rows == shape.*part.rows && columns == shape.columns, "has another shape than was announced");
    require(rows > 0 && rows == shape_of(metadata).*part.rows, "rows differ from metadata");
    require(columns > 0 && columns == metadata.n_features, "columns differ from metadata");
    require(split.groups == metadata.groups, "groups differ from metadata");
    for (const SuiteArray& array : suite_arrays)
      require(array.is_features() || (split.*array.labels).size() == rows,
              std::string(array.name) + " must have one value a row");
  }
  require(static_cast<std::uint64_t>(task.id) == metadata.task_id, "id differs from metadata.task_id");
  require(metadata.task_id == id,
          "ids must be consecutive over the ranks; this must be " + std::to_string(id));
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

std::int64_t sum(const std::vector<std::int64_t>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
}

/// The data sets of a suite file while it is written.
class SuiteTables {
public:
  SuiteTables(FileWriter& file, std::span<const TaskShape> shapes) : file_(file) {
    metadata_ = file.begin("/metadata", metadata_records().type().get(), std::ssize(shapes), 0,
                           {"one record a task, in id order; a rate of an empty group is NaN"});
    for (std::size_t p = 0; p < suite_parts.size(); ++p) begin_part(p, shapes);
  }

  /// The next tasks of this rank.
  void append(std::span<const Task> tasks) {
    file_.append(metadata_, std::ssize(tasks), [&](Range rows, std::byte* to) {
      for (Index i = rows.begin; i < rows.end; ++i, to += metadata_records().size())
        metadata_records().store(tasks[static_cast<std::size_t>(i)].metadata, to);
    });
    for (std::size_t p = 0; p < suite_parts.size(); ++p)
      for (std::size_t a = 0; a < suite_arrays.size(); ++a) {
        const auto pieces = suite_pieces(tasks, suite_parts[p], suite_arrays[a]);
        const Index value_bytes = suite_arrays[a].value_bytes();
        Index bytes = 0;
        for (const auto& piece : pieces) bytes += std::ssize(piece);
        file_.append(arrays_[p][a], bytes / value_bytes, [&](Range rows, std::byte* to) {
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
    for (auto& part : arrays_)
      for (FileWriter::Table& table : part) file_.end(std::move(table));
  }

private:
  void begin_part(std::size_t p, std::span<const TaskShape> shapes) {
    const SuitePart& part = suite_parts[p];
    file_.group(part.name);
    const auto sizes_in = [&](const SuiteArray& array) {
      std::vector<std::int64_t> sizes;
      for (const TaskShape& shape : shapes) sizes.push_back(part.values(array, shape));
      return sizes;
    };
    for (std::size_t a = 0; a < suite_arrays.size(); ++a) {
      const SuiteArray& array = suite_arrays[a];
      const hid_t type = array.is_features() ? h5::type_of<float>() : h5::type_of<std::uint8_t>();
      arrays_[p][a] = file_.begin(part.path(array.name), type, sum(sizes_in(array)), 0, {array.meaning, ""});
    }
    write_offsets(part.path("row_offset"), sizes_in(suite_arrays[1]),
                  {"task t has rows row_offset[t] to row_offset[t+1]", "rows"});
    write_offsets(part.path("x_offset"), sizes_in(suite_arrays[0]),
                  {"task t has values x_offset[t] to x_offset[t+1] of x", "values"});
  }

  /// Offsets of this rank's tasks in the whole file; the last rank adds the total.
  void write_offsets(const std::string& name, const std::vector<std::int64_t>& sizes,
                     const Meaning& meaning) {
    const Communicator& comm = file_.communicator();
    auto at = static_cast<std::uint64_t>(comm.exclusive_sum(sum(sizes)));
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
  std::array<std::array<FileWriter::Table, suite_arrays.size()>, suite_parts.size()> arrays_;
};

} // namespace

SuiteReader::SuiteReader(const Communicator& comm, const std::filesystem::path& path)
    : comm_(&comm), path_(path), head_(read_head(comm, path)) {
  run_collectively_on_file(comm, [&] { file_.emplace(RawFile::open(path)); });
}

std::vector<Task> SuiteReader::read_range(Range range) const {
  const auto begin = static_cast<std::size_t>(range.begin), end = static_cast<std::size_t>(range.end);
  std::vector<Task> tasks =
      empty_tasks(std::span<const Metadata>(head_.metadata).subspan(begin, end - begin));
  const auto for_each_array = [&](const auto& use) {
    for (std::size_t p = 0; p < suite_parts.size(); ++p)
      for (std::size_t a = 0; a < suite_arrays.size(); ++a) {
        const SuiteArray& array = suite_arrays[a];
        const SuitePlaces& places = head_.parts[p];
        const std::vector<Index>& offset = array.is_features() ? places.x_offset : places.row_offset;
        const std::int64_t place = places.begin[a] + offset[begin] * array.value_bytes();
        use(suite_parts[p], array, place, (offset[end] - offset[begin]) * array.value_bytes());
      }
  };
  for_each_array([&](const SuitePart&, const SuiteArray& array, std::int64_t place, std::int64_t bytes) {
    // Labels are small: their reading waits for the disk alone.
    if (tasks.size() > 1 && !array.is_features()) file_->read_ahead(place, bytes);
  });
  for_each_array([&](const SuitePart& part, const SuiteArray& array, std::int64_t place, std::int64_t) {
    read_pieces(*file_, path_, place, suite_pieces(tasks, part, array));
  });
  for (const Task& task : tasks)
    for (const SuitePart& part : suite_parts) check_values(path_.string(), part, task);
  return tasks;
}

std::vector<Task> SuiteReader::read(Range range) const {
  std::vector<Task> tasks;
  run_collectively_on_file(*comm_, [&] {
    if (range.begin < 0 || range.end < range.begin || range.end > task_count())
      throw DataError(path_.string() + ": tasks " + std::to_string(range.begin) + " to " +
                      std::to_string(range.end) + " asked for; it has " + std::to_string(task_count()));
    tasks = read_range(range);
  });
  return tasks;
}

Task SuiteReader::read_alone(Index task) const {
  std::vector<Task> tasks = read_range({task, task + 1});
  return std::move(tasks.front());
}

void write_suite(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                 std::span<const TaskShape> shapes, const TaskSupply& supply, Index turn_bytes) {
  if (comm.sum(std::ssize(shapes)) == 0)
    throw CollectiveError(ExitCode::data,
                          "cannot write " + path.string() + ": a suite must have at least one task");
  const std::int64_t first = comm.exclusive_sum(std::ssize(shapes));
  std::vector<Range> turns = turns_of(shapes, turn_bytes);
  turns.resize(static_cast<std::size_t>(comm.max(std::ssize(turns))),
               {std::ssize(shapes), std::ssize(shapes)}); // no more tasks, but all take part in each turn
  std::uint64_t first_id = 0;                             // of the file
  write_file(comm, path, FileType::suite, provenance, [&](FileWriter& file) {
    SuiteTables tables(file, shapes);
    for (std::size_t t = 0; t < turns.size(); ++t) {
      const auto begin = static_cast<std::size_t>(turns[t].begin),
                 count = static_cast<std::size_t>(turns[t].size());
      const std::span<const Task> tasks = supply(turns[t]);
      // In the first turn the rank of the file's first task makes its id known.
      if (t == 0) first_id = comm.wrapping_sum(first == 0 && !tasks.empty() ? tasks[0].metadata.task_id : 0);
      run_collectively_on_file(comm, [&] {
        try {
          if (tasks.size() != count) throw DataError("tasks and shapes must be as many");
          for (std::size_t i = 0; i < count; ++i)
            check_task(tasks[i], shapes[begin + i], first_id + static_cast<std::uint64_t>(first) + begin + i);
        } catch (const DataError& error) {
          throw DataError("cannot write " + path.string() + ": " + error.what());
        }
      });
      tables.append(tasks);
    }
    tables.end();
  });
}

} // namespace metasieve
