#include "io/suite_file.hpp"
#include "io/agree.hpp"
#include "io/bytes.hpp"
#include "io/collective_file.hpp"
#include "io/contents.hpp"
#include "io/page_hints.hpp"
#include "io/pieces.hpp"
#include "io/raw_file.hpp"
#include "io/suite_layout.hpp"
#include "io/task_records.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <mutex>
#include <optional>

namespace metasieve {
namespace {

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
    throw DataError(path + ": " + part.name + "/" + name + ": task " + std::to_string(task.metadata.task_id) +
                    ", " + problem);
  };
  if (!are_sound(std::span(split.x.data(), static_cast<std::size_t>(split.x.size()))))
    for (Index i = 0; i < split.x.size(); ++i)
      if (!std::isfinite(split.x.data()[i]))
        refuse("x", "value " + std::to_string(i) +
                        (std::isnan(split.x.data()[i]) ? " is NaN" : " is infinite") +
                        "; features must be finite");
  for (const SuiteLabels& labels : suite_labels) {
    const Labels& values = split.*labels.labels;
    if (are_sound(std::span(values.data(), static_cast<std::size_t>(values.size())))) continue;
    for (Index i = 0; i < split.rows(); ++i)
      if (values(i) > 1)
        refuse(labels.name,
               "row " + std::to_string(i) + " is " + std::to_string(values(i)) + "; must be 0 or 1");
  }
}

/// Where each task begins in the data sets of a part; the end of the last one too.
struct Offsets {
  std::vector<Index> rows{0}, values{0}; ///< [tasks + 1]

  Offsets(std::span<const Metadata> tasks, const SuitePart& part) {
    for (const Metadata& each : tasks) {
      rows.push_back(rows.back() + each.*part.rows);
      values.push_back(values.back() + each.*part.rows * each.n_features);
    }
  }
};

void read_part(CollectiveFile& file, const SuitePart& part, Index first_row, Index first_value,
               std::vector<Task>& tasks) {
  const std::string group = part.name;
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

/// Where the values of a part begin in the file, in bytes: x, then the labels.
using Places = std::array<std::int64_t, 1 + suite_labels.size()>;

void read_bytes(const RawFile& file, const std::filesystem::path& path, std::int64_t place,
                std::span<std::byte> to) {
  if (file.read(place, to) != to.size())
    throw DataError(path.string() + ": ends before its values do; generate it again");
}

/// Of a suite, read from disk while its structure is checked.
constexpr std::uint64_t begun_bytes = std::uint64_t{8} << 20;

} // namespace

struct SuiteReader::State {
  const Communicator* comm;
  std::filesystem::path path;
  std::vector<Metadata> metadata;
  std::string config;
  std::vector<Offsets> offsets; ///< of suite_parts
  std::array<Places, suite_parts.size()> places{};
  std::once_flag opened;
  std::optional<RawFile> alone; ///< for read_alone

  /// The data sets of labels are small: their reading waits for the disk alone.
  void announce_labels(Range tasks) const {
    const PageHints hints(path);
    for (std::size_t p = 0; p < suite_parts.size(); ++p) {
      const Index begin = offsets[p].rows[static_cast<std::size_t>(tasks.begin)];
      const Index end = offsets[p].rows[static_cast<std::size_t>(tasks.end)];
      for (std::size_t l = 1; l < places[p].size(); ++l)
        hints.needed(static_cast<std::uint64_t>(places[p][l] + begin),
                     static_cast<std::uint64_t>(end - begin));
    }
  }
};

std::string suite_content(const std::filesystem::path& path) {
  const FileReader file(path, FileType::suite);
  ByteWriter bytes;
  bytes.put(metadata_records().pack(checked_suite(file))).put(file.text_if_any("config"));
  for (const SuitePart& part : suite_parts) {
    const std::string group = part.name;
    Places places{file.place(group + "/x")};
    for (std::size_t l = 0; l < suite_labels.size(); ++l)
      places[l + 1] = file.place(group + "/" + suite_labels[l].name);
    bytes.put(places);
  }
  return bytes.take();
}

SuiteReader::SuiteReader(const Communicator& comm, const std::filesystem::path& path)
    : state_(std::make_unique<State>()) {
  state_->comm = &comm;
  state_->path = path;
  if (comm.is_root()) PageHints(path).needed(0, begun_bytes); // while another process looks at its structure
  const std::string bytes = content_of(comm, Content::suite, path);
  comm.agree([&] {
    ByteReader reader(bytes);
    state_->metadata = metadata_records().unpack(reader.text());
    state_->config = reader.text();
    for (Places& places : state_->places) places = reader.get<Places>();
    for (const SuitePart& part : suite_parts) state_->offsets.emplace_back(state_->metadata, part);
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
  state_->announce_labels(range);
  read_together(*state_->comm, state_->path, [&](CollectiveFile& file) {
    for (std::size_t p = 0; p < suite_parts.size(); ++p) {
      const auto first = static_cast<std::size_t>(range.begin);
      read_part(file, suite_parts[p], state_->offsets[p].rows[first], state_->offsets[p].values[first],
                tasks);
    }
  });
  agree_on_file(*state_->comm, [&] {
    for (const Task& task : tasks)
      for (const SuitePart& part : suite_parts) check_values(state_->path.string(), part, task);
  });
  return tasks;
}

Task SuiteReader::read_alone(Index index) const {
  State& state = *state_;
  std::call_once(state.opened, [&] { state.alone.emplace(RawFile::open(state.path)); });
  const auto i = static_cast<std::size_t>(index);
  Task task = std::move(empty_tasks(std::span<const Metadata>(state.metadata).subspan(i, 1)).front());
  for (std::size_t p = 0; p < suite_parts.size(); ++p) {
    Split& split = task.*suite_parts[p].split;
    const Offsets& offsets = state.offsets[p];
    const std::span<float> x(split.x.data(), static_cast<std::size_t>(split.x.size()));
    read_bytes(*state.alone, state.path,
               state.places[p][0] + offsets.values[i] * static_cast<Index>(sizeof(float)),
               std::as_writable_bytes(x));
    for (std::size_t l = 0; l < suite_labels.size(); ++l) {
      Labels& labels = split.*suite_labels[l].labels;
      const std::span<std::uint8_t> values(labels.data(), static_cast<std::size_t>(labels.size()));
      read_bytes(*state.alone, state.path, state.places[p][l + 1] + offsets.rows[i],
                 std::as_writable_bytes(values));
    }
    check_values(state.path.string(), suite_parts[p], task);
  }
  return task;
}

} // namespace metasieve
