#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace metasieve {

/// The attribute of each data set of ours that holds the sum of its values.
inline const std::string checksum_name = "checksum";

/// 64-bit sum over rows of a hash of row number and bytes: the same in whatever pieces the rows come, and on
/// however many ranks; sums of pieces add up modulo 2^64. `bytes` are whole rows of `row_bytes` > 0.
[[nodiscard]] std::uint64_t checksum(std::int64_t first_row, std::size_t row_bytes,
                                     std::span<const std::byte> bytes);

} // namespace metasieve
