#include "run/time_left.hpp"

#include <algorithm>

namespace metasieve {

TimeLeft::TimeLeft(const std::vector<double>& work) {
  for (const double predicted : work) kinds_.push_back({predicted, 0.0, 0.0});
}

void TimeLeft::add(std::size_t kind, double work, double seconds) {
  kinds_.at(kind).done += work;
  kinds_.at(kind).seconds += seconds;
}

void TimeLeft::close(std::size_t kind) { kinds_.at(kind).work = kinds_.at(kind).done; }

double TimeLeft::seconds() const {
  double done = 0, spent = 0;
  for (const Kind& kind : kinds_) {
    done += kind.done;
    spent += kind.seconds;
  }
  if (done <= 0) return 0;
  double left = 0;
  for (const Kind& kind : kinds_) {
    const double pace = kind.done > 0 ? kind.seconds / kind.done : spent / done;
    left += std::max(kind.work - kind.done, 0.0) * pace;
  }
  return left;
}

double TimeLeft::share() const {
  double spent = 0;
  for (const Kind& kind : kinds_) spent += kind.seconds;
  return spent > 0 ? spent / (spent + seconds()) : 0.0; // what is done has taken time
}

double TimeLeft::share_of(std::size_t kind) const {
  const Kind& of = kinds_.at(kind);
  return of.work > 0 ? std::min(of.done / of.work, 1.0) : 1.0;
}

} // namespace metasieve
