#pragma once

#include "fuzz/choices.hpp"

#include "hdf5/handles.hpp"

namespace metasieve::fuzz {

/// Any type that HDF5 has: numbers of both byte orders and odd widths, text of fixed and variable length,
/// compounds, enumerations, arrays, lists, references ...
[[nodiscard]] h5::DataType any_type(Choices& choices, int depth = 0);

/// No value, one value, or up to four dimensions, empty, small or huge, fixed or growing.
[[nodiscard]] h5::DataSpace any_space(Choices& choices);

/// Contiguous, compact, chunked with filters, or in another file, for a data set of `space`.
[[nodiscard]] h5::PropertyList any_layout(Choices& choices, hid_t space);

} // namespace metasieve::fuzz
