#include "files/suite.hpp"

#include "base/bytes.hpp"
#include "files/foreign_file.hpp"
#include "files/raw_file.hpp"
#include "files/suite_layout.hpp"
#include "hdf5/collective_reader.hpp"
#include "hdf5/handles.hpp"
#include "hdf5/readahead.hpp"
#include "hdf5/writer.hpp"
#include "parallel/collective.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <mutex>
#include <optional>

namespace metasieve {
namespace {

/// Of unpacked chunks, for each data set: a few, since tasks do not end where chunks do.
constexpr std::size_t cache_bytes = std::size_t{4} << 20;
constexpr std::size_t cache_slots = 521; // of HDF5's own table; a prime

} // namespace

PackedFile::PackedFile(std::filesystem::path path) : path_(std::move(path)), file_(open_file(path_)) {}

const h5::DataSet& PackedFile::opened(const std::string& name) {
  const auto found = data_sets_.find(name);
  if (found != data_sets_.end()) return found->second;
  const h5::PropertyList access = h5::property_list(H5P_DATASET_ACCESS);
  h5::check(H5Pset_chunk_cache(access.get(), cache_slots, cache_bytes, 1.0), "H5Pset_chunk_cache");
  return data_sets_.emplace(name, h5::DataSet(H5Dopen2(file_.get(), name.c_str(), access.get()), "H5Dopen"))
      .first->second;
}

void PackedFile::read(const std::string& name, hid_t type, Range values, std::span<std::byte> to) {
  if (values.size() == 0) return;
  const std::lock_guard lock(mutex_);
  try {
    const auto start = static_cast<hsize_t>(values.begin), count = static_cast<hsize_t>(values.size());
    const h5::DataSet& data_set = opened(name);
    const h5::DataSpace in_file(H5Dget_space(data_set.get()), "H5Dget_space");
    const h5::DataSpace in_memory(H5Screate_simple(1, &count, nullptr), "H5Screate_simple");
    h5::check(H5Sselect_hyperslab(in_file.get(), H5S_SELECT_SET, &start, nullptr, &count, nullptr),
              "H5Sselect_hyperslab");
    h5::check(H5Dread(data_set.get(), type, in_memory.get(), in_file.get(), H5P_DEFAULT, to.data()),
              "H5Dread");
  } catch (const h5::IoError& error) {
    throw DataError(path_.string() + ": " + name + ": " + error.what());
  }
}

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

/// Where the values of a part begin in the file, in bytes: x, then the labels; `is_packed` where they are in
/// chunks.
using Places = std::array<std::int64_t, 1 + suite_labels.size()>;

constexpr std::int64_t is_packed = -1;
enum class Stored { plain, packed };

void read_bytes(const RawFile& file, const std::filesystem::path& path, std::int64_t place,
                std::span<std::byte> to) {
  if (file.read(place, to) != to.size())
    throw DataError(path.string() + ": ends before its values do; generate it again");
}

/// In the order of Places.
std::string data_set_name(const SuitePart& part, std::size_t d) {
  return std::string(part.name) + "/" + (d == 0 ? "x" : suite_labels[d - 1].name);
}

/// Hands the arrays of one data set, one of each task, to `use`, as SpanSequence<float> or
/// SpanSequence<std::uint8_t>.
void with_pieces(std::vector<Task>& tasks, const SuitePart& part, std::size_t d, const auto& use) {
  const auto collect = [&](const auto& array_of) {
    SpanSequence<typename std::decay_t<decltype(array_of(tasks[0]))>::Scalar> pieces;
    for (Task& task : tasks) {
      auto& array = array_of(task);
      pieces.add({array.data(), static_cast<std::size_t>(array.size())});
    }
    use(pieces);
  };
  if (d == 0)
    collect([&](Task& task) -> MatrixF& { return (task.*part.split).x; });
  else
    collect([&](Task& task) -> Labels& { return task.*part.split.*suite_labels[d - 1].labels; });
}

template <class T>
void read_pieces(CollectiveFile& file, const std::string& name, Index first, const SpanSequence<T>& pieces) {
  file.read(name, h5::type_of<T>(), {first, first + pieces.size()}, [&](Range range, const std::byte* from) {
    pieces.copy_from({range.begin - first, range.end - first}, from);
  });
}

template <class T>
void read_pieces(PackedFile& file, const std::string& name, Index first, const SpanSequence<T>& pieces) {
  constexpr Index block = transfer_bytes / Index{sizeof(T)};
  std::vector<std::byte> staged(static_cast<std::size_t>(std::min(block, pieces.size())) * sizeof(T));
  for (Index begin = 0; begin < pieces.size(); begin += block) {
    const Range range{begin, std::min(begin + block, pieces.size())};
    const std::span to(staged.data(), static_cast<std::size_t>(range.size()) * sizeof(T));
    file.read(name, h5::type_of<T>(), {first + range.begin, first + range.end}, to);
    pieces.copy_from(range, staged.data());
  }
}

/// Of a suite, read from disk while its structure is checked.
constexpr std::uint64_t begun_bytes = std::uint64_t{8} << 20;

} // namespace

struct SuiteReader::State {
  /// Calls use(p, d) for data set d of part p, all that are stored like this. @return how many there are
  Index each(Stored stored, const auto& use) const {
    Index count = 0;
    for (std::size_t p = 0; p < suite_parts.size(); ++p)
      for (std::size_t d = 0; d < places[p].size(); ++d)
        if ((places[p][d] == is_packed) == (stored == Stored::packed)) use(p, d), ++count;
    return count;
  }
  [[nodiscard]] Index count(Stored stored) const {
    return each(stored, [](std::size_t, std::size_t) {});
  }
  /// Where the values of a task begin in a data set.
  [[nodiscard]] Index first_value(std::size_t p, std::size_t d, Index task) const {
    return (d == 0 ? offsets[p].values : offsets[p].rows)[static_cast<std::size_t>(task)];
  }

  const Communicator* comm;
  std::filesystem::path path;
  std::vector<Metadata> metadata;
  std::string config;
  std::vector<Offsets> offsets; ///< of suite_parts
  std::array<Places, suite_parts.size()> places{};
  std::once_flag opened;
  std::optional<RawFile> alone;     ///< for read_alone
  std::optional<PackedFile> packed; ///< the same, and for read, where there are packed data sets

  /// The data sets of labels are small: their reading waits for the disk alone.
  void announce_labels(Range tasks) const {
    const PageHints hints(path);
    each(Stored::plain, [&](std::size_t p, std::size_t d) {
      if (d == 0) return;
      const Index begin = first_value(p, d, tasks.begin), end = first_value(p, d, tasks.end);
      hints.needed(static_cast<std::uint64_t>(places[p][d] + begin), static_cast<std::uint64_t>(end - begin));
    });
  }
};

std::string suite_content(const std::filesystem::path& path) {
  const FileReader file(path, FileType::suite);
  ByteWriter bytes;
  bytes.put(metadata_records().pack(checked_suite(file))).put(file.text_if_any("config"));
  for (const SuitePart& part : suite_parts) {
    Places places{};
    for (std::size_t d = 0; d < places.size(); ++d) {
      const std::string name = data_set_name(part, d);
      places[d] = file.is_contiguous(name) ? file.place(name) : is_packed;
    }
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
  const State& state = *state_;
  const auto read_from = [&](auto& file) {
    return [&](std::size_t p, std::size_t d) {
      const SuitePart& part = suite_parts[p];
      with_pieces(tasks, part, d, [&](const auto& pieces) {
        read_pieces(file, data_set_name(part, d), state.first_value(p, d, range.begin), pieces);
      });
    };
  };
  state.announce_labels(range);
  if (state.count(Stored::plain) > 0)
    read_together(*state.comm, state.path,
                  [&](CollectiveFile& file) { state.each(Stored::plain, read_from(file)); });
  if (state.count(Stored::packed) > 0)
    agree_on_file(*state.comm, [&] {
      PackedFile file(state.path);
      state.each(Stored::packed, read_from(file));
    });
  agree_on_file(*state_->comm, [&] {
    for (const Task& task : tasks)
      for (const SuitePart& part : suite_parts) check_values(state_->path.string(), part, task);
  });
  return tasks;
}

Task SuiteReader::read_alone(Index index) const {
  State& state = *state_;
  std::call_once(state.opened, [&] {
    state.alone.emplace(RawFile::open(state.path));
    if (state.count(Stored::packed) > 0) state.packed.emplace(state.path);
  });
  std::vector<Task> task =
      empty_tasks(std::span<const Metadata>(state.metadata).subspan(static_cast<std::size_t>(index), 1));
  const auto read_each = [&](Stored stored, const auto& read) {
    state.each(stored, [&](std::size_t p, std::size_t d) {
      with_pieces(task, suite_parts[p], d, [&](const auto& pieces) { read(p, d, pieces); });
    });
  };
  read_each(Stored::plain, [&](std::size_t p, std::size_t d, const auto& pieces) {
    const std::span values = pieces.only();
    const auto before = state.first_value(p, d, index) * static_cast<Index>(sizeof values[0]);
    read_bytes(*state.alone, state.path, state.places[p][d] + before, std::as_writable_bytes(values));
  });
  read_each(Stored::packed, [&](std::size_t p, std::size_t d, const auto& pieces) {
    read_pieces(*state.packed, data_set_name(suite_parts[p], d), state.first_value(p, d, index), pieces);
  });
  for (const SuitePart& part : suite_parts) check_values(state.path.string(), part, task.front());
  return std::move(task.front());
}

} // namespace metasieve
