"""MetaSieve and SievedClassifier: scikit-learn's own checks, and the scores of `metasieve score` to the bit."""
import doctest
import io
import os
import pathlib
import pickle
import re
import subprocess
import sys
import threading
import unittest
import warnings
from contextlib import redirect_stderr

from support import BINARY, MODULE, ROOT, AnalysisTest, execute, write_dataset

if not [*MODULE.glob("metasieve/_core*")]:
    raise unittest.SkipTest("built without METASIEVE_PYTHON")
sys.path[:0] = [str(ROOT / "analysis"), str(MODULE)]

import h5py
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import metasieve
from metasieve import MetaSieve, SievedClassifier, _core, estimators
from metasieve.encoding import Encoder, group_numbers

DATA = pathlib.Path(os.environ.get("METASIEVE_DATA", ROOT.parent / "shared" / "data"))
SKIPPED = {"check_sample_weights_invariance"}  # of scikit-learn's checks; the reason is in estimators.SKIPPED_CHECKS


FORK = """import multiprocessing, numpy as np
from metasieve import MetaSieve
X = np.random.default_rng(0).normal(size=(100, 3))
def scores(_):
    return MetaSieve().fit(X, X[:, 0] > 0).scores_
first = scores(0)
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(all((other == first).all() for other in pool.map_async(scores, range(2)).get(50)))"""


def table(rows=300, seed=1):
    """Returns X [n, 4], y [n] with one label in ten flipped, A [n] of two groups, and which rows are flipped."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, 4))
    A = random.integers(0, 2, rows)
    clean = (X[:, 0] + X[:, 1] > 0).astype(int)
    flipped = np.zeros(rows, dtype=bool)
    flipped[random.choice(rows, rows // 10, replace=False)] = True
    return X, np.where(flipped, 1 - clean, clean), A, flipped


def words_and_gaps(rows=300):
    """Returns a data frame with numbers, words, gaps, dates, integers that float32 cannot tell apart, and labels."""
    random = np.random.default_rng(3)
    X = pd.DataFrame({"number": random.normal(size=rows).round(3), "count": random.integers(0, 9, rows),
                      "color": random.choice(["red", "green", "blue"], rows), "sex": random.choice(["F", "M"], rows),
                      "id": 10**15 + random.permutation(rows)})
    X.loc[::7, "number"], X.loc[::11, "color"] = np.nan, np.nan
    y = np.where(X["count"] + random.normal(size=rows) > 4, "yes", "no")
    return X, y


class Conventions(unittest.TestCase):
    """What every estimator of scikit-learn does."""

    def test_checks_of_scikit_learn_pass(self):
        for estimator in (MetaSieve(), SievedClassifier(LogisticRegression())):
            with self.subTest(estimator), warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                check_estimator(estimator)
            skipped = {re.search(r"check_\w+", str(one.message))[0] for one in caught
                       if "SkipTest" in one.category.__name__}
            self.assertLessEqual(skipped, SKIPPED)
        self.assertEqual(set(estimators.SKIPPED_CHECKS), SKIPPED)

    def test_row_of_weight_zero_is_left_out(self):
        X, y, A, _ = table()
        weight = np.ones(len(y))
        weight[::5] = 0

        sieve = MetaSieve().fit(X, y, A, weight)
        without = MetaSieve().fit(X[weight > 0], y[weight > 0], A[weight > 0])
        model = SievedClassifier(LogisticRegression()).fit(X, y, A, weight)
        of_rest = SievedClassifier(LogisticRegression()).fit(X[weight > 0], y[weight > 0], A[weight > 0])

        np.testing.assert_array_equal(sieve.scores_[weight > 0], without.scores_)
        self.assertTrue(np.isnan(sieve.scores_[weight == 0]).all())
        self.assertEqual((sieve.sample_weight_[weight == 0].sum(), sieve.support_[weight == 0].sum()), (0, 0))
        np.testing.assert_array_equal(model.predict_proba(X), of_rest.predict_proba(X))

    def test_works_with_pipelines_searches_and_pickles(self):
        X, y, A, _ = table(200)
        for model in (HistGradientBoostingClassifier(max_iter=5), RandomForestClassifier(5, random_state=0),
                      LogisticRegression()):
            with self.subTest(model):
                sieved = SievedClassifier(model)
                pipeline = make_pipeline(StandardScaler(), sieved).fit(X, y, sievedclassifier__sensitive_features=A)
                search = GridSearchCV(sieved, {"fairness_weight": [0.0, 0.2]}, cv=2)
                search.fit(X, y, sensitive_features=A)
                scores = cross_val_score(sieved, X, y, cv=3, fit_params={"sensitive_features": A})
                again = pickle.loads(pickle.dumps(search.best_estimator_))

                self.assertEqual(pipeline.predict(X).shape, (200,))
                self.assertIn(search.best_params_["fairness_weight"], (0.0, 0.2))
                self.assertGreater(scores.min(), 0.5)
                np.testing.assert_array_equal(again.predict_proba(X), search.predict_proba(X))
                np.testing.assert_array_equal(clone(sieved).fit(X, y, A).predict(X), sieved.fit(X, y, A).predict(X))

    def test_examples_of_the_documentation_run(self):
        found = doctest.testmod(estimators)
        self.assertGreater(found.attempted, 10)
        self.assertEqual(found.failed, 0)

    def test_import_of_the_package_alone_loads_nothing_large(self):
        code = "import metasieve, sys; print({'sklearn', 'h5py'} & {*sys.modules})"
        run = execute([sys.executable, "-c", code], ROOT,
                      PYTHONPATH=f"{ROOT / 'analysis'}:{MODULE}")
        self.assertEqual(run.stdout, "set()\n")

    def test_missing_module_is_named_with_the_remedy(self):
        run = subprocess.run([sys.executable, "-c", "import sys; sys.modules['metasieve._core'] = None\n"
                              "import metasieve, numpy as np\n"
                              "metasieve.MetaSieve().fit(np.eye(8), np.arange(8) % 2)"], capture_output=True, text=True,
                             env=os.environ | {"PYTHONPATH": str(ROOT / "analysis")}, timeout=60)
        self.assertRegex(run.stderr, r"ImportError: metasieve's compiled module .*METASIEVE_PYTHON=ON.*pybind11")


class Scores(AnalysisTest):
    """Scores of the estimator and of the program."""

    def scored(self, dataset, *options, policy="policy.h5"):
        run = execute([str(BINARY), "score", "--policy", str(ROOT / "configs" / policy), "--dataset", str(dataset),
                       "--output", str(self.folder / "scores.h5"), *options], self.folder, timeout=300)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return metasieve.read(self.folder / "scores.h5")["scores"]

    def assert_same_bits(self, sieve, scores):
        np.testing.assert_array_equal(sieve.scores_, scores["score"])
        np.testing.assert_array_equal(sieve.sample_weight_, scores["weight"])
        np.testing.assert_array_equal(sieve.support_, scores["selected"] == 1)
        with h5py.File(self.folder / "scores.h5") as file:
            share = file.attrs.get("hidden_positives_share")
        self.assertEqual(sieve.hidden_positives_ and sieve.hidden_positives_[1], share)

    def test_are_those_of_the_program_for_any_number_of_groups_and_settings(self):
        two = ["a", "b"]
        for groups, settings, options in (
                (["all"], {}, ()), (two, {}, ()),
                (["a", "b", "c"], {"random_state": 5}, ("--evaluate.seed", "5")),
                (two, {"fairness": "dp", "fairness_weight": 0.3},
                 ("--evaluate.fairness", "dp", "--evaluate.adapt_fairness_weight", "0.3")),
                (two, {"fairness": None}, ("--evaluate.adapt_fairness_weight", "0")),
                (two, {"keep": 0.5}, ("--policy.keep", "0.5")),
                (two, {"adapt": "none"}, ("--evaluate.adapt", "none"))):
            with self.subTest(settings, groups=groups):
                data = metasieve.read(write_dataset(self.folder / "d.h5", 240, groups=groups))
                sieve = MetaSieve(**settings).fit(data["x"], data["y"], data["z"] if len(groups) > 1 else None)
                self.assert_same_bits(sieve, self.scored(self.folder / "d.h5", *options))
        weight = np.arange(240) % 4 / 2  # rows of weight 0 are left out
        with h5py.File(self.folder / "d.h5", "r+") as file:
            file["weight"] = weight
        sieve = MetaSieve().fit(data["x"], data["y"], data["z"], weight)
        self.assert_same_bits(sieve, self.scored(self.folder / "d.h5"))
        write_dataset(self.folder / "d.h5", 240, groups=two)
        for policy in ("blind", ROOT / "configs/policy_blind.h5"):
            sieve = MetaSieve(policy=policy).fit(data["x"], data["y"], data["z"])
            self.assert_same_bits(sieve, self.scored(self.folder / "d.h5", policy="policy_blind.h5"))

    def test_of_a_data_frame_are_those_of_the_imported_table(self):
        X, y = words_and_gaps()
        weight = np.random.default_rng(4).integers(1, 9, len(y)) / 4
        X.assign(y=y, w=weight).to_csv(self.folder / "t.csv", index=False)
        self.succeed("import", "csv", "t.csv", "--label", "y", "--positive", "yes", "--group", "sex", "--weight", "w",
                     "--output", "t.h5")

        sieve = MetaSieve().fit(X.drop(columns="sex"), y, sensitive_features=X["sex"], sample_weight=weight)

        np.testing.assert_array_equal(Encoder().fit_transform(X.drop(columns="sex")),
                                      metasieve.read(self.folder / "t.h5")["x"])
        self.assert_same_bits(sieve, self.scored(self.folder / "t.h5"))

    def test_of_real_tables_are_those_of_the_program(self):
        if not (DATA / "league/nlsy.csv").exists():
            self.skipTest(f"{DATA} does not exist")
        kinds = {name: (name, "--source", DATA) for name in ("compas", "adult")} | {
            name: ("csv", DATA / f"league/{name}.csv", "--label", "label", "--positive", "yes", "--group", "group",
                   "--group-value", "yes") for name in ("nlsy", "drug", "arrests")}
        for name, words in kinds.items():
            with self.subTest(name):
                self.succeed("import", *words, "--output", f"{name}.h5")
                data = metasieve.read(self.folder / f"{name}.h5")
                self.assert_same_bits(MetaSieve().fit(data["x"], data["y"], data["z"]),
                                      self.scored(self.folder / f"{name}.h5"))

    def test_have_the_same_bits_on_one_thread_and_two(self):
        X, y, A, _ = table(500)
        found = []
        for threads in (1, 2):
            _core.set_thread_count(threads)
            found.append(MetaSieve().fit(X, y, A).scores_)
        np.testing.assert_array_equal(*found)


class Use(unittest.TestCase):
    """What a user does and sees."""

    def test_rejects_wrong_labels(self):
        X, y, A, flipped = table(600)
        sieve = MetaSieve().fit(X, y, A)
        self.assertEqual(sieve.support_.sum(), 420)
        self.assertLess(sieve.support_[flipped].mean(), 0.2)
        self.assertAlmostEqual(sieve.sample_weight_.mean(), 0.7, 6)
        self.assertGreater(sieve.scores_[~flipped].mean(), sieve.scores_[flipped].mean())

    def test_takes_labels_and_groups_of_any_values(self):
        X, y, A, _ = table()
        expected = MetaSieve().fit(X, y, A)
        for labels, groups in ((np.where(y, "yes", "no"), np.where(A, "f", "m")), (y == 1, A.astype(float)),
                               (2.0 * y - 1, pd.Series(A, dtype="category")), (list(y), [str(a) for a in A]),
                               (pd.Series(y, index=range(7, 307)), pd.DataFrame({"a": A, "b": A})),
                               (pd.Series(y, dtype="Int64"), A), (pd.array(y == 1, dtype="boolean"), A),
                               (np.array([*map(int, y)], dtype=object), A), (y + 0.5, A),
                               (pd.Categorical(np.where(y, "low", "high"), ["high", "low"], ordered=True), A)):
            found = MetaSieve().fit(X, labels, sensitive_features=groups)
            np.testing.assert_array_equal(found.scores_, expected.scores_)
            self.assertEqual(len(found.groups_), 2)
        model = SievedClassifier(LogisticRegression()).fit(X, np.where(y, "yes", "no"))
        self.assertEqual((list(model.classes_), set(model.predict(X))), (["no", "yes"], {"no", "yes"}))

    def test_positive_class_is_the_second_in_order(self):
        X, y, _, _ = table()
        levels = pd.Categorical(np.where(y, "high", "low"), ["low", "high"], ordered=True)
        self.assertEqual(list(MetaSieve().fit(X, levels).classes_), ["low", "high"])
        self.assertEqual(list(MetaSieve().fit(X, list(levels)).classes_), ["high", "low"])
        model = SievedClassifier(LogisticRegression()).fit(X, pd.Series(y == 1, dtype="boolean"))
        self.assertEqual(model.predict(X).dtype, bool)

    def test_several_columns_make_their_combinations_and_small_groups_are_merged(self):
        number, names = group_numbers(pd.DataFrame({"a": ["x", "y"] * 100, "b": [1] * 100 + [2] * 100}))
        self.assertEqual(names, ["x, 1", "y, 1", "x, 2", "y, 2"])
        self.assertEqual(list(np.bincount(number)), [50] * 4)
        number, names = group_numbers(["a"] * 100 + ["b"] * 50 + ["c"] * 20 + ["d"] * 10)
        self.assertEqual((names, list(np.bincount(number))), (["a", "b", "other"], [100, 50, 30]))
        self.assertEqual(group_numbers(["a"] * 100 + ["b"] * 3)[1], ["a", "b"])
        self.assertEqual(group_numbers(["other"] * 100 + ["b"] * 50 + ["c"] * 20 + ["d"] * 10)[1],
                         ["other", "b", "other (merged)"])
        apart = pd.DataFrame({"a": ["x, y", "x"], "b": ["z", "y, z"]})  # both are called 'x, y, z'
        self.assertEqual(list(group_numbers(apart)[0]), [0, 1])
        self.assertEqual(group_numbers(["a"] * 100 + ["b"] * 50 + ["c"] * 20 + ["d"] * 10, 0)[1], ["a", "b", "c", "d"])

    def test_resampled_rows_keep_their_type(self):
        X, y = words_and_gaps()
        sieve = MetaSieve()
        rows, labels = sieve.fit_resample(X, pd.Series(y), sensitive_features=X["sex"])
        self.assertEqual((len(rows), list(rows.columns)), (210, list(X.columns)))
        pd.testing.assert_frame_equal(rows, X[sieve.support_])
        self.assertIsInstance(labels, pd.Series)
        arrays = MetaSieve().fit_resample(*table()[:2])
        self.assertEqual([type(array) for array in arrays], [np.ndarray, np.ndarray])
        self.assertIsInstance(MetaSieve().fit_resample(table()[0], pd.Categorical(table()[1]))[1], pd.Categorical)

    def test_soft_and_hard_selection(self):
        X, y, A, _ = table()
        weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
        soft, hard = (SievedClassifier(LogisticRegression(), selection=how).fit(X, y, A, weight)
                      for how in ("auto", "hard"))
        of_weights = LogisticRegression().fit(X.astype("float32"), y, soft.sieve_.sample_weight_)
        rows = hard.sieve_.support_
        of_rows = LogisticRegression().fit(X[rows].astype("float32"), y[rows], weight[rows])
        np.testing.assert_array_equal(soft.decision_function(X), of_weights.decision_function(X.astype("float32")))
        np.testing.assert_array_equal(hard.decision_function(X), of_rows.decision_function(X.astype("float32")))
        neighbours = SievedClassifier(KNeighborsClassifier()).fit(X, y)  # takes no weights
        self.assertEqual(len(neighbours.estimator_.classes_), 2)
        SievedClassifier(KNeighborsClassifier()).fit(X, y, sample_weight=weight > 1)  # rows that are left out
        with self.assertRaisesRegex(ValueError, "sample_weight: KNeighborsClassifier.fit takes none; leave it out"):
            SievedClassifier(KNeighborsClassifier()).fit(X, y, sample_weight=weight)
        np.testing.assert_array_equal(soft.predict_log_proba(X), np.log(soft.predict_proba(X)))
        self.assertFalse(hasattr(neighbours, "decision_function"))
        with self.assertRaisesRegex(ValueError, "selection='soft': KNeighborsClassifier.fit takes no sample_weight"):
            SievedClassifier(KNeighborsClassifier(), selection="soft").fit(X, y)
        with self.assertRaisesRegex(ValueError, "selection='hard': all 30 selected rows are of class False; use 'so"):
            SievedClassifier(LogisticRegression(), selection="hard", keep=0.1).fit(X, np.arange(300) == 7)

    def test_model_gets_numbers_or_the_table_as_it_is(self):
        X, y = words_and_gaps()
        X = X.drop(columns="id")
        model = SievedClassifier(HistGradientBoostingClassifier(max_iter=5)).fit(X, y)
        other = X.assign(color="violet", number=np.nan)  # a word that fit has not seen, and gaps
        self.assertEqual(model.encoder_.names, ["number", "count", "color=blue", "color=green", "color=missing",
                                                "color=red", "sex=M"])
        self.assertEqual(model.predict(other).shape, (300,))
        np.testing.assert_array_equal(model.encoder_.transform(X), Encoder().fit_transform(X))

        own = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
        piped = SievedClassifier(own, encode=False).fit(X[["color", "sex"]].fillna("none"), y)
        self.assertEqual(piped.predict(X[["color", "sex"]].fillna("none")).shape, (300,))

    def test_columns_of_every_kind(self):
        X, y, _, _ = table(120)
        frame = pd.DataFrame({
            0: X[:, 0].astype(str), ("a", "b"): np.where(X[:, 1] > 0, "high", "low"),  # names that are no text
            "minutes": pd.date_range("2024-05-01", periods=120, freq="10min"),
            "here": pd.date_range("2024-05-01", periods=120, freq="10D", tz="Asia/Tokyo"),
            "yes": [True, None, False] * 40, "code": pd.Categorical([1, 2, 3] * 40),
            "hours": pd.to_timedelta(np.arange(120), "h"), "sparse": pd.arrays.SparseArray(X[:, 2].round()),
            "integer": pd.array([*range(119), None], dtype="Int64")})
        encoder = Encoder()
        values = encoder.fit_transform(frame)
        column = dict(zip(encoder.names, values.T))
        np.testing.assert_allclose(np.diff(column["minutes"]), 10 / 1440, rtol=1e-4)
        np.testing.assert_allclose(column["hours"], np.arange(120) / 24, rtol=1e-6)
        self.assertEqual(list(column["yes"][:3]), [1, 0.5, 0])
        other = frame.assign(code=frame["code"].astype(float), here=frame["here"].dt.tz_convert("UTC"),
                             yes=frame["yes"].map({True: 1.0, False: 0.0}))
        np.testing.assert_array_equal(encoder.transform(other), values)
        MetaSieve().fit(frame.to_numpy(), y)
        for name, given, said in (("minutes", 1.0, "was a column of kind 'date' where fit saw it"),
                                  ("integer", pd.Timestamp("2024-05-01"), "was a column of kind 'number' where fit"),
                                  ("yes", [[1]] * 120, "has lists or other containers")):
            with self.subTest(said), self.assertRaisesRegex(ValueError, f"X: column '{name}' {said}"):
                encoder.transform(frame.assign(**{name: given}))
        with self.assertWarnsRegex(UserWarning, "X: column 'code': fit has seen none of its values, such as '7'"):
            encoder.transform(frame.assign(code=7).astype({"code": "category"}))

    def test_other_columns_than_those_of_fit_are_refused(self):
        X, y = words_and_gaps()
        model = SievedClassifier(LogisticRegression(max_iter=1000)).fit(X[["number", "count"]], y)
        for other, said in ((X[["count", "number"]], "must be in the same order"), (X[["number"]], "now missing"),
                            (X[["number", "id"]], "unseen at fit time"), (np.zeros((3, 3)), "X has 3 features, but"),
                            (X[["number", "count"]].assign(count="many"), "'count' had numbers where fit saw it"),
                            (X[["number", "count"]].assign(count=np.inf), "column 'count' has infinite values")):
            with self.subTest(said), self.assertRaisesRegex(ValueError, said):
                model.predict(other)
        with self.assertRaises(NotFittedError):
            SievedClassifier(LogisticRegression()).predict(X)

    def test_progress_bar_counts_the_steps(self):
        X, y, A, _ = table(100)
        with redirect_stderr(io.StringIO()) as shown:
            MetaSieve(verbose=True).fit(X, y, A)
        self.assertIn(f"{_core.adapt_steps}/{_core.adapt_steps}", shown.getvalue())
        with redirect_stderr(io.StringIO()) as shown:
            MetaSieve().fit(X, y, A)
        self.assertEqual(shown.getvalue(), "")

    def test_other_threads_run_while_rows_are_scored(self):
        X, y, A, _ = table(6000)
        begun, ended = threading.Event(), threading.Event()

        def score():
            begun.set()
            MetaSieve().fit(X, y, A)
            ended.set()

        interval = sys.getswitchinterval()
        self.addCleanup(sys.setswitchinterval, interval)
        sys.setswitchinterval(1000)  # who runs keeps the interpreter until it gives it back
        worker = threading.Thread(target=score)
        worker.start()
        begun.wait()
        ran_before_the_end = not ended.is_set()
        worker.join()
        self.assertTrue(ran_before_the_end)

    def test_a_fork_after_a_fit_can_fit_too(self):
        run = execute([sys.executable, "-c", FORK], ROOT, threads=2, PYTHONPATH=f"{ROOT / 'analysis'}:{MODULE}")
        self.assertEqual((run.stdout, run.returncode), ("True\n", 0), run.stderr)

    def test_error_in_the_progress_ends_the_fit(self):
        def fail():
            raise KeyboardInterrupt
        with self.assertRaises(KeyboardInterrupt):
            _core.score(np.zeros((9, 1), "f4") + np.arange(9, dtype="f4")[:, None], np.arange(9, dtype="u1") % 2,
                        np.zeros(9, "u1"), 1, metasieve.policies.load_policy(), "eo", 0.1, True, 0, fail)


class Splits(unittest.TestCase):
    def test_labels_are_corrupted_as_asked_for(self):
        X, y, A, _ = table()
        own = (np.arange(len(y)) % 3 == 0).astype("u1")
        make = {"group": A.astype("u1"), "groups": 2, "name": "t"}
        rows = _core.Table(X.astype("f4"), y.astype("u1"), **make)

        def labels(**options):
            return rows.task(0, seed=3, **options).train_y

        clean = labels(corruption="none")
        np.testing.assert_array_equal(labels(label_noise=0.2), labels(corruption="flips:0.2"))
        np.testing.assert_array_equal(labels(), labels(corruption="flips:0.1"))
        for name in ("flips:0.1", "lowest_loss:0.1", "clustered:0.1"):
            self.assertEqual((labels(corruption=name) != clean).sum(), 21)  # of 210
        self.assertTrue((labels(corruption="groups") != clean).any())
        self.assertTrue((labels(corruption="hidden:0.5") != clean).any())
        parts = _core.Table(X.astype("f4"), y.astype("u1"), split=own, **make)
        self.assertEqual([parts.split_count(5, corruption=name) for name in ("none", "groups")], [1, 5])
        self.assertEqual([parts.split_count(5, label_noise=rate) for rate in (0.0, 0.1)], [1, 5])
        known = _core.Table(X.astype("f4"), y.astype("u1"), y_clean=1 - y.astype("u1"), **make)
        task = known.task(0, seed=3, corruption="groups")
        np.testing.assert_array_equal(task.train_y, 1 - task.train_y_clean)  # it has its own noise
        for said, options in (("not both", {"corruption": "none", "label_noise": 0.1}),
                              ("corruption = flips:0.5: must be none, flips:RATE", {"label_noise": 0.5}),
                              ("corruption = hide: must be none", {"corruption": "hide"})):
            with self.assertRaisesRegex(ValueError, said):
                labels(**options)


class Errors(unittest.TestCase):
    """Each is a ValueError that names the culprit and the remedy."""

    def refuse(self, said, X, y, *more, estimator=MetaSieve(), kind=ValueError):
        for each in (estimator, SievedClassifier(LogisticRegression(), **estimator.get_params())):
            with self.subTest(said), self.assertRaisesRegex(kind, said):
                each.fit(X, y, *more)

    def test_of_columns(self):
        X, y = words_and_gaps()
        for column, said in (([f"name {i}" for i in range(300)], "'c' has 300 different words in 300 rows: it looks "
                              r"like a name; leave it out: X.drop\(columns=\['c'\]\)"),
                             (["2010-01-31"] * 300, "'c' has dates or times, such as '2010-01-31'; pd.to_datetime"),
                             (["1", "2", "few"] * 100, "'c' has numbers, and in 100 rows words such as 'few'; pd."),
                             (np.full(300, np.nan), r"'c' is empty; leave it out: X.drop\(columns=\['c'\]\)"),
                             ([np.inf] * 300, "'c' has infinite values"),
                             (["1,000", "2,500", "7"] * 100, "'c' has numbers that are written in another way"),
                             (1e300 * X["count"], "column 'c' has a value beyond float32 in row")):
            self.refuse(f"X: .*{said}", X.assign(c=column), y)
        twice = pd.concat([X, X[["count"]]], axis=1)
        self.refuse("X: two columns are called 'count'; rename one", twice, y)

    def test_of_labels_groups_and_weights(self):
        X, y, A, _ = table()
        for said, values in (("y: has one class, 1", np.ones(300)),
                             ("y has 3 classes; make one of them", np.arange(300) % 3),
                             ("Input y contains NaN in 1 rows", np.where(np.arange(300) == 5, np.nan, y)),
                             ("y: has 299 values; X has 300 rows", y[1:]), ("target y is None", None)):
            self.refuse(said, X, values)
        self.refuse("y: has values of several types", X, np.array([1, "a"] * 150, dtype=object))
        for said, weight in (("sample_weight: row 2 is nan; must be finite", np.where(np.arange(300) == 2, np.nan, 1)),
                             ("sample_weight: must be numbers", ["a"] * 300), ("expected \\(300,\\)", np.ones(299)),
                             ("X: has 0 rows of weight > 0", 0.0)):
            self.refuse(said, X, y, A, weight)
        for said, groups in (("sensitive_features: has 299 rows; X has 300", A[1:]),
                             ("sensitive_features: column 0 has 61 different numbers; cut it", np.arange(300) % 61),
                             ("sensitive_features: must have a value", np.zeros((300, 0))),
                             ("sensitive_features: must have a value", {}),
                             ("sensitive_features: column 0 has 2 missing values", [None, None, *A[2:]]),
                             ("sensitive_features: column 0 has 300 different numbers; cut it", X[:, 0])):
            self.refuse(said, X, y, groups)
        self.refuse("sensitive_features: has 75 groups; must be at most 64", X, y, (np.arange(300) // 4).astype(str))
        self.refuse("sample_weight: row 3 is -1; must be finite and >= 0", X, y, A, np.where(np.arange(300) == 3, -1, 1))
        self.refuse("y: has one class where sample_weight is > 0", X, y, A, y)
        self.refuse("X: has 3 rows of weight > 0", X, y, A, np.arange(300) < 3)

    def test_of_parameters(self):
        X, y, A, _ = table()
        for estimator in (None, "logistic", StandardScaler(), LinearRegression()):
            with self.assertRaisesRegex(ValueError, "estimator=.*: must be a classifier"):
                SievedClassifier(estimator).fit(X, y)
        for said, given in (("keep='0.5': must be > 0", {"keep": "0.5"}), ("fairness_weight=None", {"fairness_weight": None}),
                            ("policy=3: must be 'default' or 'blind', or a path", {"policy": 3}),
                            ("random_state=18446744073709551616: must be", {"random_state": 2**64}),
                            ("fairness='odds': must be 'eo', 'dp' or None", {"fairness": "odds"}),
                            ("fairness_weight=-1: must be a number >= 0", {"fairness_weight": -1}),
                            ("keep=1: must be > 0 and < 1", {"keep": 1}),
                            ("adapt='yes': must be 'auto'", {"adapt": "yes"}),
                            ("smallest_group=-1: must be an integer", {"smallest_group": -1}),
                            ("random_state=-1: must be an integer from 0", {"random_state": -1})):
            self.refuse(said, X, y, A, estimator=MetaSieve(**given))
        self.refuse("policy='none.h5': is neither 'default' nor 'blind', nor a file", X, y,
                    estimator=MetaSieve(policy="none.h5"))
        self.refuse("filetype is ''; must be|is no HDF5 file", X, y, kind=(OSError, ValueError),
                    estimator=MetaSieve(policy=__file__))
