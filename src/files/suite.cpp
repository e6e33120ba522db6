#include "files/suite.hpp"

#include "files/file_layout.hpp"
#include "parallel/collective.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
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

bool are_sound(std::span<const std::uint8_t> values) {
  std::uint8_t all = 0;
  for (const std::uint8_t value : values) all |= value;
  return all <= 1;
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
    if (are_sound(std::span(values.data(), static_cast<std::size_t>(values.size())))) continue;
    for (Index i = 0; i < split.rows(); ++i)
      if (values(i) > 1)
        refuse(array.name,
               "row " + std::to_string(i) + " is " + std::to_string(values(i)) + "; must be 0 or 1");
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

} // namespace

SuiteReader::SuiteReader(const Communicator& comm, const std::filesystem::path& path)
    : comm_(&comm), path_(path), head_(read_head(comm, path)) {
  run_collectively_on_file(comm, [&] { file_.emplace(RawFile::open(path)); });
  for (std::size_t p = 0; p < suite_parts.size(); ++p) {
    auto& [features, labels] = offsets_[p];
    for (const Metadata& task : head_.metadata) {
      const TaskShape shape = shape_of(task);
      features.push_back(features.back() + suite_parts[p].values(suite_arrays[0], shape));
      labels.push_back(labels.back() + suite_parts[p].values(suite_arrays[1], shape));
    }
  }
}

std::vector<Task> SuiteReader::read_range(Range range) const {
  const auto begin = static_cast<std::size_t>(range.begin), end = static_cast<std::size_t>(range.end);
  std::vector<Task> tasks =
      empty_tasks(std::span<const Metadata>(head_.metadata).subspan(begin, end - begin));
  const auto for_each_array = [&](const auto& use) {
    for (std::size_t p = 0; p < suite_parts.size(); ++p)
      for (std::size_t a = 0; a < suite_arrays.size(); ++a) {
        const SuiteArray& array = suite_arrays[a];
        const std::vector<Index>& offset = array.is_features() ? offsets_[p].features : offsets_[p].labels;
        const std::int64_t place = head_.places[p][a] + offset[begin] * array.value_bytes();
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

} // namespace metasieve
