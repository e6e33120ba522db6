#pragma once

namespace metasieve {

/// What of a suite file is shuffled and deflated, as HDF5's filters do.
enum class Compression { none, labels, all };

} // namespace metasieve
