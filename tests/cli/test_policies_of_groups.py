"""Tasks of other than two groups: which policies serve them, on any number of ranks."""

import functools
import shutil

import h5py
import numpy as np

from support import ALONE, SHORT, TINY, BinaryTest, in_parallel, tree

RELATIVE, CONTEXT = ("--policy.features", "relative"), ("--policy.features", "context")
REFUSED = "policy.features = context: serves two groups, and a task has 3; relative and fair serve any number"


class Groups(BinaryTest):
    def setUp(self):
        """two.h5 and three.h5: suites of two and of three groups; relative.h5 and context.h5: policies."""
        super().setUp()
        self.succeed("generate", *TINY, "--output", "two.h5")
        shutil.copy(self.folder / "two.h5", self.folder / "three.h5")
        with h5py.File(self.folder / "three.h5", "r+") as file:
            for part in ("train", "test"):
                groups = file[f"{part}/z"]
                groups[...] = np.where(np.arange(len(groups)) % 5 == 0, 2, groups[()])
            records = file["metadata"][()]
            records["groups"] = 3
            file["metadata"][...] = records
        for name, features in (("relative", RELATIVE), ("context", CONTEXT)):
            self.succeed("train", *TINY, *SHORT, *features, "--suite", "two.h5", "--output", name)
            (self.folder / name / "policy.h5").rename(self.folder / f"{name}.h5")
            shutil.rmtree(self.folder / name)

    def train(self, suite, *more, output="out"):
        return ("train", "--suite", suite, "--suite.validation_tasks", "1", *SHORT, "--output", output, *more)

    def evaluate(self, policy, suite, *more, output="e.h5"):
        return ("evaluate", "--policy", policy, "--suite", suite, "--evaluate.methods", "meta_hard,meta_soft",
                "--output", output, *more)

    def test_a_policy_for_two_groups_is_refused(self):
        before = tree(self.folder)
        train = functools.partial(self.train, "three.h5", *CONTEXT)
        evaluate = functools.partial(self.evaluate, "context.h5", "three.h5")
        variants = [(train, ()), (evaluate, ()), (train, ("--dry-run",)), (evaluate, ("--dry-run",)),
                    (train, ("--suite.hold", "regenerate", "--suite.hold_features", "false"))]
        # An output each: they run at the same time, and two runs may not write one file.
        cases = [(command(*more, output=f"output_{i}_{ranks}"), ranks)
                 for i, (command, more) in enumerate(variants) for ranks in (ALONE, 2)]
        runs = in_parallel([lambda c=command, r=ranks: self.execute(*c, ranks=r) for command, ranks in cases])
        for (command, ranks), run in zip(cases, runs):
            with self.subTest(" ".join(command), ranks=ranks):
                self.assert_refused(run, 2, REFUSED)
        self.assertEqual(tree(self.folder), before)

    def test_a_policy_for_any_number_of_groups_is_the_same_on_any_ranks(self):
        policies = []
        for ranks in (ALONE, 2, 3):
            self.succeed(*self.train("three.h5", *RELATIVE), ranks=ranks)
            policies.append((self.folder / "out/policy.h5").read_bytes())
            shutil.rmtree(self.folder / "out")
        self.assertEqual(policies[1:], policies[:-1])
        with h5py.File(self.folder / "relative.h5") as file:
            self.assertEqual(file.attrs["feature_set"], b"relative28")
            self.assertEqual(file["layers/0/weight"].shape[0], 28)

    def test_one_policy_serves_two_groups_and_three(self):
        for suite in ("two.h5", "three.h5"):
            self.succeed(*self.evaluate("relative.h5", suite), ranks=2)
            with h5py.File(self.folder / "e.h5") as file:
                rows, response = file["evaluation"][()], file["response"][()]
            self.assertTrue((rows["failed"] == 0).all())
            self.assertIn(b"log_group_share", set(response["feature"]))

    def test_numbers_of_groups_change_no_selection(self):
        one = self.evaluated()
        with h5py.File(self.folder / "three.h5", "r+") as file:
            for part in ("train", "test"):
                file[f"{part}/z"][...] = np.array([2, 0, 1], "u1")[file[f"{part}/z"][()]]
        other = self.evaluated()
        for name in ("selected", "noise_rate_selected", "accuracy", "dp_gap", "eo_gap"):
            np.testing.assert_array_equal(one[name], other[name], name)

    def evaluated(self):
        self.succeed(*self.evaluate("relative.h5", "three.h5", "--evaluate.adapt_steps", "2"))
        with h5py.File(self.folder / "e.h5") as file:
            return file["evaluation"][()]
