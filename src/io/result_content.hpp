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

/// All values of the tables that are set, without the gradients: what a checksum is of, for it must not
/// depend on whether a file has room for optional values.
void put_set_values(ByteWriter& bytes, const Results& results);
void put_results(ByteWriter& bytes, const Results& results);
[[nodiscard]] Results get_results(ByteReader& bytes);

} // namespace metasieve
