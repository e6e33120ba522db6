#pragma once

#include "hdf5/reader.hpp"
#include "hdf5/records.hpp"
#include "tasks/task.hpp"

#include <array>
#include <string>
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
