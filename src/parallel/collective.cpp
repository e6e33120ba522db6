#include "parallel/collective.hpp"

#include <new>
#include <optional>
#include <string>

namespace metasieve {
namespace {

std::optional<Error> error_of(const std::function<void()>& work) {
  try {
    work();
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ExitCode::internal, "out of memory: use more nodes or fewer ranks a node");
  } catch (const std::exception& error) {
    return Error(ExitCode::internal, error.what());
  }
}

} // namespace

void agree_on_file(const Communicator& comm, const std::function<void()>& work) {
  const std::optional<Error> mine = error_of(work);
  const std::int64_t first = -comm.max(std::int64_t{mine ? -comm.rank() : -comm.size()});
  if (first == comm.size()) return;
  const bool speaks = first == comm.rank();
  const std::string message = comm.gather(speaks ? std::string(mine->what()) : std::string());
  const auto code =
      static_cast<ExitCode>(comm.max(std::int64_t{speaks ? static_cast<int>(mine->code()) : 0}));
  throw AgreedError(code, message);
}

void on_root(const Communicator& comm, const std::function<void()>& work) {
  agree_on_file(comm, [&] {
    if (comm.is_root()) work();
  });
}

std::string from_root(const Communicator& comm, const std::function<std::string()>& work) {
  std::string bytes;
  on_root(comm, [&] { bytes = work(); });
  return comm.broadcast(bytes);
}

} // namespace metasieve
