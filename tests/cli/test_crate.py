"""The RO-Crate of a folder, and what a run says of its core-hours and energy."""
import hashlib
import json
import pathlib
import re
import shutil
import sys
import tempfile
import urllib.parse
from unittest import mock

import h5py
import numpy as np
import pandas as pd

from support import ROOT, TINY, TRAIN, AnalysisTest, BinaryTest, analysis, execute, text, unittest, words, \
    write_dataset, write_tables

sys.path.insert(0, str(ROOT / "analysis"))
from metasieve import read
from metasieve.report import crate, folder as folders, usage
from test_plot import history, validation

EVALUATE = ("evaluate", "--policy", "run/policy.h5", "--evaluate.splits", "2",
            "--evaluate.methods", "baseline,meta_hard")
NAME = "ro-crate-metadata.json"


def references(value):
    """Returns every @id that a property refers to."""
    if isinstance(value, list):
        return [found for one in value for found in references(one)]
    if isinstance(value, dict):
        return [value["@id"]] if set(value) == {"@id"} else [None]  # a crate is flat: no entity inside another
    return []


class TestCrate(BinaryTest):
    @classmethod
    def setUpClass(cls):
        cls.made = pathlib.Path(tempfile.mkdtemp(prefix="metasieve."))
        cls.addClassCleanup(shutil.rmtree, cls.made, ignore_errors=True)
        cls.run_in = cls.made / "run"
        cls.run_in.mkdir()
        write_dataset(cls.run_in / "my data.h5")
        write_dataset(cls.made / "elsewhere.h5", seed=2)
        cls.said = {}

        def run(name, *arguments):
            made = execute(words(2, *arguments), cls.made)
            assert made.returncode == 0, made.stderr
            cls.said[name] = made.stdout
        run("generate", "generate", *TINY, "--output", "run/suite.h5")
        run("train", *TRAIN, "--suite", "run/suite.h5", "--output", "run")
        run("evaluate", *EVALUATE, "--dataset", "run/my data.h5", "elsewhere.h5", "--output", "run/e.h5")
        run("score", "score", "--policy", "run/policy.h5", "--dataset", "run/my data.h5", "--output", "run/scores.h5")
        (cls.run_in / "#backup#").touch()
        (cls.run_in / "LICENSE").write_text("as you like\n")
        done = analysis("report", "run", "--crate", folder=cls.made)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        cls.crate = json.loads((cls.run_in / NAME).read_text())
        cls.of = {one["@id"]: one for one in cls.crate["@graph"]}

    def one(self, reference):
        return self.of[reference["@id"]]

    def test_every_reference_is_defined_and_every_entity_is_reached(self):
        self.assertEqual(len(self.of), len(self.crate["@graph"]))
        self.assertEqual(self.crate["@context"][0], "https://w3id.org/ro/crate/1.1/context")
        reached, left = set(), [NAME]
        while left:
            entity = self.of[left.pop()]
            reached.add(entity["@id"])
            self.assertIn("@type", entity)
            for value in (value for key, value in entity.items() if not key.startswith("@")):
                self.assertNotEqual(value, [])
                for name in references(value):
                    self.assertTrue(name in self.of or name.startswith("https://"), name)
                    left += [name] if name in self.of and name not in reached else []
        self.assertEqual(reached, set(self.of))

    def test_the_root_says_what_it_is(self):
        described, root = self.of[NAME], self.of["./"]
        self.assertEqual((described["@type"], described["about"]), ("CreativeWork", {"@id": "./"}))
        self.assertEqual(described["conformsTo"], {"@id": "https://w3id.org/ro/crate/1.1"})
        self.assertEqual((root["@type"], root["name"]), ("Dataset", "metasieve: run"))
        self.assertRegex(root["datePublished"], r"^\d{4}-\d\d-\d\d$")
        self.assertIn("trained for 10 iterations", root["description"])
        self.assertEqual(root["license"], {"@id": "LICENSE"})

    def test_every_file_is_there_with_its_size_and_hash(self):
        names = [urllib.parse.unquote(part["@id"]) for part in self.of["./"]["hasPart"]]
        there = {path.name for path in self.run_in.iterdir()} - {NAME, "#backup#"}
        self.assertEqual(set(names), there)
        self.assertLess({"suite.h5", "results.h5", "policy.h5", "checkpoint.h5", "my data.h5", "e.h5", "scores.h5",
                         "scores.csv", "report.html", "progress.json"}, there)
        for part, name in zip(self.of["./"]["hasPart"], names):
            entity, content = self.one(part), (self.run_in / name).read_bytes()
            self.assertEqual((entity["@type"], entity["contentSize"]), ("File", str(len(content))), name)
            self.assertEqual(entity["sha256"], hashlib.sha256(content).hexdigest(), name)
            self.assertRegex(entity["encodingFormat"], r"^[a-z]+/[\w.+-]+$")
        self.assertEqual(self.of["suite.h5"]["encodingFormat"], "application/x-hdf5")
        self.assertEqual(self.of["report.html"]["encodingFormat"], "text/html")

    def test_runs_name_program_inputs_configuration_and_results(self):
        runs = {run["@id"]: self.one(run) for run in self.of["./"]["mentions"]}
        self.assertEqual(set(runs), {f"#run-{name}.h5" for name in ("suite", "results", "e", "scores")})
        inputs = {"suite": [], "results": ["suite.h5"], "e": ["policy.h5", "my%20data.h5", "elsewhere.h5"],
                  "scores": ["policy.h5", "my%20data.h5"]}
        results = {"suite": ["suite.h5"], "results": ["results.h5", "policy.h5"], "e": ["e.h5"],
                   "scores": ["scores.h5", "scores.csv"]}
        for name in inputs:
            with self.subTest(name), h5py.File(self.run_in / f"{name}.h5") as file:
                run = runs[f"#run-{name}.h5"]
                *objects, configuration = map(self.one, run["object"])
                self.assertEqual([one["@id" if one["@type"] == "File" else "name"] for one in objects], inputs[name])
                self.assertEqual(configuration["text"], text(file.attrs["config"]))
                self.assertEqual([one["@id"] for one in run["result"]], results[name])
                self.assertEqual((run["@type"], "startTime" in run, "endTime" in run),
                                 ("CreateAction", name != "suite", name != "suite"))
                program = self.one(run["instrument"])
                self.assertEqual(program["@type"], "SoftwareApplication")
                self.assertEqual(f"metasieve {program['softwareVersion']}", text(file.attrs["created_by"]))
                self.assertEqual(program["identifier"], f"commit {text(file.attrs['git_commit'])}")
                libraries = [self.one(one)["softwareVersion"] for one in program.get("softwareRequirements", [])]
                self.assertEqual(libraries, [text(file.attrs[key]) for key in ("mpi", "hdf5", "compiler")
                                             if name != "suite"])
        outside, = (one for one in self.of.values() if one.get("name") == "elsewhere.h5")
        self.assertEqual(outside["identifier"], f"fnv1a-64:{crate.input_hash(self.made / 'elsewhere.h5')}")
        training = runs["#run-results.h5"]
        self.assertLessEqual(training["startTime"], training["endTime"])

    def test_core_hours_and_energy_are_those_of_file_and_output(self):
        for name, command in (("results", "train"), ("e", "evaluate")):
            with self.subTest(name), h5py.File(self.run_in / f"{name}.h5") as file:
                found = dict(file.attrs)
                hours, energy = map(self.one, self.of[f"#run-{name}.h5"]["resourceUsage"])
                self.assertEqual(hours["value"], found["core_hours"])
                self.assertAlmostEqual(found["core_hours"], 2 * found["seconds"] / 3600, delta=1 / 3600)
                self.assertEqual(text(found["usage_of"]), "whole run")
                known = "energy_joules" in found  # of the machine that runs the test
                self.assertEqual(known, text(found["energy_source"]) != "unknown")
                self.assertEqual(energy["value"], found["energy_joules"] if known else "unknown")
                line, = re.findall(r"(?m)^used ([\d.e-]+) core-hours, (.*)$", self.said[command])
                self.assertAlmostEqual(float(line[0]), found["core_hours"], delta=0.01 * found["core_hours"])
                said = usage.energy_text(found.get("energy_joules"))
                self.assertTrue(line[1].startswith(said if known else "energy unknown"), line)
                told = self.succeed("inspect", self.run_in / f"{name}.h5").stdout
                self.assertRegex(told, r"(?m)^ *core_hours +[\d.e-]+\n")
                self.assertRegex(told, rf"(?m)^ *energy_source +{text(found['energy_source'])}\n")
        self.assertRegex(self.said["generate"], r"(?m)^used [\d.e-]+ core-hours, ")
        page = (self.run_in / "report.html").read_text()
        self.assertIn("core-hours", page)

    def test_an_input_of_another_content_is_no_file_of_the_crate(self):
        changed = self.folder / "run"
        shutil.copytree(self.run_in, changed)
        write_dataset(changed / "my data.h5", seed=9)
        found = crate.crate_of(folders.found_in(changed), [changed / "my data.h5", changed / "e.h5"])
        of = {one["@id"]: one for one in found["@graph"]}
        policy, data, elsewhere, _ = (of[one["@id"]] for one in of["#run-e.h5"]["object"])
        self.assertEqual([one["@type"] for one in (policy, data, elsewhere)], 3 * ["CreativeWork"])
        self.assertEqual(data["name"], "my data.h5")
        self.assertRegex(data["identifier"], "^fnv1a-64:[0-9a-f]{16}$")

    def test_a_resumed_training_sums_up_and_a_resumed_evaluation_says_of_what(self):
        train = (*TRAIN, "--output", "run")
        self.assertEqual(self.execute(*train, "--run.max_minutes", "0.00001").returncode, 75)
        run = self.succeed(*train, "--resume", ranks=2)
        with h5py.File(self.folder / "run/results.h5") as file:
            sessions, hours = file["sessions"][:], file.attrs["core_hours"]
            self.assertEqual(sessions["ranks"].tolist(), [1, 2])
            self.assertAlmostEqual(hours, (sessions["ranks"] * sessions["threads"] * sessions["seconds"]).sum() / 3600)
            self.assertEqual(text(file.attrs["usage_of"]), "whole run")
        self.assertRegex(run.stdout, r"(?m)^used [\d.e-]+ core-hours, [^;\n]*$")

        write_dataset(self.folder / "data.h5")
        evaluate = (*EVALUATE, "--dataset", "data.h5", "--output", "e.h5", "--output.checkpoint_minutes", "0")
        stopped = self.execute(*evaluate, "--run.max_minutes", "0.00001")
        self.assertEqual(stopped.returncode, 75, stopped.stderr)
        run = self.succeed(*evaluate, "--resume")
        self.assertRegex(run.stdout, "(?m)^used .* core-hours, .*; what the run took before it was resumed is not known$")
        with h5py.File(self.folder / "e.h5") as file:
            self.assertEqual(text(file.attrs["usage_of"]), "last part")


class TestUsage(AnalysisTest):
    def training(self, kind="checkpoint", **columns):
        sessions = pd.DataFrame({"first_iteration": [1, 11], "last_iteration": [10, 20], "ranks": [2, 4],
                                 "threads": [3, 1], "seconds": [600.0, 1800.0]} | columns)
        return read(write_tables(self.folder / f"{kind}.h5", kind, sessions=sessions, history=history(),
                                 validation=validation()))

    def test_sessions_are_summed_and_unknown_stays_unknown(self):
        self.assertEqual(usage.usage(self.training()),
                         {"core_hours": 3.0, "energy_source": "unknown", "usage_of": "whole run"})
        rapl = {"energy_joules": [10.0, 20.0], "energy_source": ["rapl", "rapl"]}
        self.assertEqual(usage.usage(self.training(**rapl))["energy_joules"], 30.0)
        for unknown in ({"energy_source": ["rapl", "pm_counters"]}, {"energy_joules": [10.0, np.nan],
                                                                     "energy_source": ["rapl", "unknown"]}):
            self.assertNotIn("energy_joules", usage.usage(self.training(**rapl | unknown)))
        self.assertEqual(usage.usage(self.training(first_iteration=[5, 11]))["usage_of"], "last part")

    def test_texts_have_three_figures_and_a_unit(self):
        for joules, said in ((None, "unknown"), (np.nan, "unknown"), (0, "0 J"), (999.4, "999 J"), (999.6, "1 kJ"),
                             (12345, "12.3 kJ"), (3.2e9, "3.2 GJ")):
            self.assertEqual(usage.energy_text(joules), said)

    def test_slurms_energy_is_the_jobs_own_or_unknown(self):
        sacct = self.folder / "bin/sacct"
        sacct.parent.mkdir()
        sacct.write_text('#!/bin/sh\n[ "$1 $3 $4 $5" = "-j -n -P -o" ] || exit 1\n'
                         'case $2 in 7) printf "7|4000\\n7.batch|1000\\n7.0|3000\\n" ;; 8) printf "8|\\n8.0|5\\n" ;;\n'
                         '9) printf "9|0\\n" ;; 10) printf "10|18446744073709551614\\n" ;; *) exit 1 ;; esac\n')
        sacct.chmod(0o755)
        usage.sacct_joules.cache_clear()
        self.addCleanup(usage.sacct_joules.cache_clear)
        with mock.patch.dict("os.environ", PATH=f"{sacct.parent}:/usr/bin:/bin"):
            self.assertEqual([usage.sacct_joules(job) for job in ("7", "8", "9", "10", "11")], [4000] + 4 * [None])
            self.training("results", slurm_job=["8", "7"])
            folder = folders.found_in(self.folder)
            self.assertEqual(usage.slurm_jobs(folder.contents[0]), ["8", "7"])
            self.assertIn("8: unknown; 7: 4 kJ", usage.usage_table(folder).rows[0])
        with mock.patch.dict("os.environ", PATH=str(self.folder)):
            usage.sacct_joules.cache_clear()
            self.assertIsNone(usage.sacct_joules("7"))

    def test_a_crate_elsewhere_is_refused_before_anything_is_written(self):
        self.training("results")
        (self.folder / "other").mkdir()
        self.refuse(2, "--crate other/c.json: must be a file in ", "report", ".", "--crate", "other/c.json")
        self.assertFalse((self.folder / "report.html").exists())
        self.succeed("report", ".", "--crate", "c.json")
        found = json.loads((self.folder / "c.json").read_text())
        self.assertEqual(found["@graph"][0]["@id"], "c.json")

    def test_of_chosen_files_these_alone_are_listed(self):
        self.training("results")
        (self.folder / "private.txt").write_text("not for others")
        self.succeed("report", "results.h5", "--crate")
        self.assertEqual([part["@id"] for entity in json.loads((self.folder / NAME).read_text())["@graph"]
                          if entity["@id"] == "./" for part in entity["hasPart"]], ["results.h5", "report.html"])


if __name__ == "__main__":
    unittest.main()
