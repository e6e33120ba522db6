"""metasieve inspect FILE --json: of each type of file, against what h5py reads of it."""

import json
import math
import pathlib
import shutil
import tempfile

import h5py
import numpy as np

from support import ALONE, SHORT, TINY, TRAIN, BinaryTest, execute, in_parallel, noise, text, unittest, words, write_dataset

FILES = {"suite": "suite.h5", "dataset": "data.h5", "policy": "run/policy.h5", "checkpoint": "run/checkpoint.h5",
         "results": "run/results.h5", "evaluation": "e.h5", "scores": "scores.h5", "scaling": "study/scaling.h5",
         "sweep": "sweep/sweep.h5"}


def strict(value):
    """As json.loads, but NaN and Infinity, which JSON has not, are refused, and so are names that come twice."""
    def refuse(word):
        raise ValueError(word)

    def once(pairs):
        assert len({name for name, _ in pairs}) == len(pairs), pairs
        return dict(pairs)
    return json.loads(value, parse_constant=refuse, object_pairs_hook=once)


class TestInspectJson(BinaryTest):
    @classmethod
    def setUpClass(cls):
        cls.made = pathlib.Path(tempfile.mkdtemp(prefix="metasieve."))
        cls.addClassCleanup(shutil.rmtree, cls.made, ignore_errors=True)
        write_dataset(cls.made / "data.h5", split=True)
        (cls.made / "s.ini").write_text("[sweep]\npolicy.keep = 0.6, 0.7\nevaluate_tasks = 2\n"
                                        "[evaluate]\nmethods = baseline,meta_hard\n")

        def run(*arguments):
            made = execute(words(ALONE, *arguments), cls.made)
            assert made.returncode == 0, made.stderr

        def chain():
            run(*TRAIN, "--output", "run")
            policy = ("--policy", "run/policy.h5", "--dataset", "data.h5")
            run("evaluate", *policy, "--evaluate.splits", "2", "--output", "e.h5")
            run("score", *policy, "--output", "scores.h5")

        def sweep():
            run("sweep", "--config", "s.ini", *TINY, *SHORT, "--output", "sweep")
            run("sweep", "--output", "sweep", "--collect")
        in_parallel([chain, sweep, lambda: run("generate", *TINY, "--output", "suite.h5"),
                     lambda: run("scaling", *TINY, *SHORT, "--scaling.kinds", "strong", "--output", "study")])

    def told(self, name):
        return strict(self.succeed("inspect", self.made / name, "--json").stdout)

    def test_every_type_of_file(self):
        for kind, name in FILES.items():
            with self.subTest(kind), h5py.File(self.made / name) as file:
                told = self.told(name)

                self.assertEqual(list(told), ["file", "type", "bytes", "attributes", "config", "data_sets", "contents"])
                self.assertEqual(told["file"], str(self.made / name))
                self.assertEqual(told["type"], f"metasieve-{kind}")
                self.assertEqual(told["bytes"], (self.made / name).stat().st_size)
                self.assertEqual(sorted([*told["attributes"], *(["config"] if "config" in file.attrs else [])]),
                                 sorted(file.attrs))
                self.assertEqual(told["attributes"]["created_by"], text(file.attrs["created_by"]))
                self.assertEqual(told["attributes"]["version"], [1, 0])
                sections = [f"[{section}]" for section in told["config"]]
                lines = text(file.attrs.get("config", "")).splitlines()
                self.assertEqual(sections, [line for line in lines if line.startswith("[")])
                self.assertEqual([f"{key} = {value}" for keys in told["config"].values() for key, value in keys.items()],
                                 [line for line in lines if line and not line.startswith("[")])
                self.assert_data_sets(file, told["data_sets"])
                self.assertTrue(told["contents"])

    def assert_data_sets(self, file, told):
        there = {}
        file.visititems(lambda name, item: there.update({f"/{name}": item}) if isinstance(item, h5py.Dataset) else None)
        self.assertEqual(sorted(each["name"] for each in told), sorted(there))
        for each in told:
            item = there[each["name"]]
            self.assertEqual(tuple(each["shape"]), item.shape, each)
            self.assertEqual(each.get("fields"), list(item.dtype.names) if item.dtype.names else None)
            self.assertEqual(each["type"], "compound" if item.dtype.names else item.dtype.name)

    def test_figures(self):
        contents = {kind: self.told(name)["contents"] for kind, name in FILES.items()}
        self.assertEqual(contents["suite"]["tasks"], 4)
        self.assertEqual(contents["suite"]["families"], {"tiny": 4})
        self.assertEqual((contents["dataset"]["rows"], contents["dataset"]["test_rows"]), (80, 20))
        self.assertEqual(contents["dataset"]["feature_names"], ["column 0", "column 1", "column 2"])
        self.assertEqual(contents["policy"]["hidden"], [8, 4])
        self.assertEqual(contents["policy"], contents["checkpoint"]["policy"])
        self.assertEqual(contents["scores"]["rows"], 80)
        self.assertEqual(len(contents["sweep"]["columns"]), len(set(contents["sweep"]["columns"])))
        self.assertEqual(contents["sweep"]["points"], 2)
        self.assertEqual([point["repeat"] for point in contents["scaling"]["points"]], [1, 2, 3])
        with h5py.File(self.made / FILES["results"]) as file:
            last = file["history"][-1]
            self.assertEqual(contents["results"]["last_iteration"], {name: last[name].item() for name in last.dtype.names})
            self.assertEqual(contents["results"]["meta_gradient"], list(file["meta_gradient"].shape))
        with h5py.File(self.made / FILES["evaluation"]) as file:
            for told, row in zip(contents["evaluation"]["summary"], file["summary"], strict=True):
                for name, value in told.items():
                    there = text(row[name]) if isinstance(row[name], bytes) else row[name].item()
                    self.assertEqual(value, None if isinstance(there, float) and math.isnan(there) else there)

    def test_undefined_numbers_and_strange_texts(self):
        path = write_dataset(self.folder / "strange.h5")
        with h5py.File(path, "r+") as file:
            file.attrs["source"] = np.bytes_(b'\xff\xfe "quoted" \\ \x01')
            file.attrs["mine"] = np.float64("nan")
            file.attrs["more"] = np.zeros((2, 2))
        told = strict(self.succeed("inspect", path, "--json").stdout)

        self.assertEqual(told["contents"]["source"], '\ufffd\ufffd "quoted" \\ \x01')
        self.assertIsNone(told["attributes"]["mine"])
        self.assertEqual(told["attributes"]["more"], {"type": "float64", "shape": [2, 2]})

    def test_what_is_wrong_is_refused_as_without_json(self):
        (self.folder / "noise.h5").write_bytes(noise(4096))
        for name, code in (("noise.h5", 3), ("none.h5", 3)):
            runs = [self.execute("inspect", name, *json_too) for json_too in ((), ("--json",))]
            self.assertEqual([run.returncode for run in runs], [code, code])
            self.assertEqual(runs[0].stderr, runs[1].stderr)
            self.assertEqual(runs[1].stdout, "")
        two = self.succeed("inspect", self.made / FILES["policy"], "--json", ranks=2).stdout  # printed once
        self.assertEqual(two, self.succeed("inspect", self.made / FILES["policy"], "--json").stdout)


if __name__ == "__main__":
    unittest.main()
