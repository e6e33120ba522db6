#pragma once

#include "hdf5/reader.hpp"
#include "hdf5/records.hpp"
#include "tasks/task.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace metasieve {

/// The compound of /metadata: 22 fields in the order that scripts rely on, then those of the generator.
[[nodiscard]] const h5::Records<Metadata>& metadata_records();

/// Where the two parts of a task lie in a suite file: groups /train and /test, each with x float32 [values]
/// (row-major, tasks in id order), y, z, y_clean uint8 [rows], row_offset and x_offset uint64 [tasks + 1].
struct SuitePart {
  const char* name;
  Split Task::*split;
  std::int64_t Metadata::*rows;
};
inline constexpr std::array suite_parts{SuitePart{"/train", &Task::train, &Metadata::n_train},
                                        SuitePart{"/test", &Task::test, &Metadata::n_test}};

/// The three data sets of labels of a part.
struct SuiteLabels {
  const char* name;
  Labels Split::*labels;
  const char* meaning;
};
inline constexpr std::array suite_labels{
    SuiteLabels{"y", &Split::y, "label of each row, 0 or 1, as observed: noisy in training"},
    SuiteLabels{"z", &Split::group, "sensitive group of each row, 0 or 1"},
    SuiteLabels{"y_clean", &Split::y_clean, "label of each row before corruption, 0 or 1"}};

/// The data sets of values of a part: x, then the labels.
inline constexpr std::size_t suite_data_sets = 1 + suite_labels.size();
/// "/train/x": data set d of a part.
[[nodiscard]] std::string data_set_name(const SuitePart& part, std::size_t d);

/// Where the values of each data set of each part begin in the file, in bytes.
using SuitePlaces = std::array<std::array<std::int64_t, suite_data_sets>, suite_parts.size()>;

/// Where each task begins in the data sets of a part; the end of the last one too.
struct SuiteOffsets {
  std::vector<Index> rows{0}, values{0}; ///< [tasks + 1]
  SuiteOffsets(const std::vector<Metadata>& tasks, const SuitePart& part);
};

/// The values of data set d of a part of some tasks, as bytes: one piece a task. `Tasks` is const or not.
template <class Tasks>
[[nodiscard]] auto suite_pieces(Tasks& tasks, const SuitePart& part, std::size_t d) {
  using Byte = std::conditional_t<std::is_const_v<std::remove_reference_t<decltype(tasks[0])>>,
                                  const std::byte, std::byte>;
  std::vector<std::span<Byte>> pieces;
  for (auto& task : tasks) {
    auto& split = task.*part.split;
    const auto add = [&](auto& values) {
      const auto bytes = static_cast<std::size_t>(values.size()) * sizeof *values.data();
      pieces.push_back({reinterpret_cast<Byte*>(values.data()), bytes});
    };
    d == 0 ? add(split.x) : add(split.*suite_labels.at(d - 1).labels);
  }
  return pieces;
}

/// Calls `use(bytes)` for the parts of the pieces, seen as one long array, that make up bytes [range).
template <class Byte>
void for_each_piece(const std::vector<std::span<Byte>>& pieces, Range range, const auto& use) {
  Index begin = 0;
  for (const std::span<Byte> piece : pieces) {
    const Index first = std::max(range.begin - begin, Index{0}),
                last = std::min(range.end - begin, std::ssize(piece));
    if (first < last)
      use(piece.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first)));
    begin += std::ssize(piece);
    if (begin >= range.end) return;
  }
}

inline constexpr const char* metadata_meaning =
    "one record a task, in id order; a rate of an empty group is NaN";
inline constexpr const char* x_meaning =
    "features, row-major [n, d] of one task after the other; standardised on the training rows";
inline constexpr const char* row_offset_meaning = "task t has rows row_offset[t] to row_offset[t+1]";
inline constexpr const char* x_offset_meaning = "task t has values x_offset[t] to x_offset[t+1] of x";

/// The records of /metadata, after checking every shape, type and offset of the file against them, so that
/// any range of tasks can be read without surprise. @throws DataError naming file and data set.
[[nodiscard]] std::vector<Metadata> checked_suite(const FileReader& file);

/// A task as bytes, for a journal. Not a file format.
[[nodiscard]] std::string task_bytes(const Task& task);

/// Takes it back, bit for bit. @throws DataError if `bytes` end too early
[[nodiscard]] Task task_of_bytes(const std::string& bytes);

} // namespace metasieve
