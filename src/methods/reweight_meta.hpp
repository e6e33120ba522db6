#pragma once

#include "features/meta_features.hpp"
#include "methods/adapt.hpp"

namespace metasieve {

/// Free weights of the training rows, [n] >= 0 with mean 1, by "Learning to Reweight Examples for Robust Deep
/// Learning" (Ren, Zeng, Yang and Urtasun 2018, arXiv:1803.09050). In each of 60 rounds the rows are cut into
/// two random halves; a logistic regression is fitted on one with its weights w, and the loss on the other is
/// differentiated by them, through the fit: w <- max(0, w - step * gradient), and scaled back to its sum;
/// then the other way round. Unlike the paper the gradient is the implicit one of a fit to convergence
/// instead of that of a step of stochastic gradient descent, and the validation rows are noisy, for there are
/// no clean ones. It is what a policy without features would learn: `options` gives loss (with its gap, of
/// any number of groups), ridge and seed of the adaptation of policies, the rest is not asked. A step is a
/// fifth of the weight for a row of mean gradient. A fit that diverges changes nothing.
[[nodiscard]] Vector reweight_meta_weights(const PreparedTask& task, const AdaptOptions& options);

} // namespace metasieve
