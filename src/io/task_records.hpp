#pragma once

#include "io/records.hpp"
#include "tasks/task.hpp"

namespace metasieve {

/// The compound of /metadata: 22 fields in the order that scripts rely on, then those of the generator.
[[nodiscard]] const h5::Records<Metadata>& metadata_records();

} // namespace metasieve
