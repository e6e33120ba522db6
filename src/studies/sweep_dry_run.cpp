#include "studies/sweep_dry_run.hpp"

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "parallel/collective.hpp"
#include "parallel/for_each.hpp"
#include "runtime/output_checks.hpp"
#include "studies/dry_run.hpp"
#include "studies/sweep.hpp"
#include "studies/sweep_report.hpp"
#include "studies/sweep_run.hpp"

namespace metasieve {
namespace {

/// Bytes of the small files of a point, and of the blocks that each of its files fills in part.
constexpr double small_files_bytes = 4e4;

} // namespace

std::string plan(const Communicator& comm, const SweepRequest& request) {
  require_writable(comm, {request.output / "sweep.ini"});
  const SweepPoints points(comm, request.config, sweep_inputs(comm, request.config.sweep));
  SweepCosts costs(comm, request.config, points.inputs());
  const Config first = points.config(points.at(0));
  const Speed speed = calibrate(comm, costs.typical(first), first,
                                {.generation = true, .training = true, .contest = points.evaluates()});
  const std::string bytes = from_root(comm, [&] {
    const SweepView view = view_sweep(points, request.output, costs, speed);
    double left = 0, most = -1;
    Index largest = 0;
    for (Index i = 0; i < points.size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (view.statuses[at].state != PointState::done) left += view.predicted[at];
      const double held = costs.of(points.config(points.at(i))).held_bytes;
      if (held > most) most = held, largest = i;
    }
    return ByteWriter().put(left).put(largest).put(overview(points, view, request.output)).take();
  });
  ByteReader reader(bytes);
  const auto left = reader.get<double>();
  const auto largest = reader.get<Index>();
  const std::string about = reader.text();

  const SweepGroups groups(comm, request.config.sweep.ranks_per_point);
  const SweepPoint& point = points.at(largest);
  Needs needs = training_needs(
      groups.mine, {points.config(point), point_folder(request.output, point), points.inputs().suite});
  needs.rank_bytes = comm.max(needs.rank_bytes);
  needs.own_bytes = comm.max(needs.own_bytes);
  needs.shared_bytes *= groups.count;
  needs.file_bytes = (needs.file_bytes + small_files_bytes) * static_cast<double>(points.size());
  require_room(comm, needs, request.output,
               "give each point more ranks (sweep.ranks_per_point), or run fewer ranks on each node");
  return "dry run: nothing is written\n  " + about +
         format("  ranks            %d group(s) of %d rank(s) x %d thread(s)\n"
                "  memory per rank  %.0f MB, of point %ld\n"
                "  files            %.1f MB in %s\n"
                "  time             %.3g core-hours left, about %.0f s\n",
                groups.count, groups.mine.size(), thread_count(), 1e-6 * needs.rank_bytes,
                static_cast<long>(largest), 1e-6 * needs.file_bytes, request.output.c_str(), left / 3600.0,
                left / (comm.size() * thread_count()));
}

} // namespace metasieve
