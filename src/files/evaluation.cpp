#include "files/evaluation.hpp"

#include "base/bytes.hpp"
#include "files/foreign_file.hpp"
#include "hdf5/reader.hpp"
#include "hdf5/writer.hpp"

#include <cmath>

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

namespace {

constexpr std::size_t source_size = 64, name_size = 32, list_size = 128, text_size = 256;

template <class Record>
using Fields = std::vector<h5::Field<Record>>;

/// A number that may be undefined: stored as NaN, with a flag after all numbers.
void add_number(Fields<EvaluationRow>& numbers, Fields<EvaluationRow>& flags, const std::string& name,
                auto member) {
  numbers.push_back(h5::number<EvaluationRow>(name, member));
  flags.push_back(h5::flag<EvaluationRow>(name + "_defined", [member](const EvaluationRow& row) {
    return !std::isnan(std::invoke(member, row));
  }));
}

Fields<EvaluationRow> evaluation_fields() {
  Fields<EvaluationRow> fields, flags;
  const auto metric = [&](const char* name, double Metrics::*member) {
    add_number(
        fields, flags, name, [member](auto& row) -> auto& { return row.metrics.*member; });
  };
  const auto number = [&](const char* name, double EvaluationRow::*member) {
    add_number(fields, flags, name, member);
  };
  fields.push_back(h5::text<EvaluationRow>("source", source_size, &EvaluationRow::source));
  fields.push_back(h5::number<EvaluationRow>("split", &EvaluationRow::split));
  fields.push_back(h5::text<EvaluationRow>("method", name_size, &EvaluationRow::method));
  metric("accuracy", &Metrics::accuracy);
  metric("dp_gap", &Metrics::dp_gap);
  metric("eo_gap", &Metrics::eo_gap);
  metric("eopp_gap", &Metrics::eopp_gap);
  metric("roh_dp", &Metrics::roh_dp);
  metric("roh_eo", &Metrics::roh_eo);
  number("noise_rate_all", &EvaluationRow::noise_rate_all);
  number("noise_rate_selected", &EvaluationRow::noise_rate_selected);
  number("noise_reduction", &EvaluationRow::noise_reduction);
  number("minority_share", &EvaluationRow::minority_share);
  fields.push_back(h5::number<EvaluationRow>("selected", &EvaluationRow::selected));
  metric("auc", &Metrics::auc);
  metric("balanced_accuracy", &Metrics::balanced_accuracy);
  metric("positive_rate", &Metrics::positive_rate);
  metric("worst_group_accuracy", &Metrics::worst_group_accuracy);
  metric("dp_floor", &Metrics::dp_floor);
  metric("eo_floor", &Metrics::eo_floor);
  fields.insert(fields.end(), flags.begin(), flags.end());
  fields.push_back(h5::number<EvaluationRow>("failed", &EvaluationRow::failed));
  fields.push_back(h5::number<EvaluationRow>("policy", &EvaluationRow::policy));
  fields.push_back(h5::optional(h5::text<EvaluationRow>("family", name_size, &EvaluationRow::family)));
  return fields;
}

template <class Row>
Fields<Row> summary_fields() {
  const auto number = [](const char* name, auto member) { return h5::number<Row>(name, member); };
  return {h5::text<Row>("source", source_size, &SummaryRow::source),
          h5::text<Row>("method", name_size, &SummaryRow::method),
          h5::text<Row>("metric", name_size, &SummaryRow::metric),
          number("mean", &SummaryRow::mean),
          number("low", &SummaryRow::low),
          number("high", &SummaryRow::high),
          number("baseline_change", &SummaryRow::baseline_change),
          number("baseline_change_low", &SummaryRow::baseline_change_low),
          number("baseline_change_high", &SummaryRow::baseline_change_high),
          number("baseline_relative", &SummaryRow::baseline_relative),
          number("splits", &SummaryRow::splits),
          number("policies", &SummaryRow::policies),
          number("policy_sd", &SummaryRow::policy_sd)};
}

Fields<SummaryRow> frontier_fields() {
  Fields<SummaryRow> fields = summary_fields<SummaryRow>();
  fields.insert(fields.begin() + 2, h5::number<SummaryRow>("setting", &SummaryRow::setting));
  return fields;
}

Fields<PointSummaryRow> point_summary_fields() {
  Fields<PointSummaryRow> fields = summary_fields<PointSummaryRow>();
  fields.insert(fields.begin(), h5::number<PointSummaryRow>("index", &PointSummaryRow::index));
  return fields;
}

Fields<PairedRow> paired_fields() {
  const auto number = [](const char* name, auto member) { return h5::number<PairedRow>(name, member); };
  return {h5::text<PairedRow>("source", source_size, &PairedRow::source),
          h5::text<PairedRow>("method", name_size, &PairedRow::method),
          h5::text<PairedRow>("peer", name_size, &PairedRow::peer),
          h5::text<PairedRow>("metric", name_size, &PairedRow::metric),
          number("difference", &PairedRow::difference),
          number("low", &PairedRow::low),
          number("high", &PairedRow::high),
          number("won", &PairedRow::won),
          number("splits", &PairedRow::splits)};
}

Fields<DetectionRow> detection_fields() {
  const auto number = [](const char* name, auto member) { return h5::number<DetectionRow>(name, member); };
  return {h5::text<DetectionRow>("source", source_size, &DetectionRow::source),
          h5::text<DetectionRow>("corruption", name_size, &DetectionRow::corruption),
          h5::text<DetectionRow>("method", name_size, &DetectionRow::method),
          number("group", &DetectionRow::group),
          number("label", &DetectionRow::label),
          number("rows", &DetectionRow::rows),
          number("rejected", &DetectionRow::rejected),
          number("flipped", &DetectionRow::flipped),
          number("caught", &DetectionRow::caught),
          number("precision", &DetectionRow::precision),
          number("recall", &DetectionRow::recall)};
}

Fields<ResponseRow> response_fields() {
  const auto number = [](const char* name, auto member) { return h5::number<ResponseRow>(name, member); };
  return {h5::text<ResponseRow>("source", source_size, &ResponseRow::source),
          number("policy", &ResponseRow::policy),
          h5::text<ResponseRow>("feature", name_size, &ResponseRow::feature),
          number("quantile", &ResponseRow::quantile),
          number("value", &ResponseRow::value),
          number("score", &ResponseRow::score),
          number("keep", &ResponseRow::keep)};
}

} // namespace

const h5::Records<EvaluationRow>& evaluation_records() {
  static const h5::Records<EvaluationRow> records(evaluation_fields());
  return records;
}

const h5::Records<SummaryRow>& summary_records() {
  static const h5::Records<SummaryRow> records(summary_fields<SummaryRow>());
  return records;
}

const h5::Records<SummaryRow>& frontier_records() {
  static const h5::Records<SummaryRow> records(frontier_fields());
  return records;
}

const h5::Records<PointSummaryRow>& point_summary_records() {
  static const h5::Records<PointSummaryRow> records(point_summary_fields());
  return records;
}

const h5::Records<PairedRow>& paired_records() {
  static const h5::Records<PairedRow> records(paired_fields());
  return records;
}

const h5::Records<DetectionRow>& detection_records() {
  static const h5::Records<DetectionRow> records(detection_fields());
  return records;
}

const h5::Records<ResponseRow>& response_records() {
  static const h5::Records<ResponseRow> records(response_fields());
  return records;
}

const h5::Records<Finding>& finding_records() {
  const auto number = [](const char* name, double Finding::*member) {
    return h5::optional(h5::number<Finding>(name, member));
  };
  static const h5::Records<Finding> records(
      {h5::text<Finding>("source", source_size, &Finding::source),
       h5::text<Finding>("kind", name_size, &Finding::kind),
       h5::text<Finding>("text", text_size, &Finding::text),
       h5::optional(h5::text<Finding>("method", list_size, &Finding::method)),
       h5::optional(h5::text<Finding>("metric", name_size, &Finding::metric)),
       number("change", &Finding::change), number("low", &Finding::low), number("high", &Finding::high),
       number("cost", &Finding::cost), number("balanced_cost", &Finding::balanced_cost),
       number("level", &Finding::level), number("floor", &Finding::floor)});
  return records;
}

} // namespace metasieve
