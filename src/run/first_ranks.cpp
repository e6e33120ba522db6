#include "run/first_ranks.hpp"

#include "io/h5.hpp"

#include <string>

namespace metasieve {

void on_first_ranks(const Communicator& comm, int ranks,
                    const std::function<void(const Communicator&)>& work) {
  const bool mine = comm.rank() < ranks;
  const Communicator part = comm.split(mine ? 0 : 1);
  auto code = ExitCode::done;
  std::string problem;
  if (mine) {
    try {
      work(part);
    } catch (const AgreedError& error) {
      code = error.code(), problem = error.what();
    }
  }
  comm.idle_barrier();
  if (comm.max(std::int64_t{h5::gave_up_file()}) > 0) h5::give_up_file(); // all must end the program alike
  code = static_cast<ExitCode>(comm.max(static_cast<std::int64_t>(code)));
  problem = comm.broadcast(problem);
  if (code != ExitCode::done) throw AgreedError(code, problem);
}

} // namespace metasieve
