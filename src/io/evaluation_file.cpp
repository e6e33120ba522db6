#include "io/evaluation_file.hpp"

#include "io/agree.hpp"
#include "io/bytes.hpp"
#include "io/file_reader.hpp"
#include "io/file_writer.hpp"

#include <cmath>

namespace metasieve {
namespace {

using Fields = std::vector<h5::Field<EvaluationRow>>;

/// A number that may be undefined: stored as NaN, with a flag after all numbers.
void add_number(Fields& numbers, Fields& flags, const std::string& name, auto member) {
  numbers.push_back(h5::number<EvaluationRow>(name, member));
  flags.push_back(h5::flag<EvaluationRow>(name + "_defined", [member](const EvaluationRow& row) {
    return !std::isnan(std::invoke(member, row));
  }));
}

void add_metric(Fields& numbers, Fields& flags, const std::string& name, double Metrics::*metric) {
  add_number(
      numbers, flags, name, [metric](auto& row) -> auto& { return row.metrics.*metric; });
}

Fields evaluation_fields() {
  Fields fields, flags;
  fields.push_back(h5::text<EvaluationRow>("source", 64, &EvaluationRow::source));
  fields.push_back(h5::number<EvaluationRow>("split", &EvaluationRow::split));
  fields.push_back(h5::text<EvaluationRow>("method", 32, &EvaluationRow::method));
  add_metric(fields, flags, "accuracy", &Metrics::accuracy);
  add_metric(fields, flags, "dp_gap", &Metrics::dp_gap);
  add_metric(fields, flags, "eo_gap", &Metrics::eo_gap);
  add_metric(fields, flags, "eopp_gap", &Metrics::eopp_gap);
  add_metric(fields, flags, "roh_dp", &Metrics::roh_dp);
  add_metric(fields, flags, "roh_eo", &Metrics::roh_eo);
  add_number(fields, flags, "noise_rate_all", &EvaluationRow::noise_rate_all);
  add_number(fields, flags, "noise_rate_selected", &EvaluationRow::noise_rate_selected);
  add_number(fields, flags, "noise_reduction", &EvaluationRow::noise_reduction);
  add_number(fields, flags, "minority_share", &EvaluationRow::minority_share);
  fields.push_back(h5::number<EvaluationRow>("selected", &EvaluationRow::selected));
  add_metric(fields, flags, "auc", &Metrics::auc);
  add_metric(fields, flags, "balanced_accuracy", &Metrics::balanced_accuracy);
  add_metric(fields, flags, "positive_rate", &Metrics::positive_rate);
  add_metric(fields, flags, "worst_group_accuracy", &Metrics::worst_group_accuracy);
  fields.insert(fields.end(), flags.begin(), flags.end());
  fields.push_back(h5::number<EvaluationRow>("failed", &EvaluationRow::failed));
  return fields;
}

const h5::Records<EvaluationRow>& evaluation_records() {
  static const h5::Records<EvaluationRow> records(evaluation_fields());
  return records;
}

const h5::Records<SummaryRow>& summary_records() {
  const auto number = [](const char* name, auto member) { return h5::number<SummaryRow>(name, member); };
  static const h5::Records<SummaryRow> records({
      h5::text<SummaryRow>("source", 64, &SummaryRow::source),
      h5::text<SummaryRow>("method", 32, &SummaryRow::method),
      h5::text<SummaryRow>("metric", 32, &SummaryRow::metric),
      number("mean", &SummaryRow::mean),
      number("low", &SummaryRow::low),
      number("high", &SummaryRow::high),
      number("baseline_change", &SummaryRow::baseline_change),
      number("baseline_change_low", &SummaryRow::baseline_change_low),
      number("baseline_change_high", &SummaryRow::baseline_change_high),
      number("baseline_relative", &SummaryRow::baseline_relative),
      number("splits", &SummaryRow::splits),
  });
  return records;
}

} // namespace

void write_evaluation(const Communicator& comm, const std::filesystem::path& path,
                      const Provenance& provenance, const std::vector<EvaluationRow>& rows,
                      const std::vector<SummaryRow>& summary) {
  write_file(comm, path, FileType::evaluation, provenance, [&](FileWriter& file) {
    file.write("/evaluation", evaluation_records(), std::span(rows),
               {"one record a source, split and method: metrics on the clean test rows; undefined values are "
                "NaN and have their flag `<name>_defined` at 0",
                ""});
    file.write("/summary", summary_records(), std::span(summary).first(comm.is_root() ? summary.size() : 0),
               {"mean over the splits where defined, with a 95 % bootstrap interval, and the change against "
                "the method `baseline` on the same splits",
                ""});
  });
}

Evaluation read_evaluation(const Communicator& comm, const std::filesystem::path& path) {
  const std::string bytes = from_root(comm, [&] {
    const FileReader file(path, FileType::evaluation);
    return ByteWriter()
        .put(evaluation_records().pack(file.records("/evaluation", evaluation_records())))
        .put(summary_records().pack(file.records("/summary", summary_records())))
        .take();
  });
  ByteReader reader(bytes);
  Evaluation evaluation;
  evaluation.rows = evaluation_records().unpack(reader.text());
  evaluation.summary = summary_records().unpack(reader.text());
  return evaluation;
}

} // namespace metasieve
