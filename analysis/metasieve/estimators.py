"""MetaSieve and SievedClassifier: a trained policy as scikit-learn estimators."""
import contextlib
import numbers

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone, is_regressor
from sklearn.utils import _safe_indexing, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from .encoding import Encoder, group_columns_of, group_numbers
from .policies import core, load_policy

SKIPPED_CHECKS = {"check_sample_weights_invariance": "a row of weight 0 is left out, but the check shuffles the rows "
                  "too, and random halves depend on their order"}
FEWEST = 4  # rows that a policy can be adapted to: each half needs two


# ------------------------------------------------------------------------------------------------ checks of the input

def as_frame(X):
    """Returns a data frame of X, [n, d]. Raises TypeError or ValueError as scikit-learn's estimators do."""
    if sparse.issparse(X):
        raise TypeError("X: sparse matrices are not supported; use X.toarray()")
    if not isinstance(X, pd.DataFrame):
        X = np.asarray(X)
        if X.ndim != 2:
            raise ValueError(f"Expected 2D array, got {X.ndim}D array instead (shape={X.shape}). Reshape your data: "
                             "a row for each sample, a column for each feature.")
        if np.iscomplexobj(X):
            raise ValueError("Complex data not supported: X must be real numbers or words")
        X = pd.DataFrame(X).infer_objects() if X.dtype == object else pd.DataFrame(X)
    elif X.columns.duplicated().any():
        raise ValueError(f"X: two columns are called {X.columns[X.columns.duplicated()][0]!r}; rename one")
    if min(X.shape) == 0:
        raise ValueError(f"X: found array with {X.shape[0]} sample(s) and {X.shape[1]} feature(s) (shape={X.shape}) "
                         "while a minimum of 1 is required.")
    return X


def names_of(X):
    """Returns the names of the columns if all are strings, else None."""
    if isinstance(X, pd.DataFrame) and all(isinstance(name, str) for name in X.columns):
        return np.array(X.columns, dtype=object)
    return None


def remember_columns(estimator, X, frame):
    estimator.n_features_in_ = frame.shape[1]
    if names_of(X) is not None:
        estimator.feature_names_in_ = names_of(X)
    elif hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_


def require_columns(estimator, X, frame):
    """Raises ValueError if X has not the columns that were seen in fit."""
    seen, given = getattr(estimator, "feature_names_in_", None), names_of(X)
    if seen is not None and given is not None and list(seen) != list(given):
        unknown, missing = sorted(set(given) - set(seen)), sorted(set(seen) - set(given))
        problems = ([f"Feature names unseen at fit time:\n- {', '.join(unknown)}\n"] if unknown else []) + \
            ([f"Feature names seen at fit time, yet now missing:\n- {', '.join(missing)}\n"] if missing else [])
        raise ValueError("The feature names should match those that were passed during fit.\n" + "".join(
            problems or ["Feature names must be in the same order as they were in fit.\n"]))
    if frame.shape[1] != estimator.n_features_in_:
        raise ValueError(f"X has {frame.shape[1]} features, but {type(estimator).__name__} is expecting "
                         f"{estimator.n_features_in_} features as input.")


def plain_labels(y):
    """Returns (y as an array [n] of a type of numpy, the order of its values if they have one)."""
    if isinstance(getattr(y, "dtype", None), pd.CategoricalDtype):
        categories = pd.Categorical(y)
        return np.asarray(categories), list(categories.categories) if categories.ordered else None
    if isinstance(y, (pd.Series, pd.api.extensions.ExtensionArray)):
        missing, y = pd.isna(y), pd.Series(y).convert_dtypes(convert_string=False)
        if not missing.any() and pd.api.types.is_extension_array_dtype(y.dtype):
            y = y.to_numpy(dtype=y.dtype.numpy_dtype) if hasattr(y.dtype, "numpy_dtype") else y.to_numpy()
    y = column_or_1d(y, warn=True)
    return np.asarray(pd.Series(y).infer_objects()) if y.dtype == object else y, None


def checked_labels(y, rows):
    """Returns (labels 0 or 1 as uint8 [n], the two classes). Raises ValueError."""
    if y is None:
        raise ValueError("This estimator requires y to be passed, but the target y is None.")
    y, order = plain_labels(y)
    if len(y) != rows:
        raise ValueError(f"y: has {len(y)} values; X has {rows} rows: inconsistent numbers of samples")
    if pd.isna(y).any():
        raise ValueError(f"y: Input y contains NaN in {int(pd.isna(y).sum())} rows; leave rows without a label out")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise ValueError("Input y contains infinity or a value too large for dtype('float64').")
    try:
        classes, labels = np.unique(y, return_inverse=True)
    except TypeError as error:
        raise ValueError("y: has values of several types; make them one, as in y.astype(str)") from error
    if len(classes) < 2:
        raise ValueError(f"y: has one class, {classes[0]!r}; must have 2 classes")
    if len(classes) > 2:
        check_classification_targets(y)
        raise ValueError(f"Only binary classification is supported: y has {len(classes)} classes; make one of "
                         "them the positive class, as in y == 'yes'")
    if order is not None and order.index(classes[0]) > order.index(classes[1]):
        classes, labels = classes[::-1], 1 - labels
    return labels.astype("uint8"), classes


def checked_weights(sample_weight, rows):
    """Returns (float64 [n] or None, whether each row is used [n]). Raises ValueError."""
    if sample_weight is None:
        return None, np.ones(rows, dtype=bool)
    try:
        weight = np.asarray(sample_weight, dtype="float64")
    except (TypeError, ValueError) as error:
        raise ValueError(f"sample_weight: must be numbers ({error})") from error
    weight = np.full(rows, float(weight)) if weight.ndim == 0 else weight
    if weight.ndim != 1:
        raise ValueError("Sample weights must be 1D array or scalar")
    if len(weight) != rows:
        raise ValueError(f"sample_weight.shape == {weight.shape}, expected {(rows,)}!")
    wrong = ~(np.isfinite(weight) & (weight >= 0))
    if wrong.any():
        raise ValueError(f"sample_weight: row {int(wrong.argmax())} is {weight[wrong][0]:g}; must be finite and >= 0")
    return weight, weight > 0


def require_enough(labels, used):
    """Raises ValueError if the rows that are `used` [n] cannot be scored."""
    if used.sum() < FEWEST:
        raise ValueError(f"X: has {int(used.sum())} rows of weight > 0 (n_samples = {len(labels)}); must have {FEWEST}")
    if len(np.unique(labels[used])) < 2:
        raise ValueError("y: has one class where sample_weight is > 0; must have 2 classes")


@contextlib.contextmanager
def progress_bar(steps, verbose):
    """Gives a function to call after each step, or None."""
    if not verbose:
        yield None
        return
    from tqdm import tqdm
    with tqdm(total=steps, desc="metasieve: adapting", unit="step") as bar:
        yield bar.update


# ------------------------------------------------------------------------------------------------------- estimators

class Sieve(BaseEstimator):
    """Parameters that both estimators have, their checks, and their tags."""

    def _check_parameters(self):
        if self.fairness not in ("eo", "dp", None):
            raise ValueError(f"fairness={self.fairness!r}: must be 'eo', 'dp' or None")
        if not (isinstance(self.fairness_weight, numbers.Real) and 0 <= self.fairness_weight < np.inf):
            raise ValueError(f"fairness_weight={self.fairness_weight!r}: must be a number >= 0")
        if self.keep is not None and not (isinstance(self.keep, numbers.Real) and 0 < self.keep < 1):
            raise ValueError(f"keep={self.keep!r}: must be > 0 and < 1, or None for the policy's own")
        if self.adapt not in ("auto", "none"):
            raise ValueError(f"adapt={self.adapt!r}: must be 'auto' or 'none'")
        if not (self.smallest_group is None or (isinstance(self.smallest_group, numbers.Integral)
                                                and self.smallest_group >= 0)):
            raise ValueError(f"smallest_group={self.smallest_group!r}: must be an integer >= 0, or None")

    def _seed(self):
        if isinstance(self.random_state, np.random.RandomState):
            return int(self.random_state.randint(2**31))
        if self.random_state is None:
            return int(np.random.randint(2**31))
        if isinstance(self.random_state, numbers.Integral) and 0 <= self.random_state < 2**64:
            return int(self.random_state)
        raise ValueError(f"random_state={self.random_state!r}: must be an integer from 0 to 2^64 - 1, or None")

    def _more_tags(self):
        return {"binary_only": True, "requires_y": True, "allow_nan": True, "X_types": ["2darray", "string"],
                "_xfail_checks": SKIPPED_CHECKS}

    def __sklearn_tags__(self):  # scikit-learn 1.6 and later
        tags = super().__sklearn_tags__()
        tags.target_tags.required = tags.input_tags.allow_nan = tags.input_tags.string = True
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_class = False
        return tags


class MetaSieve(Sieve):
    """Scores training rows by how far their labels are to be trusted, for a model that is accurate and fair.

    A policy network, meta-trained on generated tasks with wrong labels and unfair groups, gives each row a score. It is
    first adapted to the table at hand by meta-gradients on halves of its noisy rows [1]_. Nothing but `X`, `y` and the
    groups is used: no clean label, no test row.

    Parameters
    ----------
    fairness : {"eo", "dp", None}, default="eo"
        Gap between groups that the adaptation lowers: equalised odds or demographic parity. None: accuracy is all.
    fairness_weight : float, default=0.1
        Weight of that gap against the error rate. Beyond 0.2 little is gained.
    keep : float, default=0.7
        Mean of the soft weights, and share of the rows that are selected. None: what the policy was trained with.
    policy : {"default", "blind"} or path, default="default"
        "default" is for models that see the group as a feature, "blind" for models that do not. A path names a
        policy.h5 that ``metasieve train`` has written.
    adapt : {"auto", "none"}, default="auto"
        The recommended adaptation, or the policy as it was trained.
    smallest_group : int, optional
        If there are more than two groups, those of fewer rows are merged into one. Default: 30, and at least 1 % of the
        rows.
    random_state : int, RandomState or None, default=0
        Seed of the random halves and features. With an integer the scores are those of
        ``metasieve score --evaluate.seed random_state``.
    verbose : bool, default=False
        Whether to show a progress bar (needs tqdm).

    Attributes
    ----------
    scores_ : ndarray of shape (n,)
        Score of each row, higher is more trusted; NaN where `sample_weight` is 0.
    sample_weight_ : ndarray of shape (n,)
        Soft keep weight of each row, in (0, 1), times the given `sample_weight`.
    support_ : ndarray of bool, shape (n,)
        Whether the row is among the floor(`keep` n) rows of highest score.
    sample_indices_ : ndarray of int
        The places of the selected rows.
    classes_ : ndarray of shape (2,)
        The values of y; the second is the positive one.
    groups_ : list of str
        Names of the groups; one if no groups were given.
    hidden_positives_ : tuple (str, float), or None
        Name of the group of the lowest positive rate, and the estimated share of its positives that are labelled
        negative; a share up to 0.08 means nothing. None if there is no estimate, as with one group.
    n_features_in_, feature_names_in_
        As in every estimator of scikit-learn.

    See Also
    --------
    SievedClassifier : a classifier that is fitted on the weighted or selected rows.

    Notes
    -----
    `X` may be an array or a data frame with words and gaps; it is encoded as ``python3 -m metasieve import csv`` does:
    numbers stay, gaps become the median, each word becomes a column of 0 and 1.

    References
    ----------
    .. [1] C. Finn, P. Abbeel, S. Levine, "Model-agnostic meta-learning for fast adaptation of deep networks",
       ICML 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from metasieve import MetaSieve
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 3))
    >>> y = (X[:, 0] > 0).astype(int)
    >>> flipped = rng.choice(400, 40, replace=False)
    >>> y[flipped] = 1 - y[flipped]
    >>> sieve = MetaSieve().fit(X, y)
    >>> int(sieve.support_.sum())
    280
    >>> bool(sieve.support_[flipped].mean() < 0.2)
    True
    """

    def __init__(self, *, fairness="eo", fairness_weight=0.1, keep=0.7, policy="default", adapt="auto",
                 smallest_group=None, random_state=0, verbose=False):
        self.fairness = fairness
        self.fairness_weight = fairness_weight
        self.keep = keep
        self.policy = policy
        self.adapt = adapt
        self.smallest_group = smallest_group
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y, sensitive_features=None, sample_weight=None):
        """Scores the rows.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n, d)
            Features: numbers, or words; NaN is a gap.
        y : array-like of shape (n,)
            Labels of two values.
        sensitive_features : array-like of shape (n,) or (n, k), optional
            The group of each row, of any values; of several columns each combination. Left out: one group.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows, >= 0. A row of weight 0 is left out.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a column, the labels, the groups or a parameter cannot be used; the message names it and the remedy.
        """
        frame = as_frame(X)
        labels, classes = checked_labels(y, len(frame))
        weight, used = checked_weights(sample_weight, len(frame))
        require_enough(labels, used)
        remember_columns(self, X, frame)
        encoded = Encoder().fit_transform(frame if used.all() else frame[used])
        return self._score(encoded, labels, classes, sensitive_features, weight, used)

    def _score(self, encoded, labels, classes, sensitive_features, weight, used):
        """Scores the rows that are `used` [n], of which `encoded` has the features."""
        self._check_parameters()
        rows = len(labels)
        if sensitive_features is None:
            group, names = np.zeros(len(encoded), "uint8"), ["all"]
        elif len(columns := group_columns_of(sensitive_features)) != rows:
            raise ValueError(f"sensitive_features: has {len(columns)} rows; X has {rows}")
        else:
            group, names = group_numbers(columns[used], self.smallest_group)
        policy = load_policy(self.policy)
        if self.keep is not None:
            policy.keep = float(self.keep)
        module, adapts = core(), self.adapt == "auto"
        with progress_bar(module.adapt_steps, self.verbose and adapts) as after_step:
            scores, soft, selected, (disadvantaged, share, _) = module.score(
                encoded, labels[used], group, len(names), policy, self.fairness or "eo",
                float(self.fairness_weight) if self.fairness else 0.0, adapts, self._seed(), after_step)
        self.scores_ = np.full(rows, np.nan)
        self.sample_weight_, self.support_ = np.zeros(rows), np.zeros(rows, dtype=bool)
        self.scores_[used], self.support_[used] = scores, selected > 0
        self.sample_weight_[used] = soft if weight is None else soft * weight[used]
        self.sample_indices_ = np.flatnonzero(self.support_)
        self.classes_, self.groups_ = classes, names
        self.hidden_positives_ = (names[disadvantaged], share) if disadvantaged >= 0 else None
        return self

    def fit_resample(self, X, y, sensitive_features=None, sample_weight=None):
        """Scores the rows and returns those that are selected, as the samplers of imbalanced-learn do.

        Parameters
        ----------
        X, y, sensitive_features, sample_weight
            As in `fit`.

        Returns
        -------
        X_selected, y_selected
            The selected rows, of the types that were given.
        """
        self.fit(X, y, sensitive_features, sample_weight)
        return _safe_indexing(X, self.sample_indices_), _safe_indexing(y, self.sample_indices_)


def can(name):
    """Whether the fitted model, or the one to be fitted, has this method; for available_if."""
    def check(self):
        getattr(getattr(self, "estimator_", self.estimator), name)  # its AttributeError names it
        return True
    return check


class SievedClassifier(MetaEstimatorMixin, ClassifierMixin, Sieve):
    """A classifier that is fitted on the rows that a policy trusts.

    Parameters
    ----------
    estimator : classifier
        Any classifier of scikit-learn's kind. It is cloned.
    selection : {"auto", "soft", "hard"}, default="auto"
        "soft" fits on all rows with the policy's weights as `sample_weight`, "hard" on the selected rows alone; "auto"
        is "soft" where the classifier's `fit` takes `sample_weight`.
    encode : bool, default=True
        Whether the classifier gets numbers, `X` encoded as described in `MetaSieve`, or `X` as it was given, as a
        Pipeline with its own encoders needs.
    fairness, fairness_weight, keep, policy, adapt, smallest_group, random_state, verbose
        As in `MetaSieve`.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier.
    sieve_ : MetaSieve
        With `scores_`, `sample_weight_` and `support_` of the rows.
    classes_ : ndarray of shape (2,)
        The values of y.
    n_features_in_, feature_names_in_
        As in every estimator of scikit-learn.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from metasieve import SievedClassifier
    >>> X, y = make_classification(n_samples=400, flip_y=0.2, random_state=0)
    >>> model = SievedClassifier(LogisticRegression()).fit(X, y)
    >>> model.predict(X[:3]).shape
    (3,)
    """

    def __init__(self, estimator, *, selection="auto", encode=True, fairness="eo", fairness_weight=0.1, keep=0.7,
                 policy="default", adapt="auto", smallest_group=None, random_state=0, verbose=False):
        self.estimator = estimator
        self.selection = selection
        self.encode = encode
        self.fairness = fairness
        self.fairness_weight = fairness_weight
        self.keep = keep
        self.policy = policy
        self.adapt = adapt
        self.smallest_group = smallest_group
        self.random_state = random_state
        self.verbose = verbose

    def _is_soft(self):
        if self.selection not in ("auto", "soft", "hard"):
            raise ValueError(f"selection={self.selection!r}: must be 'auto', 'soft' or 'hard'")
        if not (hasattr(self.estimator, "fit") and hasattr(self.estimator, "predict")) or is_regressor(self.estimator):
            raise ValueError(f"estimator={self.estimator!r}: must be a classifier")
        takes_weights = has_fit_parameter(self.estimator, "sample_weight")
        if self.selection == "soft" and not takes_weights:
            name = type(self.estimator).__name__
            raise ValueError(f"selection='soft': {name}.fit takes no sample_weight; use 'hard'")
        return takes_weights and self.selection != "hard"

    def fit(self, X, y, sensitive_features=None, sample_weight=None):
        """Scores the rows and fits the classifier.

        Parameters
        ----------
        X, y, sensitive_features, sample_weight
            As in `MetaSieve.fit`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As `MetaSieve.fit`; or if the classifier takes no weights and `selection` is "soft".
        """
        is_soft = self._is_soft()
        frame = as_frame(X)
        labels, classes = checked_labels(y, len(frame))
        weight, used = checked_weights(sample_weight, len(frame))
        require_enough(labels, used)
        takes_weights = has_fit_parameter(self.estimator, "sample_weight")
        if weight is not None and not takes_weights and len(np.unique(weight[used])) > 1:
            raise ValueError(f"sample_weight: {type(self.estimator).__name__}.fit takes none; leave it out")
        encoder = Encoder()
        encoded = encoder.fit_transform(frame if used.all() else frame[used])
        sieve = MetaSieve(**{name: getattr(self, name) for name in MetaSieve._get_param_names()})
        sieve._score(encoded, labels, classes, sensitive_features, weight, used)

        rows = used if is_soft else sieve.support_
        if len(np.unique(labels[rows])) < 2:
            raise ValueError(f"selection={self.selection!r}: all {int(rows.sum())} selected rows are of class "
                             f"{classes[labels[rows][0]]!r}; use 'soft', or a larger keep")
        values = encoded[rows[used]] if self.encode else _safe_indexing(X, np.flatnonzero(rows))
        weights = {}
        if is_soft:
            weights = {"sample_weight": sieve.sample_weight_[rows]}
        elif weight is not None and takes_weights:
            weights = {"sample_weight": weight[rows]}
        self.estimator_ = clone(self.estimator).fit(values, classes[labels[rows]], **weights)
        self.sieve_, self.encoder_, self.classes_ = sieve, encoder, classes
        remember_columns(self, X, frame)
        return self

    def _features(self, X):
        check_is_fitted(self)
        frame = as_frame(X)
        require_columns(self, X, frame)
        return self.encoder_.transform(frame) if self.encode else X

    def predict(self, X):
        """Returns the predicted class of each row of X, [m]."""
        features = self._features(X)
        return self.estimator_.predict(features)

    @available_if(can("predict_proba"))
    def predict_proba(self, X):
        """Returns the probability of each class, [m, 2], in the order of `classes_`."""
        features = self._features(X)
        return self.estimator_.predict_proba(features)

    @available_if(can("predict_proba"))
    def predict_log_proba(self, X):
        """Returns the logarithms of `predict_proba`, [m, 2]."""
        return np.log(self.predict_proba(X))

    @available_if(can("decision_function"))
    def decision_function(self, X):
        """Returns the classifier's decision value of each row, [m]; > 0 for the second of `classes_`."""
        features = self._features(X)
        return self.estimator_.decision_function(features)
