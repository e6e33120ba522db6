#include "methods/error_parity.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace metasieve {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// What a threshold does. x: the rate that is bounded on the right, of accepted negatives (equalised odds) or
/// of accepted rows (demographic parity); y: of accepted positives.
struct Point {
  double x = 0, y = 0, threshold = infinity;
};

/// A lower left corner and the sizes of the box that all groups must be in.
struct Box {
  double x, y, width, height;
};

/// y of the segment from p to q at x, p.x < q.x.
double along(const Point& p, const Point& q, double x) { return p.y + (q.y - p.y) * (x - p.x) / (q.x - p.x); }

/// The points that a group can have: those of its concave hull, by x and y, and those below it.
class Curve {
public:
  Curve(const Vector& score, const Labels& y, std::vector<Index> rows, bool parity_of_all)
      : all_(parity_of_all) {
    std::ranges::sort(rows, std::greater{}, [&](Index i) { return score(i); });
    std::array<double, 2> accepted{};
    for (const Index i : rows) ++rows_[y(i)];
    hull_.push_back({});
    for (std::size_t k = 0; k < rows.size(); ++k) {
      ++accepted[y(rows[k])];
      const double here = score(rows[k]), next = k + 1 < rows.size() ? score(rows[k + 1]) : -infinity;
      if (here == next) continue; // ties are accepted or rejected together
      const double x = all_ ? share(accepted[0] + accepted[1], size()) : share(accepted[0], rows_[0]);
      add({x, share(accepted[1], rows_[1]), std::isinf(next) ? next : std::midpoint(here, next)});
    }
    steepest_ = *std::ranges::max_element(hull_, {}, [&](const Point& p) { return correct(p); });
  }

  [[nodiscard]] double size() const { return rows_[0] + rows_[1]; }
  /// Whether the coordinate is a rate of rows.
  [[nodiscard]] bool has(double Point::*rate) const {
    return rate == &Point::y ? rows_[1] > 0 : all_ || rows_[0] > 0;
  }
  /// Whether both coordinates matter: else one is always 0.
  [[nodiscard]] bool has_both() const { return all_ || (rows_[0] > 0 && rows_[1] > 0); }
  [[nodiscard]] double correct(const Point& p) const {
    return all_ ? 2.0 * rows_[1] * p.y - size() * p.x + rows_[0] : rows_[1] * p.y + rows_[0] * (1.0 - p.x);
  }

  /// The most accurate point in a box that has one.
  [[nodiscard]] Point best(const Box& box) const {
    if (!has_both()) return rows_[0] > 0 ? Point{box.x, 0} : Point{0, std::min(1.0, box.y + box.height)};
    const double top = box.y + box.height;
    const double low = std::max(box.x, x_of(box.y)), high = std::min({box.x + box.width, top, 1.0});
    const double x = std::max(low, std::min({steepest_.x, x_of(top), high}));
    return {x, std::min(y_of(x), top)};
  }

  /// The least x of a point as high as y.
  [[nodiscard]] double x_of(double y) const {
    const auto end = std::ranges::lower_bound(hull_, y, {}, &Point::y);
    if (end == hull_.begin()) return 0.0;
    if (end == hull_.end()) return hull_.back().x;
    const Point &p = *(end - 1), &q = *end;
    return p.x + (q.x - p.x) * (y - p.y) / (q.y - p.y);
  }

  /// Thresholds that have the point on average.
  [[nodiscard]] RandomThreshold realise(const Point& point) const {
    if (!has_both() && rows_[1] > 0) return mix(&Point::y, point.y, 1.0);
    const double top = has_both() ? y_of(point.x) : 0.0, excess = top - point.y;
    const double share_of_hull = excess > 0 ? 1.0 - excess / (top - point.x) : 1.0;
    RandomThreshold out = mix(&Point::x, point.x, share_of_hull);
    out.threshold.insert(out.threshold.end(), {-infinity, infinity});
    out.probability.insert(out.probability.end(),
                           {(1.0 - share_of_hull) * point.x, (1.0 - share_of_hull) * (1.0 - point.x)});
    return out;
  }

private:
  static double share(double part, double whole) { return whole > 0 ? part / whole : 0.0; }

  void add(const Point& point) {
    while (hull_.size() >= 2) {
      const Point &p = hull_[hull_.size() - 2], &q = hull_.back();
      if ((q.x - p.x) * (point.y - p.y) <= (q.y - p.y) * (point.x - p.x)) break; // on the hull, or on a line
      hull_.pop_back();
    }
    hull_.push_back(point);
  }

  /// The largest y of a point at x.
  [[nodiscard]] double y_of(double x) const {
    const auto end = std::ranges::upper_bound(hull_, x, {}, &Point::x);
    return end == hull_.end() ? hull_.back().y : along(*(end - 1), *end, x);
  }

  /// Two neighbours on the hull that have `value` in the coordinate on average, with probability `total`.
  [[nodiscard]] RandomThreshold mix(double Point::*coordinate, double value, double total) const {
    const auto end = std::ranges::upper_bound(hull_, value, {}, coordinate);
    if (end == hull_.end()) return {{hull_.back().threshold}, {total}};
    if (end == hull_.begin()) return {{hull_.front().threshold}, {total}};
    const Point &p = *(end - 1), &q = *end;
    const double second = (value - p.*coordinate) / (q.*coordinate - p.*coordinate);
    return {{p.threshold, q.threshold}, {(1.0 - second) * total, second * total}};
  }

  bool all_;
  std::array<double, 2> rows_{}; // of each label
  std::vector<Point> hull_;      // concave; both coordinates grow or stay
  Point steepest_;               // the most accurate one
};

/// The argument in [low, high] of the largest value of a concave function, by golden section.
double maximiser(double low, double high, const std::function<double(double)>& f) {
  constexpr double golden = 0.6180339887498949;
  double a = high - golden * (high - low), b = low + golden * (high - low);
  double at_a = f(a), at_b = f(b);
  for (int k = 0; k < 60; ++k) {
    if (at_a < at_b) {
      low = a, a = b, at_a = at_b;
      b = low + golden * (high - low);
      at_b = f(b);
    } else {
      high = b, b = a, at_b = at_a;
      a = high - golden * (high - low);
      at_a = f(a);
    }
  }
  return at_a < at_b ? b : a;
}

double correct(const std::vector<Curve>& curves, const Box& box) {
  double sum = 0.0;
  for (const Curve& curve : curves) sum += curve.correct(curve.best(box));
  return sum;
}

/// The box of this width with the most accurate points.
Box best_box(const std::vector<Curve>& curves, Gap gap, double width) {
  if (curves.size() < 2 || gap == Gap::none) return {0, 0, 1, 1};
  const auto parity = [&](double x) { return Box{x, 0, width, 1}; };
  if (gap == Gap::dp) return parity(maximiser(0, 1, [&](double x) { return correct(curves, parity(x)); }));
  const auto odds = [&](double y) { // the best with y at the bottom
    double least = 0.0;
    for (const Curve& curve : curves)
      if (curve.has_both()) least = std::max(least, curve.x_of(y) - width);
    const double x = maximiser(least, std::min(1.0, y + width), [&](double left) {
      return correct(curves, {left, y, width, width});
    });
    return Box{x, y, width, width};
  };
  return odds(maximiser(0, 1, [&](double y) { return correct(curves, odds(y)); }));
}

/// Largest less least of a rate over the groups that have it.
double spread(const std::vector<Curve>& curves, const std::vector<Point>& points, double Point::*rate) {
  double low = infinity, high = -infinity;
  for (std::size_t g = 0; g < points.size(); ++g)
    if (curves[g].has(rate)) low = std::min(low, points[g].*rate), high = std::max(high, points[g].*rate);
  return std::max(0.0, high - low);
}

} // namespace

ErrorParity choose_error_parity(const Vector& score, const Labels& y, const Labels& group, Index groups,
                                Gap gap, double tolerance) {
  const Labels order = by_first_row(group);
  std::vector<std::vector<Index>> rows; // of the groups that have some, in the order of their first ones
  for (Index i = 0; i < order.size(); ++i) {
    if (order(i) == rows.size()) rows.emplace_back();
    rows[order(i)].push_back(i);
  }
  std::vector<Curve> curves;
  for (std::vector<Index>& own : rows) curves.emplace_back(score, y, std::move(own), gap == Gap::dp);
  const Box box = best_box(curves, gap, std::max(0.0, tolerance));

  std::vector<Point> points;
  std::vector<RandomThreshold> thresholds;
  std::size_t largest = 0;
  double right = 0.0;
  for (const Curve& curve : curves) {
    points.push_back(curve.best(box));
    thresholds.push_back(curve.realise(points.back()));
    right += curve.correct(points.back());
    if (curve.size() > curves[largest].size()) largest = points.size() - 1;
  }
  ErrorParity out{{}, right / static_cast<double>(score.size()), 0.0};
  if (gap != Gap::none && !curves.empty()) out.gap = spread(curves, points, &Point::x);
  if (gap == Gap::eo || gap == Gap::both) out.gap = std::max(out.gap, spread(curves, points, &Point::y));
  const RandomThreshold other = curves.empty() ? RandomThreshold{{0.0}, {1.0}} : thresholds[largest];
  out.of_group.assign(static_cast<std::size_t>(groups), other);
  std::size_t seen = 0;
  for (Index i = 0; i < order.size(); ++i)
    if (order(i) == seen) out.of_group[group(i)] = thresholds[seen++];
  return out;
}

Vector apply(const ErrorParity& choice, const Vector& score, const Labels& group, const Stream& stream) {
  Vector shifted(score.size());
  for (Index i = 0; i < score.size(); ++i) {
    const RandomThreshold& own = choice.of_group[group(i)];
    double rest = stream.uniform(i);
    std::size_t k = 0;
    while (k + 1 < own.threshold.size() && rest >= own.probability[k]) rest -= own.probability[k++];
    const double threshold = own.threshold[k];
    shifted(i) =
        std::isinf(threshold) ? std::copysign(1.0 + std::abs(score(i)), -threshold) : score(i) - threshold;
  }
  return shifted;
}

} // namespace metasieve
