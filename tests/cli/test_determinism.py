"""The same bytes for any number of ranks and threads."""

import hashlib

import h5py
import numpy as np

from support import ALONE, FAMILY, BinaryTest, in_parallel, write_dataset

SUITE = ("--suite.tasks", "6", "--suite.validation_tasks", "2", *FAMILY)
TRAIN = ("train", *SUITE, "--meta.iterations", "8", "--meta.batch", "3", "--meta.validate_every", "4",
         "--policy.hidden", "16,8")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class SameBytes(BinaryTest):
    def train_on(self, layouts, *more):
        """sha256 of policy.h5 for each (ranks, threads)."""
        def run(ranks, threads):
            output = f"{ranks}x{threads}"
            self.succeed(*TRAIN, *more, "--output", output, ranks=ranks, threads=threads)
            return digest(self.folder / output / "policy.h5")
        return in_parallel([lambda r=ranks, t=threads: run(r, t) for ranks, threads in layouts])

    def assert_same(self, layouts, *more):
        digests = self.train_on(layouts, *more)
        self.assertEqual(digests, digests[:1] * len(layouts), list(zip(layouts, digests)))

    def test_policy_implicit(self):
        """Seven ranks are more than the four training tasks."""
        self.assert_same([(ALONE, 1), (ALONE, 2)] + [(r, t) for r in (1, 2, 3, 4, 7) for t in (1, 2)])

    def test_policy_unrolled(self):
        self.assert_same([(ALONE, 1), (1, 2), (2, 1), (3, 2), (4, 1), (7, 2)], "--inner.method", "unrolled",
                         "--meta.support", "40")

    def test_another_seed_gives_another_policy(self):
        first, = self.train_on([(ALONE, 1)])
        other, = self.train_on([(ALONE, 2)], "--meta.seed", "2")

        self.assertNotEqual(first, other)

    def test_suite(self):
        def run(ranks, threads):
            name = f"{ranks}x{threads}.h5"
            self.succeed("generate", *SUITE, "--output", name, ranks=ranks, threads=threads)
            return digest(self.folder / name)

        digests = in_parallel([lambda r=r, t=t: run(r, t)
                               for r, t in ((ALONE, 1), (ALONE, 2), (1, 1), (2, 1), (3, 2), (7, 1))])

        self.assertEqual(len(set(digests)), 1, digests)

    def test_files_that_rank_0_writes_for_all(self):
        """output.io changes how files are written, and no bit of them; every command that writes takes it."""
        write_dataset(self.folder / "data.h5")

        def run(io, ranks):
            out, how = f"{io}{ranks}", {"ranks": ranks}
            more = ("--output.io", io)
            self.succeed("generate", *SUITE, *more, "--output", f"{out}/suite.h5", **how)
            self.succeed(*TRAIN, *more, "--suite", f"{out}/suite.h5", "--output", out, **how)
            self.succeed("evaluate", *more, "--policy", f"{out}/policy.h5", "--dataset", "data.h5",
                         "--evaluate.splits", "4", "--output", f"{out}/evaluation.h5", **how)
            self.succeed("score", *more, "--policy", f"{out}/policy.h5", "--dataset", "data.h5", "--output",
                         f"{out}/scores.h5", **how)
            for name in ("suite", "policy", "checkpoint", "results", "evaluation", "scores"):
                self.succeed("verify", f"{out}/{name}.h5")
            contents = []
            for name in ("evaluation", "scores"):
                with h5py.File(self.folder / out / f"{name}.h5") as file:
                    contents += [file[name][()].tobytes() for name in sorted(file)]
            return digest(self.folder / out / "suite.h5"), digest(self.folder / out / "policy.h5"), contents

        first, *others = in_parallel([lambda i=io, r=ranks: run(i, r) for io, ranks in (
            ("collective", 2), ("gather", ALONE), ("gather", 2), ("gather", 7))])

        for other in others:
            self.assertEqual(other, first)

    def test_history_and_evaluation(self):
        """These files say when they were made, and how long each step took; all else is equal."""
        write_dataset(self.folder / "data.h5")
        self.succeed(*TRAIN, "--output", "0")
        self.succeed("generate", *SUITE, "--output", "suite.h5")

        def run(ranks, threads):
            out = f"{ranks}x{threads}"
            self.succeed(*TRAIN, "--output", out, "--output.save_gradients", "true", ranks=ranks, threads=threads)
            for source in (("--suite", "suite.h5"), ("--dataset", "data.h5")):
                self.succeed("evaluate", "--policy", "0/policy.h5", *source, "--output", f"{out}/{source[0][2:]}.h5",
                             "--evaluate.splits", "4", ranks=ranks, threads=threads)
            contents = []
            with h5py.File(self.folder / out / "results.h5") as file:
                history = file["history"][()]
                history["seconds"] = 0
                contents += [history.tobytes(), file["validation"][()].tobytes(), file["meta_gradient"][()].tobytes()]
            for name in ("suite", "dataset"):
                with h5py.File(self.folder / out / f"{name}.h5") as file:
                    contents += [file[name][()].tobytes() for name in sorted(file)]
            return contents

        layouts = ((ALONE, 1), (1, 2), (2, 1), (3, 1), (7, 1))
        first, *others = in_parallel([lambda r=r, t=t: run(r, t) for r, t in layouts])

        for other in others:
            self.assertEqual(first, other)
        self.assertGreater(np.frombuffer(first[2]).size, 0)
