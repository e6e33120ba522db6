#pragma once

#include "parallel/communicator.hpp"

#include <filesystem>
#include <functional>
#include <string>

namespace metasieve {

struct DoctorRequest {
  std::filesystem::path folder; ///< where a run's output will go; need not be there
  unsigned patience = 60;       ///< seconds that one check may take
};

/// Collective: checks the job and the place of its output by doing on a small file what a run does: write
/// together and through rank 0, read, rename and lock. Calls `print` on every rank for each check, with one
/// line of name, ok, warning or fault, fact, and what to set; the last line is the verdict. Leaves nothing
/// behind. A check that does not end in time is a fault, which ends the process.
/// @throws CollectiveError after the last line, naming the faults if there are any: exit code 3 if the folder
/// has one, else 2
void doctor(const Communicator& comm, const DoctorRequest& request,
            const std::function<void(const std::string&)>& print);

} // namespace metasieve
