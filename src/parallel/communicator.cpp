#include "parallel/communicator.hpp"

#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <numeric>
#include <thread>
#include <utility>

namespace metasieve {
namespace {

void check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw MpiError(std::string(call) +
                 " failed: " + std::string(text.data(), static_cast<std::size_t>(length)));
}

std::size_t part_at_once(std::size_t bytes) {
  return std::min(bytes, static_cast<std::size_t>(Communicator::most_at_once));
}

/// How one rank's part went.
struct Outcome {
  bool failed = false;
  ExitCode code = ExitCode::done;
  std::string message;
};

Outcome outcome_of(const std::function<void()>& work) {
  try {
    work();
    return {};
  } catch (const Error& error) {
    return {true, error.code(), error.what()};
  } catch (const std::bad_alloc&) {
    return {true, ExitCode::internal, "out of memory: use more nodes or fewer ranks a node"};
  } catch (const std::exception& error) {
    return {true, ExitCode::internal, error.what()};
  }
}

} // namespace

Environment::Environment(int& argc, char**& argv) {
  int provided = MPI_THREAD_SINGLE;
  check(MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  if (provided < MPI_THREAD_FUNNELED)
    throw MpiError("this MPI offers no MPI_THREAD_FUNNELED: build it with thread support");
}

Environment::~Environment() {
  if (std::uncaught_exceptions() == 0) MPI_Finalize();
}

Communicator::Communicator(MPI_Comm parent)
    : Communicator(Adopted{}, [&] {
        MPI_Comm copy = MPI_COMM_NULL;
        check(MPI_Comm_dup(parent, &copy), "MPI_Comm_dup");
        return copy;
      }()) {}

Communicator::Communicator(Adopted /*tag*/, MPI_Comm comm) : comm_(comm) {
  check(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
}

Communicator::~Communicator() {
  if (comm_ != MPI_COMM_NULL && std::uncaught_exceptions() == 0) MPI_Comm_free(&comm_);
}

Communicator::Communicator(Communicator&& other) noexcept
    : comm_(std::exchange(other.comm_, MPI_COMM_NULL)), rank_(other.rank_), size_(other.size_) {}

Communicator& Communicator::operator=(Communicator&& other) noexcept {
  std::swap(comm_, other.comm_);
  std::swap(rank_, other.rank_);
  std::swap(size_, other.size_);
  return *this;
}

void Communicator::sum(std::span<std::int64_t> values) const {
  check(MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_INT64_T, MPI_SUM,
                      comm_),
        "MPI_Allreduce");
}

std::int64_t Communicator::sum(std::int64_t value) const {
  sum(std::span(&value, 1));
  return value;
}

std::uint64_t Communicator::wrapping_sum(std::uint64_t value) const {
  check(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_UINT64_T, MPI_SUM, comm_), "MPI_Allreduce");
  return value;
}

std::int64_t Communicator::max(std::int64_t value) const {
  check(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT64_T, MPI_MAX, comm_), "MPI_Allreduce");
  return value;
}

double Communicator::max(double value) const {
  check(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MAX, comm_), "MPI_Allreduce");
  return value;
}

bool Communicator::all_equal(std::uint64_t value) const {
  std::array<std::uint64_t, 2> extremes{value, ~value}; // max of ~v is the complement of min of v
  check(MPI_Allreduce(MPI_IN_PLACE, extremes.data(), 2, MPI_UINT64_T, MPI_MAX, comm_), "MPI_Allreduce");
  return extremes[0] == ~extremes[1];
}

std::int64_t Communicator::exclusive_sum(std::int64_t value) const {
  std::int64_t below = 0;
  check(MPI_Exscan(&value, &below, 1, MPI_INT64_T, MPI_SUM, comm_), "MPI_Exscan");
  return rank_ == 0 ? 0 : below;
}

std::string Communicator::broadcast(const std::string& text) const {
  std::int64_t length = static_cast<std::int64_t>(text.size());
  check(MPI_Bcast(&length, 1, MPI_INT64_T, 0, comm_), "MPI_Bcast");
  std::string out = rank_ == 0 ? text : std::string(static_cast<std::size_t>(length), '\0');
  for (std::int64_t done = 0; done < length; done += most_at_once)
    check(MPI_Bcast(out.data() + done, static_cast<int>(std::min(most_at_once, length - done)), MPI_CHAR, 0,
                    comm_),
          "MPI_Bcast");
  return out;
}

std::vector<double> Communicator::gather(std::span<const double> values) const {
  std::vector<double> all(values.size() * static_cast<std::size_t>(size_));
  check(MPI_Allgather(values.data(), static_cast<int>(values.size()), MPI_DOUBLE, all.data(),
                      static_cast<int>(values.size()), MPI_DOUBLE, comm_),
        "MPI_Allgather");
  return all;
}

std::string Communicator::gather(const std::string& bytes, std::int64_t most) const {
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(size_));
  const auto length = static_cast<std::int64_t>(bytes.size());
  check(MPI_Allgather(&length, 1, MPI_INT64_T, lengths.data(), 1, MPI_INT64_T, comm_), "MPI_Allgather");
  std::vector<std::string> parts(lengths.size());
  // Counts and offsets are int in MPI 3, so all that travels at once must fit into one.
  const std::int64_t block = std::max<std::int64_t>(1, most / size_);
  const std::int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  for (std::int64_t begin = 0; begin < longest; begin += block) {
    std::vector<int> counts, offsets(lengths.size());
    for (const std::int64_t all : lengths)
      counts.push_back(static_cast<int>(std::clamp<std::int64_t>(all - begin, 0, block)));
    std::exclusive_scan(counts.begin(), counts.end(), offsets.begin(), 0);
    std::string arrived(static_cast<std::size_t>(offsets.back() + counts.back()), '\0');
    check(MPI_Allgatherv(bytes.data() + std::min(begin, length), counts[static_cast<std::size_t>(rank_)],
                         MPI_CHAR, arrived.data(), counts.data(), offsets.data(), MPI_CHAR, comm_),
          "MPI_Allgatherv");
    for (std::size_t r = 0; r < parts.size(); ++r)
      parts[r].append(arrived, static_cast<std::size_t>(offsets[r]), static_cast<std::size_t>(counts[r]));
  }
  return std::accumulate(parts.begin(), parts.end(), std::string());
}

void Communicator::receive(std::span<std::byte> bytes, int from) const {
  for (; !bytes.empty(); bytes = bytes.subspan(part_at_once(bytes.size())))
    check(MPI_Recv(bytes.data(), static_cast<int>(part_at_once(bytes.size())), MPI_BYTE, from, 0, comm_,
                   MPI_STATUS_IGNORE),
          "MPI_Recv");
}

void Communicator::barrier() const { check(MPI_Barrier(comm_), "MPI_Barrier"); }

void Communicator::idle_barrier() const {
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Ibarrier(comm_, &request), "MPI_Ibarrier");
  for (int arrived = 0; arrived == 0;) {
    check(MPI_Test(&request, &arrived, MPI_STATUS_IGNORE), "MPI_Test");
    if (arrived == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Communicator Communicator::split(int group) const {
  MPI_Comm part = MPI_COMM_NULL;
  check(MPI_Comm_split(comm_, group, rank_, &part), "MPI_Comm_split");
  return {Adopted{}, part};
}

Communicator Communicator::on_node() const {
  MPI_Comm node = MPI_COMM_NULL;
  check(MPI_Comm_split_type(comm_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &node), "MPI_Comm_split_type");
  return {Adopted{}, node};
}

int Communicator::ranks_on_node() const { return on_node().size(); }

void Communicator::run_collectively(const std::function<void()>& work, bool names_rank) const {
  const Outcome mine = outcome_of(work);
  const std::int64_t failures = sum(std::int64_t{mine.failed});
  if (failures == 0) return;
  const auto first = static_cast<int>(-max(std::int64_t{mine.failed ? -rank_ : -size_}));
  // The lowest failing rank's words travel to all by a gather to which only it contributes.
  const bool speaks = mine.failed && rank_ == first;
  const std::string message = gather(speaks ? mine.message : std::string());
  const auto code = static_cast<ExitCode>(max(std::int64_t{speaks ? static_cast<int>(mine.code) : 0}));
  const std::string where = failures == size_ || !names_rank ? ""
                                                             : "rank " + std::to_string(first) + " (" +
                                                                   gather(speaks ? host_name() : "") + "): ";
  throw CollectiveError(code, where + message);
}

void Communicator::abort(ExitCode code) const noexcept {
  MPI_Abort(comm_ == MPI_COMM_NULL ? MPI_COMM_WORLD : comm_, static_cast<int>(code));
  std::abort();
}

void Sends::add(std::span<const std::byte> bytes, int to) {
  for (; !bytes.empty(); bytes = bytes.subspan(part_at_once(bytes.size())))
    check(MPI_Isend(bytes.data(), static_cast<int>(part_at_once(bytes.size())), MPI_BYTE, to, 0, comm_.get(),
                    &requests_.emplace_back(MPI_REQUEST_NULL)),
          "MPI_Isend");
}

void Sends::finish() {
  check(MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE),
        "MPI_Waitall");
  requests_.clear();
}

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string mpi_thread_level() {
  int level = MPI_THREAD_SINGLE;
  check(MPI_Query_thread(&level), "MPI_Query_thread");
  return level >= MPI_THREAD_MULTIPLE     ? "multiple"
         : level >= MPI_THREAD_SERIALIZED ? "serialized"
         : level >= MPI_THREAD_FUNNELED   ? "funneled"
                                          : "single";
}

std::string mpi_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  const std::string full(text.data(), static_cast<std::size_t>(length));
  return full.substr(0, full.find_first_of(",\n"));
}

} // namespace metasieve
