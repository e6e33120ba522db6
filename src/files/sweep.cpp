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

/// How column k is written; any_records reads it. `text_size`: bytes of its texts.
h5::Field<SweepRow> field_of(const SweepColumn& column, std::size_t k, std::size_t text_size) {
  const auto text = [k](auto& row) -> auto& { return row.texts[k]; };
  const auto number = [k](auto& row) -> auto& { return row.numbers[k]; };
  if (column.kind == Kind::text) return {column.name, text_size, text};
  if (column.kind == Kind::number) return {column.name, number};
  const auto store = [k](const SweepRow& row, std::byte* to) {
    const auto value = static_cast<std::int64_t>(row.numbers[k]);
    std::memcpy(to, &value, sizeof value);
  };
  return {{column.name, sizeof(std::int64_t), &h5::type_of<std::int64_t>},
          store,
          [](SweepRow&, const std::byte*) {}};
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
              "values are NaN"});
}

void read_points(const FileReader& file, Sweep& sweep) {
  const h5::AnyRecords points = file.any_records("/points");
  sweep.table.rows.resize(points.count);
  for (const h5::FieldLayout& field : points.fields) {
    const bool number = field.number == &h5::type_of<double>;
    const std::size_t k = sweep.table.add(field.name, field.number == nullptr ? Kind::text
                                                      : number                ? Kind::number
                                                                              : Kind::integer);
    for (std::size_t i = 0; i < points.count; ++i)
      points.visit(field, i, [&]<class T>(const T& value) {
        if constexpr (std::is_same_v<T, std::string>)
          sweep.table.rows[i].texts[k] = value;
        else
          sweep.table.rows[i].numbers[k] = static_cast<double>(value);
      });
  }
  const SweepColumn& first = sweep.table.columns.front();
  if (first.name != "index" || first.kind != Kind::integer)
    file.fail("/points", "the first field must be the integer 'index'");
  for (std::size_t i = 0; i < points.count; ++i)
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
  for (SweepRow& row : rows) {
    row.numbers.push_back(undefined);
    row.texts.emplace_back();
  }
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
                                 .table("/summary", &Sweep::summary, point_summary_records(),
                                        {"/summary of each point's evaluation; index: of the point"});
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
