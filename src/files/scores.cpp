#include "files/scores.hpp"

#include "base/text.hpp"

#include <cmath>

namespace metasieve {

template <>
const FileLayout<std::vector<ScoreRow>>& layout_of<std::vector<ScoreRow>>() {
  static const auto layout =
      FileLayout<std::vector<ScoreRow>>(FileType::scores, Writers::all_ranks)
          .table("/scores",
                 h5::Records<ScoreRow>({{"row", &ScoreRow::row},
                                        {"score", &ScoreRow::score},
                                        {"weight", &ScoreRow::weight},
                                        {"selected", &ScoreRow::selected},
                                        {"y", &ScoreRow::y},
                                        {"z", &ScoreRow::group}}),
                 std::identity(),
                 {"one record a row of the data set: output of the policy, soft keep weight, hard selection",
                  ""});
  return layout;
}

std::string scores_csv(const std::vector<ScoreRow>& rows) {
  const auto text = [](double value) { return std::isnan(value) ? std::string() : number_text(value); };
  std::string csv = "row,score,weight,selected,y,z\n";
  for (const ScoreRow& r : rows)
    csv += std::to_string(r.row) + "," + text(r.score) + "," + text(r.weight) + "," +
           std::to_string(r.selected) + "," + std::to_string(r.y) + "," + std::to_string(r.group) + "\n";
  return csv;
}

} // namespace metasieve
