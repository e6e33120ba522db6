#include "files/sweep.hpp"

#include "files/evaluation.hpp"
#include "files/foreign_file.hpp"
#include "hdf5/reader.hpp"
#include "hdf5/writer.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace metasieve {
namespace {

using Kind = SweepColumn::Kind;

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

/// Adds room for column k to a row that has that for all before it.
void widen(SweepRow& row) {
  row.numbers.push_back(undefined);
  row.texts.emplace_back();
}

h5::Field<SweepRow> stored_field(const SweepColumn& column, std::size_t k, std::size_t text_size) {
  const auto text = [k](auto& row) -> decltype(auto) { return (row.texts[k]); };
  const auto number = [k](auto& row) -> decltype(auto) { return (row.numbers[k]); };
  if (column.kind == Kind::text) return {column.name, text_size, text};
  if (column.kind == Kind::number) return {column.name, number};
  return {{column.name, sizeof(std::int64_t), &h5::type_of<std::int64_t>},
          [k](const SweepRow& row, std::byte* to) {
            const auto value = static_cast<std::int64_t>(row.numbers[k]);
            std::memcpy(to, &value, sizeof value);
          },
          [k](SweepRow& row, const std::byte* from) {
            std::int64_t value = 0;
            std::memcpy(&value, from, sizeof value);
            row.numbers[k] = static_cast<double>(value);
          }};
}

h5::Field<SweepRow> field_of(const SweepColumn& column, std::size_t k, std::size_t text_size) {
  h5::Field<SweepRow> field = stored_field(column, k, text_size);
  field.load = [load = field.load](SweepRow& row, const std::byte* from) {
    widen(row);
    load(row, from);
  };
  return field;
}

/// `text_sizes`: bytes of each column that is text.
h5::Records<SweepRow> records_of(const std::vector<SweepColumn>& columns,
                                 const std::vector<std::size_t>& text_sizes) {
  std::vector<h5::Field<SweepRow>> fields;
  for (std::size_t k = 0; k < columns.size(); ++k) fields.push_back(field_of(columns[k], k, text_sizes[k]));
  return h5::Records<SweepRow>(std::move(fields));
}

std::vector<std::size_t> text_sizes_of(const SweepTable& table) {
  std::vector<std::size_t> sizes(table.columns.size(), 2);
  for (const SweepRow& row : table.rows)
    for (std::size_t k = 0; k < sizes.size(); ++k) sizes[k] = std::max(sizes[k], row.texts[k].size() + 1);
  return sizes;
}

/// Columns, and the sizes of their texts.
struct Layout {
  std::vector<SweepColumn> columns;
  std::vector<std::size_t> text_sizes;
};

Layout layout_in(const FileReader& file) {
  Layout layout;
  for (const h5::FieldLayout& field : file.fields("/points")) {
    const bool integer = field.number == &h5::type_of<std::int64_t>;
    layout.columns.push_back({field.name, field.number == nullptr ? Kind::text
                                          : integer               ? Kind::integer
                                                                  : Kind::number});
    layout.text_sizes.push_back(field.size);
  }
  if (layout.columns.empty() || layout.columns.front().name != "index" ||
      layout.columns.front().kind != Kind::integer)
    file.fail("/points", "the first field must be the integer 'index'");
  return layout;
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string cell(const SweepRow& row, Kind kind, std::size_t k) {
  if (kind == Kind::text) return quoted(row.texts[k]);
  if (std::isnan(row.numbers[k])) return "";
  std::array<char, 32> buffer{};
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), row.numbers[k]).ptr};
}

} // namespace

std::size_t SweepTable::add(const std::string& name, Kind kind) {
  columns.push_back({name, kind});
  for (SweepRow& row : rows) widen(row);
  return columns.size() - 1;
}

bool fits_one_table(const std::vector<SweepColumn>& columns) {
  constexpr std::size_t most = 64000, of_member = 1 + 4 + 20; // zero byte, offset, type of a number
  std::size_t bytes = 16;
  for (const SweepColumn& column : columns) bytes += column.name.size() + of_member;
  return bytes < most;
}

void write_sweep(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                 const Sweep& sweep) {
  write_file_on_root(comm, path, FileType::sweep, provenance, [&](FileWriter& file) {
    file.write(
        "/points", records_of(sweep.table.columns, text_sizes_of(sweep.table)), std::span(sweep.table.rows),
        {"one record a point: its number, hash and state, what was swept, and what was found; undefined "
         "values are NaN",
         ""});
    file.write("/summary", point_summary_records(), std::span(sweep.summary),
               {"/summary of each point's evaluation; index: of the point", ""});
  });
}

std::string sweep_csv(const SweepTable& table) {
  std::string csv;
  for (std::size_t k = 0; k < table.columns.size(); ++k)
    csv += (k == 0 ? "" : ",") + quoted(table.columns[k].name);
  csv += "\n";
  for (const SweepRow& row : table.rows) {
    for (std::size_t k = 0; k < table.columns.size(); ++k)
      csv += (k == 0 ? "" : ",") + cell(row, table.columns[k].kind, k);
    csv += "\n";
  }
  return csv;
}

Sweep read_sweep(const std::filesystem::path& path) {
  const FileReader file(path, FileType::sweep);
  Layout layout = layout_in(file);
  std::vector<SweepRow> rows = file.records("/points", records_of(layout.columns, layout.text_sizes));
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].numbers.front() != static_cast<double>(i))
      file.fail("/points", "record " + std::to_string(i) + " has another index");
  return {{std::move(layout.columns), std::move(rows)}, file.records("/summary", point_summary_records())};
}

Sweep read_sweep(const Communicator& comm, const std::filesystem::path& path) {
  return read_foreign_file(comm, path, FileType::sweep, [](const auto& p) { return read_sweep(p); });
}

} // namespace metasieve
