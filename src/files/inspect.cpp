#include "files/inspect.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <sstream>

namespace metasieve {
namespace {

/// Tables that are shown whole, unless they have more records.
constexpr std::array shown_whole{"/failures", "/sessions", "/findings", "/summary"};
constexpr std::size_t most_records = 1000;
/// Arrays of more values are not read.
constexpr Index most_values = 1 << 22;
/// Texts of a field, each with how often it occurs; if there are more, only how many.
constexpr std::size_t most_texts = 40;

template <class Values>
Json list(const Values& values) {
  std::vector<Json> out;
  for (const auto& value : values) out.emplace_back(value);
  return Json::array(out);
}

/// Least, greatest and mean of the values that are defined.
JsonMembers spread(const std::vector<double>& values) {
  double least = std::numeric_limits<double>::infinity(), greatest = -least, sum = 0, count = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    least = std::min(least, value);
    greatest = std::max(greatest, value);
    sum += value;
    ++count;
  }
  return {{"least", least}, {"greatest", greatest}, {"mean", sum / count}};
}

Json value_json(const h5::AnyRecords& table, const h5::FieldLayout& field, std::size_t record) {
  return table.visit(field, record, [](const auto& value) { return Json(value); });
}

/// Texts with their numbers of occurrences, or the range of the numbers and the first and last one.
Json field_json(const h5::AnyRecords& table, const h5::FieldLayout& field) {
  std::map<std::string, int> texts;
  std::vector<double> numbers;
  for (std::size_t i = 0; i < table.count; ++i)
    table.visit(field, i, [&]<class T>(const T& value) {
      if constexpr (std::is_same_v<T, std::string>)
        ++texts[value];
      else
        numbers.push_back(static_cast<double>(value));
    });
  if (field.number == nullptr)
    return texts.size() > most_texts ? Json::object({{"different", texts.size()}})
                                     : Json::object({texts.begin(), texts.end()});
  JsonMembers members = spread(numbers);
  members.emplace_back("first", table.count > 0 ? value_json(table, field, 0) : Json());
  members.emplace_back("last", table.count > 0 ? value_json(table, field, table.count - 1) : Json());
  return Json::object(members);
}

Json table_json(const FileReader& file, const std::string& name) {
  const h5::AnyRecords table = file.any_records(name);
  if (table.count <= most_records && std::count(shown_whole.begin(), shown_whole.end(), name) > 0) {
    std::vector<Json> records;
    for (std::size_t i = 0; i < table.count; ++i) {
      JsonMembers members;
      for (const h5::FieldLayout& field : table.fields)
        members.emplace_back(field.name, value_json(table, field, i));
      records.push_back(Json::object(members));
    }
    return Json::array(records);
  }
  JsonMembers fields;
  for (const h5::FieldLayout& field : table.fields) fields.emplace_back(field.name, field_json(table, field));
  return Json::object({{"records", table.count}, {"fields", Json::object(fields)}});
}

Json array_json(const FileReader& file, const ValueLayout& layout) {
  JsonMembers members;
  Index count = 1;
  for (std::size_t i = 0; i < layout.shape.size(); ++i) {
    count = std::min(count * std::min(layout.shape[i], most_values + 1), most_values + 1);
    members.emplace_back(i == 0   ? "rows"
                         : i == 1 ? "columns"
                                  : "extent " + std::to_string(i),
                         layout.shape[i]);
  }
  const bool numbers = layout.type.find("int") != std::string::npos || layout.type.starts_with("float");
  if (numbers && 0 < count && count <= most_values)
    for (auto& member : spread(file.values<double>(layout.name, static_cast<int>(layout.shape.size()))))
      members.push_back(std::move(member));
  if (layout.type == "text" && layout.shape.size() == 1 && 0 < count && count <= most_values) {
    const std::vector<std::string> texts = file.texts(layout.name);
    members.emplace_back("first", texts.front());
    members.emplace_back("last", texts.back());
  }
  return Json::object(members);
}

/// What somebody has added to the file may be of any kind.
Json data_set_json(const FileReader& file, const ValueLayout& layout) {
  try {
    return layout.fields.empty() ? array_json(file, layout) : table_json(file, layout.name);
  } catch (const DataError& error) {
    return Json::object({{"not shown", error.what()}});
  }
}

Json contents_json(const FileReader& file) {
  JsonMembers contents;
  for (const ValueLayout& layout : file.data_sets())
    contents.emplace_back(layout.name, data_set_json(file, layout));
  return Json::object(contents);
}

/// INI text as an object of its sections.
Json config_json(const std::string& text) {
  std::vector<std::pair<std::string, JsonMembers>> sections;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find(" = ");
    if (line.starts_with('[') && line.ends_with(']'))
      sections.emplace_back(line.substr(1, line.size() - 2), JsonMembers());
    else if (equals != std::string::npos && !sections.empty())
      sections.back().second.emplace_back(line.substr(0, equals), line.substr(equals + 3));
  }
  JsonMembers members;
  for (const auto& [name, keys] : sections) members.emplace_back(name, Json::object(keys));
  return Json::object(members);
}

/// One value of an attribute is not a list.
template <class T>
Json one_or_list(const std::vector<T>& values, const ValueLayout& layout) {
  return layout.shape.empty() && !values.empty() ? Json(values.front()) : list(values);
}

Json attribute_json(const FileReader& file, const ValueLayout& layout) {
  if (layout.type == "text")
    return one_or_list(file.attribute<std::vector<std::string>>(layout.name), layout);
  if (layout.type == "uint64" && layout.shape.empty()) return file.attribute<std::uint64_t>(layout.name);
  if (layout.type.starts_with("int") || layout.type.starts_with("uint"))
    return one_or_list(file.attribute<std::vector<std::int64_t>>(layout.name), layout);
  if (layout.type.starts_with("float") && layout.shape.empty()) return file.attribute<double>(layout.name);
  return Json::object({{"type", layout.type}, {"shape", list(layout.shape)}}); // not ours
}

Json attributes_json(const FileReader& file) {
  JsonMembers attributes;
  for (const ValueLayout& layout : file.attributes())
    if (layout.name != "config") attributes.emplace_back(layout.name, attribute_json(file, layout));
  return Json::object(attributes);
}

Json data_sets_json(const FileReader& file) {
  std::vector<Json> data_sets;
  for (const ValueLayout& layout : file.data_sets()) {
    JsonMembers members{{"name", layout.name}, {"type", layout.type}, {"shape", list(layout.shape)}};
    if (!layout.fields.empty()) members.emplace_back("fields", list(layout.fields));
    data_sets.push_back(Json::object(members));
  }
  return Json::array(data_sets);
}

} // namespace

std::string description_of(const FileReader& file, bool as_json) {
  const std::string type(to_string(file.type()));
  const Json contents = contents_json(file);
  const std::string config = file.attribute_if_any<std::string>("config").value_or("");
  if (as_json)
    return Json::object({{"file", file.path().string()},
                         {"type", type},
                         {"bytes", file.bytes()},
                         {"attributes", attributes_json(file)},
                         {"config", config_json(config)},
                         {"data_sets", data_sets_json(file)},
                         {"contents", contents}})
               .text() +
           "\n";
  std::string text = file.path().string() + ": " + type + " " + std::to_string(file.version().major) + "." +
                     std::to_string(file.version().minor) + ", " + std::to_string(file.bytes()) + " bytes\n" +
                     attributes_json(file).outline() + "contents:\n" + contents.outline();
  if (!config.empty()) text += "config:\n" + config;
  if (text.back() != '\n') text += '\n';
  return text;
}

} // namespace metasieve
