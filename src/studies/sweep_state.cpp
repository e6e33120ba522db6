#include "studies/sweep_state.hpp"

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "files/evaluation.hpp"
#include "files/result_records.hpp"
#include "files/results.hpp"
#include "hdf5/atomic_replace.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

namespace metasieve {
namespace {

constexpr const char* status_name = "status.txt";
constexpr const char* result_name = "result.bin";

std::map<std::string, std::string> lines_of(const std::string& text) {
  std::map<std::string, std::string> values;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find(" = ");
    if (equals != std::string::npos) values[line.substr(0, equals)] = line.substr(equals + 3);
  }
  return values;
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

template <class Number>
std::string text_of(Number number) {
  std::array<char, 64> buffer{};
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr};
}

/// Calls `use(name, member)` for each number of a status.
void for_each_number(auto& status, const auto& use) {
  use("deaths", status.deaths);
  use("code", status.code);
  use("ranks", status.ranks);
  use("threads", status.threads);
  use("seconds", status.seconds);
  use("core_seconds", status.core_seconds);
  use("predicted", status.predicted);
}

/// Calls `use(name, member)` for each text of a status.
void for_each_text(auto& status, const auto& use) {
  use("values", status.values);
  use("message", status.message);
  use("place", status.place);
}

} // namespace

PointStatus read_status(const std::filesystem::path& point) {
  const auto values = lines_of(text_if_any(point / status_name).value_or(""));
  const auto value = [&](const char* name) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  };
  PointStatus status;
  const std::string state = value("state");
  const auto* const known = std::find(point_states.begin(), point_states.end(), state);
  if (known == point_states.end()) return status;
  status.state = static_cast<PointState>(known - point_states.begin());
  for_each_text(status, [&](const char* name, std::string& member) { member = value(name); });
  for_each_number(status, [&](const char* name, auto& member) {
    const std::string text = value(name);
    std::from_chars(text.data(), text.data() + text.size(), member);
  });
  return status;
}

void write_status(const std::filesystem::path& point, const PointStatus& status) {
  std::string text = "state = " + std::string(to_string(status.state)) + "\n";
  for_each_text(status, [&](const char* name, const std::string& member) {
    text += std::string(name) + " = " + one_line(member) + "\n";
  });
  for_each_number(status, [&](const char* name, const auto& member) {
    text += std::string(name) + " = " + text_of(member) + "\n";
  });
  replace_text(point / status_name, text);
}

PointResult point_result(const Trained& trained, const EvaluationTables& tables) {
  PointResult result;
  const Results& results = trained.results;
  if (!results.history.empty()) result.loss = results.history.back().loss;
  if (!results.validation.empty()) result.validation = {results.validation.back()};
  result.summary = tables.summary;
  return result;
}

std::optional<PointResult> read_result(const std::filesystem::path& point) {
  const std::optional<std::string> bytes = text_if_any(point / result_name);
  if (!bytes) return std::nullopt;
  try {
    ByteReader file(*bytes);
    const auto hash = file.get<std::uint64_t>();
    const std::string content = file.text();
    if (hash_text(content) != hash) return std::nullopt;
    ByteReader reader(content);
    PointResult result;
    result.loss = reader.get<double>();
    const std::string validation = reader.text();
    const auto& records = validation_records();
    const bool is_old = validation.size() % records.size() != 0; // of a program that had no optional fields
    result.validation = (is_old ? records.without_optional() : records).unpack(validation);
    result.summary = summary_records().unpack(reader.text());
    return result;
  } catch (const DataError&) { // cut short
    return std::nullopt;
  }
}

void write_result(const std::filesystem::path& point, const PointResult& result) {
  const std::string content = ByteWriter()
                                  .put(result.loss)
                                  .put(validation_records().pack(result.validation))
                                  .put(summary_records().pack(result.summary))
                                  .take();
  replace_text(point / result_name, ByteWriter().put(hash_text(content)).put(content).take());
}

} // namespace metasieve
