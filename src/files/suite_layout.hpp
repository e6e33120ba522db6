#pragma once

#include "hdf5/reader.hpp"
#include "hdf5/records.hpp"
#include "tasks/task.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace metasieve {

/// The compound of /metadata: 22 fields in the order that scripts rely on, then those of the generator.
[[nodiscard]] const h5::Records<Metadata>& metadata_records();

/// One of the arrays of a part of a suite file: the values of all tasks, one task after the other, in order
/// of id. Features are float32, row-major; labels are uint8.
struct SuiteArray {
  const char* name;
  Labels Split::*labels; ///< nullptr: the features
  const char* meaning;

  [[nodiscard]] bool is_features() const noexcept { return labels == nullptr; }
  [[nodiscard]] Index value_bytes() const noexcept {
    return static_cast<Index>(is_features() ? sizeof(float) : sizeof(std::uint8_t));
  }
};
inline constexpr std::array suite_arrays{
    SuiteArray{"x", nullptr,
               "features, row-major [n, d] of one task after the other; standardised on the training rows"},
    SuiteArray{"y", &Split::y, "label of each row, 0 or 1, as observed: noisy in training"},
    SuiteArray{"z", &Split::group, "sensitive group of each row, 0 to groups - 1"},
    SuiteArray{"y_clean", &Split::y_clean, "label of each row before corruption, 0 or 1"}};

/// A group of a suite file: the arrays of one part of all tasks, and uint64 [tasks + 1] row_offset and
/// x_offset, where each task begins in them.
struct SuitePart {
  const char* name;
  Split Task::*split;
  Index TaskShape::*rows;

  /// "/train/x"
  [[nodiscard]] std::string path(const std::string& array) const { return std::string(name) + "/" + array; }
  /// Number of values that a task has in an array of this part; the greatest number where it does not fit.
  [[nodiscard]] Index values(const SuiteArray& array, const TaskShape& shape) const {
    Index count = 0;
    const bool overflows =
        __builtin_mul_overflow(shape.*rows, array.is_features() ? shape.columns : 1, &count);
    return overflows ? std::numeric_limits<Index>::max() : count;
  }
};
inline constexpr std::array suite_parts{SuitePart{"/train", &Task::train, &TaskShape::train_rows},
                                        SuitePart{"/test", &Task::test, &TaskShape::test_rows}};

[[nodiscard]] inline TaskShape shape_of(const Metadata& task) {
  return {task.n_train, task.n_test, task.n_features};
}

/// The values of an array of a part of some tasks, as bytes: one piece a task. `Tasks` is const or not.
template <class Tasks>
[[nodiscard]] auto suite_pieces(Tasks& tasks, const SuitePart& part, const SuiteArray& array) {
  using Byte = std::conditional_t<std::is_const_v<std::remove_reference_t<decltype(tasks[0])>>,
                                  const std::byte, std::byte>;
  std::vector<std::span<Byte>> pieces;
  const auto add = [&](auto& values) {
    pieces.push_back({reinterpret_cast<Byte*>(values.data()),
                      static_cast<std::size_t>(values.size() * array.value_bytes())});
  };
  for (auto& task : tasks)
    array.is_features() ? add((task.*part.split).x) : add(task.*part.split.*array.labels);
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

/// Where the arrays of a part are in a suite file.
struct SuitePlaces {
  std::array<std::int64_t, suite_arrays.size()> begin{}; ///< of the values of each array, in bytes
  std::vector<Index> x_offset, row_offset;               ///< [tasks + 1]: where each task begins, in values
};

/// Contents of a suite file, except the values of its tasks.
struct SuiteHead {
  std::vector<Metadata> metadata; ///< one record a task, in id order
  std::string config;             ///< resolved, that made the suite
  std::array<SuitePlaces, suite_parts.size()> parts;
};

/// Reads it from a suite file by one rank, and checks every shape, type and offset, so that any range of
/// tasks can be read without surprise. @throws DataError naming file and data set: truncated, inconsistent
/// offsets or shapes, values in chunks.
[[nodiscard]] SuiteHead read_suite_head(const FileReader& file);

/// A task as bytes, for a journal. Not a file format.
[[nodiscard]] std::string task_bytes(const Task& task);

/// Takes it back, bit for bit. @throws DataError if `bytes` end too early
[[nodiscard]] Task task_of_bytes(const std::string& bytes);

} // namespace metasieve
