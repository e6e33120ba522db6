#include "io/evaluation_file.hpp"

#include "io/bytes.hpp"
#include "io/contents.hpp"
#include "io/evaluation_records.hpp"
#include "io/file_reader.hpp"
#include "io/file_writer.hpp"

namespace metasieve {
namespace {

/// Calls `use(name, records, rows, description)` for each table.
void for_each_table(auto& tables, const auto& use) {
  use("/summary", summary_records(), tables.summary,
      "mean over the splits where defined (each split the mean over the policies), with a 95 % bootstrap "
      "interval over splits, and the change against the method `baseline` on the same splits");
  use("/paired", paired_records(), tables.paired,
      "difference of a selection to a peer on the same splits, and the share of splits that it won, ties "
      "half");
  use("/detection", detection_records(), tables.detection,
      "rejected rows as a detector of flipped labels, by kind of corruption, group and observed label; -1: "
      "both");
  use("/response", response_records(), tables.response,
      "partial dependence of the trained policies: mean score and keep weight with one feature set to a "
      "quantile");
  use("/findings", finding_records(), tables.findings, "what to know before believing the figures");
  if (!tables.frontier.empty())
    use("/frontier", frontier_records(), tables.frontier,
        "as /summary, for each setting: the weight of the fairness gap (meta_hard, meta_soft, penalised) or "
        "the tolerance (threshold)");
}

} // namespace

void write_evaluation(const Communicator& comm, const std::filesystem::path& path,
                      const Provenance& provenance, const std::vector<EvaluationRow>& rows,
                      const EvaluationTables& tables) {
  const bool frontier = comm.max(static_cast<std::int64_t>(tables.frontier.size())) > 0;
  write_file(comm, path, FileType::evaluation, provenance, [&](FileWriter& file) {
    file.write("/evaluation", evaluation_records(), std::span(rows),
               {"one record a source, split and method: metrics on the clean test rows; undefined values are "
                "NaN and have their flag `<name>_defined` at 0",
                ""});
    const auto write = [&](const char* name, const auto& records, const auto& table, const char* meaning) {
      file.write(name, records, std::span(table).first(comm.is_root() ? table.size() : 0), {meaning, ""});
    };
    EvaluationTables mine = comm.is_root() ? tables : EvaluationTables{};
    if (frontier && mine.frontier.empty()) mine.frontier.emplace_back(); // so that all ranks write the table
    for_each_table(mine, write);
  });
}

std::string evaluation_content(const std::filesystem::path& path) {
  const FileReader file(path, FileType::evaluation);
  ByteWriter writer;
  writer.put(evaluation_records().pack(file.records("/evaluation", evaluation_records())));
  EvaluationTables tables;
  tables.frontier.resize(1); // so that it is asked for
  for_each_table(tables, [&](const char* name, const auto& records, auto&, const char*) {
    const bool optional = std::string_view(name) == "/frontier";
    writer.put(optional && !file.contains(name) ? std::string() : records.pack(file.records(name, records)));
  });
  return writer.take();
}

Evaluation read_evaluation(const Communicator& comm, const std::filesystem::path& path) {
  const std::string bytes = content_of(comm, Content::evaluation, path);
  ByteReader reader(bytes);
  Evaluation evaluation;
  evaluation.rows = evaluation_records().unpack(reader.text());
  evaluation.tables.frontier.resize(1);
  for_each_table(evaluation.tables, [&](const char*, const auto& records, auto& table, const char*) {
    table = records.unpack(reader.text());
  });
  return evaluation;
}

EvaluationNames names_in(const std::vector<EvaluationRow>& rows) {
  EvaluationNames names;
  for (const EvaluationRow& row : rows) {
    names.sources.insert(row.source);
    names.methods.insert(row.method);
    names.failed += row.failed;
  }
  return names;
}

} // namespace metasieve
