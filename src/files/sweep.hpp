#pragma once

#include "files/evaluation.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// A column of the table of a sweep: which ones there are depends on what is swept and measured.
struct SweepColumn {
  enum class Kind : std::uint8_t { integer, number, text };
  std::string name;
  Kind kind = Kind::number;
};

/// Column k of a row is in numbers[k], or in texts[k] if it is text.
struct SweepRow {
  std::vector<double> numbers;
  std::vector<std::string> texts;
};

/// One row a point.
struct SweepTable {
  std::vector<SweepColumn> columns;
  std::vector<SweepRow> rows;

  /// Adds a column, undefined or empty in all rows. @return its place
  std::size_t add(const std::string& name, SweepColumn::Kind kind);
};

struct Sweep {
  SweepTable table;
  std::vector<PointSummaryRow> summary; ///< of the points that are done
};

/// Whether HDF5 can hold a table of these columns: their names must fit into 64 kB.
[[nodiscard]] bool fits_one_table(const std::vector<SweepColumn>& columns);

/// File type metasieve-sweep: /points, one record a point, and /summary, one record a point, source, method
/// and metric.
template <>
[[nodiscard]] const FileLayout<Sweep>& layout_of<Sweep>();

/// The table as comma-separated text, numbers to their last bit; undefined: empty.
[[nodiscard]] std::string sweep_csv(const SweepTable& table);

} // namespace metasieve
