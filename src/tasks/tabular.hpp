#pragma once

#include "base/random.hpp"
#include "tasks/family.hpp"

namespace metasieve {

/// [n] labels of a table with standard normal `factors` [n, q], exactly `positives` of them 1: those of the
/// highest log-odds plus standard logistic noise, which is a logistic model whose intercept fits the count.
/// The log-odds have the standard deviation `separability`. They are linear in one to five factors; with
/// `interaction`, and q > 1, half of their variance is a product of two. Bits depend on the arguments only.
[[nodiscard]] Labels table_labels(const Matrix& factors, Index positives, const TaskParameters& parameters,
                                  Seed seed, TaskId id);

/// x [n, features] of a table with `factors` [n, q]. Each column begins as a variable of mean 0 and variance
/// 1 that is made of one to three factors and noise of its own. The first round(discrete * features) columns
/// become binary, ordinal (3 to 7 levels), or the 0/1 columns of a category (3 to 6 of them); then come the
/// skewed ones, log-normal or zero-inflated; the others stay as they are. Rows are independent given their
/// factors. Bits depend on the arguments only.
[[nodiscard]] Matrix table_columns(const Matrix& factors, const TaskParameters& parameters, Seed seed,
                                   TaskId id);

} // namespace metasieve
