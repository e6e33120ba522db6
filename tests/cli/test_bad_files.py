"""Bad files give exit code 3: one clear line on any number of ranks, no hang, and nothing written."""

import json
import os
import pathlib
import shutil
import tempfile

import h5py
import numpy as np

from support import (ALONE, BINARY, ROOT, SHORT, TINY, BinaryTest, execute, in_parallel, messages, noise, tree, words,
                     write_dataset)

RANKS = (ALONE, 2, 3)
FEW = (ALONE, 2)  # for a second command that reads with the same code


# ------------------------------------------------------------------------------------------- ways to spoil a file

def with_h5(change):
    def spoil(path):
        with h5py.File(path, "r+") as file:
            change(file)
    return spoil


def with_bytes(change):
    return lambda path: path.write_bytes(change(path.read_bytes()))


def put(name, index, value):
    def change(file):
        file[name][index] = value
    return with_h5(change)


def replace(name, convert):
    """The data set made again from its converted values."""
    def change(file):
        values = convert(file[name][()])
        del file[name]
        file[name] = values
    return with_h5(change)


def put_field(name, index, field, value):
    def change(file):
        record = file[name][index]
        record[field] = value
        file[name][index] = record
    return with_h5(change)


def drop(name):
    return with_h5(lambda file: file.__delitem__(name))


def attribute(name, value):
    return with_h5(lambda file: file.attrs.__setitem__(name, value))


def no_attribute(name):
    return with_h5(lambda file: file.attrs.__delitem__(name))


def to_group(name):
    def change(file):
        del file[name]
        file.create_group(name)
    return with_h5(change)


def to_folder(path):
    path.unlink()
    path.mkdir()


CRASHES_HDF5 = ROOT / "tests/fuzz/findings/dataset/message_beyond_header"  # 1.10.8; a newer one may say what is wrong

# Name: (what is done to a good file, what the message must match besides the file's name).
ANY_FILE = {
    "missing": (pathlib.Path.unlink, "no such file"),
    "unfinished": (lambda path: path.rename(f"{path}.part"), "part is there"),
    "folder": (to_folder, "is a folder"),
    "empty": (with_bytes(lambda data: b""), "is empty"),
    "text": (with_bytes(lambda data: b"x,y\n1,2\n"), "no HDF5 file"),
    "random": (with_bytes(lambda data: noise(5000)), "no HDF5 file"),
    "random after the signature": (with_bytes(lambda data: data[:8] + noise(5000)), "HDF5 file|damaged"),
    "half": (with_bytes(lambda data: data[:len(data) // 2]), "truncated"),
    "last byte cut": (with_bytes(lambda data: data[:-1]), "truncated"),
    "head alone": (with_bytes(lambda data: data[:100]), "truncated|damaged|HDF5 file"),
    "zeros in the middle": (with_bytes(lambda data: data[:48] + bytes(len(data) - 48)), "damaged"),
    "that HDF5 crashes on": (lambda path: shutil.copy(CRASHES_HDF5, path), "damaged.*crashed"),
    "other program's": (no_attribute("filetype"), "filetype"),
    "unknown type": (attribute("filetype", "metasieve-other"), "metasieve-other"),
    "newer": (attribute("version", np.array([2, 0], "i4")), "version"),
    "not complete": (no_attribute("complete"), "complete"),
}


def stored(name, **how):
    """The same values in another layout."""
    def change(file):
        values = file[name][()]
        del file[name]
        file.create_dataset(name, data=values, **how)
    return with_h5(change)


SUITE_FORM = {
    "x by another filter": (stored("train/x", compression="lzf"), "train/x.*unusual filters"),
    "labels by another filter": (stored("test/y", compression="lzf"), "test/y.*unusual filters"),
    "offsets in packed bits": (stored("test/x_offset", scaleoffset=0), "test/x_offset.*unusual filters"),
    "no x": (drop("train/x"), "train/x"),
    "no test part": (drop("test"), "test/x"),
    "x is a group": (to_group("train/x"), "train/x"),
    "x in double precision": (replace("train/x", lambda v: v.astype("f8")), "train/x.*float32|train/x.*32"),
    "labels wider": (replace("test/y", lambda v: v.astype("i8")), "test/y"),
    "labels short": (replace("train/z", lambda v: v[:-1]), "train/z"),
    "offsets swapped": (replace("train/row_offset", lambda v: v[[0, 2, 1, 3, 4]]), "train/row_offset"),
    "offsets not from 0": (put("train/row_offset", 0, 1), "train/row_offset"),
    "offsets beyond the end": (put("test/x_offset", 4, 10**12), "test/x_offset"),
    "offsets short": (replace("test/x_offset", lambda v: v[:-1]), "test/x_offset"),
    "no metadata": (drop("metadata"), "metadata"),
    "no tasks": (replace("metadata", lambda v: v[:0]), "metadata.*no tasks"),
    "task twice": (put_field("metadata", 1, "task_id", 0), "metadata.*task_id"),
    "wrong count of rows": (put_field("metadata", 2, "n_train", 3), "metadata.*n_train"),
    "wrong count of columns": (put_field("metadata", 2, "n_features", 1), "x_offset"),
    "rate infinite": (put_field("metadata", 2, "noise_rate", np.inf), "metadata.*infinite"),
    "metadata are numbers": (replace("metadata", lambda v: np.arange(4.0)), "metadata.*compound"),
}

SUITE_VALUES = {
    "NaN": (put("train/x", 3, np.nan), "train/x.*task 0.*NaN"),
    "infinite": (put("test/x", -1, -np.inf), "test/x.*task 3.*infinite"),
    "label 2": (put("train/y", 5, 2), "train/y.*0 or 1"),
    "group 255": (put("test/z", 0, 255), "test/z.*0 or 1"),
    "clean label 3": (put("train/y_clean", -1, 3), "train/y_clean.*0 or 1"),
}


def to_chunks(file):
    del file["x"]
    file.create_dataset("x", (1_100_000, 1), "i1", chunks=(1, 1))[:1200] = 1


DATASET = {
    "labels in packed bits": (stored("y", scaleoffset=0), "y:.*unusual filters"),
    "a million chunks": (with_h5(to_chunks), "x:.*million chunks"),
    "NaN": (put("x", (7, 1), np.nan), "x: row 7, column 1 is NaN"),
    "infinite": (put("x", (0, 0), np.inf), "x: row 0, column 0 is infinite"),
    "label 2": (put("y", 3, 2), "y: row 3 is 2.*0 or 1"),
    "label -1": (replace("y", lambda v: 2 * v.astype("i4") - 1), "y: row .* is -1.*0 or 1"),
    "group 3": (put("z", 9, 3), "z: row 9 is 3.*0 or 1"),
    "one class": (put("y", slice(None), 1), "y: all values are 1: one class"),
    "one group": (put("z", slice(None), 0), "z: all values are 0: one group"),
    "labels are text": (replace("y", lambda v: v.astype("S1")), "y:.*integers"),
    "labels are broken numbers": (replace("y", lambda v: 0.5 * v), "y:.*integers"),
    "labels short": (replace("y", lambda v: v[:-1]), "y:.*rows of x"),
    "columns are text": (replace("x", lambda v: v.astype("S8")), "x:.*numbers"),
    "columns flat": (replace("x", lambda v: v.ravel()), "x:.*dimensions"),
    "no rows": (replace("x", lambda v: v[:0]), "x:.*no rows"),
    "no columns": (replace("x", lambda v: v[:, :0]), "x:.*no columns"),
    "no labels": (drop("y"), "y: is missing"),
    "no groups": (drop("z"), "z: is missing"),
    "group without rows": (attribute("group_names", ["a", "b", "c"]), "z: group 'c' has no rows"),
    "group without a name": (attribute("group_names", ["a"]), "z: row 0 is 1; must be 0, as there is one group"),
    "name twice": (attribute("group_names", ["a", "a"]), "group_names.*'a' twice"),
    "empty name": (attribute("group_names", ["a", ""]), "group_names.*no name for group 1"),
    "names are numbers": (attribute("group_names", np.arange(2)), "group_names"),
    "names of too many": (attribute("group_names", [str(i) for i in range(65)]), "group_names.*65 names"),
    "names of other columns": (attribute("feature_names", ["a", "b"]), "feature_names"),
    "all test": (with_h5(lambda file: file.__setitem__("split", np.ones(80, "u1"))), "split: all values are 1"),
    "clean labels short": (with_h5(lambda file: file.__setitem__("y_clean", np.ones(3, "u1"))), "y_clean"),
}

POLICY = {
    "NaN": (put("layers/1/weight", (0, 0), np.nan), "layers/1/weight.*not finite"),
    "infinite": (put("layers/0/bias", 2, np.inf), "layers/0/bias.*not finite"),
    "no layer": (drop("layers/2"), "layers"),
    "layer too many": (with_h5(lambda file: file.create_group("layers/3")), "layers"),
    "no bias": (drop("layers/1/bias"), "layers/1/bias"),
    "other widths": (attribute("hidden", np.array([8, 5])), "layers/1.*shape|layers/1"),
    "absurd widths": (attribute("hidden", np.array([2**40, 5])), "hidden"),
    "weights turned": (replace("layers/1/weight", lambda v: v.T.copy()), "layers/1/weight.*shape"),
    "weights are text": (replace("layers/2/bias", lambda v: v.astype("S8")), "layers/2/bias"),
    "unknown features": (attribute("feature_set", "full17"), "full17"),
    "no features": (no_attribute("feature_set"), "feature_set"),
    "keep 2": (attribute("keep", 2.0), "keep"),
    "keep NaN": (attribute("keep", np.nan), "keep"),
    "temperature 0": (attribute("temperature", 0.0), "temperature"),
    "use_group 7": (attribute("use_group", 7), "use_group"),
}


class BadFiles(BinaryTest):
    @classmethod
    def setUpClass(cls):
        cls.good = pathlib.Path(tempfile.mkdtemp(prefix="metasieve."))
        cls.addClassCleanup(shutil.rmtree, cls.good, ignore_errors=True)
        for words_of in (("generate", *TINY, "--output", "suite.h5"),
                         ("train", *TINY, *SHORT, "--suite", "suite.h5", "--output", ".")):
            run = execute(words(ALONE, *words_of), cls.good)
            assert run.returncode == 0, run.stderr
        write_dataset(cls.good / "dataset.h5")

    def spoilt(self, kind, spoil):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        for name in ("suite", "policy", "dataset"):
            shutil.copy(self.good / f"{name}.h5", folder)
        spoil(folder / f"{kind}.h5")
        return folder

    def refuse(self, kind, cases, command, ranks_of=RANKS):
        """Each case on each number of ranks: refused, and the folder afterwards as before."""
        def attempt(name, spoil, ranks):
            folder = self.spoilt(kind, spoil)
            output = folder / "output"
            if command[0] == "train":  # what an earlier run left there must stay
                output.mkdir()
                (output / "policy.h5").write_bytes(b"previous")
            else:
                output.write_bytes(b"previous")
            before = tree(folder)
            run = execute(words(ranks, *command), folder)
            return name, ranks, run, before == tree(folder)

        calls = [lambda n=name, s=spoil, r=ranks: attempt(n, s, r)
                 for name, (spoil, _) in cases.items() for ranks in ranks_of]
        for name, ranks, run, unchanged in in_parallel(calls):
            with self.subTest(name, command=" ".join(command), ranks=ranks):
                self.assert_refused(run, 3, rf"\b{kind}\.h5\b.*({cases[name][1]})")
                self.assertTrue(unchanged, "the run changed files")

    train = ("train", *SHORT, "--suite", "suite.h5", "--suite.validation_tasks", "1", "--output", "output")
    evaluate = ("evaluate", "--policy", "policy.h5", "--suite", "suite.h5", "--output", "output")
    evaluate_data = ("evaluate", "--policy", "policy.h5", "--dataset", "dataset.h5", "--output", "output")

    score = ("score", "--policy", "policy.h5", "--dataset", "dataset.h5", "--output", "output.h5")

    def test_files_that_are_none_of_ours(self):
        self.refuse("suite", ANY_FILE, self.train)
        self.refuse("policy", ANY_FILE, self.evaluate, FEW)
        self.refuse("dataset", ANY_FILE, self.evaluate_data, FEW)
        self.refuse("suite", ANY_FILE, ("inspect", "suite.h5"), (ALONE,))

    def test_suite_of_wrong_form(self):
        some = {name: SUITE_FORM[name] for name in ("no x", "offsets swapped", "wrong count of rows")}
        self.refuse("suite", SUITE_FORM, self.train)
        self.refuse("suite", SUITE_FORM, ("inspect", "suite.h5"), (ALONE,))
        self.refuse("suite", some, self.evaluate, FEW)
        self.refuse("suite", some, ("verify", "suite.h5"), FEW)
        self.refuse("suite", some, (*self.train, "--dry-run"), FEW)

    def test_suite_with_bad_values(self):
        self.refuse("suite", SUITE_VALUES, self.train)
        self.refuse("suite", SUITE_VALUES, self.evaluate, FEW)
        self.refuse("suite", SUITE_VALUES, ("verify", "suite.h5"), FEW)

    def test_dataset(self):
        some = {name: DATASET[name] for name in ("NaN", "one class", "one group")}
        self.refuse("dataset", DATASET, self.evaluate_data)
        self.refuse("dataset", DATASET, ("inspect", "dataset.h5"), (ALONE,))
        self.refuse("dataset", some, (*self.evaluate_data, "--dry-run"), FEW)
        self.refuse("dataset", some, (*self.score, "--dry-run"), (ALONE,))
        self.refuse("dataset", some, self.score, FEW)

    def test_second_dataset(self):
        spoil, names = DATASET["one class"]

        def keep_a_good_one(path):
            shutil.copy(path, path.with_name("good.h5"))
            spoil(path)

        command = ("evaluate", "--policy", "policy.h5", "--dataset", "good.h5", "dataset.h5", "--output", "output")
        self.refuse("dataset", {"one class": (keep_a_good_one, names)}, command, FEW)

    def test_policy(self):
        self.refuse("policy", POLICY, self.evaluate)
        self.refuse("policy", POLICY, ("inspect", "policy.h5"), (ALONE,))
        self.refuse("policy", {"NaN": POLICY["NaN"]}, (*self.evaluate, "--dry-run"), FEW)
        self.refuse("policy", {"NaN": POLICY["NaN"]}, self.score, FEW)

    def test_wrong_type(self):
        def copy_of(other, names):
            return {other: (lambda path: shutil.copy(path.with_name(f"{other}.h5"), path), names)}
        self.refuse("suite", copy_of("policy", "metasieve-policy.*must be metasieve-suite"), self.train)
        self.refuse("policy", copy_of("suite", "metasieve-suite.*must be metasieve-policy"), self.evaluate)
        self.refuse("dataset", copy_of("suite", "metasieve-suite.*must be metasieve-dataset"), self.evaluate_data)

    def test_mpirun_with_one_rank_is_like_none(self):
        folder = self.spoilt("suite", SUITE_VALUES["NaN"][0])

        run = execute(words(1, *self.train), folder)

        self.assert_refused(run, 3, "suite.h5.*NaN")

    def test_task_of_one_class_is_legal(self):
        def spoil(path):
            with h5py.File(path, "r+") as file:
                file["train/y"][: file["train/row_offset"][1]] = 1
                file["train/z"][file["train/row_offset"][1]: file["train/row_offset"][2]] = 0
        folder = self.spoilt("suite", spoil)

        run = execute(words(2, *self.train), folder)

        self.assertEqual((run.returncode, messages(run)), (0, []), run.stderr)
        with h5py.File(folder / "output/policy.h5") as file:
            self.assertTrue(np.isfinite(file["layers/0/weight"][()]).all())

    def test_compressed_dataset_is_legal(self):
        def spoil(path):
            for name in ("x", "y"):
                stored(name, chunks=True, compression="gzip", shuffle=True, fletcher32=True)(path)
        folder = self.spoilt("dataset", spoil)

        run = execute(words(ALONE, "verify", "dataset.h5"), folder)

        self.assertEqual((run.returncode, messages(run)), (0, []), run.stderr)

    def test_file_that_one_rank_does_not_see(self):
        """As when folders of two nodes have the same name."""
        here = self.spoilt("suite", lambda path: None)
        there = self.spoilt("suite", pathlib.Path.unlink)
        for command, name in ((self.train, "suite.h5"), (("generate", *TINY, "--output", "new.h5"), "new.h5.part")):
            with self.subTest(command=command[0]):
                words_of = [str(BINARY), *command]

                run = execute(["mpirun", "-n", "1", "-wdir", str(here), *words_of,
                               ":", "-n", "1", "-wdir", str(there), *words_of], here)

                self.assert_refused(run, 3, rf"rank 1 \(.*\): {name}: .*folder that all nodes share")
                self.assertEqual([*here.glob("*.part"), *there.glob("*.part")], [])

    def test_ranks_with_different_command_lines(self):
        folder = self.spoilt("suite", lambda path: None)
        command = [str(BINARY), *self.train]

        run = execute(["mpirun", "-n", "1", *command, ":", "-n", "1", *command, "--bogus"], folder)

        self.assert_refused(run, 2, "rank 1.*--bogus")


class BadOutput(BinaryTest):
    generate = ("generate", *TINY)

    def refuse(self, cases, code=3):
        """cases: (command, what the message must match)"""
        before = tree(self.folder)
        runs = [(command, names, ranks) for command, names in cases for ranks in RANKS]
        done = in_parallel([lambda c=command, r=ranks: self.execute(*c, ranks=r) for command, _, ranks in runs])
        for (command, names, ranks), run in zip(runs, done):
            with self.subTest(command=" ".join(command), ranks=ranks):
                self.assert_refused(run, code, names)
        self.assertEqual(tree(self.folder), before)

    def test_output_that_cannot_be(self):
        (self.folder / "file").write_bytes(b"x")
        (self.folder / "folder/results.h5").mkdir(parents=True)
        train = ("train", *TINY, *SHORT)
        self.refuse([
            ((*self.generate, "--output", "folder"), "folder: it is a folder"),
            ((*self.generate, "--output", "new/"), "new/: it names no file"),
            ((*self.generate, "--output", "file/suite.h5"), "file/suite.h5: .*file is no folder"),
            ((*self.generate, "--output", "/dev/null"), "/dev/null: it is no regular file"),
            ((*self.generate, "--output", "/proc/none/suite.h5"), "/proc/none/suite.h5"),
            ((*train, "--output", "file"), "file/policy.h5: .*file is no folder"),
            ((*train, "--output", "folder"), "folder/results.h5: it is a folder"),
            ((*train, "--output", "folder", "--dry-run"), "folder/results.h5: it is a folder"),
        ])

    def test_folder_without_permission(self):
        if os.geteuid() == 0:
            self.skipTest("root may write anywhere")
        (self.folder / "locked").mkdir(mode=0o555)
        self.refuse([((*self.generate, "--output", "locked/suite.h5"), "locked.*Permission denied")])

    BIG = ("generate", "--suite.tasks", "40", "--suite.validation_tasks", "0", "--suite.mixture", "big:1",
           "--family.big.samples", "8000:9000", "--family.big.features", "20")  # 25 MB

    def test_disk_full(self):
        """A disk of 64 kB that other files fill but for `free` kB: the values do not fit, or not even HDF5's own
        structures do."""
        unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
        disk = self.folder / "disk"
        disk.mkdir()
        mount = f"mount -t tmpfs -o size=64k none {disk}"
        if execute([*unshare, "sh", "-c", mount], self.folder).returncode != 0:
            self.skipTest("cannot mount a small disk here")
        script = mount + """ || exit 99
            head -c "$1" /dev/zero >disk/other
            shift
            "$@"
            code=$?
            ls disk
            exit $code"""
        cases = [(free, ranks) for free in (0, 4, 8, 16, 32) for ranks in (ALONE, 2, 3)]

        runs = in_parallel([
            lambda f=free, r=ranks: execute(
                [*unshare, "sh", "-c", script, "sh", str((64 - f) * 1024),
                 *words(r, *self.generate, "--output", "disk/suite.h5")], self.folder)
            for free, ranks in cases])

        for (free, ranks), run in zip(cases, runs):
            with self.subTest(free=free, ranks=ranks):
                self.assertEqual((run.returncode, len(messages(run))), (3, 1), run.stderr)
                self.assertIn("metasieve: cannot write disk/suite.h5: No space left on device\n", run.stderr)
                self.assertEqual(set(run.stdout.split()) - {"suite.h5.progress.json"}, {"other"})  # says "failed"

    def test_quota(self):
        """A limit on the size of files, above what mpirun needs of shared memory."""
        (self.folder / "suite.h5").write_bytes(b"previous")
        before = tree(self.folder)
        limited = ["sh", "-c", "ulimit -f 20000; exec \"$@\"", "sh"]
        for ranks in (ALONE, 2):
            with self.subTest(ranks=ranks):
                command = words(ranks, *self.BIG, "--output", "suite.h5")
                at = command.index(str(BINARY))

                run = execute(command[:at] + limited + command[at:], self.folder, threads=2)

                self.assertEqual((run.returncode, len(messages(run))), (3, 1), run.stderr)
                self.assertIn("metasieve: cannot write suite.h5: File too large\n", run.stderr)
                status = json.loads((self.folder / "suite.h5.progress.json").read_text())
                self.assertEqual((status["state"], status["exit_code"]), ("failed", 3))
                (self.folder / "suite.h5.progress.json").unlink()
                self.assertEqual(tree(self.folder), before)


class OneRankFails(BinaryTest):
    def test_out_of_memory(self):
        """One rank may use 300 MB, and its share of the tasks takes more."""
        generate = [str(BINARY), "generate", "--suite.tasks", "24", "--suite.validation_tasks", "0",
                    "--suite.mixture", "big:1", "--family.big.samples", "20000", "--family.big.features", "200",
                    "--output", "new.h5"]
        limited = ["sh", "-c", "ulimit -v 300000; exec \"$@\"", "sh"]
        if execute([*limited, str(BINARY), "--version"], self.folder).returncode != 0:
            self.skipTest("MPI itself takes more")

        run = execute(["mpirun", "-n", "1", *generate, ":", "-n", "1", *limited, *generate], self.folder)

        self.assert_refused(run, 70, r"rank 1 \(.*\): out of memory")
        self.assertEqual(set(tree(self.folder)) - {"new.h5.progress.json", "new.h5.lock"}, set())
