#pragma once

#include "io/bytes.hpp"
#include "io/file_reader.hpp"
#include "io/file_writer.hpp"
#include "io/results_file.hpp"

namespace metasieve {

/// What a results file and a checkpoint share: /history, /validation, /failures, /sessions, /timing, and
/// /meta_gradient where there are gradients. Collective; rank 0's are written.
void write_result_content(FileWriter& file, const Results& results);

/// @throws DataError naming file and data set
[[nodiscard]] Results read_result_content(const FileReader& file);

/// The tables without optional fields and gradients: what a checkpoint's checksum is of, for programs with
/// and without these fields read each other's.
void put_required_values(ByteWriter& bytes, const Results& results);
void put_results(ByteWriter& bytes, const Results& results);
[[nodiscard]] Results get_results(ByteReader& bytes);

} // namespace metasieve
