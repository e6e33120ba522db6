#include "io/suite_file.hpp"

#include "io/agree.hpp"
#include "io/bytes.hpp"
#include "io/collective_file.hpp"
#include "io/contents.hpp"
#include "io/file_writer.hpp"
#include "io/pieces.hpp"
#include "io/suite_layout.hpp"
#include "io/task_records.hpp"

#include <cmath>

namespace metasieve {
namespace {

// ------------------------------------------------------------------------------------------------ writing

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

/// Ids must go on from rank to rank without a gap.
void check_ids(std::span<const Task> tasks, std::int64_t first, std::uint64_t first_id) {
  for (std::size_t i = 0; i < tasks.size(); ++i)
    if (tasks[i].metadata.task_id != first_id + static_cast<std::uint64_t>(first) + i)
      throw DataError("task ids must be consecutive over the ranks, but " +
                      std::to_string(tasks[i].metadata.task_id) + " is at place " +
                      std::to_string(static_cast<std::size_t>(first) + i));
}

void check_tasks(const Communicator& comm, const std::filesystem::path& path, std::span<const Task> tasks) {
  const std::int64_t first = comm.exclusive_sum(std::ssize(tasks));
  const std::int64_t total = comm.sum(std::ssize(tasks));
  const bool has_first = !tasks.empty() && first == 0;
  const auto first_id = static_cast<std::uint64_t>(
      comm.sum(has_first ? static_cast<std::int64_t>(tasks[0].metadata.task_id) : 0));
  agree_on_file(comm, [&] {
    try {
      if (total == 0) throw DataError("a suite must have at least one task");
      for (const Task& task : tasks) check_task(task);
      check_ids(tasks, first, first_id);
    } catch (const DataError& error) {
      throw DataError("cannot write " + path.string() + ": " + error.what());
    }
  });
}

template <class T>
void write_pieces(FileWriter& file, const std::string& name, const Pieces<T>& pieces,
                  const Meaning& meaning) {
  const auto source = [&](Range range, std::byte* to) { pieces.copy_to(range, to); };
  file.write(name, h5::type_of<std::remove_const_t<T>>(), pieces.size(), 0, source, meaning);
}

/// Offsets of this rank's tasks in the whole file; the last rank adds the total.
void write_offsets(FileWriter& file, const std::string& name, const std::vector<std::int64_t>& sizes,
                   const Meaning& meaning) {
  const Communicator& comm = file.communicator();
  std::int64_t mine = 0;
  for (const std::int64_t size : sizes) mine += size;
  std::uint64_t at = static_cast<std::uint64_t>(comm.exclusive_sum(mine));
  std::vector<std::uint64_t> offsets;
  for (const std::int64_t size : sizes) {
    offsets.push_back(at);
    at += static_cast<std::uint64_t>(size);
  }
  if (comm.rank() == comm.size() - 1) offsets.push_back(at);
  file.write(name, std::span<const std::uint64_t>(offsets), meaning);
}

void write_part(FileWriter& file, const SuitePart& part, std::span<const Task> tasks) {
  const std::string group = part.name;
  file.group(group);
  Pieces<const float> x;
  std::vector<std::int64_t> rows, values;
  for (const Task& task : tasks) {
    const Split& split = task.*part.split;
    x.add({split.x.data(), static_cast<std::size_t>(split.x.size())});
    rows.push_back(split.rows());
    values.push_back(split.x.size());
  }
  write_pieces(
      file, group + "/x", x,
      {"features, row-major [n, d] of one task after the other; standardised on the training rows", ""});
  for (const SuiteLabels& labels : suite_labels) {
    Pieces<const std::uint8_t> pieces;
    for (const Task& task : tasks) {
      const Labels& each = task.*part.split.*labels.labels;
      pieces.add({each.data(), static_cast<std::size_t>(each.size())});
    }
    write_pieces(file, group + "/" + labels.name, pieces, {labels.meaning, ""});
  }
  write_offsets(file, group + "/row_offset", rows,
                {"task t has rows row_offset[t] to row_offset[t+1]", "rows"});
  write_offsets(file, group + "/x_offset", values,
                {"task t has values x_offset[t] to x_offset[t+1] of x", "values"});
}

// ------------------------------------------------------------------------------------------------ reading

/// Tasks with room for their rows.
std::vector<Task> empty_tasks(std::span<const Metadata> metadata) {
  std::vector<Task> tasks;
  for (const Metadata& each : metadata) {
    Task& task = tasks.emplace_back();
    task.id = TaskId{each.task_id};
    task.metadata = each;
    for (const SuitePart& part : suite_parts) {
      Split& split = task.*part.split;
      split.x.resize(each.*part.rows, each.n_features);
      for (const SuiteLabels& labels : suite_labels) (split.*labels.labels).resize(each.*part.rows);
    }
  }
  return tasks;
}

template <class T>
void read_pieces(CollectiveFile& file, const std::string& name, Index first, const Pieces<T>& pieces) {
  file.read(name, h5::type_of<T>(), {first, first + pieces.size()}, [&](Range range, const std::byte* from) {
    pieces.copy_from({range.begin - first, range.end - first}, from);
  });
}

/// @throws DataError naming file, data set and task
void check_values(const std::string& path, const SuitePart& part, const Task& task) {
  const Split& split = task.*part.split;
  const auto refuse = [&](const std::string& name, const std::string& problem) {
    throw DataError(path + ": " + part.name + "/" + name + ": task " + std::to_string(task.metadata.task_id) +
                    ", " + problem);
  };
  for (Index i = 0; i < split.x.size(); ++i)
    if (!std::isfinite(split.x.data()[i]))
      refuse("x", "value " + std::to_string(i) +
                      (std::isnan(split.x.data()[i]) ? " is NaN" : " is infinite") +
                      "; features must be finite");
  for (const SuiteLabels& labels : suite_labels)
    for (Index i = 0; i < split.rows(); ++i)
      if ((split.*labels.labels)(i) > 1)
        refuse(labels.name, "row " + std::to_string(i) + " is " + std::to_string((split.*labels.labels)(i)) +
                                "; must be 0 or 1");
}

void read_part(CollectiveFile& file, const SuitePart& part, std::span<const Metadata> before,
               std::vector<Task>& tasks) {
  const std::string group = part.name;
  Index first_row = 0, first_value = 0;
  for (const Metadata& each : before) {
    first_row += each.*part.rows;
    first_value += each.*part.rows * each.n_features;
  }
  Pieces<float> x;
  for (Task& task : tasks) {
    Split& split = task.*part.split;
    x.add({split.x.data(), static_cast<std::size_t>(split.x.size())});
  }
  read_pieces(file, group + "/x", first_value, x);
  for (const SuiteLabels& labels : suite_labels) {
    Pieces<std::uint8_t> pieces;
    for (Task& task : tasks) {
      Labels& each = task.*part.split.*labels.labels;
      pieces.add({each.data(), static_cast<std::size_t>(each.size())});
    }
    read_pieces(file, group + "/" + labels.name, first_row, pieces);
  }
}

} // namespace

void write_suite(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                 std::span<const Task> tasks) {
  check_tasks(comm, path, tasks);
  write_file(comm, path, FileType::suite, provenance, [&](FileWriter& file) {
    std::vector<Metadata> metadata;
    for (const Task& task : tasks) metadata.push_back(task.metadata);
    file.write("/metadata", metadata_records(), std::span<const Metadata>(metadata),
               {"one record a task, in id order; a rate of an empty group is NaN", ""});
    for (const SuitePart& part : suite_parts) write_part(file, part, tasks);
  });
}

struct SuiteReader::State {
  const Communicator* comm;
  std::filesystem::path path;
  std::vector<Metadata> metadata;
  std::string config;
};

std::string suite_content(const std::filesystem::path& path) {
  const FileReader file(path, FileType::suite);
  return ByteWriter()
      .put(metadata_records().pack(checked_suite(file)))
      .put(file.text_if_any("config"))
      .take();
}

SuiteReader::SuiteReader(const Communicator& comm, const std::filesystem::path& path)
    : state_(std::make_unique<State>(State{&comm, path, {}, {}})) {
  const std::string bytes = content_of(comm, Content::suite, path);
  comm.agree([&] {
    ByteReader reader(bytes);
    state_->metadata = metadata_records().unpack(reader.text());
    state_->config = reader.text();
  });
}

SuiteReader::~SuiteReader() = default;
SuiteReader::SuiteReader(SuiteReader&&) noexcept = default;
SuiteReader& SuiteReader::operator=(SuiteReader&&) noexcept = default;

Index SuiteReader::task_count() const noexcept { return std::ssize(state_->metadata); }
const std::vector<Metadata>& SuiteReader::metadata() const noexcept { return state_->metadata; }
const std::string& SuiteReader::config() const noexcept { return state_->config; }

std::vector<Task> SuiteReader::read(Range range) const {
  const std::span<const Metadata> all = state_->metadata;
  std::vector<Task> tasks;
  agree_on_file(*state_->comm, [&] {
    if (range.begin < 0 || range.end < range.begin || range.end > std::ssize(all))
      throw DataError(state_->path.string() + ": tasks " + std::to_string(range.begin) + " to " +
                      std::to_string(range.end) + " asked for; it has " + std::to_string(all.size()));
    tasks = empty_tasks(
        all.subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.size())));
  });
  read_together(*state_->comm, state_->path, [&](CollectiveFile& file) {
    for (const SuitePart& part : suite_parts)
      read_part(file, part, all.first(static_cast<std::size_t>(range.begin)), tasks);
  });
  agree_on_file(*state_->comm, [&] {
    for (const Task& task : tasks)
      for (const SuitePart& part : suite_parts) check_values(state_->path.string(), part, task);
  });
  return tasks;
}

} // namespace metasieve
