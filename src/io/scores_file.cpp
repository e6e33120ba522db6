#include "io/scores_file.hpp"

#include "io/agree.hpp"
#include "io/file_reader.hpp"
#include "io/file_writer.hpp"

namespace metasieve {
namespace {

const h5::Records<ScoreRow>& score_records() {
  const auto number = [](const char* name, auto member) { return h5::number<ScoreRow>(name, member); };
  static const h5::Records<ScoreRow> records({
      number("row", &ScoreRow::row),
      number("score", &ScoreRow::score),
      number("weight", &ScoreRow::weight),
      number("selected", &ScoreRow::selected),
      number("y", &ScoreRow::y),
      number("z", &ScoreRow::group),
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

std::vector<ScoreRow> read_scores(const Communicator& comm, const std::filesystem::path& path) {
  return score_records().unpack(from_root(comm, [&] {
    const FileReader file(path, FileType::scores);
    return score_records().pack(file.records("/scores", score_records()));
  }));
}

} // namespace metasieve
