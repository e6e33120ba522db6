#include "parallel/collective.hpp"

namespace metasieve {

void run_collectively_on_file(const Communicator& comm, const std::function<void()>& work) {
  comm.run_collectively(work, false);
}

void on_root(const Communicator& comm, const std::function<void()>& work) {
  run_collectively_on_file(comm, [&] {
    if (comm.is_root()) work();
  });
}

std::string run_on_root_and_broadcast(const Communicator& comm, const std::function<std::string()>& work) {
  std::string bytes;
  on_root(comm, [&] { bytes = work(); });
  return comm.broadcast(bytes);
}

} // namespace metasieve
