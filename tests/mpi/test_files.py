"""Reads with h5py what the C++ code writes, and has C++ read what `python3 -m metasieve import` writes.

    test_files.py SAMPLES MPIRUN...     SAMPLES: the binary of tools/samples.cpp; exit code 77: no h5py here
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    import h5py
    import numpy as np
except ImportError as error:
    print(f"skipped: {error} in {sys.executable}; set -DPython_EXECUTABLE to a Python that has it")
    sys.exit(77)

SAMPLES, *MPIRUN = sys.argv[1:]
ROOT = pathlib.Path(__file__).resolve().parents[2]
METADATA = """task_id n_samples n_train n_test n_features noise_rate group_imbalance class_imbalance separability
    add_group_bias seed train_pos_rate train_minority_rate train_actual_noise_rate train_dp_gap test_pos_rate
    test_minority_rate test_dp_gap train_pos_rate_z0 train_pos_rate_z1 test_pos_rate_z0 test_pos_rate_z1
    family disadvantaged feature_shift label_bias adversarial groups""".split()
EVALUATION = """source split method accuracy dp_gap eo_gap eopp_gap roh_dp roh_eo noise_rate_all noise_rate_selected
    noise_reduction minority_share selected auc balanced_accuracy positive_rate worst_group_accuracy dp_floor
    eo_floor""".split()
TYPES = ("suite", "dataset", "policy", "checkpoint", "results", "evaluation", "scores")
ALWAYS_DEFINED = {"source", "split", "method", "selected"}


def checksum(rows):
    """Of a data set: the sum over its rows' words of eight bytes of a hash of place and word (SplitMix64); the last word
    of each row is filled up with zeros. Of texts of variable length: of all their bytes, each text with a zero after it."""
    if isinstance(rows, list):
        rows = np.frombuffer(b"".join(text.encode() + b"\0" for text in rows), "u1")
    row_bytes = rows.dtype.itemsize * int(np.prod(rows.shape[1:]))
    padded = np.zeros((len(rows), -(-row_bytes // 8) * 8), "u1")
    padded[:, :row_bytes] = np.frombuffer(rows.tobytes(), "u1").reshape(len(rows), row_bytes)
    words = padded.view("<u8").ravel()
    with np.errstate(over="ignore"):
        x = words + np.uint64(0x9E3779B97F4A7C15) * np.arange(1, words.size + 1, dtype="u8")
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return int((x ^ (x >> np.uint64(31))).sum(dtype="u8"))


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.folder = pathlib.Path(cls.scratch.name)
        subprocess.run([*MPIRUN, SAMPLES, "write", cls.folder], check=True)

    def open(self, name):
        file = h5py.File(self.folder / f"{name}.h5", "r")
        self.addCleanup(file.close)
        return file

    def test_one_line_opens_each_file_as_data_frames_and_arrays(self):
        sys.path.insert(0, str(ROOT / "analysis"))
        import metasieve
        for name in TYPES:
            with self.subTest(name):
                contents = metasieve.read(self.folder / f"{name}.h5")
                self.assertEqual(contents.type, name)
                for path in contents:
                    stored = self.open(name)[path]
                    self.assertEqual(len(contents[path]), len(stored))
                    if stored.dtype.names:
                        self.assertEqual(tuple(contents[path].columns), stored.dtype.names)
                self.assertTrue(contents.config or name == "dataset")

    def test_each_file_says_what_it_is(self):
        for name in TYPES:
            with self.subTest(name):
                attributes = self.open(name).attrs
                self.assertEqual(attributes["filetype"], f"metasieve-{name}".encode())
                self.assertEqual(attributes["version"].tolist(), [1, 0])
                self.assertRegex(attributes["created_by"].decode(), r"^metasieve \d+\.\d+\.\d+$")
                self.assertRegex(attributes["git_commit"].decode(), r"^([0-9a-f]{40}(-dirty)?|unknown)$")
                self.assertEqual(attributes["config"], b"[suite]\ntasks = 40\n" if name == "checkpoint"
                                 else b"[suite]\ntasks = 7\n")
                self.assertEqual(attributes["complete"], 1)
                self.assertEqual("created" in attributes, name not in ("suite", "policy"))
        self.assertRegex(self.open("results").attrs["created"].decode(), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_suite(self):
        file = self.open("suite")
        tasks = file["metadata"][:]
        self.assertEqual(list(tasks.dtype.names), METADATA)
        self.assertEqual(tasks["task_id"].tolist(), list(range(7)))
        self.assertEqual(tasks["family"][0], b"seed_random")
        self.assertEqual(tasks["seed"][0], 0xFEDCBA9876543210)
        self.assertTrue(np.isnan(tasks["train_pos_rate_z1"][0]))
        for part, rows in (("train", tasks["n_train"]), ("test", tasks["n_test"])):
            group = file[part]
            self.assertEqual(group["row_offset"][:].tolist(), [0, *np.cumsum(rows)])
            self.assertEqual(group["x_offset"][:].tolist(), [0, *np.cumsum(rows * tasks["n_features"])])
            for name, dtype, length in (("x", "<f4", "x_offset"), ("y", "u1", "row_offset"), ("z", "u1", "row_offset"),
                                        ("y_clean", "u1", "row_offset")):
                self.assertEqual(group[name].dtype, np.dtype(dtype))
                self.assertEqual(group[name].shape, (group[length][-1],))
                self.assertIn("description", group[name].attrs)

    def test_dataset(self):
        file = self.open("dataset")
        self.assertEqual((file["x"].dtype, file["x"].shape), (np.dtype("<f4"), (20, 3)))
        self.assertEqual(file["y"][:4].tolist(), [1, 0, 0, 1])
        self.assertEqual(file["split"][:5].tolist(), [1, 0, 0, 0, 1])
        self.assertEqual([name.decode() for name in file.attrs["feature_names"]], ["age", "income", "größe"])
        self.assertEqual((file["row"].dtype, file["row"][:3].tolist()), (np.dtype("<i8"), [1000, 993, 986]))
        self.assertEqual([name.decode() for name in file["id"][:2]], ["größe 0", "größe 1"])
        self.assertEqual((file["weight"].dtype, file["weight"][0]), (np.dtype("<f8"), 0.1))
        for name in ("x", "y", "z", "y_clean", "split", "row", "id", "weight"):
            self.assertEqual(int(file[name].attrs["checksum"]), checksum(file[name][:]), name)

    def test_scores(self):
        file = self.open("scores")
        self.assertEqual(file["scores"].dtype.names, ("row", "score", "weight", "selected", "y", "z"))
        self.assertEqual([name.decode() for name in file["id"]], [f"größe {i}" for i in range(len(file["scores"]))])

    def test_ids_and_checksums_of_h5py_are_read_by_cpp(self):
        for name, spoil in (("as written", lambda file: None),
                            ("/y", lambda file: file["y"].__setitem__(1, 1)),
                            ("/id", lambda file: file["id"].__setitem__(1, "Müller 2"))):
            with self.subTest(name):
                path = self.folder / "ids.h5"
                shutil.copy(self.folder / "dataset.h5", path)
                ids = [f"Müller, {i}" for i in range(20)]
                with h5py.File(path, "r+") as file:
                    del file["id"]
                    file.create_dataset("id", data=ids, dtype=h5py.string_dtype())
                    file["id"].attrs["checksum"] = np.uint64(checksum(ids))
                    spoil(file)
                run = subprocess.run([*MPIRUN, SAMPLES, "verify", path], capture_output=True, text=True)
                if name == "as written":
                    self.assertIn("8 checksums fit", run.stdout, run.stderr)
                else:
                    self.assertEqual(run.returncode, 3)
                    self.assertIn(f"{name}: does not fit its checksum", run.stderr)

    def test_policy_and_checkpoint(self):
        for name in ("policy", "checkpoint"):
            file = self.open(name)
            self.assertEqual(file.attrs["feature_set"], b"seed10")
            self.assertEqual(file.attrs["hidden"].tolist(), [5, 3])
            self.assertEqual([file[f"layers/{i}/weight"].shape for i in range(3)], [(10, 5), (5, 3), (3, 1)])
            self.assertEqual([file[f"layers/{i}/bias"].shape for i in range(3)], [(5,), (3,), (1,)])
            self.assertEqual((file.attrs["keep"], file.attrs["use_group"], file.attrs["trained_iterations"]),
                             (0.65, 0, 12 if name == "policy" else 2))
        theta = np.concatenate([np.concatenate([file[f"layers/{i}/weight"][:].ravel(), file[f"layers/{i}/bias"][:]])
                                for i in range(3)])
        self.assertTrue((file["first_moment"][:] == 0.1 * theta).all())
        self.assertEqual(file.attrs["step"], 2)
        for name in ("first_moment", "layers/0/weight", "history"):
            self.assertEqual(int(file[name].attrs["checksum"]), checksum(file[name][:]), name)

    def test_results(self):
        file = self.open("results")
        self.assertEqual(file["history"].dtype.names, ("iteration", "loss", "accuracy_loss", "fairness_loss",
                                                       "gradient_norm", "failed_tasks", "clipped_tasks", "seconds"))
        self.assertEqual(file["history"]["loss"].tolist(), [0.5, 1 / 3])
        self.assertEqual(file["validation"]["loss"].tolist(), [0.5, 0.4])
        self.assertEqual(file["sessions"][0].tolist(), (1, 2, 4, 2, 12.5, b"2026-01-31T12:00:00Z", b"node001",
                                                        b"some processor", 2, 1500.0, b"rapl", b"77"))
        self.assertEqual(file["timing"][:].tolist(), [(b"generate", 0, 1.5), (b"generate", 1, 2.5), (b"train", 0, 3.0),
                                                      (b"train", 1, 4.0)])
        self.assertEqual(file["meta_gradient"].shape, (2, 77))

    def test_evaluation(self):
        file = self.open("evaluation")
        rows = file["evaluation"][:]
        flags = [f"{name}_defined" for name in EVALUATION if name not in ALWAYS_DEFINED]
        self.assertEqual(list(rows.dtype.names), EVALUATION + flags + ["failed", "policy", "family"])
        self.assertEqual(rows["family"].tolist(), [b"biased", b""])
        self.assertEqual(rows["split"].tolist(), [0, 1])
        self.assertEqual(rows["eo_gap_defined"].tolist(), [1, 0])
        for name in EVALUATION:
            if name not in ALWAYS_DEFINED:
                self.assertEqual((rows[f"{name}_defined"] == 1).tolist(), (~np.isnan(rows[name])).tolist())
        self.assertEqual(rows["policy"].tolist(), [0, 1])
        self.assertEqual(file["summary"]["metric"].tolist(), [b"accuracy"])
        self.assertEqual(file["frontier"]["setting"].tolist(), [0.3])
        self.assertEqual(file["paired"][0].tolist(), (b"compas", b"meta_hard", b"roh", b"eo_gap", -0.02, -0.05, 0.01,
                                                      0.75, 9))
        self.assertEqual(file["detection"]["caught"].tolist(), [8])
        self.assertEqual(file["response"]["feature"].tolist(), [b"knn"])
        self.assertEqual(file["findings"]["text"].tolist(), [b"WARNING: one class"])
        self.assertEqual([text.decode() for text in file["findings"]["group"]], ["größer"])
        self.assertEqual(file["groups"].dtype.names, ("source", "split", "policy", "method", "group", "rows", "positives",
                                                      "accuracy", "positive_rate", "true_positive_rate",
                                                      "false_positive_rate"))
        self.assertEqual(file["groups"][0].tolist()[:-1], (b"compas", 3, 1, b"meta_hard", 2, 25, 12, 0.75, 0.5, 0.625))
        self.assertTrue(np.isnan(file["groups"]["false_positive_rate"][0]))
        rate = file["group_summary"][0]
        self.assertEqual(rate.dtype.names[:6], ("source", "method", "group", "name", "rows", "metric"))
        self.assertEqual(rate.dtype.names[6:], file["summary"].dtype.names[3:])  # what /summary has of each metric
        self.assertEqual((rate["group"], rate["name"].decode(), rate["rows"], rate["metric"], rate["mean"]),
                         (2, "größer", 12.5, b"true_positive_rate", 0.7))

    def test_importers_files_are_read_by_cpp(self):
        table = "age,sex,city,income\n" + "".join(f"{20 + i},{'FM'[i % 2]},{'abc'[i % 3]},{i % 5 // 2}\n"
                                                   for i in range(40))
        (self.folder / "table.csv").write_text(table)
        output = self.folder / "imported.h5"
        subprocess.run([sys.executable, "-m", "metasieve", "import", "csv", self.folder / "table.csv", "--label",
                        "income", "--positive", "1", "--rest-negative", "--group", "sex", "--group-value", "F", "--output",
                        output],
                       check=True, stdout=subprocess.DEVNULL,
                       env=os.environ | {"PYTHONPATH": str(ROOT / "analysis")})
        text = subprocess.run([*MPIRUN, SAMPLES, "inspect", output], check=True, capture_output=True, text=True).stdout
        self.assertIn("metasieve-dataset 1.2", text)
        self.assertIn("age, city=a, city=b, city=c", text)
        self.assertIn("/y                  rows 40, least 0, greatest 1, mean 0.4\n", text)
        self.assertIn("/z                  rows 40, least 0, greatest 1, mean 0.5\n", text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
