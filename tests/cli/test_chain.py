"""From the generator to the comparison of methods, with h5py as the reader of every file."""

import re

import numpy as np

from support import ALONE, FAMILY, TINY, TRAIN, BinaryTest, FilesTest, in_parallel, text, tree, write_dataset

METADATA = """task_id n_samples n_train n_test n_features noise_rate group_imbalance class_imbalance separability
add_group_bias seed train_pos_rate train_minority_rate train_actual_noise_rate train_dp_gap test_pos_rate
test_minority_rate test_dp_gap train_pos_rate_z0 train_pos_rate_z1 test_pos_rate_z0 test_pos_rate_z1 family
disadvantaged feature_shift label_bias adversarial groups""".split()
HISTORY = "iteration loss accuracy_loss fairness_loss gradient_norm failed_tasks clipped_tasks seconds".split()
VALIDATION = """iteration accuracy dp_gap eo_gap baseline_accuracy baseline_dp_gap baseline_eo_gap noise_rate_selected
noise_rate_all loss accuracy_loss fairness_loss""".split()
SESSION = "first_iteration last_iteration ranks threads seconds started host processor nodes energy_joules energy_source slurm_job".split()
EVALUATION = """source split method accuracy dp_gap eo_gap eopp_gap roh_dp roh_eo noise_rate_all noise_rate_selected
noise_reduction minority_share selected auc balanced_accuracy positive_rate worst_group_accuracy dp_floor
eo_floor""".split()
METRICS = [name for name in EVALUATION[3:] if name != "selected"]
METHODS = """baseline greedy greedy_weighted reweighing roh penalised threshold random untrained_hard untrained_soft
meta_hard meta_soft oracle oracle_penalised""".split()  # of evaluate on suites by default
TABLES = {"evaluation", "summary", "paired", "detection", "response", "findings"}
GROUP_TABLES = {"groups", "group_summary", "hidden_positives"}  # of data sets
PHASES = "tasks features make policy inner idle reduce update validate checkpoint write".split()


def theta(file):
    """All parameters, in the order of /meta_gradient."""
    layers = file["layers"]
    return np.concatenate([layers[f"{i}/{part}"][()].ravel()
                           for i in range(len(layers)) for part in ("weight", "bias")])


class Chain(FilesTest):
    def test_suite_file(self):
        self.succeed("generate", *TINY, "--output", "suite.h5", ranks=2)
        suite = self.open("suite.h5")
        self.assert_root(suite, "suite", reproducible=True)
        metadata = suite["metadata"][()]
        self.assertEqual(list(metadata.dtype.names), METADATA)
        self.assertEqual(list(metadata["task_id"]), [0, 1, 2, 3])
        self.assertEqual({text(name) for name in metadata["family"]}, {"tiny"})
        self.assertEqual(list(metadata["groups"]), [2, 2, 2, 2])
        self.assertTrue(((metadata["n_samples"] >= 60) & (metadata["n_samples"] <= 100)).all())
        for part, rows in (("train", "n_train"), ("test", "n_test")):
            group = suite[part]
            self.assertEqual(sorted(group), sorted(["x", "y", "z", "y_clean", "row_offset", "x_offset"]))
            self.assertEqual([group[name].dtype for name in ("x", "y", "row_offset")], ["f4", "u1", "u8"])
            np.testing.assert_array_equal(np.diff(group["row_offset"]), metadata[rows])
            np.testing.assert_array_equal(np.diff(group["x_offset"]), metadata[rows] * metadata["n_features"])
            for t, row in enumerate(metadata):
                begin, end = group["row_offset"][t:t + 2]
                y, z, clean = (group[name][begin:end] for name in ("y", "z", "y_clean"))
                self.assertAlmostEqual(y.mean(), row[f"{part}_pos_rate"])
                self.assertAlmostEqual(z.mean(), row[f"{part}_minority_rate"])
                self.assertAlmostEqual(abs(y[z == 1].mean() - y[z == 0].mean()), row[f"{part}_dp_gap"])
                if part == "train":
                    self.assertAlmostEqual((y != clean).mean(), row["train_actual_noise_rate"])
                    x = group["x"][slice(*group["x_offset"][t:t + 2])].reshape(len(y), -1)
                    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-5)
                else:
                    np.testing.assert_array_equal(y, clean)

    def test_suite_of_several_groups(self):
        self.succeed("generate", *TINY[2:], "--suite.tasks", "12", "--family.tiny.groups", "1:5",
                     "--family.tiny.label_bias", "0.5", "--output", "suite.h5", ranks=2)
        suite = self.open("suite.h5")
        metadata = suite["metadata"][()]
        self.assertGreater(len(set(metadata["groups"])), 2)
        self.assertTrue(((metadata["groups"] >= 1) & (metadata["groups"] <= 5)).all())
        self.assertIn("\ngroups = 1:5\n", text(suite.attrs["config"]))
        for part in ("train", "test"):
            for row, begin, end in zip(metadata, suite[part]["row_offset"], suite[part]["row_offset"][1:]):
                y, z = (suite[part][name][begin:end] for name in ("y", "z"))
                rates = [y[z == k].mean() for k in set(z)]
                self.assertLess(z.max(), row["groups"])
                self.assertAlmostEqual((z > 0).mean(), row[f"{part}_minority_rate"])
                if row["groups"] == 1:
                    self.assertEqual((row[f"{part}_dp_gap"], row["label_bias"], row["group_imbalance"]), (0, 0, 0))
                elif len(rates) > 1:
                    self.assertAlmostEqual(max(rates) - min(rates), row[f"{part}_dp_gap"])
                    self.assertAlmostEqual(y[z > 0].mean(), row[f"{part}_pos_rate_z1"])
        self.assertRegex(self.succeed("inspect", "suite.h5").stdout, r"groups")

    def test_training_with_and_without_a_suite_file(self):
        self.succeed("generate", *TINY, "--output", "suite.h5")

        in_parallel([lambda: self.succeed(*TRAIN, "--output", "made"),
                     lambda: self.succeed(*TRAIN, "--output", "read", "--suite", "suite.h5", ranks=2)])

        made, read = ((self.folder / name / "policy.h5").read_bytes() for name in ("made", "read"))
        self.assertEqual(made, read)
        self.assertEqual(sorted(tree(self.folder / "made")), ["checkpoint.h5", "policy.h5", "progress.json",
                                                            "results.h5"])

    def test_training_files(self):
        self.succeed(*TRAIN, "--output", "out", ranks=2)
        policy, results, checkpoint = (self.open(f"out/{name}.h5") for name in ("policy", "results", "checkpoint"))
        self.assert_root(policy, "policy", reproducible=True)
        self.assert_root(results, "results", reproducible=False)
        self.assert_root(checkpoint, "checkpoint", reproducible=False)

        shapes = [(policy[f"layers/{i}/weight"].shape, policy[f"layers/{i}/bias"].shape) for i in range(3)]
        self.assertEqual(shapes, [((28, 8), (8,)), ((8, 4), (4,)), ((4, 1), (1,))])
        self.assertEqual(text(policy.attrs["feature_set"]), "relative28")
        self.assertEqual((list(policy.attrs["hidden"]), policy.attrs["keep"], policy.attrs["temperature"],
                          policy.attrs["use_group"], policy.attrs["trained_iterations"]), ([8, 4], 0.7, 0.2, 1, 10))
        np.testing.assert_array_equal(theta(policy), theta(checkpoint))

        history, validation, timing = (results[name][()] for name in ("history", "validation", "timing"))
        gradients = results["meta_gradient"][()]
        self.assertEqual(list(history.dtype.names), HISTORY)
        self.assertEqual(list(validation.dtype.names), VALIDATION)
        self.assertEqual(list(timing.dtype.names), ["phase", "rank", "seconds"])
        np.testing.assert_array_equal(history["iteration"], np.arange(1, 11))
        np.testing.assert_array_equal(validation["iteration"], [0, 4, 8, 10])
        np.testing.assert_allclose(validation["loss"], validation["accuracy_loss"] + validation["fairness_loss"],
                                   rtol=1e-9)
        self.assertTrue((validation["accuracy_loss"] > 0).all())
        self.assertEqual([(text(row["phase"]), row["rank"]) for row in timing],
                         [(phase, rank) for phase in PHASES for rank in (0, 1)])
        self.assertEqual(gradients.shape, (10, theta(policy).size))
        np.testing.assert_allclose(np.linalg.norm(gradients, axis=1), history["gradient_norm"], rtol=1e-12)
        np.testing.assert_allclose(history["loss"], history["accuracy_loss"] + history["fairness_loss"], rtol=1e-9)
        self.assertEqual(history["failed_tasks"].sum(), 0)
        session, = results["sessions"][()]
        self.assertEqual(list(session.dtype.names), SESSION)
        self.assertRegex(text(session["started"]), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual((results.attrs["ranks"], results.attrs["threads"]), (2, 1))
        self.assertEqual([text(session[name]) for name in ("host", "processor")],
                         [text(results.attrs[name]) for name in ("hosts", "processor")])
        self.assertEqual(session["nodes"], 1)

    def test_first_step_is_that_of_adam(self):
        """The first moment starts at 0, so step 1 moves each parameter by rate * g / (|g| + 1e-8)."""
        once = ("train", *TINY, "--meta.batch", "2", "--policy.hidden", "8,4", "--output.save_gradients", "true",
                "--meta.iterations", "1", "--meta.clip", "0")
        self.succeed(*once, "--output", "still", "--meta.learning_rate", "0")
        self.succeed(*once, "--output", "moved", "--meta.learning_rate", "0.01")

        start, end = (theta(self.open(f"{name}/policy.h5")) for name in ("still", "moved"))
        gradient = self.open("moved/results.h5")["meta_gradient"][0]
        np.testing.assert_allclose(end - start, -0.01 * gradient / (np.abs(gradient) + 1e-8), rtol=1e-5, atol=1e-9)

    def test_rate_zero_reports_gradients_and_moves_nothing(self):
        still = (*TRAIN, "--meta.learning_rate", "0")
        self.succeed(*still, "--output", "first")
        self.succeed(*still, "--output", "second", ranks=2)
        self.succeed(*still[:-2], "--output", "moved")

        policies = [theta(self.open(f"{name}/policy.h5")) for name in ("first", "second", "moved")]
        gradients = [self.open(f"{name}/results.h5")["meta_gradient"][()] for name in ("first", "second", "moved")]
        np.testing.assert_array_equal(policies[0], policies[1])
        np.testing.assert_array_equal(gradients[0], gradients[1])
        np.testing.assert_array_equal(gradients[0][0], gradients[2][0])  # step 1 starts from the same policy
        self.assertFalse(np.array_equal(policies[0], policies[2]))
        self.assertTrue((np.linalg.norm(gradients[0], axis=1) > 0).all())
        biases = self.open("first/policy.h5")["layers/0/bias"][()]
        np.testing.assert_array_equal(biases, 0)  # as initialised

    def test_config_of_a_file_runs_again(self):
        self.succeed(*TRAIN, "--output", "first", "--inner.method", "unrolled", "--inner.step_size", "0.3")
        (self.folder / "again.ini").write_text(text(self.open("first/policy.h5").attrs["config"]))

        self.succeed("train", "--config", "again.ini", "--output", "second", ranks=3)

        first, second = ((self.folder / name / "policy.h5").read_bytes() for name in ("first", "second"))
        self.assertEqual(first, second)

    def test_evaluation(self):
        write_dataset(self.folder / "one.h5")
        write_dataset(self.folder / "two.h5", rows=120, columns=4, seed=2, split=True)
        self.succeed(*TRAIN, "--output", "out")
        self.succeed("generate", "--suite.tasks", "8", "--suite.validation_tasks", "0", "--output", "suite.h5",
                     "--suite.mixture", "tiny:1,small:1", "--family.tiny.samples", "60", "--family.small.samples", "70")
        evaluate = ("evaluate", "--policy", "out/policy.h5", "--evaluate.methods", ",".join(METHODS))

        of_suite = self.succeed(*evaluate, "--suite", "suite.h5", "--output", "suite_evaluation.h5", ranks=2)
        of_data = self.succeed(*evaluate, "--dataset", "one.h5", "two.h5", "--evaluate.splits", "3",
                               "--output", "data_evaluation.h5", ranks=2)

        for name, expected, pooled in (("suite", {"tiny", "small"}, {"all"}), ("data", {"one", "two"}, set())):
            file = self.open(f"{name}_evaluation.h5")
            self.assert_root(file, "evaluation", reproducible=False)
            self.assertEqual(set(file), TABLES | (GROUP_TABLES if name == "data" else set()))
            rows, summary = file["evaluation"][()], file["summary"][()]
            flags = [f"{metric}_defined" for metric in METRICS]
            self.assertEqual(list(rows.dtype.names), [*EVALUATION, *flags, "failed", "policy", "family"])
            self.assertEqual([text(r["family"]) for r in rows],
                             [text(r["source"]) if name == "suite" else "" for r in rows])
            noisy = rows[rows["noise_rate_all"] > 0]
            np.testing.assert_allclose(noisy["noise_reduction"],
                                       1 - noisy["noise_rate_selected"] / noisy["noise_rate_all"], rtol=1e-12)
            order = [(text(r["source"]), r["split"]) for r in rows[::len(METHODS)]]
            self.assertEqual([(text(r["source"]), r["split"], text(r["method"])) for r in rows],
                             [(*split, method) for split in order for method in METHODS])
            if name == "data":
                self.assertEqual(order, [(source, split) for source in ("one", "two") for split in range(3)])
            else:  # tasks in id order
                self.assertEqual([split for _, split in order], list(range(8)))
            self.assertEqual(rows["failed"].sum(), 0)
            for metric, flag in zip(METRICS, flags):
                np.testing.assert_array_equal(rows[flag] == 1, ~np.isnan(rows[metric]))
            for row in summary:
                self.check_summary(row, rows)
            blocks = {text(row["source"]) for row in summary}
            self.assertEqual(blocks, expected | pooled)
        for method in METHODS:
            self.assertRegex(of_suite.stdout, rf"(?m)^  {method} +\d\.\d+")
        for source, run in (("one", of_data), ("two", of_data), ("small", of_suite), ("all", of_suite)):
            self.assertRegex(run.stdout, rf"(?m)^{source} \(\d repeats?;")

    def check_summary(self, row, rows):
        source, method, metric = text(row["source"]), text(row["method"]), text(row["metric"])
        mine = rows if source == "all" else rows[rows["source"] == row["source"]]
        values = mine[mine["method"] == row["method"]][metric]
        baseline = mine[mine["method"] == b"baseline"][metric]
        defined = values[~np.isnan(values)]
        self.assertEqual(row["splits"], defined.size)
        if defined.size == 0:
            self.assertTrue(np.isnan(row["mean"]))
            return
        self.assertAlmostEqual(row["mean"], defined.mean(), msg=f"{source} {method} {metric}")
        if source == "one":  # random splits of a table: Nadeau and Bengio (2003), 24 test rows of 80
            t = {2: 12.706204736, 3: 4.302652730}[defined.size] if defined.size > 1 else np.nan  # 97.5 %, of the tables
            half = t * np.std(defined, ddof=1) * np.sqrt(1 / defined.size + 24 / 56) if defined.size > 1 else np.nan
            np.testing.assert_allclose([row["low"], row["high"]], row["mean"] + half * np.array([-1, 1]), atol=1e-8)
        elif source == "two":  # a test part of its own: over its rows, for what follows from the predictions alone
            if not np.isnan(row["low"]):
                self.assertLessEqual(row["low"], row["high"])
            elif metric in ("accuracy", "dp_gap", "positive_rate"):
                self.fail(f"{method}: no interval of {metric}")
        else:
            self.assertTrue(defined.min() - 1e-12 <= row["low"] <= row["high"] <= defined.max() + 1e-12)
        change = values - baseline
        if not np.isnan(change).all():
            self.assertAlmostEqual(row["baseline_change"], np.nanmean(change))

    def test_metrics_of_one_split(self):
        """A data set with a test part of its own, no noise, and all rows kept in the fit: one split, whose figures
        follow from the file alone."""
        write_dataset(self.folder / "data.h5", split=True)
        self.succeed(*TRAIN, "--output", "out")
        self.succeed("evaluate", "--policy", "out/policy.h5", "--dataset", "data.h5", "--evaluate.label_noise", "0",
                     "--evaluate.methods", ",".join(METHODS), "--output", "e.h5")

        rows = self.open("e.h5")["evaluation"][()]
        baseline, oracle = (rows[rows["method"] == name][0] for name in (b"baseline", b"oracle"))
        data = self.open("data.h5")
        test = data["split"][()] == 1
        self.assertEqual(len(rows), len(METHODS))
        self.assertEqual(baseline["selected"], (~test).sum())
        self.assertAlmostEqual(baseline["minority_share"], data["z"][()][~test].mean())
        self.assertEqual(baseline["noise_rate_all"], 0)
        self.assertAlmostEqual(baseline["accuracy"] * test.sum() % 1, 0)
        self.assertEqual(baseline["accuracy"], oracle["accuracy"])
        self.assertGreater(baseline["accuracy"], 0.75)
        self.assertEqual(rows[rows["method"] == b"meta_hard"][0]["selected"], int(0.7 * (~test).sum()))

    def test_inspect_and_verify_every_file(self):
        write_dataset(self.folder / "data.h5")
        self.succeed("generate", *TINY, "--output", "suite.h5")
        self.succeed(*TRAIN, "--output", ".")
        self.succeed("evaluate", "--policy", "policy.h5", "--dataset", "data.h5", "--output", "evaluation.h5",
                     "--evaluate.methods", ",".join(METHODS),
                     "--evaluate.splits", "2")
        files = {"suite": "records +4", "data": "/x +rows 80, columns 3", "policy": r"hidden +8, 4\n(.*\n)+ +/layers/0/weight +rows 28",
                 "results": r"/history\n +records +10", "checkpoint": "step +10",
                 "evaluation": r"method\s+" + r" +\d+,?\s+".join(sorted(METHODS))}
        before = tree(self.folder)

        calls = [lambda c=command, f=name, r=ranks: self.succeed(c, f"{f}.h5", ranks=r)
                 for name in files for command in ("inspect", "verify") for ranks in (ALONE, 2)]
        runs = in_parallel(calls)

        for name, (alone, two, verified, verified_two) in zip(files, zip(*[iter(runs)] * 4)):
            with self.subTest(name):
                self.assertRegex(alone.stdout, files[name])
                self.assertEqual(alone.stdout, two.stdout)
                self.assertRegex(verified.stdout, rf"^{name}.h5: sound metasieve-\w+ file.*\n$")
                self.assertEqual(verified.stdout, verified_two.stdout)
        self.assertEqual(tree(self.folder), before)


class Talk(BinaryTest):
    def test_dry_run_tells_and_writes_nothing(self):
        write_dataset(self.folder / "data.h5")
        self.succeed("generate", *TINY, "--output", "suite.h5")
        self.succeed(*TRAIN, "--output", ".")
        before = tree(self.folder)
        expected = {
            ("generate", *TINY, "--output", "new/suite.h5"): r"memory per rank +\d+ MB\n.*new/suite.h5, \d.*MB\n.*time",
            (*TRAIN, "--output", "new/run"): r"memory per rank +\d+ MB\n.*policy.h5 \d.* MB.* in new/run\n.*time",
            (*TRAIN, "--suite", "suite.h5", "--output", "new/run"): r"policy.h5 \d.* MB.* in new/run\n.*time",
            ("evaluate", "--policy", "policy.h5", "--suite", "suite.h5", "--output", "new.h5"):
                r"memory per rank \d+ MB; about [\d.]+ s\n.*new.h5, \d.*MB\n",
            ("evaluate", "--policy", "policy.h5", "--dataset", "data.h5", "--output", "new.h5"):
                r"memory per rank \d+ MB; about [\d.]+ s\n.*new.h5, \d.*MB\n",
            ("score", "--policy", "policy.h5", "--dataset", "data.h5", "--output", "new.h5"):
                r"data +80 training rows of 80\n  memory +\d+ MB.*\n.*new.h5 and .csv",
        }

        cases = [(command, ranks) for command in expected for ranks in (ALONE, 2)]
        runs = in_parallel([lambda c=c, r=r: self.succeed(*c, "--dry-run", ranks=r) for c, r in cases])

        for (command, ranks), run in zip(cases, runs):
            with self.subTest(" ".join(command), ranks=ranks):
                self.assertRegex(run.stdout, "^dry run: nothing is written\n")
                self.assertRegex(run.stdout, expected[command])
        self.assertEqual(tree(self.folder), before)

    def test_dry_run_of_very_many_tasks_looks_at_a_sample(self):
        many = ("--suite.tasks", "10000000", "--suite.validation_tasks", "5000000", "--suite.hold", "regenerate",
                "--suite.hold_features", "false", *FAMILY, "--dry-run")
        for ranks in (ALONE, 2):
            with self.subTest(ranks=ranks):
                train = self.succeed("train", *many, "--output", "new", ranks=ranks)
                self.assertRegex(train.stdout, r"tasks +10000000 with about \d+ rows")
        generate = self.succeed("generate", "--suite.tasks", "200000", *FAMILY, "--dry-run", "--output", "new.h5")
        self.assertRegex(generate.stdout, r"tasks +200000 with about \d+ rows")

    def test_sizes_that_a_dry_run_tells(self):
        """Within 20 % and 60 kB: what HDF5's own structures take is a guess."""
        write_dataset(self.folder / "data.h5")
        generate = ("generate", "--suite.tasks", "30", *FAMILY, "--suite.validation_tasks", "0", "--output", "suite.h5")
        evaluate = ("evaluate", "--policy", "policy.h5", "--dataset", "data.h5", "--output", "e.h5")
        train = (*TRAIN, "--output", ".")
        for command, names in ((generate, ["suite.h5"]), (train, ["policy.h5", "results.h5", "checkpoint.h5"]),
                               (evaluate, ["e.h5"])):
            told = self.succeed(*command, "--dry-run").stdout
            self.succeed(*command)
            for name in names:
                with self.subTest(name):
                    size = float(re.search(rf"{name},? ([\d.]+) MB", told)[1]) * 1e6
                    actual = (self.folder / name).stat().st_size
                    self.assertLess(abs(size - actual), 0.2 * actual + 6e4, (size, actual))

    def test_help_and_version(self):
        words = [("--help",), ("-h",), ("help",), ("--version",),
                 *[(command, "--help") for command in ("generate", "train", "evaluate", "score", "inspect", "verify")]]
        runs = in_parallel([lambda w=w, r=r: self.succeed(*w, ranks=r) for w in words for r in (ALONE, 2)])
        for word, alone, two in zip(words, runs[::2], runs[1::2]):
            with self.subTest(word):
                self.assertEqual(alone.stdout, two.stdout)  # printed once
                first = "metasieve [0-9]" if word == ("--version",) else "metasieve: " if len(word) == 1 else "usage: "
                self.assertRegex(alone.stdout, f"^{first}")
        version = runs[2 * words.index(("--version",))].stdout
        for part in ("commit", "compiler", "flags", "MPI", "HDF5", "Eigen", "Boost"):
            self.assertIn(part, version)

    def test_progress_in_a_pipe(self):
        for ranks in (ALONE, 2):
            with self.subTest(ranks=ranks):
                out = self.succeed(*TRAIN, "--output", f"out{ranks}", "--output.log_every", "4", ranks=ranks).stdout

                self.assertEqual(re.findall(r"(?m)^iteration (\d+)/10 .*left$", out), ["4", "8", "10"])
                self.assertEqual(re.findall(r"(?m)^validation at (\d+): ", out), ["0", "4", "8", "10"])
                self.assertNotIn("\r", out)
                self.assertNotIn("\033", out)
