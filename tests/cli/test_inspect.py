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

    def test_contents(self):
        """Of each field and array the range; records of tables that are shown whole."""
        for kind, name in FILES.items():
            with self.subTest(kind), h5py.File(self.made / name) as file:
                for path, told in self.told(name)["contents"].items():
                    values = file[path][()]
                    if isinstance(told, list):
                        self.assert_records(told, values)
                    elif values.dtype.names:
                        self.assertEqual((told["records"], list(told["fields"])), (len(values), list(values.dtype.names)))
                        for field, said in told["fields"].items():
                            self.assert_field(said, values[field])
                    else:
                        self.assertEqual((told["rows"], told.get("columns", 1)), (*values.shape, 1)[:2])
                        self.assert_range(told, values)
        contents = {kind: self.told(name)["contents"] for kind, name in FILES.items()}
        self.assertEqual(contents["suite"]["/metadata"]["fields"]["family"], {"tiny": 4})
        self.assertEqual({name for tables in contents.values() for name, told in tables.items() if isinstance(told, list)},
                         {"/summary", "/findings", "/failures", "/sessions"})

    def assert_records(self, told, rows):
        for record, row in zip(told, rows, strict=True):
            self.assertEqual(list(record), list(row.dtype.names))
            for name, value in record.items():
                self.assert_value(value, row[name])

    def assert_value(self, told, value):
        value = text(value) if isinstance(value, bytes) else value.item()
        self.assertEqual(told, None if isinstance(value, float) and math.isnan(value) else value)

    def assert_field(self, told, values):
        if values.dtype.kind == "S":
            texts, counts = np.unique(values, return_counts=True)
            counted = {text(each): count for each, count in zip(texts, counts.tolist())}
            self.assertEqual(told, counted if len(counted) <= 40 else {"different": len(counted)})
            return
        self.assert_range(told, values)
        for name, place in (("first", 0), ("last", -1)):
            self.assert_value(told[name], values[place]) if len(values) else self.assertIsNone(told[name])

    def assert_range(self, told, values):
        defined = values[~np.isnan(values)].astype("f8")
        for name, number in (("least", np.min), ("greatest", np.max), ("mean", np.mean)):
            if len(defined):
                np.testing.assert_allclose(told[name], number(defined), rtol=1e-12, atol=1e-12)
            else:
                self.assertIsNone(told.get(name))

    def test_undefined_numbers_and_strange_texts(self):
        path = write_dataset(self.folder / "strange.h5")
        with h5py.File(path, "r+") as file:
            file.attrs["source"] = np.bytes_(b'\xff\xfe "quoted" \\ \x01')
            file.attrs["mine"] = np.float64("nan")
            file.attrs["more"] = np.zeros((2, 2))
        told = strict(self.succeed("inspect", path, "--json").stdout)

        self.assertEqual(told["attributes"]["source"], '\ufffd\ufffd "quoted" \\ \x01')
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
