#include "files/scores.hpp"

#include "files/foreign_file.hpp"
#include "hdf5/reader.hpp"
#include "hdf5/writer.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace metasieve {
namespace {

const h5::Records<ScoreRow>& score_records() {
  static const h5::Records<ScoreRow> records({
      {"row", &ScoreRow::row},
      {"score", &ScoreRow::score},
      {"weight", &ScoreRow::weight},
      {"selected", &ScoreRow::selected},
      {"y", &ScoreRow::y},
      {"z", &ScoreRow::group},
  });
  return records;
}

} // namespace

void write_scores(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                  const std::vector<ScoreRow>& rows) {
  write_file(comm, path, FileType::scores, provenance, [&](FileWriter& file) {
    file.write(
        "/scores", score_records(), std::span(rows),
        {"one record a row of the data set: output of the policy, soft keep weight, hard selection", ""});
  });
}

std::string scores_csv(const std::vector<ScoreRow>& rows) {
  const auto text = [](double value) {
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    return std::isnan(value) ? std::string() : std::string(buffer.data(), end);
  };
  std::string csv = "row,score,weight,selected,y,z\n";
  for (const ScoreRow& r : rows)
    csv += std::to_string(r.row) + "," + text(r.score) + "," + text(r.weight) + "," +
           std::to_string(r.selected) + "," + std::to_string(r.y) + "," + std::to_string(r.group) + "\n";
  return csv;
}

std::vector<ScoreRow> read_scores(const std::filesystem::path& path) {
  return FileReader(path, FileType::scores).records("/scores", score_records());
}

std::vector<ScoreRow> read_scores(const Communicator& comm, const std::filesystem::path& path) {
  return read_foreign_file(comm, path, FileType::scores, [](const auto& p) { return read_scores(p); });
}

} // namespace metasieve
