#include "files/evaluation.hpp"

#include <cmath>

namespace metasieve {
namespace {

constexpr std::size_t source_size = most_source_bytes + 1, name_size = 32, list_size = 128, text_size = 256,
                      group_size = most_group_bytes + 1;

template <class Record>
using Fields = std::vector<h5::Field<Record>>;

Fields<EvaluationRow> evaluation_fields() {
  Fields<EvaluationRow> fields, flags;
  // A number that may be undefined: stored as NaN, with a flag after all numbers.
  const auto add = [&](const std::string& name, auto member) {
    fields.push_back({name, member});
    flags.push_back(h5::flag<EvaluationRow>(name + "_defined", [member](const EvaluationRow& row) {
      return !std::isnan(std::invoke(member, row));
    }));
  };
  const auto metric = [&](const char* name, double Metrics::*member) {
    add(name, h5::nested(&EvaluationRow::metrics, member));
  };
  fields.push_back({"source", source_size, &EvaluationRow::source});
  fields.push_back({"split", &EvaluationRow::split});
  fields.push_back({"method", name_size, &EvaluationRow::method});
  metric("accuracy", &Metrics::accuracy);
  metric("dp_gap", &Metrics::dp_gap);
  metric("eo_gap", &Metrics::eo_gap);
  metric("eopp_gap", &Metrics::eopp_gap);
  metric("roh_dp", &Metrics::roh_dp);
  metric("roh_eo", &Metrics::roh_eo);
  add("noise_rate_all", &EvaluationRow::noise_rate_all);
  add("noise_rate_selected", &EvaluationRow::noise_rate_selected);
  add("noise_reduction", &EvaluationRow::noise_reduction);
  add("minority_share", &EvaluationRow::minority_share);
  fields.push_back({"selected", &EvaluationRow::selected});
  metric("auc", &Metrics::auc);
  metric("balanced_accuracy", &Metrics::balanced_accuracy);
  metric("positive_rate", &Metrics::positive_rate);
  metric("worst_group_accuracy", &Metrics::worst_group_accuracy);
  metric("dp_floor", &Metrics::dp_floor);
  metric("eo_floor", &Metrics::eo_floor);
  fields.insert(fields.end(), flags.begin(), flags.end());
  fields.push_back({"failed", &EvaluationRow::failed});
  fields.push_back({"policy", &EvaluationRow::policy});
  fields.push_back(h5::Field<EvaluationRow>("family", name_size, &EvaluationRow::family).optional());
  return fields;
}

/// A summary, with a further field `more` at `place`.
template <class Row>
Fields<Row> summary_fields(std::ptrdiff_t place = 0, const Fields<Row>& more = {}) {
  Fields<Row> fields{{"source", source_size, &SummaryRow::source},
                     {"method", name_size, &SummaryRow::method},
                     {"metric", name_size, &SummaryRow::metric},
                     {"mean", &SummaryRow::mean},
                     {"low", &SummaryRow::low},
                     {"high", &SummaryRow::high},
                     {"baseline_change", &SummaryRow::baseline_change},
                     {"baseline_change_low", &SummaryRow::baseline_change_low},
                     {"baseline_change_high", &SummaryRow::baseline_change_high},
                     {"baseline_relative", &SummaryRow::baseline_relative},
                     {"splits", &SummaryRow::splits},
                     {"policies", &SummaryRow::policies},
                     {"policy_sd", &SummaryRow::policy_sd}};
  fields.insert(fields.begin() + place, more.begin(), more.end());
  return fields;
}

Fields<GroupRow> group_fields() {
  Fields<GroupRow> fields{
      {"source", source_size, &GroupRow::source}, {"split", &GroupRow::split}, {"policy", &GroupRow::policy},
      {"method", name_size, &GroupRow::method},   {"group", &GroupRow::group}, {"rows", &GroupRow::rows},
      {"positives", &GroupRow::positives}};
  for (const GroupRate& each : group_rates)
    fields.push_back({each.name, h5::nested(&GroupRow::rates, each.rate)});
  return fields;
}

} // namespace

const h5::Records<SummaryRow>& summary_records() {
  static const h5::Records<SummaryRow> records(summary_fields<SummaryRow>());
  return records;
}

const h5::Records<PointSummaryRow>& point_summary_records() {
  static const h5::Records<PointSummaryRow> records(
      summary_fields<PointSummaryRow>(0, {{"index", &PointSummaryRow::index}}));
  return records;
}

template <>
const FileLayout<Evaluation>& layout_of<Evaluation>() {
  using Tables = EvaluationTables;
  using Field = h5::Field<Finding>;
  const auto in_tables = [](auto member) { return h5::nested(&Evaluation::tables, member); };
  static const auto layout =
      FileLayout<Evaluation>(FileType::evaluation, Writers::all_ranks)
          .table(
              "/evaluation", &Evaluation::rows, h5::Records<EvaluationRow>(evaluation_fields()),
              {"one record a source, split and method: metrics on the clean test rows; undefined values are "
               "NaN and have their flag `<name>_defined` at 0"})
          .table(
              "/summary", in_tables(&Tables::summary), summary_records(),
              {"mean over the repeats (tasks of a suite, splits of a data set) where defined, each the mean "
               "over the policies, with a 95 % interval: bootstrap over tasks, Nadeau and Bengio over random "
               "splits, bootstrap over the rows of a test part; and the change against the method `baseline` "
               "on the same repeats"})
          .table(
              "/paired", in_tables(&Tables::paired),
              {{"source", source_size, &PairedRow::source},
               {"method", name_size, &PairedRow::method},
               {"peer", name_size, &PairedRow::peer},
               {"metric", name_size, &PairedRow::metric},
               {"difference", &PairedRow::difference},
               {"low", &PairedRow::low},
               {"high", &PairedRow::high},
               {"won", &PairedRow::won},
               {"splits", &PairedRow::splits}},
              {"difference of a selection to a peer on the same splits, and the share of splits that it won, "
               "ties half"})
          .table("/detection", in_tables(&Tables::detection),
                 {{"source", source_size, &DetectionRow::source},
                  {"corruption", name_size, &DetectionRow::corruption},
                  {"method", name_size, &DetectionRow::method},
                  {"group", &DetectionRow::group},
                  {"label", &DetectionRow::label},
                  {"rows", &DetectionRow::rows},
                  {"rejected", &DetectionRow::rejected},
                  {"flipped", &DetectionRow::flipped},
                  {"caught", &DetectionRow::caught},
                  {"precision", &DetectionRow::precision},
                  {"recall", &DetectionRow::recall}},
                 {"rejected rows as a detector of flipped labels, by kind of corruption, group and observed "
                  "label; -1: both"})
          .table(
              "/response", in_tables(&Tables::response),
              {{"source", source_size, &ResponseRow::source},
               {"policy", &ResponseRow::policy},
               {"feature", name_size, &ResponseRow::feature},
               {"quantile", &ResponseRow::quantile},
               {"value", &ResponseRow::value},
               {"score", &ResponseRow::score},
               {"keep", &ResponseRow::keep}},
              {"partial dependence of the trained policies: mean score and keep weight with one feature set "
               "to a quantile"})
          .table("/findings", in_tables(&Tables::findings),
                 {{"source", source_size, &Finding::source},
                  {"kind", name_size, &Finding::kind},
                  {"text", text_size, &Finding::text},
                  Field("method", list_size, &Finding::method).optional(),
                  Field("metric", name_size, &Finding::metric).optional(),
                  Field("change", &Finding::change).optional(),
                  Field("low", &Finding::low).optional(),
                  Field("high", &Finding::high).optional(),
                  Field("cost", &Finding::cost).optional(),
                  Field("balanced_cost", &Finding::balanced_cost).optional(),
                  Field("level", &Finding::level).optional(),
                  Field("floor", &Finding::floor).optional(),
                  Field("group", group_size, &Finding::group).optional()},
                 {"what to know before believing the figures"})
          .table("/frontier", in_tables(&Tables::frontier),
                 h5::Records<SummaryRow>(summary_fields<SummaryRow>(2, {{"setting", &SummaryRow::setting}})),
                 {"as /summary, for each setting: the weight of the fairness gap (meta_hard, meta_soft, "
                  "penalised) or the tolerance (threshold)"},
                 Presence::if_any)
          .table(
              "/groups", in_tables(&Tables::groups), h5::Records<GroupRow>(group_fields()),
              {"one record a source, split, policy, method and group of a data set: its test rows, those of "
               "label 1, and the rates of the fit on them; NaN: undefined"},
              Presence::if_any)
          .table(
              "/group_summary", in_tables(&Tables::group_summary),
              h5::Records<GroupSummaryRow>(
                  summary_fields<GroupSummaryRow>(2, {{"group", &GroupSummaryRow::group},
                                                      {"name", group_size, &GroupSummaryRow::name},
                                                      {"rows", &GroupSummaryRow::rows}})),
              {"as /summary, of the rates in each group of a data set; rows: test rows of a split that the "
               "rate is a share of, mean over the splits"},
              Presence::if_any)
          .table("/hidden_positives", in_tables(&Tables::hidden),
                 {{"source", source_size, &HiddenPositivesRow::source},
                  {"split", &HiddenPositivesRow::split},
                  {"group", &HiddenPositivesRow::group},
                  {"name", group_size, &HiddenPositivesRow::name},
                  {"share", &HiddenPositivesRow::share},
                  {"evidence", &HiddenPositivesRow::evidence}},
                 {"one record a split of a data set: the share of the positives of the group of the lowest "
                  "positive rate that seem to be labelled negative, and the log-likelihood that the best "
                  "share gains over none"},
                 Presence::if_any);
  return layout;
}

} // namespace metasieve
