#include "files/sweep.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
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

/// How column k is stored. `text_size`: bytes of its texts.
h5::Field<SweepRow> field_of(const SweepColumn& column, std::size_t k, std::size_t text_size) {
  const auto number = [&]<class T>(T) -> h5::Field<SweepRow> {
    return {{column.name, sizeof(T), &h5::type_of<T>},
            [k](const SweepRow& row, std::byte* to) {
              const T value = static_cast<T>(row.numbers[k]);
              std::memcpy(to, &value, sizeof value);
            },
            [k](SweepRow& row, const std::byte* from) {
              T value{};
              std::memcpy(&value, from, sizeof value);
              widen(row);
              row.numbers[k] = static_cast<double>(value);
            }};
  };
  if (column.kind == Kind::integer) return number(std::int64_t{});
  if (column.kind == Kind::number) return number(double{});
  h5::Field<SweepRow> text(
      column.name, text_size, [k](auto& row) -> auto& { return row.texts[k]; });
  text.load = [load = text.load](SweepRow& row, const std::byte* from) {
    widen(row);
    load(row, from);
  };
  return text;
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

void write_points(FileWriter& file, const Sweep& sweep) {
  file.write("/points", records_of(sweep.table.columns, text_sizes_of(sweep.table)),
             std::span(sweep.table.rows),
             {"one record a point: its number, hash and state, what was swept, and what was found; undefined "
              "values are NaN",
              ""});
}

void read_points(const FileReader& file, Sweep& sweep) {
  std::vector<SweepColumn>& columns = sweep.table.columns;
  std::vector<std::size_t> text_sizes;
  for (const h5::FieldLayout& field : file.fields("/points")) {
    const bool number = field.number == &h5::type_of<double>;
    columns.push_back({field.name, field.number == nullptr ? Kind::text
                                   : number                ? Kind::number
                                                           : Kind::integer});
    text_sizes.push_back(field.size);
  }
  if (columns.empty() || columns.front().name != "index" || columns.front().kind != Kind::integer)
    file.fail("/points", "the first field must be the integer 'index'");
  sweep.table.rows = file.records("/points", records_of(columns, text_sizes));
  for (std::size_t i = 0; i < sweep.table.rows.size(); ++i)
    if (sweep.table.rows[i].numbers.front() != static_cast<double>(i))
      file.fail("/points", "record " + std::to_string(i) + " has another index");
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string cell(const SweepRow& row, Kind kind, std::size_t k) {
  if (kind == Kind::text) return quoted(row.texts[k]);
  return std::isnan(row.numbers[k]) ? std::string() : number_text(row.numbers[k]);
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

template <>
const FileLayout<Sweep>& layout_of<Sweep>() {
  static const auto layout = FileLayout<Sweep>(FileType::sweep)
                                 .part(write_points, read_points)
                                 .table("/summary", point_summary_records(), &Sweep::summary,
                                        {"/summary of each point's evaluation; index: of the point", ""});
  return layout;
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

} // namespace metasieve
