#pragma once

#include "inner/design.hpp"

#include <span>

namespace metasieve {

/// design_matrix by columns, standardised in T: the rows `rows` of `split`, or all where it is empty,
/// to columns[j][i], of mean.size() + 1 columns. Instances for float and double.
template <class T>
void fill_design(const Split& split, const Standardizer& standardizer, std::span<const Index> rows,
                 std::span<T* const> columns);

} // namespace metasieve
